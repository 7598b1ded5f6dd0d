"""How the service does, for those who run it: each part in words, the figures behind it, and what can be set going."""

from collections.abc import Callable
from itertools import groupby

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.auth import permission_denied
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from marketplace.core.heartbeats import Seen
from marketplace.health.judging import READERS, judged, worst
from marketplace.health.rules import can_look, can_operate
from marketplace.health.state import collect
from search import upkeep
from search.engine import backends
from search.enums import Work

from .partner_pages import HOME, ActsMixin

PARTS = {"inside": gettext_lazy("own data"), "outside": gettext_lazy("others' servers"), "upkeep": gettext_lazy("whole index")}
CONDITIONS = {"alive": gettext_lazy("alive"), "stuck": gettext_lazy("hangs"), "dead": gettext_lazy("dead"), "replaced": gettext_lazy("replaced")}


class OperationMenuItem(MenuItem):
    """Shown to those who may see how the service does."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Whether this person sees the item."""
        return can_look(request.user)


class OperationView(ActsMixin, WagtailAdminTemplateMixin, TemplateView):
    """The page. Its buttons only write down what is wanted: a worker takes it up."""

    template_name = "console/operation.html"
    page_title = gettext_lazy("Operation")
    header_icon = "desktop"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Check who comes, then go on."""
        return super().dispatch(request, *args, **kwargs) if can_look(request.user) else permission_denied(request)

    def get_breadcrumbs_items(self) -> list:
        """Home, this page."""
        return [HOME, {"url": "", "label": self.page_title}]

    def get_context_data(self, **context: object) -> dict:
        """Everything the page shows."""
        state = collect()
        parts = judged(state)
        index = state.index
        return super().get_context_data(**context) | {
            "state": state,
            "parts": parts,
            "level": worst(parts),
            "readers": [(READERS.get(lag.reader, ""), lag) for lag in index.readers],
            "workers": _processes(index.workers),
            "requests": [(engine.engine.capitalize(), Work(request.work).label, request) for engine in index.engines for request in engine.requests],
            "differs": any(engine.checked and engine.checked.differences and not engine.checked.repaired for engine in index.engines),
            "may_operate": can_operate(self.request.user),
        }

    def acts(self) -> dict[str, Callable]:
        """The buttons, by what they ask for."""
        return {work.value: lambda work=work: self._ask(work) for work in Work}

    def _ask(self, work: Work) -> str:
        if not can_operate(self.request.user):
            raise PermissionDenied
        chosen = self.request.POST.get("engine", "")
        engines = [backend.name for backend in backends() if chosen in ("", backend.name)]
        if not engines:
            raise ValidationError(_("That search engine is not in use."))
        for engine in engines:
            upkeep.ask(engine, work)
        return _("It is asked for. A worker begins within some seconds; this page shows how far it is.")


def _processes(parts: list[Seen]) -> list[dict[str, object]]:
    """The worker processes, each with its parts; as well as the part that does worst."""
    processes = []
    for _process, of_one in groupby(parts, key=lambda part: part.process):
        own = list(of_one)
        condition = next((one.condition for one in own if one.is_stuck), own[0].condition)
        processes.append(
            {
                "host": own[0].host,
                "pid": own[0].pid,
                "started": own[0].started,
                "beat": own[0].beat,
                "is_alive": own[0].is_alive,
                "condition": CONDITIONS[condition],
                "level": 0 if condition in ("alive", "replaced") else 1,
                "parts": [(PARTS.get(one.part, one.part), one) for one in own],
            }
        )
    return processes

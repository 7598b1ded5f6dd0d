"""How the service does, for those who run it: each part in words, the figures behind it, and what can be set going."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.auth import permission_denied
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from marketplace.health.judging import judged, worst
from marketplace.health.rules import can_look, can_operate
from marketplace.health.state import collect
from search import upkeep
from search.engine import backends
from search.enums import Work

from .partner_pages import HOME, ActsMixin

#: What each reader of the change log keeps up to date.
READERS = {
    "alerts": gettext_lazy("Saved searches"),
    "consortia": gettext_lazy("Groups"),
    "embedded": gettext_lazy("Embedded search index"),
    "facts": gettext_lazy("Facts of aid pages"),
    "feed": gettext_lazy("What partners read"),
    "index": gettext_lazy("Elasticsearch index"),
    "links": gettext_lazy("Links to check"),
    "listings": gettext_lazy("Listings whose company changed"),
    "page-cache": gettext_lazy("Kept pages"),
    "page-cache-found": gettext_lazy("Kept pages with search results"),
    "pictures": gettext_lazy("Sizes of pictures"),
    "rings": gettext_lazy("Rings"),
    "synergies": gettext_lazy("Suggestions"),
}
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
            "readers": [(READERS.get(lag.reader, lag.reader), lag) for lag in index.readers],
            "workers": [(PARTS.get(one.part, one.part), CONDITIONS[one.condition], one) for one in index.workers],
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

"""What the console's pages about partners share: who may come in, where one is, the tabs, the buttons."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.auth import permission_denied
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from marketplace.federation.models import DuplicateCandidate, Partner, QuarantinedItem
from marketplace.federation.rules import can_look, can_manage

HOME = {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}
LIST = {"url": reverse_lazy("console_partners"), "label": gettext_lazy("Partners")}
READS = ("GET", "HEAD", "OPTIONS")


class PartnerLookMixin:
    """Lets in who may see how partners do; to change something one has to look after them (or be a curator, where `for_curators`)."""

    for_curators = False

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Check, then go on."""
        may = can_look if request.method in READS or self.for_curators else can_manage
        if not may(request.user):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)


class PartnerManageMixin:
    """Lets in who looks after partners."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Check, then go on."""
        if not can_manage(request.user):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)


class PartnersMenuItem(MenuItem):
    """Shown to those who may see how partners do."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Whether this person sees the item."""
        return can_look(request.user)


class ActsMixin:
    """A page with buttons: each POST names its `act`, and the page says what became of it."""

    def acts(self) -> dict[str, Callable[[], str | HttpResponse]]:
        """What each button does; it returns what to say to the person, or an answer of its own. Raises ValidationError."""
        return {}

    def after_act(self) -> str:
        """Where to go afterwards."""
        return self.request.get_full_path()

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Do what the pressed button says."""
        act = self.acts().get(request.POST.get("act", ""))
        if act is None:
            messages.error(request, _("Choose what to do."))
            return redirect(self.after_act())
        try:
            said = act()
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except PermissionDenied:
            return permission_denied(request)
        else:
            if isinstance(said, HttpResponse):
                return said
            messages.success(request, said)
        return redirect(self.after_act())


class PartnerPage(PartnerLookMixin, WagtailAdminTemplateMixin, TemplateView):
    """A page of one partner."""

    header_icon = "site"
    step: object = ""

    @cached_property
    def partner(self) -> Partner:
        """The partner of the address."""
        return get_object_or_404(Partner.objects.select_related("client", "default_sector", "default_place"), uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """Its name."""
        return self.partner.name

    def get_page_subtitle(self) -> str:
        """What of it."""
        return str(self.step)

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, the partner, the step."""
        here = {"url": page_of(self.partner) if self.step else "", "label": self.partner.name}
        return [HOME, LIST, here, *([{"url": "", "label": self.step}] if self.step else [])]

    def get_context_data(self, **context: object) -> dict:
        """With the tabs."""
        return super().get_context_data(**context) | {"partner": self.partner, "tabs": self._tabs(), "may_manage": can_manage(self.request.user)}

    def _tabs(self) -> list[tuple[object, str, bool]]:
        here = self.request.path
        tabs = [(label, reverse(name, args=[self.partner.uid])) for name, label, is_for_all in TABS if is_for_all or can_manage(self.request.user)]
        return [(label, address, address == here) for label, address in tabs]


def page_of(partner: Partner) -> str:
    """The address of a partner's first page."""
    return reverse("console_partner", args=[partner.uid])


def add_errors(form: forms.Form, error: ValidationError) -> None:
    """What an operation found, beside the fields that the form has; the rest on top."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    for name, errors in by_field.items():
        form.add_error(name if name in form.fields else None, errors)


def refused(request: HttpRequest) -> int:
    """The status of a page that shows again what was typed. htmx puts nothing into the page that comes with an error's status."""
    return 200 if request.htmx else 422


def sections_of(here: str) -> list[tuple[object, str, int | None, bool]]:
    """The tabs above the lists that are about all partners: label, address, how many wait there, whether it is this one."""
    return [(label, address, count() if count else None, address == here) for name, label, count in SECTIONS if (address := reverse(name))]


#: The pages of a partner: URL name, label, whether those see it who only look.
TABS: list[tuple[str, object, bool]] = [
    ("console_partner", gettext_lazy("Health"), True),
    ("console_partner_reading", gettext_lazy("How we read it"), False),
    ("console_partner_takes", gettext_lazy("What we take"), False),
    ("console_partner_mapping", gettext_lazy("Its words and ours"), False),
    ("console_partner_gives", gettext_lazy("What we give"), False),
    ("console_partner_keys", gettext_lazy("Keys"), False),
    ("console_partner_messages", gettext_lazy("Messages"), False),
    ("console_partner_edit", gettext_lazy("Name and address"), False),
    ("console_partner_history", gettext_lazy("History"), True),
]
#: The pages about all partners, with what counts the things that wait there.
SECTIONS: list[tuple[str, object, Callable[[], int] | None]] = [
    ("console_partners", gettext_lazy("Partners"), None),
    ("console_partner_quarantine", gettext_lazy("Quarantine"), lambda: QuarantinedItem.objects.filter(resolved_at=None).count()),
    ("console_partner_duplicates", gettext_lazy("Possible duplicates"), lambda: DuplicateCandidate.objects.filter(decision="").count()),
    ("console_partner_interests", gettext_lazy("Interests"), None),
    ("console_partner_node", gettext_lazy("Our marketplace"), None),
]

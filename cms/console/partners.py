"""The list of partners with their health at a glance, and who a partner is."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, TitleColumn
from wagtail.admin.views.reports import ReportView
from wagtail.admin.widgets import HeaderButton

from marketplace.federation import health, introductions, operations
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.models import Partner
from marketplace.federation.rules import can_manage

from . import partner_history as history
from .partner_forms import SeenForm, WhoForm
from .partner_pages import PartnerLookMixin, PartnerManageMixin, PartnerPage, add_errors, page_of, refused, sections_of

SHOWN_EVENTS = 200


class HealthColumn(Column):
    """State and condition, so that a colour never stands alone."""

    cell_template_name = "console/partner_health_cell.html"

    def get_cell_context_data(self, instance: Partner, parent_context: dict) -> dict:
        """With the condition."""
        return super().get_cell_context_data(instance, parent_context) | {"partner": instance, "health": health.health_of(instance)}


def _of_checkpoint(name: str) -> Callable[[Partner], object]:
    """A value of the partner's checkpoint; a dash where it has never been visited or does not say."""

    def value(partner: Partner) -> object:
        found = getattr(getattr(partner, "checkpoint", None), name, None)
        return "–" if found is None else found

    return value


def next_visit(partner: Partner) -> str:
    """When the worker goes there next, in words."""
    checkpoint = getattr(partner, "checkpoint", None)
    if partner.state != PartnerState.ACTIVE or partner.reader == ReaderKind.NONE:
        return "–"
    if checkpoint is None or checkpoint.next_at <= timezone.now():
        return _("now")
    return _("in %(time)s") % {"time": timeuntil(checkpoint.next_at, depth=1)}


class PartnersView(PartnerLookMixin, ReportView):
    """Every partner."""

    model = Partner
    template_name = "console/partners.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Partners")
    header_icon = "site"
    index_url_name = "console_partners"
    index_results_url_name = "console_partners_results"
    is_searchable = True
    search_backend_name = None
    search_fields = ["name", "base_url"]
    default_ordering = "name"
    paginate_by = 50
    verbose_name_plural = gettext_lazy("partners")
    list_export = []

    @cached_property
    def header_buttons(self) -> list:
        """The way in."""
        if not can_manage(self.request.user):
            return []
        return [HeaderButton(_("Connect a partner"), url=reverse("console_partner_connect"), icon_name="plus")]

    def get_base_queryset(self) -> QuerySet:
        """With how they do."""
        return health.with_health(Partner.objects.all())

    def get_context_data(self, **context: object) -> dict:
        """With the other lists."""
        return super().get_context_data(**context) | {"sections": sections_of(self.request.path)}

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("name", label=_("Partner"), get_url=page_of, sort_key="name"),
            HealthColumn("health", label=_("State"), sort_key="state", width="16%"),
            DateColumn("last_success", label=_("Last success"), accessor="checkpoint.last_success_at", sort_key="checkpoint__last_success_at", width="12%"),
            NumberColumn("live_count", label=_("Listings"), sort_key="live_count", classname="console-roomy", width="8%"),
            Column("lag", label=_("To come"), accessor=_of_checkpoint("lag"), sort_key="checkpoint__lag", classname="console-roomy", width="8%"),
            NumberColumn("quarantine_count", label=_("Quarantine"), sort_key="quarantine_count", classname="console-roomy", width="9%"),
            Column(
                "failures", label=_("Failures"), accessor=_of_checkpoint("failures"), sort_key="checkpoint__failures", classname="console-roomy", width="8%"
            ),
            Column("next", label=_("Next visit"), accessor=next_visit, sort_key="checkpoint__next_at", classname="console-roomy", width="12%"),
        ]

    @cached_property
    def no_results_message(self) -> str:
        """What the page is for, while it is empty."""
        if self.is_searching:
            return _("No partner of this name or address.")
        return _(
            "No partner yet. Connect another marketplace, or an office with a table, a feed or pages of its own, and its listings appear here beside yours."
        )


class ChangePage(PartnerManageMixin, PartnerPage):
    """A form about some of a partner's facts, with a check against lost edits."""

    form_class: type[SeenForm]
    template_name = "console/partner_form.html"

    def get_context_data(self, **context: object) -> dict:
        """With the form."""
        context.setdefault("form", self.form_class(partner=self.partner))
        return super().get_context_data(**context)

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Write, or show again what was typed with what is wrong."""
        form = self.form_class(request.POST, partner=self.partner)
        if not form.is_valid():
            return self.again(form)
        try:
            partner = self.write(form, seen=form.cleaned_data["seen"] or 0)
        except operations.StaleError as error:
            return self._stale(form, error)
        except ValidationError as error:
            add_errors(form, error)
            return self.again(form)
        messages.success(request, _("“%(name)s” is saved.") % {"name": partner.name})
        return redirect(self.next_page(partner))

    def write(self, form: SeenForm, *, seen: int) -> Partner:
        """Do it."""
        return operations.change(self.partner, form.wanted(), seen=seen, by=self.request.user)

    def next_page(self, partner: Partner) -> str:
        """Where a saved form leads."""
        return page_of(partner)

    def again(self, form: SeenForm, **context: object) -> HttpResponse:
        """The page with the form as it was sent."""
        return self.render_to_response(self.get_context_data(form=form, **context), status=refused(self.request))

    def _stale(self, form: SeenForm, error: ValidationError) -> HttpResponse:
        """Both versions on one page: what the colleague saved, and in the fields what this person typed. Saved again, theirs gives way knowingly."""
        del self.partner
        add_errors(form, error)
        form.data = form.data.copy()
        form.data[form.add_prefix("seen")] = self.partner.version
        theirs = history.steps(self.partner.events.select_related("by")[:1])
        return self.again(form, theirs=theirs)


class EditView(ChangePage):
    """Who the partner is, and where."""

    form_class = WhoForm
    step = gettext_lazy("Name and address")

    def write(self, form: SeenForm, *, seen: int) -> Partner:
        """At a new address the same marketplace has to answer."""
        address = form.cleaned_data["base_url"].strip().rstrip("/")
        found = None
        if self.partner.reader == ReaderKind.PROTOCOL and address != self.partner.base_url:
            try:
                found = introductions.ask(address)
            except introductions.IntroductionError as error:
                raise ValidationError({"base_url": error.message}) from error
        return operations.change(self.partner, form.wanted(), seen=seen, presented=found, by=self.request.user)


class HistoryView(PartnerPage):
    """Who did what with this partner, and when."""

    template_name = "console/partner_history.html"
    step = gettext_lazy("History")

    def get_context_data(self, **context: object) -> dict:
        """The newest steps."""
        return super().get_context_data(**context) | {"steps": history.steps(self.partner.events.select_related("by")[:SHOWN_EVENTS])}

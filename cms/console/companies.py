"""Companies as the Innovation Service sees them: list, checked flag, hidden flag."""

import uuid

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.html import SafeString, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, StatusFlagColumn, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView

from marketplace.accounts.models import User
from marketplace.companies import operations
from marketplace.companies.models import Company, Membership
from marketplace.companies.rules import can_decide
from marketplace.listings.enums import State

from .access import CuratorRequiredMixin
from .filters import CompanyFilterSet


class CompaniesView(CuratorRequiredMixin, ReportView):
    """Every company."""

    model = Company
    template_name = "console/table.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Companies")
    header_icon = "group"
    index_url_name = "console_companies"
    index_results_url_name = "console_companies_results"
    filterset_class = CompanyFilterSet
    is_searchable = True
    search_backend_name = None
    search_fields = ["name", "tax_id", "description"]
    default_ordering = "name"
    paginate_by = 30
    verbose_name_plural = gettext_lazy("companies")

    def get_base_queryset(self) -> QuerySet:
        """With the number of its listings."""
        return super().get_base_queryset().for_display().annotate(listing_count=Count("listings", filter=~Q(listings__state=State.DRAFT)))

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            TitleColumn("name", label=_("Name"), get_url=lambda company: reverse("console_company", args=[company.uid]), sort_key="name"),
            Column("tax_id", label=_("NIF"), sort_key="tax_id", width="11%"),
            Column("sector", label=_("Sector"), accessor="sector.label", classname="console-roomy", width="24%"),
            Column("place", label=_("Municipality"), accessor="place.name", sort_key="place__name", classname="console-roomy", width="13%"),
            NumberColumn("listing_count", label=_("Listings"), sort_key="listing_count", classname="console-roomy", width="8%"),
            StatusFlagColumn("verified", label=_("Checked"), true_label=_("Checked"), sort_key="verified", width="9%"),
            StatusFlagColumn("hidden", label=_("Hidden"), true_label=_("Hidden"), sort_key="hidden", width="8%"),
            DateColumn("created", label=_("Since"), sort_key="created", classname="console-roomy", width="10%"),
        ]


class FlagsForm(forms.ModelForm):
    """The two things that curators decide about a company."""

    class Meta:
        model = Company
        fields = ["verified", "hidden"]
        help_texts = {
            "verified": gettext_lazy("You have seen that this company exists and that its data are right."),
            "hidden": gettext_lazy("Neither its page nor its listings are shown or found. Nothing is lost: take the tick away to show them again."),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            # The page sends along what it showed: who ticks one box must not undo what a colleague did to the other meanwhile.
            field.show_hidden_initial = True

    def shown(self) -> SafeString:
        """What the page shows of the flags, as hidden fields."""
        return format_html_join("", "{}", ((field.as_hidden(only_initial=True),) for field in self))

    def decided(self) -> dict[str, bool]:
        """The flags that the curator changed on the page, with their new values."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


@transaction.atomic
def set_flags(company: Company, *, verified: bool | None = None, hidden: bool | None = None, by: User) -> None:
    """Write those of the two flags that were decided on (None: not) and are not so already."""
    if verified is not None and company.verified != verified:
        operations.set_verified(company, verified, by=by)
    if hidden is not None and company.hidden != hidden:
        operations.set_hidden(company, hidden, by=by)


class CompanyView(CuratorRequiredMixin, WagtailAdminTemplateMixin, FormView):
    """One company: its data, its people, its listings, its flags."""

    template_name = "console/company.html"
    form_class = FlagsForm
    header_icon = "group"
    breadcrumbs_items = [
        {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")},
        {"url": reverse_lazy("console_companies"), "label": gettext_lazy("Companies")},
    ]

    @cached_property
    def company(self) -> Company:
        """The company of the address."""
        return get_object_or_404(Company.objects.for_display(), uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """Its name."""
        return self.company.name

    def get_breadcrumbs_items(self) -> list:
        """Home, companies, this one."""
        return [*self.breadcrumbs_items, {"url": "", "label": self.company.name}]

    def get_form_kwargs(self) -> dict:
        """Bound to a copy, so that a refused form does not change what the page shows."""
        return super().get_form_kwargs() | {"instance": Company.objects.get(pk=self.company.pk)}

    def get_context_data(self, **context: object) -> dict:
        """With people and listings."""
        return super().get_context_data(**context) | {
            "company": self.company,
            "can_decide": can_decide(self.request.user, self.company),
            "people": self.company.memberships.select_related("user").order_by("state", "created"),
            "listings": self.company.listings.order_by("-created")[:50],
        }

    def form_valid(self, form: FlagsForm) -> HttpResponse:
        """Write the flags."""
        set_flags(self.company, **form.decided(), by=self.request.user)
        messages.success(self.request, _("“%(name)s” is saved.") % {"name": self.company.name})
        return redirect(self.request.path)


class JoinView(CuratorRequiredMixin, View):
    """Let in somebody who asked to act for a company that has no owner yet, or refuse. By POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, uid: uuid.UUID, membership: uuid.UUID) -> HttpResponse:
        """Answer the request; who asked gets a mail."""
        found = get_object_or_404(Membership.objects.select_related("user", "company"), uid=membership, company__uid=uid)
        accept = "accept" in request.POST
        try:
            operations.decide(found, accept=accept, by=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except PermissionDenied:
            messages.error(request, _("This company has an owner, who answers such requests."))
        else:
            text = _("%(name)s may act for the company now.") if accept else _("The request of %(name)s is refused.")
            messages.success(request, text % {"name": found.user.get_full_name()})
        return redirect("console_company", uid)

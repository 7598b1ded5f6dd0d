"""The links of our pages in the console: which are broken, where they stand, and what an editor does about it."""

from collections.abc import Callable

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView

from cms.aid import links
from cms.aid.freshness_models import LinkCheck, LinkState

from .access import EditorRequiredMixin

HOME = {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}
#: The lists, by their name in the address: label, what it says above the table, and its rows.
LISTS: dict[str, tuple[object, object, Callable[[QuerySet], QuerySet]]] = {
    "broken": (
        gettext_lazy("Broken"),
        gettext_lazy("These failed several times over at least two days. Mend the link on its page, or say why it may stay."),
        lambda rows: rows.filter(ignored_at=None, state=LinkState.BROKEN),
    ),
    "failing": (
        gettext_lazy("Failing"),
        gettext_lazy("These failed lately. They are tried again; often the site is back the next day."),
        lambda rows: rows.filter(ignored_at=None, state=LinkState.FAILING),
    ),
    "unsure": (
        gettext_lazy("Closed doors"),
        gettext_lazy("These sites answer, but keep programs out. Click now and then to see whether a person gets in."),
        lambda rows: rows.filter(ignored_at=None, state=LinkState.UNSURE),
    ),
    "moved": (
        gettext_lazy("Has moved"),
        gettext_lazy("These still work, but the site says that the page has a new address for good. Better use that one."),
        lambda rows: rows.filter(ignored_at=None).exclude(moved_to=""),
    ),
    "ignored": (gettext_lazy("Left alone"), gettext_lazy("Somebody decided that these may stay as they are."), lambda rows: rows.exclude(ignored_at=None)),
    "all": (gettext_lazy("All"), gettext_lazy("Every address outside that our public pages lead to."), lambda rows: rows),
}


class UsesColumn(Column):
    """The pages on which a link stands, each with the way to mend it."""

    cell_template_name = "console/link_uses_cell.html"

    def get_cell_context_data(self, instance: LinkCheck, parent_context: dict) -> dict:
        """With the uses."""
        return super().get_cell_context_data(instance, parent_context) | {"uses": instance.uses.all()}


class LinksView(EditorRequiredMixin, ReportView):
    """One of the lists."""

    model = LinkCheck
    template_name = "console/links.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Links")
    header_icon = "link"
    is_searchable = True
    search_backend_name = None
    search_fields = ["url", "uses__text", "uses__page__title"]
    default_ordering = ("first_failed_at", "url")
    paginate_by = 50
    verbose_name_plural = gettext_lazy("links")

    @cached_property
    def which(self) -> str:
        """The list of the address."""
        which = self.kwargs.get("which", "broken")
        if which not in LISTS:
            raise Http404
        return which

    def get_index_url(self) -> str:
        """Of this list."""
        return reverse("console_links", args=[self.which])

    def get_index_results_url(self) -> str:
        """Of this list."""
        return reverse("console_links_results", args=[self.which])

    @cached_property
    def header_buttons(self) -> list:
        """None: what can be done is done link by link."""
        return []

    def get_base_queryset(self) -> QuerySet:
        """With the pages."""
        return links.with_uses(LISTS[self.which][2](LinkCheck.objects.all()))

    def get_queryset(self) -> QuerySet:
        """A search over the pages' titles finds a link once."""
        return super().get_queryset().distinct()

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        last = {
            "moved": Column("moved_to", label=_("New address"), width="26%"),
            "ignored": Column("ignored_because", label=_("Why"), width="26%"),
            "all": Column("state", label=_("State"), accessor="get_state_display", sort_key="state", width="26%"),
        }.get(self.which, Column("why", label=_("What is wrong"), width="26%"))
        since = {
            "moved": ("checked_at", _("Last asked")),
            "ignored": ("ignored_at", _("Left alone since")),
            "all": ("checked_at", _("Last asked")),
            "unsure": ("checked_at", _("Last asked")),
        }
        name, label = since.get(self.which, ("first_failed_at", _("Fails since")))
        return [
            TitleColumn("url", label=_("Link"), get_url=page_of, sort_key="url", width="30%"),
            last,
            UsesColumn("uses", label=_("Where it stands"), accessor=lambda link: link),
            DateColumn(name, label=label, sort_key=name, width="11%"),
        ]

    def get_context_data(self, **context: object) -> dict:
        """With the other lists and how many are on each."""
        rows = LinkCheck.objects.all()
        tabs = [(label, reverse("console_links", args=[name]), choose(rows).count(), name == self.which) for name, (label, _note, choose) in LISTS.items()]
        return super().get_context_data(**context) | {"tabs": tabs, "note": LISTS[self.which][1], "is_off": not settings.LINK_CHECKS}

    @cached_property
    def no_results_message(self) -> str:
        """An empty list is good news."""
        if self.is_searching:
            return _("No link on this list matches.")
        if self.which == "broken":
            return _("No broken links. Every address is asked once a week.")
        return _("Nothing is on this list.")


def page_of(link: LinkCheck) -> str:
    """The address of a link's own page."""
    return reverse("console_link", args=[link.uid])


class IgnoreForm(forms.Form):
    """Why a link may stay."""

    because = forms.CharField(
        label=gettext_lazy("Why may it stay?"),
        max_length=200,
        help_text=gettext_lazy("For example: the site keeps programs out, people get in. Your colleagues read this."),
    )


class LinkView(EditorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """One address: what is known of it, where it stands, and the buttons."""

    template_name = "console/link.html"
    page_title = gettext_lazy("Link")
    header_icon = "link"

    @cached_property
    def link(self) -> LinkCheck:
        """The link of the address."""
        return get_object_or_404(links.with_uses(LinkCheck.objects.select_related("ignored_by")), uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """The address itself."""
        return self.link.url

    def get_breadcrumbs_items(self) -> list:
        """Home, links, this one."""
        return [HOME, {"url": reverse("console_links"), "label": _("Links")}, {"url": "", "label": self.link.url}]

    def get_context_data(self, **context: object) -> dict:
        """With the form."""
        context.setdefault("form", IgnoreForm())
        return super().get_context_data(**context) | {"link": self.link, "is_off": not settings.LINK_CHECKS}

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """What the pressed button says."""
        act: Callable | None = {"check": self._check, "ignore": self._ignore, "watch": self._watch}.get(request.POST.get("act", ""))
        if act is None:
            messages.error(request, _("Choose what to do."))
            return redirect(request.path)
        return act()

    def _check(self) -> HttpResponse:
        links.check_again(self.link, by=self.request.user)
        messages.success(self.request, _("It is asked again within a minute. Come back to this page to see the answer."))
        return redirect(self.request.path)

    def _ignore(self) -> HttpResponse:
        form = IgnoreForm(self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        links.ignore(self.link, because=form.cleaned_data["because"], by=self.request.user)
        messages.success(self.request, _("The link is left alone."))
        return redirect("console_links")

    def _watch(self) -> HttpResponse:
        links.watch_again(self.link, by=self.request.user)
        messages.success(self.request, _("The link is checked again from now on."))
        return redirect(self.request.path)

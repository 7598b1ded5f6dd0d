"""Where the console's views join the Wagtail admin."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from . import (
    comment_hooks,  # noqa: F401 - importing it registers its hooks
    editing_hooks,  # noqa: F401 - importing it registers its hooks
    operation_hooks,  # noqa: F401 - importing it registers its hooks
    partner_hooks,  # noqa: F401 - importing it registers its hooks
    plain_hooks,  # noqa: F401 - importing it registers its hooks
    upkeep_hooks,  # noqa: F401 - importing it registers its hooks
)
from .access import CuratorMenuItem
from .bulk import PublishAction, RejectAction, RequestChangesAction
from .companies import CompaniesView, CompanyView, JoinView
from .home import FiguresPanel, SitePanel
from .imports import DiscardView, ImportsView, ImportView, PreviewView, RowsView, UndoView, UploadView
from .listings import AllView, WaitingView
from .no_match import MatchesView, NearestView, NoMatchDemandsView, NoMatchOffersView, NothingView, UnseenView
from .pairs import PairView
from .review import ReviewView
from .together import GroupsView, GroupView, RingsView, RingView
from .unmet import OutcomesView, UnmetCsvView, UnmetPanel
from .vocabulary import AddView, DeleteView, EditsView, EntriesView, EntryView
from .vocabulary import UploadView as VocabularyUploadView

for action in (PublishAction, RequestChangesAction, RejectAction):
    hooks.register("register_bulk_action", action)


@hooks.register("register_admin_urls")
def addresses() -> list:
    """The console's own pages; Wagtail lets in only those who may open the admin."""
    return [
        path("review/", WaitingView.as_view(), name="console_waiting"),
        path("review/results/", WaitingView.as_view(results_only=True), name="console_waiting_results"),
        path("listings/", AllView.as_view(), name="console_listings"),
        path("listings/results/", AllView.as_view(results_only=True), name="console_listings_results"),
        path("review/<uuid:uid>/", ReviewView.as_view(), name="console_review"),
        path("no-match/", NoMatchDemandsView.as_view(), name="console_no_match"),
        path("no-match/results/", NoMatchDemandsView.as_view(results_only=True), name="console_no_match_results"),
        path("no-match/offers/", NoMatchOffersView.as_view(), name="console_no_match_offers"),
        path("no-match/offers/results/", NoMatchOffersView.as_view(results_only=True), name="console_no_match_offers_results"),
        path("no-match/unseen/", UnseenView.as_view(), name="console_unseen"),
        path("no-match/unseen/results/", UnseenView.as_view(results_only=True), name="console_unseen_results"),
        path("no-match/nothing/", NothingView.as_view(), name="console_nothing"),
        path("no-match/nothing/results/", NothingView.as_view(results_only=True), name="console_nothing_results"),
        path("no-match/figures.csv", UnmetCsvView.as_view(), name="console_unmet_csv"),
        path("matches/<uuid:uid>/", MatchesView.as_view(), name="console_matches"),
        path("matches/<uuid:uid>/nearest/", NearestView.as_view(), name="console_nearest"),
        path("pairs/<uuid:offer>/<uuid:demand>/", PairView.as_view(), name="console_pair"),
        path("outcomes/", OutcomesView.as_view(), name="console_outcomes"),
        path("outcomes/results/", OutcomesView.as_view(results_only=True), name="console_outcomes_results"),
        path("together/groups/", GroupsView.as_view(), name="console_groups"),
        path("together/groups/results/", GroupsView.as_view(results_only=True), name="console_groups_results"),
        path("together/groups/<uuid:uid>/", GroupView.as_view(), name="console_group"),
        path("together/rings/", RingsView.as_view(), name="console_rings"),
        path("together/rings/results/", RingsView.as_view(results_only=True), name="console_rings_results"),
        path("together/rings/<uuid:uid>/", RingView.as_view(), name="console_ring"),
        path("companies/", CompaniesView.as_view(), name="console_companies"),
        path("companies/results/", CompaniesView.as_view(results_only=True), name="console_companies_results"),
        path("companies/<uuid:uid>/", CompanyView.as_view(), name="console_company"),
        path("companies/<uuid:uid>/people/<uuid:membership>/", JoinView.as_view(), name="console_join"),
        path("vocabulary/", EntriesView.as_view(), name="console_vocabulary"),
        path("vocabulary/results/", EntriesView.as_view(results_only=True), name="console_vocabulary_results"),
        path("vocabulary/new/", AddView.as_view(), name="console_vocabulary_add"),
        path("vocabulary/file/", VocabularyUploadView.as_view(), name="console_vocabulary_upload"),
        path("vocabulary/edits/", EditsView.as_view(), name="console_vocabulary_edits"),
        path("vocabulary/edits/results/", EditsView.as_view(results_only=True), name="console_vocabulary_edits_results"),
        path("vocabulary/<uuid:uid>/", EntryView.as_view(), name="console_vocabulary_entry"),
        path("vocabulary/<uuid:uid>/delete/", DeleteView.as_view(), name="console_vocabulary_delete"),
        path("imports/", ImportsView.as_view(), name="console_imports"),
        path("imports/results/", ImportsView.as_view(results_only=True), name="console_imports_results"),
        path("imports/new/", UploadView.as_view(), name="console_import_upload"),
        path("imports/<uuid:uid>/", ImportView.as_view(), name="console_import"),
        path("imports/<uuid:uid>/preview/", PreviewView.as_view(), name="console_import_preview"),
        path("imports/<uuid:uid>/undo/", UndoView.as_view(), name="console_import_undo"),
        path("imports/<uuid:uid>/discard/", DiscardView.as_view(), name="console_import_discard"),
        path("imports/<uuid:uid>/rows/", RowsView.as_view(), name="console_import_rows"),
        path("imports/<uuid:uid>/rows/results/", RowsView.as_view(results_only=True), name="console_import_rows_results"),
    ]


def _register(label: str, url_name: str, *, icon: str, order: int) -> None:
    @hooks.register("register_admin_menu_item")
    def item() -> CuratorMenuItem:
        return CuratorMenuItem(label, reverse(url_name), name=url_name, icon_name=icon, order=order)


_register(_("Review"), "console_waiting", icon="clipboard-list", order=10)
_register(_("Listings"), "console_listings", icon="list-ul", order=11)
_register(_("No good match"), "console_no_match", icon="warning", order=11)
_register(_("Groups and rings"), "console_groups", icon="link", order=11)
_register(_("Outcomes"), "console_outcomes", icon="success", order=11)
_register(_("Companies"), "console_companies", icon="group", order=12)
_register(_("Vocabulary"), "console_vocabulary", icon="openquote", order=13)
_register(_("Imports"), "console_imports", icon="upload", order=14)


@hooks.register("construct_homepage_panels")
def figures(request: HttpRequest, panels: list) -> None:
    """The marketplace's figures come first."""
    panels.append(FiguresPanel())
    panels.append(UnmetPanel())
    panels.append(SitePanel())


@hooks.register("insert_global_admin_css")
def colours() -> SafeString:
    """The console looks like the rest of the marketplace."""
    return format_html('<link rel="stylesheet" href="{}">', static("console/brand.css"))

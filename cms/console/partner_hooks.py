"""Where the pages about partners join the Wagtail admin."""

from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from .partner_choices import GivesView, TakesView
from .partner_connect import ConnectView
from .partner_duplicates import DuplicatesView, DuplicateView
from .partner_health import PartnerView
from .partner_held import HeldView
from .partner_interests import IncomingView, OutgoingView
from .partner_keys import KeysView
from .partner_mapping import MappingView
from .partner_messages import MessagesView
from .partner_node import NodeView
from .partner_overlay import OverlayView
from .partner_pages import PartnersMenuItem
from .partner_panel import PartnersPanel
from .partner_quarantine import QuarantinedView, QuarantineView
from .partner_reading import ReadingView
from .partners import EditView, HistoryView, PartnersView


@hooks.register("register_admin_urls")
def partner_addresses() -> list:
    """Below /console/; each view checks who comes."""
    return [
        path("partners/", PartnersView.as_view(), name="console_partners"),
        path("partners/results/", PartnersView.as_view(results_only=True), name="console_partners_results"),
        path("partners/new/", ConnectView.as_view(), name="console_partner_connect"),
        path("partners/us/", NodeView.as_view(), name="console_partner_node"),
        path("partners/quarantine/", QuarantineView.as_view(), name="console_partner_quarantine"),
        path("partners/quarantine/results/", QuarantineView.as_view(results_only=True), name="console_partner_quarantine_results"),
        path("partners/quarantine/<int:pk>/", QuarantinedView.as_view(), name="console_partner_quarantined"),
        path("partners/duplicates/", DuplicatesView.as_view(), name="console_partner_duplicates"),
        path("partners/duplicates/results/", DuplicatesView.as_view(results_only=True), name="console_partner_duplicates_results"),
        path("partners/duplicates/<int:pk>/", DuplicateView.as_view(), name="console_partner_duplicate"),
        path("partners/interests/", OutgoingView.as_view(), name="console_partner_interests"),
        path("partners/interests/results/", OutgoingView.as_view(results_only=True), name="console_partner_interests_results"),
        path("partners/interests/in/", IncomingView.as_view(), name="console_partner_interests_in"),
        path("partners/interests/in/results/", IncomingView.as_view(results_only=True), name="console_partner_interests_in_results"),
        path("partners/listings/<uuid:uid>/", OverlayView.as_view(), name="console_partner_listing"),
        path("partners/<uuid:uid>/", PartnerView.as_view(), name="console_partner"),
        path("partners/<uuid:uid>/who/", EditView.as_view(), name="console_partner_edit"),
        path("partners/<uuid:uid>/reading/", ReadingView.as_view(), name="console_partner_reading"),
        path("partners/<uuid:uid>/takes/", TakesView.as_view(), name="console_partner_takes"),
        path("partners/<uuid:uid>/gives/", GivesView.as_view(), name="console_partner_gives"),
        path("partners/<uuid:uid>/keys/", KeysView.as_view(), name="console_partner_keys"),
        path("partners/<uuid:uid>/words/", MappingView.as_view(), name="console_partner_mapping"),
        path("partners/<uuid:uid>/messages/", MessagesView.as_view(), name="console_partner_messages"),
        path("partners/<uuid:uid>/held/", HeldView.as_view(), name="console_partner_held"),
        path("partners/<uuid:uid>/history/", HistoryView.as_view(), name="console_partner_history"),
    ]


@hooks.register("register_admin_menu_item")
def partners() -> PartnersMenuItem:
    """Beside the listings."""
    return PartnersMenuItem(_("Partners"), reverse("console_partners"), name="console_partners", icon_name="site", order=11)


@hooks.register("construct_homepage_panels")
def partners_panel(request: HttpRequest, panels: list) -> None:
    """Behind the marketplace's own figures."""
    panels.append(PartnersPanel())

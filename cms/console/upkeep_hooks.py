"""Where the views that keep aid true join the Wagtail admin: one menu entry for checks, links and files of calls."""

from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import Menu, SubmenuMenuItem

from .access import EditorMenuItem
from .aid_reviews import AidReviewsView
from .calls import CallFilesView, CallFileView, CallsUploadView
from .links import LinksView, LinkView

upkeep_menu = Menu(register_hook_name="register_upkeep_menu_item")


@hooks.register("register_admin_urls")
def upkeep_addresses() -> list:
    """Below /console/; each view checks who comes."""
    return [
        path("aid/checks/", AidReviewsView.as_view(), name="console_aid_reviews"),
        path("aid/calls/", CallFilesView.as_view(), name="console_calls"),
        path("aid/calls/results/", CallFilesView.as_view(results_only=True), name="console_calls_results"),
        path("aid/calls/new/", CallsUploadView.as_view(), name="console_calls_upload"),
        path("aid/calls/<uuid:uid>/", CallFileView.as_view(), name="console_calls_file"),
        path("links/", LinksView.as_view(), name="console_links"),
        path("links/results/", LinksView.as_view(results_only=True), name="console_links_results"),
        path("links/<uuid:uid>/", LinkView.as_view(), name="console_link"),
        path("links/<slug:which>/", LinksView.as_view(), name="console_links"),
        path("links/<slug:which>/results/", LinksView.as_view(results_only=True), name="console_links_results"),
    ]


@hooks.register("register_admin_menu_item")
def upkeep() -> SubmenuMenuItem:
    """Shown to those who see anything in it."""
    return SubmenuMenuItem(_("Upkeep"), upkeep_menu, name="upkeep", icon_name="calendar-check", order=15)


def _register(label: object, url_name: str, icon: str, order: int) -> None:
    @hooks.register("register_upkeep_menu_item")
    def item() -> EditorMenuItem:
        return EditorMenuItem(label, reverse(url_name), name=url_name, icon_name=icon, order=order)


_register(_("Aid to check"), "console_aid_reviews", "calendar-check", 10)
_register(_("Links"), "console_links", "link", 20)
_register(_("Calls from files"), "console_calls", "download", 30)

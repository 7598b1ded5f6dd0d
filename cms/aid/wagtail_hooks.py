"""Where this app joins the Wagtail admin."""

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry

from .choosers import PlaceChooser, SectorChooser


@hooks.register("register_log_actions")
def actions(registry: LogActionRegistry) -> None:
    """What a page's history says of facts that came from its source (see facts.py)."""
    registry.register_action("aid.facts", _("Facts copied"), _("Copied the facts from the version that keeps them"))


@hooks.register("register_admin_viewset")
def choosers() -> list:
    """Of sectors and municipalities."""
    return [SectorChooser("sector_chooser"), PlaceChooser("place_chooser")]

"""Where this app joins the Wagtail admin."""

from wagtail import hooks

from .choosers import PlaceChooser, SectorChooser


@hooks.register("register_admin_viewset")
def choosers() -> list:
    """Of sectors and municipalities."""
    return [SectorChooser("sector_chooser"), PlaceChooser("place_chooser")]

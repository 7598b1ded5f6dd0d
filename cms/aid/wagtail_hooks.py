"""Where this app joins the Wagtail admin."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry, LogFormatter
from wagtail.models import ModelLogEntry, PageLogEntry

from .choosers import PlaceChooser, SectorChooser
from .reviews import LOG_ACTION


@hooks.register("register_log_actions")
def actions(registry: LogActionRegistry) -> None:
    """What a page's history says of facts that came from its source (see facts.py)."""
    registry.register_action("aid.facts", _("Facts copied"), _("Copied the facts from the version that keeps them"))


@hooks.register("register_admin_viewset")
def choosers() -> list:
    """Of sectors and municipalities."""
    return [SectorChooser("sector_chooser"), PlaceChooser("place_chooser")]


@hooks.register("register_log_actions")
def reviews(actions: LogActionRegistry) -> None:
    """A review in the history of its page."""

    @actions.register_action(LOG_ACTION)
    class Reviewed(LogFormatter):
        """What was checked, in the words of who did."""

        label = _("Check")

        def format_message(self, log_entry: PageLogEntry | ModelLogEntry) -> str:
            note = (log_entry.data or {}).get("note", "")
            return _now("Checked, still true: %(note)s") % {"note": note} if note else _now("Checked, still true")

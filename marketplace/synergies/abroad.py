"""When the other listing is a partner marketplace's: its company has nobody here who could answer, so words and data have to cross.

How they cross is known by a higher app, which `settings.SYNERGIES_ABROAD` names; this one only asks it. What may not happen without it:
a yes whose contact data would go to another marketplace without the person's consent.
"""

from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.listings.enums import Origin
from marketplace.listings.models import Listing

from .enums import Side

if TYPE_CHECKING:
    from .disclosure import Contact
    from .models import Synergy


class ConsentNeededError(ValidationError):
    """The other company is at a partner marketplace: the person has to agree first to what of theirs goes there."""

    def __init__(self) -> None:
        super().__init__(_("This company is at another marketplace. Before your yes goes there, agree to what is sent."), code="consent")


class Abroad(Protocol):
    """What the higher app does. `side` is always the one that is here; each is called in the transaction of the step."""

    def contact(self, synergy: "Synergy", side: Side) -> "Contact | None":
        """The contact of the company opposite, as its marketplace gave it."""

    def took_back(self, synergy: "Synergy", side: Side, *, by: User) -> None:
        """The company took its yes or its no back; raises ValidationError if that is too late."""

    def said_no(self, synergy: "Synergy", side: Side, *, by: User) -> None:
        """The company set the pair aside, from whatever state."""


def is_abroad(listing: Listing) -> bool:
    """Whether the listing is a partner marketplace's."""
    return listing.origin == Origin.PARTNER


def needs_consent(synergy: "Synergy", side: Side) -> bool:
    """Whether the yes of the company on `side` would cross, so that the plain one is refused."""
    return is_abroad(synergy.listing(side.other))


def link() -> Abroad:
    """Who knows how words cross."""
    return _made(settings.SYNERGIES_ABROAD)


@cache
def _made(name: str) -> Abroad:
    return import_string(name)()

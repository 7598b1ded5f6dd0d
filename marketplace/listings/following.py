"""Follows companies in the change log: a listing's document holds its company's name and size, and is hidden with it.

Companies may not know of listings. So this reader turns each change of a company into changes of its published listings,
which every other follower (the index, the synergies) understands.
"""

from marketplace.core import changelog
from marketplace.core.models import Change

from . import operations
from .enums import State
from .models import Listing

READER = "listings"


def run_once() -> int:
    """Follow the next batch of the change log; returns how many changes that was."""
    return changelog.consume(READER, touch_listings_of)


def touch_listings_of(changes: list[Change]) -> None:
    """Log a change of every published listing of the companies among `changes`. Doing it twice does no harm."""
    companies = {change.uid for change in changes if change.kind == "company"}
    if companies:
        # Hidden companies' too: the index has to forget them.
        operations.touch(Listing.objects.filter(company__uid__in=companies, state=State.PUBLISHED).only("pk"))

"""A search as it is kept: the query string of the public page, in one form for all that mean the same."""

import hashlib
import unicodedata
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from marketplace.listings import facets
from marketplace.listings.filters import ListingFilter

#: What changes where a result stands, not whether it is one.
ORDER = ("sort", "page")


def parsed(parameters: str) -> ListingFilter:
    """The search that a query string stands for."""
    return ListingFilter(QueryDict(parameters))


def canonical(wanted: ListingFilter) -> str:
    """The query string that is kept: what was understood, without the order."""
    return urlencode(wanted.parameters(without=ORDER))


def fingerprint(wanted: ListingFilter) -> str:
    """The same for all searches that find the same: neither capitals nor the order of the ticks make another one."""
    pairs = [(name, _folded(value) if name == "q" else value) for name, value in wanted.parameters(without=ORDER)]
    return hashlib.sha256(urlencode(sorted(pairs)).encode()).hexdigest()


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def words(wanted: ListingFilter) -> list[str]:
    """What it looks for, one thing after the other."""
    text = [_("“%(text)s”") % {"text": wanted.values["q"]}] if wanted.values["q"] else []
    return text + [str(chip.label) for chip in facets.chips(wanted)] or [_("All offers and demands")]


def proposed_name(wanted: ListingFilter, *, length: int) -> str:
    """A name for who does not want to think of one."""
    return Truncator(" · ".join(words(wanted))).chars(length)

"""A search as it is kept: the query string of the public page, in one form for all that mean the same."""

import datetime
import hashlib
import unicodedata
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from marketplace.listings import facets
from marketplace.listings.filters import ListingFilter
from search import Query

#: What changes where a result stands, not whether it is one.
ORDER = ("sort", "page")


def parsed(parameters: str) -> ListingFilter:
    """The search that a query string stands for."""
    return ListingFilter(QueryDict(parameters))


@lru_cache(5_000)
def question(parameters: str, day: datetime.date, *, size: int) -> Query | None:
    """What the engine is asked on `day`; None if not all of it is understood. Kept: reading it costs as much as the answer.

    A sector or municipality that is gone would widen the search if it were left out: nothing is better than everything.
    """
    wanted = parsed(parameters)
    return None if wanted.ignored else replace(wanted.query(page_size=size), page=1, sort="recent", valid_on=day)


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

"""Finding a municipality by the name a person types."""

import difflib
import re
from collections.abc import Mapping
from functools import cache

from search import analysis

from . import reference
from .models import Place

# "L'Escala" is typed as "Escala", "Escala, l'" or "Escala (L')".
_ARTICLE = re.compile(r"^(l['’]|el |la |els |les |es |sa |ses |s['’])|[,(]\s*(l['’]|el|la|els|les)\)?$", re.IGNORECASE)
_LIKE_ENOUGH = 0.72


@cache
def known() -> Mapping[str, Place]:
    """Every municipality by its code, in the order of names; these objects are not tied to a database."""
    return {place.code: place for place in sorted(reference.places(Place), key=lambda place: analysis.fold(_bare(place.name)))}


def match(text: str) -> Place | None:
    """The municipality called `text`, whatever accents, capitals and article; None if there is none."""
    return _by_name().get(analysis.fold(_bare(text)))


def like(text: str, *, limit: int = 3) -> list[Place]:
    """Municipalities that `text` may have meant: those that begin with it, then those spelt much like it."""
    wanted = analysis.fold(_bare(text))
    if not wanted:
        return []
    begin = [name for name in _by_name() if name.startswith(wanted)]
    similar = difflib.get_close_matches(wanted, _by_name(), n=limit, cutoff=_LIKE_ENOUGH)
    return [_by_name()[name] for name in dict.fromkeys([*begin, *similar])][:limit]


@cache
def _by_name() -> Mapping[str, Place]:
    return {analysis.fold(_bare(place.name)): place for place in known().values()}


def _bare(name: str) -> str:
    return _ARTICLE.sub("", name.strip()).strip()

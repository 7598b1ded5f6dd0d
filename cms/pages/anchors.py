"""Names of places on a page: what stands behind the # of a link. Unique on their page, stable once given."""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.utils.text import slugify

LONGEST = 60
#: For a heading without a letter that an address can hold, such as "¿?".
NAMELESS = "section"


def anchor(text: str) -> str:
    """The name that a heading gets by itself."""
    return slugify(text)[:LONGEST].strip("-") or NAMELESS


def filled(given: Iterable[str], texts: Iterable[str]) -> list[str]:
    """One name a heading: the `given` ones as they are, the empty ones from their `texts`, numbered where they would meet another."""
    given, texts = list(given), list(texts)
    taken = {name for name in given if name}
    names = []
    for name, text in zip(given, texts, strict=True):
        names.append(name or _free(anchor(text), taken))
        taken.add(names[-1])
    return names


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def repeated(given: Sequence[str]) -> set[str]:
    """Names that somebody gave twice."""
    return {name for name, times in Counter(name for name in given if name).items() if times > 1}

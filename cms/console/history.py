"""A listing's life for those who have to judge it: every step, and what changed in the text with it."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from marketplace.listings.models import Listing, Transition
from marketplace.listings.operations import EDITABLE

LONG_TEXTS = ("title", "description", "keywords")
# Beyond this a comparison word by word costs more than it tells.
MOST_WORDS = 2500


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One fact that changed; `marked` is the new text with what went and what came, for texts."""

    label: str
    old: str
    new: str
    marked: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the life with the edits that came with it."""

    transition: Transition
    changes: list[FieldChange] = field(default_factory=list)


def timeline(listing: Listing) -> list[Step]:
    """Every step, newest first. Three queries, whatever the length."""
    transitions = list(listing.transitions.select_related("by").order_by("at", "id"))
    versions = list(listing.history.select_related("sector", "place").order_by("history_date", "history_id"))
    steps, shown = [], None
    for transition in transitions:
        # Each step writes the row and then its transition, so the newest version up to then is what the step left behind.
        current = next((version for version in reversed(versions) if version.history_date <= transition.at), None)
        changes = list(_changes(listing, shown, current)) if shown and current else []
        steps.append(Step(transition, changes))
        shown = current or shown
    return steps[::-1]


def _changes(listing: Listing, old: object, new: object) -> Iterator[FieldChange]:
    for name in EDITABLE:
        column = listing._meta.get_field(name)  # noqa: SLF001 - Django's documented model API
        before, after = getattr(old, column.attname), getattr(new, column.attname)
        if before != after:
            marked = mark(before, after) if name in LONG_TEXTS else ""
            yield FieldChange(label=str(column.verbose_name), old=_display(old, name), new=_display(new, name), marked=marked)


def _display(version: object, name: str) -> str:
    if readable := getattr(version, f"get_{name}_display", None):
        return str(readable())
    value = getattr(version, name)
    return "–" if value in (None, "") else str(value)


def mark(old: str, new: str) -> SafeString:
    """The new text with `<del>` around the words that went and `<ins>` around those that came, all of it escaped."""
    before, after = re.split(r"(\s+)", old), re.split(r"(\s+)", new)
    if len(before) > MOST_WORDS or len(after) > MOST_WORDS:
        return format_html("<del>{}</del> <ins>{}</ins>", old, new)
    pieces = []
    for operation, i1, i2, j1, j2 in difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        if operation == "equal":
            pieces.append(("", "".join(after[j1:j2]), ""))
            continue
        pieces.append(("<del>", "".join(before[i1:i2]), "</del>"))
        pieces.append(("<ins>", "".join(after[j1:j2]), "</ins>"))
    return format_html_join("", "{}{}{}", ((SafeString(opening), text, SafeString(closing)) for opening, text, closing in pieces if text))

"""Curators' edits of the vocabulary: each checks, writes, and leaves a line in the history and in the change log.

The line in the change log (kind VOCABULARY, uid of the edit) lets the stored suggestions follow.
"""

import re
from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.core import changelog

from . import analysis, vocabulary
from .analysis import LANGUAGES
from .enums import Action, EntryKind
from .models import Edit, Entry
from .vocabulary import Expression

#: Kind of the changes in the change log.
VOCABULARY = "vocabulary"

#: Longer ones are sentences, which no text repeats.
LONGEST_EXPRESSION = 60
MOST_WORDS = 6
#: What one entry may bring into a search, and how many entries a search may meet.
MOST_EXPRESSIONS = 20
MOST_ENTRIES = 2_000

#: Code of the error for an entry that is there already.
REPEATED = "repeated"

ALSO = tuple(f"also_{language}" for language in LANGUAGES)
_SEPARATOR = re.compile(r"[\n\r,;|]+")
_SPACE = re.compile(r"\s+")


class Person(Protocol):
    """Who edits: an account, known by its public id."""

    uid: UUID


class StaleError(ValidationError):
    """Somebody else edited or deleted the entry meanwhile."""


# --- Operations ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def add(facts: Mapping[str, object], *, by: Person | None, uid: UUID | None = None) -> Entry:
    """A new entry of these facts (see models.FACTS), with a public id of its own or the given one. Raises ValidationError by field."""
    entry = Entry(**checked(facts), **({"uid": uid} if uid else {}))
    if Entry.objects.count() >= MOST_ENTRIES:
        raise ValidationError(_("There are %(limit)d entries already. Delete some that nobody needs.") % {"limit": MOST_ENTRIES})
    return _written(entry, Action.ADDED, before={}, by=by)


@transaction.atomic
def change(entry: Entry, facts: Mapping[str, object], *, seen: int, by: Person | None) -> Entry:
    """Replace the facts of an entry that was seen at revision `seen`. Raises StaleError, or ValidationError by field."""
    locked = _locked(entry, seen)
    before = locked.facts()
    wanted = before | checked(before | facts, entry=locked)
    if wanted == before:
        return locked
    for name, value in wanted.items():
        setattr(locked, name, value)
    return _written(locked, _action(before, wanted), before=before, by=by)


@transaction.atomic
def remove(entry: Entry, *, seen: int, by: Person | None) -> None:
    """Delete an entry that was seen at revision `seen`; the history keeps what it was. Raises StaleError."""
    locked = _locked(entry, seen)
    _log(locked, Action.DELETED, before=locked.facts(), after={}, by=by)
    locked.delete()


def _action(before: Mapping[str, object], after: Mapping[str, object]) -> Action:
    if before["active"] == after["active"]:
        return Action.CHANGED
    return Action.SWITCHED_ON if after["active"] else Action.SWITCHED_OFF


def _locked(entry: Entry, seen: int) -> Entry:
    locked = Entry.objects.select_for_update().filter(pk=entry.pk).first()
    if locked is None:
        raise StaleError(_("Somebody deleted this entry meanwhile. Nothing was saved."), code="deleted")
    if locked.revision != seen:
        raise StaleError(_("Somebody else edited this entry while you did. Nothing of yours was saved yet: compare, then save again."), code="stale")
    return locked


def _written(entry: Entry, action: Action, *, before: dict, by: Person | None) -> Entry:
    entry.revision = entry.revision + 1 if entry.pk else 1
    entry.edited_by = by.uid if by else None
    entry.save()
    _log(entry, action, before=before, after=entry.facts(), by=by)
    return entry


def _log(entry: Entry, action: Action, *, before: dict, after: dict, by: Person | None) -> None:
    edit = Edit.objects.create(entry=entry.uid, action=action, by=by.uid if by else None, before=before, after=after)
    changelog.append(VOCABULARY, edit.uid)
    # This process knows at once; the others ask within seconds.
    transaction.on_commit(vocabulary.forget)


# --- Checks -------------------------------------------------------------------------------------------------------------


def checked(facts: Mapping[str, object], *, entry: Entry | None = None) -> dict[str, object]:
    """The facts as they are kept: one expression a line, none twice. Raises ValidationError by field.

    `entry` is the one that is being edited, which may resemble itself.
    """
    kind = facts.get("kind")
    if kind not in EntryKind.values:
        raise ValidationError({"kind": _("Choose what the entry does.")})
    errors: dict[str, list[object]] = {}
    lines: dict[str, list[str]] = {}
    for name in (*LANGUAGES, *ALSO):
        given = facts.get(name, "") if kind == EntryKind.ONE_WAY or name in LANGUAGES else ""
        lines[name] = expressions(str(given or ""), language=name[-2:])
        if faults := [fault for text in lines[name] if (fault := _fault(text, language=name[-2:], kind=kind))]:
            errors[name] = faults
    wanted = {"kind": kind, **{name: "\n".join(own) for name, own in lines.items()}}
    wanted |= {"note": str(facts.get("note", "") or "").strip(), "active": bool(facts.get("active", True))}
    if not errors:
        errors = _faults_together(Entry(**wanted), entry)
    if errors:
        raise ValidationError(errors)
    return wanted


def expressions(text: str, *, language: str) -> list[str]:
    """What a person typed, one a line or with commas between, without what says the same again ("màscara, màscares")."""
    kept: list[str] = []
    for part in _SEPARATOR.split(text):
        words = _SPACE.sub(" ", part).strip(" .:\"'“”«»")
        if words and not any(_say_the_same((language, words), (language, other)) for other in kept):
            kept.append(words)
    return kept


def _say_the_same(one: Expression, other: Expression) -> bool:
    """Whether no text can show the one and not the other ("màscara", "màscares")."""
    read, other_read = (vocabulary.readings(*expression, whole=True) for expression in (one, other))
    return one == other or any(_is_same(a, b) for a in read for b in other_read)


def _is_same(one: vocabulary.Reading, other: vocabulary.Reading) -> bool:
    if (one.language, len(one.words)) != (other.language, len(other.words)):
        return False
    return all(a & b for a, b in zip(one.words, other.words, strict=True))


def _fault(text: str, *, language: str, kind: str) -> str:
    """What is wrong with one expression, in words; empty if nothing is."""
    said = {"text": text if len(text) <= LONGEST_EXPRESSION else f"{text[:LONGEST_EXPRESSION]}…", "limit": LONGEST_EXPRESSION, "words": MOST_WORDS}
    words = list(analysis.tokens(text, language))
    if len(text) > LONGEST_EXPRESSION or len(words) > MOST_WORDS:
        return _("“%(text)s” is too long: at most %(words)d words and %(limit)d letters. Keep the words that matter.") % said
    content = [word for word in words if word.word not in analysis.stop_words(language)]
    if not content:
        return _("“%(text)s” has only words that the search leaves out anyway. Add the word that matters.") % said
    # Of several common words together few listings hold all: "people counting" says something.
    if kind != EntryKind.STOP and len(content) == 1 and _is_everywhere(content[0].lemma):
        return _("“%(text)s” stands in nearly every listing, so it would find everything. Add a word that says what is meant.") % said
    return ""


def _is_everywhere(lemma: str) -> bool:
    return lemma in analysis.common_words() or lemma in analysis.boilerplate() or len(lemma) == 1 or (lemma.isdigit() and len(lemma) < 4)  # noqa: PLR2004 - years and codes are longer


def _faults_together(wanted: Entry, entry: Entry | None) -> dict[str, list[object]]:
    if not wanted.asked:
        return {LANGUAGES[0]: [_("Write at least one expression, in any of the languages.")]}
    if wanted.kind == EntryKind.TWO_WAY and len(wanted.asked) < 2:  # noqa: PLR2004 - one word means the same as itself
        return {LANGUAGES[0]: [_("Write at least two expressions that mean the same, in one language or in several.")]}
    if wanted.kind == EntryKind.ONE_WAY and not wanted.found:
        return {ALSO[0]: [_("Write what shall be found besides.")]}
    if max(len(wanted.asked), len(wanted.found)) > MOST_EXPRESSIONS:
        return {LANGUAGES[0]: [_("At most %(limit)d expressions a side. Make two entries of it.") % {"limit": MOST_EXPRESSIONS}]}
    if both := [expression for expression in wanted.found if _is_among(expression, wanted.asked)]:
        language, text = both[0]
        return {f"also_{language}": [_("“%(text)s” stands on both sides. A word finds itself anyway.") % {"text": text}]}
    return _repeats(wanted, entry)


def _repeats(wanted: Entry, entry: Entry | None) -> dict[str, list[ValidationError]]:
    for other in Entry.objects.filter(kind=wanted.kind).exclude(pk=entry and entry.pk):
        if all(_is_among(e, other.asked) for e in wanted.asked) and all(_is_among(e, other.found) for e in wanted.found):
            message = _("This is in the vocabulary already: “%(entry)s”.") if other.active else _("This is there already, but switched off: “%(entry)s”.")
            return {LANGUAGES[0]: [ValidationError(message % {"entry": other}, code=REPEATED)]}
    return {}


def _is_among(expression: Expression, others: tuple[Expression, ...]) -> bool:
    return any(_say_the_same(expression, other) for other in others)

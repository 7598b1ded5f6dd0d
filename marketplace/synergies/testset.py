"""The judgements as a set that `evaluate_matching --dataset` reads: offers are its documents, demands its queries.

Only listings that are or were public and were not taken away; no contact data, no names of people, nothing of who said what.
Each text is that of the moment at which the listing was last judged, as its history keeps it (the present one where the
history does not reach back so far); a grade given to an earlier text is left out, since nobody knows whether it still holds.
"""

import datetime
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from marketplace.companies.models import Company
from marketplace.listings.enums import Kind, State
from marketplace.listings.models import Listing

from .judgements import Graded, graded

CORPUS, QUERIES, QRELS, README = "corpus.jsonl", "queries.jsonl", "qrels.tsv", "README.md"
FILES = {CORPUS, QUERIES, QRELS, README}

#: Was withdrawn, rejected or sent back: somebody did not want it to be public.
PUBLIC = (State.PUBLISHED, State.EXPIRED, State.CLOSED)
_TEXTS = ("title", "description", "keywords", "language")
_BATCH = 500


class JudgedSetError(ValueError):
    """Nothing was written; the message says why."""


Text = tuple[str, str, str, str]
"""Title, description, keywords, language."""


@dataclass(frozen=True)
class JudgedSet:
    """What the files hold; `outdated` grades were given to texts that have changed since."""

    offers: dict[int, dict[str, str]]
    demands: dict[int, dict[str, str]]
    grades: list[Graded]
    outdated: int


# --- Making it ------------------------------------------------------------------------------------------------------------


def make() -> JudgedSet:
    """The set as the judgements are now, in a stable order."""
    listings = {row.pk: row for row in _public()}
    judged = [one for one in graded() if _is_kind(listings, one.offer, Kind.OFFER) and _is_kind(listings, one.demand, Kind.DEMAND)]
    moments: dict[int, list[datetime.datetime]] = {}
    for one in judged:
        for pk in (one.offer, one.demand):
            moments.setdefault(pk, []).append(one.at)
    history = _history(moments)
    texts = {pk: _text_at(history, row, max(moments[pk])) if pk in moments else _text(row) for pk, row in listings.items()}
    holds = [one for one in judged if all(_text_at(history, listings[pk], one.at) == texts[pk] for pk in (one.offer, one.demand))]
    secrets = _secrets({row.company_id for row in listings.values()})
    asked = {one.demand for one in holds}
    offers = {pk: _row(row, texts[pk], secrets) for pk, row in listings.items() if row.kind == Kind.OFFER}
    demands = {pk: _row(row, texts[pk], secrets) for pk, row in listings.items() if pk in asked}
    order = sorted(holds, key=lambda one: (demands[one.demand]["id"], offers[one.offer]["id"]))
    return JudgedSet(offers, demands, order, len(judged) - len(holds))


def _public() -> Iterable[Listing]:
    rows = Listing.objects.filter(state__in=PUBLIC, company__hidden=False, published_at__isnull=False)
    return rows.only("uid", "kind", "company_id", *_TEXTS).order_by("uid").iterator(chunk_size=_BATCH)


def _is_kind(listings: dict[int, Listing], pk: int, kind: Kind) -> bool:
    return pk in listings and listings[pk].kind == kind


def _history(pks: Iterable[int]) -> dict[int, list[tuple[datetime.datetime, Text]]]:
    """By listing, its public texts with the moment since which each stood, oldest first."""
    found: dict[int, list[tuple[datetime.datetime, Text]]] = {}
    pks = sorted(pks)
    for start in range(0, len(pks), _BATCH):
        rows = Listing.history.filter(id__in=pks[start : start + _BATCH], state__in=PUBLIC).order_by("history_date", "history_id")
        for pk, since, *text in rows.values_list("id", "history_date", *_TEXTS):
            found.setdefault(pk, []).append((since, tuple(text)))
    return found


def _text_at(history: dict[int, list[tuple[datetime.datetime, Text]]], listing: Listing, moment: datetime.datetime) -> Text:
    """The text as it was then; the present one if the history does not tell."""
    earlier = [text for since, text in history.get(listing.pk, ()) if since <= moment]
    return earlier[-1] if earlier else _text(listing)


def _text(listing: Listing) -> Text:
    return tuple(getattr(listing, name) for name in _TEXTS)


def _row(listing: Listing, text: Text, secrets: dict[int, list[str]]) -> dict[str, str]:
    title, description, keywords, language = text
    hidden = secrets.get(listing.company_id, [])
    body = f"{description}\n{keywords}" if keywords else description
    return {"id": str(listing.uid), "lang": language, "title": harmless(title, hidden), "text": harmless(body, hidden)}


# --- Nothing personal -------------------------------------------------------------------------------------------------------

_ADDRESSES = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?://|www\.)\S+", re.IGNORECASE)
#: Spanish numbers, with or without prefix: nine digits that begin with 6 to 9, in groups of two or three; others with "+".
_PHONES = re.compile(r"(?<![\w.,])(?:(?:\+|00)34[ .-]?)?[6-9]\d{1,2}(?:[ .-]?\d{2,3}){2,3}(?![\w])|\+\d[\d ().-]{7,}\d")
_TAX_IDS = re.compile(r"\b(?:[XYZ]?\d{7,8}[ -]?[A-Z]|[A-HJNP-SUVW][ -]?\d{7}[0-9A-J])\b")
_PHONE_DIGITS = (9, 13)
PLACEHOLDER = "…"


def harmless(text: str, names: Iterable[str] = ()) -> str:
    """The text without addresses, telephone and tax numbers, and without `names`."""
    for name in names:
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", PLACEHOLDER, text, flags=re.IGNORECASE)
    text = _ADDRESSES.sub(PLACEHOLDER, text)
    text = _PHONES.sub(lambda found: PLACEHOLDER if _is_phone(found[0]) else found[0], text)
    return _TAX_IDS.sub(PLACEHOLDER, text)


def _is_phone(written: str) -> bool:
    fewest, most = _PHONE_DIGITS
    return fewest <= sum(character.isdigit() for character in written) <= most


def _secrets(companies: set[int]) -> dict[int, list[str]]:
    """By company, what its people are called and how they are reached, the longest first."""
    found: dict[int, set[str]] = {}
    fields = ("pk", "contact_name", "contact_email", "contact_phone", "memberships__user__name", "memberships__user__email")
    for pk, *values in Company.objects.filter(pk__in=companies).values_list(*fields):
        found.setdefault(pk, set()).update(value.strip() for value in values if value and len(value.strip()) > SHORTEST_NAME)
    return {pk: sorted(values, key=lambda value: (-len(value), value)) for pk, values in found.items()}


#: A shorter name may be a word.
SHORTEST_NAME = 4


# --- Writing it ---------------------------------------------------------------------------------------------------------------


def write(judged: JudgedSet, folder: Path, *, force: bool = False) -> None:
    """Write all files or none: they are made beside `folder` and moved there in one step. Raises JudgedSetError.

    With `force` an older set is replaced; a folder that holds anything else is never touched.
    """
    if not any(one.grade > 0 for one in judged.grades):
        raise JudgedSetError("Nobody has said of any pair that it fits, so there is nothing to measure with. No file was written.")
    _check(folder, force=force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, lines in _files(judged):
            with (made / name).open("w", encoding="utf-8", newline="") as file:
                file.writelines(f"{line}\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
        made.chmod(0o755)
        _move(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _check(folder: Path, *, force: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise JudgedSetError(f"{folder} is a file. Name a folder.")
    held = {path.name for path in folder.iterdir()}
    if held - FILES:
        raise JudgedSetError(f"{folder} holds other files too, such as {min(held - FILES)}. Name a folder of its own.")
    if held and not force:
        raise JudgedSetError(f"{folder} holds a set already. Name another folder, or replace it with --force.")


def _move(made: Path, folder: Path) -> None:
    """Put the new set in the place of the old one; if that fails, the old one is back."""
    if not folder.exists():
        made.rename(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    old = folder.rename(aside / folder.name)
    try:
        made.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _files(judged: JudgedSet) -> Iterator[tuple[str, Iterable[str]]]:
    yield CORPUS, (json.dumps(row, ensure_ascii=False) for row in judged.offers.values())
    yield QUERIES, (json.dumps(row, ensure_ascii=False) for row in judged.demands.values())
    ids = {pk: row["id"] for rows in (judged.offers, judged.demands) for pk, row in rows.items()}
    grades = (f"{ids[one.demand]}\t{ids[one.offer]}\t{one.grade}" for one in judged.grades)
    yield QRELS, ["query-id\tcorpus-id\tscore", *grades]
    yield README, _readme(judged)


def _readme(judged: JudgedSet) -> list[str]:
    by_grade, by_source = Counter(one.grade for one in judged.grades), Counter(one.source for one in judged.grades)
    return [
        "# Judged pairs of this marketplace",
        "",
        "What companies and curators said of offers (corpus.jsonl) and demands (queries.jsonl). For the operator's own use: the texts",
        "were public, what the companies answered was not.",
        "",
        "Grades in qrels.tsv: 3 both companies agreed on something, 2 fits, 1 fits partly, 0 does not fit.",
        "",
        f"- offers: {len(judged.offers)}",
        f"- demands: {len(judged.demands)}",
        *(f"- grade {grade}: {by_grade[grade]}" for grade in sorted(by_grade, reverse=True)),
        *(f"- by {source}: {by_source[source]}" for source in sorted(by_source)),
        f"- left out because a text has changed since: {judged.outdated}",
    ]

"""From records to batches: what the readers of tables, feeds, interfaces and web pages have in common.

A source of these kinds tells all that it has, so a run is a snapshot. A bad record is a fault with its place and its reason; a source
with nothing in it, or with nothing but faults, is an error, since otherwise everything of the partner would be taken to be gone.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from marketplace.federation.items import Batch, CursorExpired, Fault, HarvestError, Item

from .facts import Maker, RecordError
from .fields import JOINED, Field

BATCH = 500
#: A site whose pages come slowly gives a batch at least so often: with it the harvester shows that it lives.
BATCH_SECONDS = 3.0
#: As much of a bad record as helps a person to find it.
MAX_RAW = 2000


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a source, all values as texts: where it stands ("row 12"), what it says, and why it is no good, if so."""

    place: str
    cells: Mapping[str, str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """The first records as they are, and what the reader found out by itself that the options did not say."""

    records: list[Record]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """What has been read in this run: items once each, faults, and how many records there were."""

    maker: Maker
    columns: Mapping[str, str]
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)
    records: int = 0
    good: int = 0
    ended: int = 0
    first_fault: str = ""

    def read(self, records: Iterable[Record]) -> tuple[list[Item], list[Fault]]:
        """The items and the faults of some records; the same entry twice counts once."""
        items, faults = [], []
        for record in records:
            self.records += 1
            try:
                items += self._one(record)
            except RecordError as error:
                faults.append(self._fault(record, error))
        return items, faults

    def go_on(self, resume: Mapping) -> "Reading":
        """With what earlier calls of the same run counted."""
        if resume:
            self.records, self.good, self.ended = resume["counts"]
        return self

    def check(self) -> None:
        """Raise HarvestError where the source has nothing good: an empty source is far more often broken than empty."""
        if not self.records:
            raise HarvestError("empty", _("The source is empty. As this is seldom meant, nothing was changed here."))
        if not self.good and not self.ended:
            raise HarvestError(
                "nothing-good", _("None of the %(count)d entries can be read. The first: %(fault)s") % {"count": self.records, "fault": self.first_fault}
            )

    def _one(self, record: Record) -> list[Item]:
        facts = facts_of(record.cells, self.columns)
        if record.fault:
            raise RecordError("bad-record", record.fault, self.maker.uri_of(facts) if facts.get(Field.ID) else "")
        made = list(self.maker.items(facts))
        self.good, self.ended = self.good + len(made), self.ended + (not made)
        new = []
        for item in made:
            digest, place = self.seen.setdefault(item.uri, (item.digest, record.place))
            if place == record.place:
                new.append(item)
            elif digest != item.digest:
                raise RecordError("twice", _("another entry (%(place)s) has the same identifier and says something else.") % {"place": place}, item.uri)
        return new

    def _fault(self, record: Record, error: RecordError) -> Fault:
        message = f"{record.place}: {error}"
        self.first_fault = self.first_fault or message
        raw = json.dumps(dict(record.cells), ensure_ascii=False)[:MAX_RAW]
        return Fault(uri=error.uri, code=error.code, message=message, raw=raw)


def facts_of(cells: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """Field → text, by the mapping column → field."""
    facts: dict[str, str] = {}
    for column, name in columns.items():
        text = cells.get(column, "").strip()
        if not name or not text:
            continue
        if name not in facts:
            facts[name] = text
        elif name in JOINED:
            facts[name] += ("; " if name == Field.KEYWORDS else "\n\n") + text
    return facts


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a source, and what the reader needs to go on behind them in a later call ({}: it cannot, and begins anew)."""

    records: list[Record]
    resume: Mapping[str, object] = field(default_factory=dict)


def snapshot(pages: Iterable[Page], reading: Reading, checkpoint: dict, *, is_complete: bool = True) -> Iterator[Batch]:
    """The batches of a whole run; the last carries `checkpoint`, those before it what is needed to go on with the run.

    A worker has some seconds for each partner in turn, so a long run is many calls. `is_complete` False: the source shows the
    newest only, and what has left it may still hold.
    """
    waiting, until = [], time.monotonic() + BATCH_SECONDS
    for page in pages:
        waiting += page.records
        if len(waiting) < BATCH and time.monotonic() < until:
            continue
        # Never half a page: it could not be gone on from, and a round that always ends in it would come no further.
        items, faults = reading.read(waiting)
        yield Batch(items=items, faults=faults, checkpoint=_behind(page, reading, checkpoint), is_snapshot=is_complete)
        waiting, until = [], time.monotonic() + BATCH_SECONDS
    items, faults = reading.read(waiting)
    reading.check()
    yield Batch(items=items, faults=faults, checkpoint=checkpoint, is_snapshot=is_complete, is_last=True, total=reading.good)


def _behind(page: Page, reading: Reading, checkpoint: Mapping) -> dict:
    if not page.resume:
        return {}
    return {"made_with": checkpoint.get("made_with"), "resume": {**page.resume, "counts": [reading.records, reading.good, reading.ended]}}


def begun(checkpoint: Mapping, made_with: str) -> dict:
    """Where a run that was not finished goes on, {} for a new run. Raises CursorExpired when it was begun with other settings."""
    resume = checkpoint.get("resume")
    if not isinstance(resume, dict):
        return {}
    if checkpoint.get("made_with") != made_with:
        raise CursorExpired(_("The settings have changed; everything is read anew."))
    return resume


def chunks(records: list[Record], resume: Mapping, content: str) -> Iterator[Page]:
    """The records of a source that is one document, from where an earlier call came to. Raises CursorExpired when it is another document by now."""
    if resume and resume.get("content") != content:
        raise CursorExpired(_("The source has changed while it was read; everything is read anew."))
    for place in range(resume.get("place", 0), len(records), BATCH):
        yield Page(records[place : place + BATCH], {"place": place + BATCH, "content": content})


def unchanged(checkpoint: dict) -> Batch:
    """Nothing new at the source: no snapshot, so that nothing is taken to be gone."""
    return Batch(checkpoint=checkpoint, is_last=True)


def fingerprint(*values: object) -> str:
    """Tells two states of a source, or two sets of options, apart."""
    told = hashlib.sha256()
    for value in values:
        told.update(value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, default=str).encode())
        told.update(b"\0")
    return told.hexdigest()


def checked_url(options: Mapping, name: str = "url") -> str:
    """The address to read; raises HarvestError when there is none."""
    url = options.get(name)
    if not isinstance(url, str) or not url.strip():
        raise HarvestError("no-address", _("There is no address to read. Write it in the partner's settings."))
    return url.strip()


def checked_columns(options: Mapping) -> dict[str, str]:
    """Column → field as a person chose it; raises HarvestError when that is not enough to make listings from."""
    columns = options.get("columns")
    columns = {str(column): str(name) for column, name in columns.items() if name in Field.values} if isinstance(columns, Mapping) else {}
    if not {Field.TITLE, Field.DESCRIPTION, Field.OFFER, Field.DEMAND} & set(columns.values()):
        raise HarvestError("no-columns", _("Nothing holds the text. Say in the partner's settings which column holds the title or the description."))
    return columns

"""What a reader would make of a source, before anything is saved: for the console, while somebody describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marketplace.core.sealing import BrokenSealError
from marketplace.federation.enums import ReaderKind
from marketplace.federation.items import Fault, Fetch, HarvestError, Item

from . import READERS, proposing
from .facts import Maker
from .feed import columns_of as feed_columns
from .fields import Field
from .reading import Reading, Sample

#: So many records are read, so many rows of the raw sample shown.
RECORDS, ROWS = 50, 5
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What was seen: the listings that would come, the faults, every column (part, path) with some of its texts, and a proposal for each.

    `error` says why nothing could be read; the rest is empty then. `options` are those with which the listings were made: the given
    ones, completed by the proposal where they said nothing.
    """

    items: list[Item] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    proposal: dict[str, str] = field(default_factory=dict)
    sample: list[dict[str, str]] = field(default_factory=list)
    records: int = 0
    options: dict = field(default_factory=dict)
    error: str = ""

    def texts_of(self, column: str, limit: int = 3) -> list[str]:
        """Some different texts of a column."""
        return list(dict.fromkeys(text for row in self.sample if (text := row.get(column, ""))))[:limit]


def preview(partner: object, options: Mapping, *, fetch: Fetch, reader: str = "") -> Preview:
    """What `options` would bring; never raises HarvestError. `partner` needs name, base_url and hosts (and reader, where that is not given); it may be unsaved.

    Of our own protocol there is nothing to preview: see its discovery.
    """
    kind = reader or partner.reader
    try:
        return _preview(partner, kind, dict(options), fetch)
    except HarvestError as error:
        return Preview(error=error.message, options=dict(options))
    except BrokenSealError:
        told = _("The key that the partner gave us cannot be read any more, since the server's secret was changed. Ask for a new key.")
        return Preview(error=told, options=dict(options))


def _preview(partner: object, kind: str, options: dict, fetch: Fetch) -> Preview:
    source = import_string(READERS[kind])()
    # Somebody waits before the page.
    source.limits = replace(source.limits, seconds=SECONDS, all_seconds=2 * SECONDS)
    more = {"base_url": partner.base_url} if kind == ReaderKind.WEB else {}
    sample: Sample = source.sample(options, fetch=fetch, **more)
    found, options = sample.records, {**options, **sample.options}
    records = found[:RECORDS]
    proposal = {} if kind == ReaderKind.WEB else proposing.propose(found)
    columns = _columns(kind, options, proposal)
    reading = Reading(Maker(SimpleNamespace(name=partner.name, base_url=partner.base_url, hosts=partner.hosts), options), columns)
    items, faults = reading.read(records)
    return Preview(
        items, faults, proposing.columns_of(found), proposal, [dict(record.cells) for record in records[:ROWS]], len(found), _completed(kind, options, columns),
    )  # fmt: skip


def _columns(kind: str, options: Mapping, proposal: Mapping[str, str]) -> dict[str, str]:
    """Column → field as chosen, or as proposed where nothing is chosen yet."""
    if kind == ReaderKind.WEB:
        return {str(name): str(name) for name in Field}
    if kind == ReaderKind.FEED:
        return feed_columns(options)
    if kind == ReaderKind.JSON:
        stated = options.get("fields")
        return {str(path): str(name) for name, path in stated.items() if path} if isinstance(stated, Mapping) and stated else dict(proposal)
    stated = options.get("columns")
    return dict(stated) if isinstance(stated, Mapping) and stated else dict(proposal)


def _completed(kind: str, options: dict, columns: Mapping[str, str]) -> dict:
    if kind == ReaderKind.TABLE and not options.get("columns"):
        return options | {"columns": {column: name for column, name in columns.items() if name}}
    if kind == ReaderKind.JSON and not options.get("fields"):
        return options | {"fields": {name: path for path, name in columns.items() if name}}
    return options

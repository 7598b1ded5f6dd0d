"""The life of an import: uploaded, its columns confirmed, looked at, run in batches, undone.

A batch is one transaction that writes companies, listings, what became of each row and how far the import has come; so an
import that is killed goes on behind the last whole batch, and nothing is made twice.
"""

import datetime
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from marketplace.accounts.models import User
from marketplace.accounts.rules import is_curator
from marketplace.companies import places, sectors
from marketplace.companies.models import Company
from marketplace.core import changelog
from marketplace.listings import operations as listings
from marketplace.listings.models import Listing

from . import mapping as columns
from . import readers
from .candidates import Options
from .enums import Outcome, State
from .errors import FileError
from .models import Import, ImportedListing, ImportRow
from .planning import Plan, Planner
from .rows import Reader

logger = logging.getLogger(__name__)
BATCH = 200
LEASE = datetime.timedelta(minutes=3)
PAUSE = datetime.timedelta(seconds=30)
MAX_ATTEMPTS = 5
#: How long one round of the worker may stay with an import before the index and the mails get their turn.
ROUND_SECONDS = 5.0


class NotNowError(ValidationError):
    """The import's state does not allow this, most often because it was asked for twice."""


@dataclass(slots=True)
class Preview:
    """What a run would do; `rows` are the plans of the rows that were looked at."""

    counts: Counter = field(default_factory=Counter)
    companies: int = 0
    plans: list[Plan] = field(default_factory=list)
    looked_at: int = 0


def upload(name: str, content: bytes, *, by: User | None, options: Options | None = None) -> Import:
    """Keep the file and guess its columns; raises FileError when it is no table."""
    _check_curator(by)
    table = readers.read(content, name)
    return Import.objects.create(
        name=name[:200],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        reading=table.reading | {"columns": table.columns, "notes": table.notes},
        mapping=columns.guess(table),
        options=(options or Options()).dump(),
        total=len(table.rows),
        by=by,
    )


@transaction.atomic
def decide(source: Import, mapping: Mapping[str, str], options: Options, *, by: User | None) -> Import:
    """Confirm or correct how the columns are read; raises MappingError when they are not enough."""
    _check_curator(by)
    source = _locked(source, State.DRAFT)
    columns.check(mapping, source.reading["columns"], kind=options.kind)
    source.mapping, source.options = dict(mapping), options.dump()
    source.save(update_fields=["mapping", "options", "modified"])
    return source


def preview(source: Import, *, limit: int | None = None, table: readers.Table | None = None, progress: Callable[[int], None] = lambda _rows: None) -> Preview:
    """What a run would do with the first `limit` rows (all if None); nothing is written, and `source` with its `table` need not be saved."""
    columns.check(source.mapping, source.reading["columns"], kind=source.options.get("kind", ""))
    reader, planner, result = _reader(source), Planner(), Preview()
    table = table or _table(source)
    for batch in _batches(table.rows[:limit]):
        plans = planner.plan([candidate for row in batch for candidate in reader.candidates(row)])
        result.counts.update(plan.outcome for plan in plans)
        result.companies += sum(plan.brings_company for plan in plans)
        result.plans += plans
        result.looked_at += len(batch)
        progress(len(batch))
    return result


@transaction.atomic
def start(source: Import, *, by: User | None) -> Import:
    """Hand it to the worker; asked a second time it raises NotNowError."""
    _check_curator(by)
    source = _locked(source, State.DRAFT)
    columns.check(source.mapping, source.reading["columns"], kind=source.options.get("kind", ""))
    source.state, source.started_at = State.QUEUED, timezone.now()
    source.save(update_fields=["state", "started_at", "modified"])
    return source


@transaction.atomic
def discard(source: Import, *, by: User | None) -> None:
    """Forget a file that was never run."""
    _check_curator(by)
    _locked(source, State.DRAFT).delete()


def run_once() -> int:
    """One round of the worker: some seconds of the oldest import that waits or was left by a dead worker; rows handled."""
    source = Import.objects.due().defer("content").first()
    return run(source, seconds=ROUND_SECONDS) if source and _claim(source) else 0


def run_now(source: Import, *, progress: Callable[[int], None] = lambda _rows: None) -> Import:
    """Run it to its end in this process (a command); going on where a killed run stopped. Raises what goes wrong."""
    if not _claim(source):
        raise NotNowError(_("This import is running elsewhere. Wait until it ends; if it was killed, try again in %(minutes)d minutes.") % {"minutes": 3})
    try:
        run(source, progress=progress, careful=False)
    finally:
        Import.objects.filter(pk=source.pk, state=State.RUNNING).update(lease_until=None)
    source.refresh_from_db()
    return source


def run(source: Import, *, seconds: float | None = None, progress: Callable[[int], None] = lambda _rows: None, careful: bool = True) -> int:
    """Batch after batch until the end, or until `seconds` have passed; returns the rows handled.

    The caller holds the lease. With `careful`, a fault is kept with the import, which is tried again later and given up in the end.
    """
    began, done = time.monotonic(), 0
    try:
        with translation.override(source.by.language if source.by else translation.get_language()):
            table, reader, planner = _table(source), _reader(source), Planner()
            position = Import.objects.values_list("position", flat=True).get(pk=source.pk)
            for batch in _batches(table.rows[position:]):
                planner = _write_or_retry(source, batch, position, reader, planner)
                position, done = position + len(batch), done + len(batch)
                progress(len(batch))
                if seconds is not None and time.monotonic() - began > seconds:
                    break
            _rest(source, ended=position >= len(table.rows))
    except NotNowError:
        return done
    except Exception as error:
        if not careful:
            raise
        logger.exception("import %s stopped", source.uid)
        _note_failure(source, error)
    return done


@transaction.atomic
def undo(source: Import, *, by: User | None) -> Import:
    """Take back what the import made and nobody touched since; what stays is named in `undone`. Its updates of older listings stay."""
    _check_curator(by)
    source = _locked(source, State.DONE, State.FAILED)
    # Whoever works on one of these at this moment ends first, and is seen below; whoever comes later finds it gone.
    list(Listing.objects.select_for_update(of=("self",)).filter(imported__source=source).order_by("pk").values_list("pk", flat=True))
    made = list(ImportedListing.objects.filter(source=source).select_related("listing").order_by("listing_id"))
    used = set(Listing.objects.filter(_a_person_answered(), imported__source=source).values_list("pk", flat=True))
    touched = [row.listing for row in made if row.version != row.listing.version or row.listing_id in used]
    kept = {listing.pk for listing in touched}
    erased = listings.erase([row.listing for row in made if row.listing_id not in kept], by=by)
    companies = Company.objects.filter(pk__in=source.rows.exclude(new_company=None).values("new_company"))
    list(companies.select_for_update().order_by("pk").values_list("pk", flat=True))
    idle = companies.filter(listings=None, memberships=None, version=1, verified=False)
    removed = [company.uid for company in idle if company.delete()]
    changelog.append_many("company", removed, "delete")
    updated = source.rows.filter(outcome=Outcome.UPDATED).count()
    source.undone = {
        "listings": erased,
        "companies": len(removed),
        "kept_listings": [{"uid": str(listing.uid), "title": listing.title, "state": listing.state} for listing in touched],
        "kept_companies": [{"uid": str(company.uid), "name": company.name} for company in companies.all()],
        "updates_left": updated,
    }
    source.state, source.finished_at = State.UNDONE, timezone.now()
    source.save(update_fields=["undone", "state", "finished_at", "modified"])
    return source


def unfinished(content: bytes, mapping: Mapping[str, str], options: Options) -> Import | None:
    """A run of the same file with the same decisions that was killed, to go on with."""
    digest = hashlib.sha256(content).hexdigest()
    rows = Import.objects.for_display().filter(sha256=digest, state__in=(State.QUEUED, State.RUNNING)).order_by("-created")
    return next((row for row in rows if row.options == options.dump() and row.mapping == dict(mapping)), None)


def _a_person_answered() -> Q:
    """A person of either company said yes or no to a synergy of the listing. By name, since that app is no lower than this one."""
    return Q(synergies_as_offer__events__by__isnull=False) | Q(synergies_as_demand__events__by__isnull=False)


def _check_curator(by: User | None) -> None:
    if by is not None and not is_curator(by):
        raise PermissionDenied


def _locked(source: Import, *states: State) -> Import:
    source = Import.objects.select_for_update(of=("self",)).get(pk=source.pk)
    if source.state not in states:
        state = source.get_state_display()
        raise NotNowError(_("This import is “%(state)s” now, so this is not possible. Reload the page.") % {"state": state})
    return source


def _table(source: Import) -> readers.Table:
    return readers.read(bytes(Import.objects.values_list("content", flat=True).get(pk=source.pk)), source.name)


def _reader(source: Import) -> Reader:
    return Reader(source.mapping, Options.load(source.options))


def _batches(rows: Sequence) -> Iterator[Sequence]:
    for begin in range(0, len(rows), BATCH):
        yield rows[begin : begin + BATCH]


# --- One batch ----------------------------------------------------------------------------------------------------------


def _write_or_retry(source: Import, rows: Sequence[readers.Row], position: int, reader: Reader, planner: Planner) -> Planner:
    """Write the batch; when another import made the same company or listing at this moment, plan it anew and find it there."""
    try:
        _write(source, rows, position, reader, planner)
    except IntegrityError:
        planner = Planner()
        _write(source, rows, position, reader, planner)
    return planner


@transaction.atomic
def _write(source: Import, rows: Sequence[readers.Row], position: int, reader: Reader, planner: Planner) -> None:
    row = _locked(source, State.RUNNING)
    if row.position != position:
        raise NotNowError(_("Another process goes on with this import."))
    plans = planner.plan([candidate for one in rows for candidate in reader.candidates(one)])
    created = [plan for plan in plans if plan.outcome == Outcome.CREATED]
    companies = bulk_create_with_history([plan.listing.company for plan in created if plan.brings_company], Company, default_user=source.by)
    changelog.append_many("company", [company.uid for company in companies])
    for plan in created:
        # Django copies the key when the company is assigned; it had none then.
        plan.listing.company = plan.listing.company
    listings.create_many([plan.listing for plan in created], by=source.by, publish=source.options.get("publish", False))
    ImportedListing.objects.bulk_create(
        ImportedListing(key=plan.candidate.key, listing=plan.listing, source=row, facts=plan.candidate.facts, version=plan.listing.version) for plan in created
    )
    for plan in plans:
        if plan.outcome == Outcome.UPDATED:
            _update(plan, by=source.by)
    ImportRow.objects.bulk_create(_record(row, plan) for plan in plans)
    row.position, row.attempts, row.lease_until = position + len(rows), 0, timezone.now() + LEASE
    row.save(update_fields=["position", "attempts", "lease_until", "modified"])


def _update(plan: Plan, *, by: User | None) -> None:
    facts = dict(plan.candidate.fields)
    facts |= {"sector": sectors.tree()[facts.pop("sector_id")], "place": places.known()[facts.pop("place_id")]}
    listing = listings.revise(plan.listing, facts, by=by)
    ImportedListing.objects.filter(pk=plan.imported.pk).update(facts=plan.candidate.facts, version=listing.version)


def _record(source: Import, plan: Plan) -> ImportRow:
    return ImportRow(
        source=source,
        number=plan.candidate.number,
        part=plan.candidate.part,
        outcome=plan.outcome,
        messages=plan.messages,
        title=plan.title,
        listing=plan.listing,
        new_company=plan.listing.company if plan.brings_company else None,
    )


# --- Lease --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def _claim(source: Import) -> bool:
    """Take the lease; an import that died too often is given up instead."""
    row = Import.objects.select_for_update(of=("self",)).get(pk=source.pk)
    now = timezone.now()
    if row.state not in (State.DRAFT, State.QUEUED, State.RUNNING) or (row.lease_until and row.lease_until > now):
        return False
    if row.attempts >= MAX_ATTEMPTS:
        row.state, row.finished_at = State.FAILED, now
        row.error = row.error or _("It stopped %(count)d times at the same rows.") % {"count": row.attempts}
        row.save()
        return False
    row.state, row.lease_until, row.attempts, row.started_at = State.RUNNING, now + LEASE, row.attempts + 1, row.started_at or now
    row.save(update_fields=["state", "lease_until", "attempts", "started_at", "modified"])
    return True


def _rest(source: Import, *, ended: bool) -> None:
    """Give the lease back; the end of the rows is the end of the import."""
    values = {"lease_until": None, "attempts": 0, "error": ""} | ({"state": State.DONE, "finished_at": timezone.now()} if ended else {})
    Import.objects.filter(pk=source.pk, state=State.RUNNING).update(**values)


def _note_failure(source: Import, error: Exception) -> None:
    given_up = {"state": State.FAILED, "finished_at": timezone.now()} if isinstance(error, FileError) else {}
    pause = timezone.now() + PAUSE
    Import.objects.filter(pk=source.pk, state=State.RUNNING).update(lease_until=pause, error=f"{type(error).__name__}: {error}"[:1000], **given_up)

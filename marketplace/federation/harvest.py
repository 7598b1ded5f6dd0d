"""Reading partners: who is due, under whose lease, page by page, each in one transaction with the checkpoint behind it.

Killed anywhere, it goes on behind the last page that was written. Two workers never read the same partner; if a lease runs out in the middle of a
page, the page of the slower one is rolled back.
"""

import datetime
import logging
import os
import random
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marketplace.core.addresses import AddressError, Reason
from marketplace.core.sealing import BrokenSealError

from . import brake, careful, fetching, mapping, operations, quarantine, retention, writing
from .enums import PartnerAction, PartnerState, ReaderKind
from .items import Batch, CursorExpired, HarvestError
from .models import Checkpoint, HarvestRun, Partner
from .readers import READERS
from .taking import Taking

logger = logging.getLogger(__name__)
#: Renewed with every page; a worker that died is taken over after this.
LEASE = datetime.timedelta(minutes=2)
#: How long one round of the worker may stay with partners before the index and the mails get their turn.
ROUND_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = datetime.timedelta(minutes=1), datetime.timedelta(hours=6)
LONGEST_RETRY_AFTER = datetime.timedelta(days=1)
#: Partners that were set up at the same minute are not asked at the same minute for ever.
JITTER = 0.2
MOST_DUE = 20
#: After so many failures in a row a page is written in halves, and one that cannot be read is gone round by way of the snapshot.
PATIENCE = 3
#: What `_fail` calls a fault of ours.
INTERNAL = "internal"
#: An answer came, and it is no page.
UNREADABLE = ("bad-json", "bad-page", str(Reason.TOO_LARGE))
#: A partner all of whose pages of changes are bad is not asked for everything more often.
SNAPSHOT_PAUSE = datetime.timedelta(days=1)


class LeaseLostError(Exception):
    """Another worker has taken over, or the partner was paused: nothing of this page is written."""


def run_once() -> int:
    """One round of the worker: some seconds with the partners that are due; returns how many items and removals were handled."""
    done, until = retention.withdraw_ended(), time.monotonic() + ROUND_SECONDS
    for partner in _due():
        done += visit(partner, until=until)
        if time.monotonic() > until:
            break
    return done


def run_daily() -> int:
    """Once a day: old tombstones, contents of removed listings, quarantine and visits are thrown away; how many rows."""
    return retention.prune() + quarantine.prune()


def nudge(partner: Partner) -> None:
    """The partner says that something changed: it is read at the next round."""
    Checkpoint.objects.filter(partner=partner, next_at__gt=timezone.now()).update(next_at=timezone.now())


def ask_snapshot(partner: Partner) -> None:
    """Read everything anew at the next round. A visit that runs loses its lease, since its next page would write over this."""
    mapping.ask_again(partner)


def visit(partner: Partner, *, until: float | None = None) -> int:
    """Read the partner under its lease, to the end or until `until` (of time.monotonic); returns how many items and removals were handled.

    Never raises for what the partner does: its error is kept with the checkpoint, and it is tried again after a pause that grows.
    """
    with _lease(partner) as holder:
        return _Visit(partner, holder).run(until) if holder else 0


def _due() -> list[Partner]:
    now = timezone.now()
    free = Q(checkpoint__lease_until=None) | Q(checkpoint__lease_until__lt=now)
    active = Partner.objects.filter(state=PartnerState.ACTIVE).exclude(reader=ReaderKind.NONE)
    due = active.filter(Q(checkpoint=None) | (free & Q(checkpoint__next_at__lte=now)))
    return list(due.order_by(F("checkpoint__next_at").asc(nulls_first=True), "pk")[:MOST_DUE])


# --- Lease ---------------------------------------------------------------------------------------------------------------


@contextmanager
def _lease(partner: Partner) -> Iterator[str]:
    """Hold the partner's lease for the block; "" if somebody else does. The holder is the call: two threads of one process are two."""
    Checkpoint.objects.get_or_create(partner=partner)
    now, holder = timezone.now(), f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    taken = Checkpoint.objects.filter(free, partner=partner).update(lease_until=now + LEASE, leased_by=holder, last_attempt_at=now)
    try:
        yield holder if taken else ""
    finally:
        Checkpoint.objects.filter(partner=partner, leased_by=holder).update(lease_until=None, leased_by="")


class _Visit:
    """One worker's time with a partner. A visit that takes longer than one round has one HarvestRun all the same."""

    def __init__(self, partner: Partner, holder: str) -> None:
        self.partner, self.holder, self.done = partner, holder, 0

    def run(self, until: float | None) -> int:
        try:
            self._read(until)
        except LeaseLostError:
            logger.info("harvest: %s was taken over or paused", self.partner)
        except (HarvestError, AddressError, BrokenSealError) as error:
            self._fail(*_words(error), retry_after=getattr(error, "retry_after", None))
        except Exception as error:
            # A fault of ours. One partner's strange item must keep no other partner from its turn.
            logger.exception("harvest: %s", self.partner)
            self._fail(INTERNAL, f"{type(error).__name__}: {error}")
        return self.done

    def _read(self, until: float | None) -> None:
        reader, fetch, taking = import_string(READERS[self.partner.reader])(), fetching.fetcher(self.partner), Taking(self.partner)
        self._let_go(until)
        try:
            self._pages(reader.batches(self.partner, self._state(), fetch=fetch), taking, until)
        except CursorExpired:
            self._begin_anew()
            self._pages(reader.batches(self.partner, {}, fetch=fetch), taking, until)
        self._let_go(until)

    def _pages(self, batches: Iterator[Batch], taking: Taking, until: float | None) -> None:
        for batch in batches:
            self._write(batch, taking)
            if batch.is_last or (until is not None and time.monotonic() > until):
                return

    def _state(self) -> dict:
        return Checkpoint.objects.values_list("state", flat=True).get(partner=self.partner)

    @transaction.atomic
    def _write(self, batch: Batch, taking: Taking) -> None:
        """One page and the checkpoint behind it, both or neither."""
        checkpoint = self._locked()
        if batch.is_snapshot and not checkpoint.in_snapshot:
            checkpoint.in_snapshot, checkpoint.generation = True, checkpoint.generation + 1
        if checkpoint.error_code == INTERNAL and checkpoint.failures >= PATIENCE:
            outcome = careful.write(batch, self.partner, checkpoint.generation)
        else:
            outcome = writing.write(batch, taking, checkpoint.generation)
        outcome.counts["ended"] += brake.removals(checkpoint, outcome.leaving)
        if batch.is_snapshot and batch.is_last:
            brake.sweep(checkpoint)
            checkpoint.in_snapshot = False
        checkpoint.state, checkpoint.lag, checkpoint.lease_until = batch.checkpoint, batch.lag, timezone.now() + LEASE
        checkpoint.failures, checkpoint.error_code, checkpoint.error = 0, "", ""
        run = self._run()
        _add(run, batch, outcome, checkpoint)
        if batch.is_last:
            run.ended_at = checkpoint.last_success_at = timezone.now()
            checkpoint.next_at = timezone.now() + self._interval(batch)
        run.save()
        checkpoint.save()
        self.done += len(batch.items) + len(batch.faults)

    def _interval(self, batch: Batch) -> datetime.timedelta:
        if batch.is_snapshot and self.partner.reader == ReaderKind.PROTOCOL:
            # What changed while the snapshot was read stands in the log behind it.
            return datetime.timedelta()
        return _jittered(datetime.timedelta(minutes=max(1, self.partner.harvest_minutes)))

    def _let_go(self, until: float | None) -> None:
        """Removals that nothing holds, some at a time: those of the last sweep, and those that a person has released."""
        is_over = False
        while not is_over:
            with transaction.atomic():
                checkpoint = self._locked()
                count = brake.let_go(checkpoint)
                is_over = not count or (until is not None and time.monotonic() > until)
                checkpoint.lease_until = timezone.now() + LEASE
                if count and is_over:
                    # The rest at the next round.
                    checkpoint.next_at = timezone.now()
                checkpoint.save(update_fields=["lease_until", "next_at"])
                if count:
                    last = HarvestRun.objects.filter(partner=self.partner).first()
                    HarvestRun.objects.filter(pk=last and last.pk).update(ended=F("ended") + count)
            self.done += count

    @transaction.atomic
    def _begin_anew(self) -> None:
        checkpoint = self._locked()
        checkpoint.state, checkpoint.in_snapshot = {}, False
        checkpoint.save(update_fields=["state", "in_snapshot"])

    @transaction.atomic
    def _fail(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        """Keep the error, and the time of the next try."""
        try:
            checkpoint = self._locked()
        except LeaseLostError:
            return
        checkpoint.failures += 1
        pause = _jittered(min(FIRST_PAUSE * 2 ** min(checkpoint.failures - 1, 20), LONGEST_PAUSE))
        asked = datetime.timedelta(seconds=min(retry_after or 0, LONGEST_RETRY_AFTER.total_seconds()))
        checkpoint.next_at = timezone.now() + max(pause, asked)
        checkpoint.error_code, checkpoint.error = code[:40], quarantine.raw(message)[:2000]
        if self._is_stuck(checkpoint):
            checkpoint.state, checkpoint.in_snapshot = {}, False
            operations.log(self.partner, PartnerAction.SNAPSHOT_ASKED, by=None, details={"reason": checkpoint.error[:300]})
        checkpoint.save(update_fields=["failures", "next_at", "error_code", "error", "state", "in_snapshot"])
        run = self._run()
        run.ended_at, run.error_code, run.error = timezone.now(), checkpoint.error_code, checkpoint.error
        run.save()

    def _is_stuck(self, checkpoint: Checkpoint) -> bool:
        """Whether the page of changes at our cursor will not be read however often we ask: what it says stands in the snapshot too."""
        if checkpoint.failures < PATIENCE or checkpoint.error_code not in UNREADABLE or "cursor" not in checkpoint.state:
            return False
        return not HarvestRun.objects.filter(partner=self.partner, is_snapshot=True, started_at__gt=timezone.now() - SNAPSHOT_PAUSE).exists()

    def _locked(self) -> Checkpoint:
        """Our checkpoint, locked; raises LeaseLostError if it is ours no more or the partner is not to be read any more."""
        rows = Checkpoint.objects.select_for_update(of=("self",)).select_related("partner")
        checkpoint = rows.filter(partner=self.partner, leased_by=self.holder, partner__state=PartnerState.ACTIVE).first()
        if checkpoint is None:
            raise LeaseLostError
        return checkpoint

    def _run(self) -> HarvestRun:
        """The line of this visit: one that another round began, or a new one."""
        return HarvestRun.objects.filter(partner=self.partner, ended_at=None).first() or HarvestRun(partner=self.partner)


def _add(run: HarvestRun, batch: Batch, outcome: writing.Outcome, checkpoint: Checkpoint) -> None:
    run.pages += 1
    run.is_snapshot = run.is_snapshot or batch.is_snapshot
    run.held = checkpoint.held_count
    for name, number in outcome.counts.items():
        setattr(run, name, getattr(run, name) + number)


def _jittered(pause: datetime.timedelta) -> datetime.timedelta:
    return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret hangs on it


def _words(error: Exception) -> tuple[str, str]:
    if isinstance(error, HarvestError):
        return error.code, error.message
    if isinstance(error, AddressError):
        return str(error.reason), f"{error} {error.url} {error.detail}".strip()
    return "broken-seal", _("The key that the partner gave us cannot be read any more, since the server's secret was changed. Ask for a new key.")

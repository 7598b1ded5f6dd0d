"""How partners do: whether they are read as they should, and what waits for a person."""

import datetime
from dataclasses import dataclass

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from .enums import Condition, PartnerState, ReaderKind
from .models import Partner, QuarantinedItem, RemoteListing

#: So many visits may be missed before a partner counts as late, and it may always be so late.
LATE_VISITS = 3
LATE_ALWAYS = datetime.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Health:
    """The condition of a partner; `is_bad`: somebody should look."""

    condition: Condition
    is_bad: bool


def with_health(partners: QuerySet) -> QuerySet:
    """Partners with all that `health_of` and a list need, in one query: `live_count`, `quarantine_count`, checkpoint and hook."""
    return partners.select_related("checkpoint", "hook").annotate(
        live_count=_count(RemoteListing.objects.filter(tombstoned_at=None)), quarantine_count=_count(QuarantinedItem.objects.filter(resolved_at=None))
    )


def health_of(partner: Partner, *, now: datetime.datetime | None = None) -> Health:
    """How the partner does at this moment."""
    condition = _condition(partner, now or timezone.now())
    return Health(condition, is_bad=condition in (Condition.HELD, Condition.FAILING, Condition.LATE))


def _condition(partner: Partner, now: datetime.datetime) -> Condition:
    checkpoint = getattr(partner, "checkpoint", None)
    if partner.state != PartnerState.ACTIVE:
        return Condition.OFF
    if partner.reader == ReaderKind.NONE:
        return Condition.READS_ONLY
    if checkpoint is None or checkpoint.last_attempt_at is None:
        return Condition.UNVISITED
    if checkpoint.held_at is not None:
        return Condition.HELD
    patience = max(LATE_VISITS * datetime.timedelta(minutes=partner.harvest_minutes), LATE_ALWAYS)
    is_late = checkpoint.last_success_at is None or now - checkpoint.last_success_at > patience
    return Condition.FAILING if checkpoint.failures else Condition.LATE if is_late else Condition.WELL


def _count(rows: QuerySet) -> Coalesce:
    counted = rows.filter(partner=OuterRef("pk")).order_by().values("partner").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)

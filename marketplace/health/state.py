"""Everything that is known of how the service does, collected at one moment in a constant number of queries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from marketplace.core.models import Mail
from marketplace.federation import health
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import Delivery, Partner
from search.status import Status, status


@dataclass(frozen=True, slots=True)
class Outbox:
    """What waits to be sent. `failing`: it was tried in vain. `overdue_seconds`: so long ago the oldest that is due should have been taken up."""

    waiting: int
    failing: int
    oldest_seconds: float
    overdue_seconds: float


@dataclass(frozen=True, slots=True)
class PartnerSeen:
    """How one active partner does: as it is read, and as our messages reach it."""

    name: str
    condition: str
    is_bad: bool
    lag: int | None
    failures: int
    visited: datetime | None
    hook_failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """How the service does."""

    at: datetime
    index: Status
    mails: Outbox
    messages: Outbox
    partners: list[PartnerSeen]
    #: Migrations of this release that the database has not had, as "app.name".
    unapplied: list[str]


def collect() -> State:
    """How the service does now. Raises DatabaseError if the database does not answer; search servers may be away or silent."""
    return State(
        at=timezone.now(),
        index=status(),
        mails=_outbox(Mail.objects.filter(state=Mail.State.WAITING)),
        messages=_outbox(Delivery.objects.filter(state=Delivery.State.WAITING, hook__is_active=True), rests=Q(hook__pause_until__gt=timezone.now())),
        partners=[_partner(partner) for partner in Partner.objects.filter(state=PartnerState.ACTIVE).select_related("checkpoint", "hook").order_by("name")],
        unapplied=unapplied(),
    )


def _outbox(rows: QuerySet, *, rests: Q | None = None) -> Outbox:
    now = timezone.now()
    due = Q(next_attempt_at__lte=now) & (~rests if rests else Q())
    found = rows.order_by().aggregate(
        waiting=Count("pk"), failing=Count("pk", filter=Q(attempts__gt=0)), oldest=Min("created"), overdue=Min("next_attempt_at", filter=due)
    )
    return Outbox(found["waiting"], found["failing"], _seconds(now, found["oldest"]), _seconds(now, found["overdue"]))


def _seconds(now: datetime, since: datetime | None) -> float:
    return max((now - since) / timedelta(seconds=1), 0.0) if since else 0.0


def _partner(partner: Partner) -> PartnerSeen:
    found, checkpoint, hook = health.health_of(partner), getattr(partner, "checkpoint", None), getattr(partner, "hook", None)
    return PartnerSeen(
        name=partner.name,
        condition=found.condition.value,
        is_bad=found.is_bad,
        lag=checkpoint.lag if checkpoint else None,
        failures=checkpoint.failures if checkpoint else 0,
        visited=checkpoint.last_success_at if checkpoint else None,
        hook_failing_since=hook.failing_since if hook and hook.is_active else None,
    )


def unapplied() -> list[str]:
    """Migrations of this release that the database has not had; one query."""
    return sorted(f"{app}.{name}" for app, name in _of_this_release() - set(MigrationRecorder(connection).applied_migrations()))


@lru_cache(1)
def _of_this_release() -> frozenset[tuple[str, str]]:
    # Reading them all takes a third of a second, and they do not change while the process runs.
    return frozenset(MigrationLoader(None).graph.nodes)

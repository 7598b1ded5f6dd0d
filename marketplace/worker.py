"""The background work, in one place: what runs, in which order, how often. `manage.py worker` calls it.

Everything here can be killed at any point and loses nothing: the change log's checkpoints, the outbox and the listings' own
dates say what is still to do.
"""

import logging
from collections.abc import Callable, Iterable

from cms.aid import facts, links, reviews
from cms.comments import operations as comments
from cms.console import scheduled
from cms.pages import cache as page_cache
from cms.pages import pictures, submissions
from marketplace.accounts import daily
from marketplace.alerts import watching
from marketplace.companies import key_operations
from marketplace.core import heartbeats, mail
from marketplace.federation import deliveries, export, harvest, sending, subscriptions
from marketplace.federation.interests import erasing
from marketplace.federation.interests import sending as interests
from marketplace.federation.open_data import files as open_data
from marketplace.imports import operations as imports
from marketplace.listings import following
from marketplace.listings import operations as listings
from marketplace.rest import idempotency, throttling, usage
from marketplace.synergies import consortia, outcomes, refresh, ring_refresh
from search import index, kept, upkeep

logger = logging.getLogger(__name__)


Step = Callable[[], int]
#: What works on our own data: pages whose time has come, pages that must not be shown any more, some seconds of an import, listings whose company
#: changed, what partners may read and are told, the index, the synergies, groups, rings and saved searches behind it, some vectors, sizes of pictures.
INSIDE: tuple[Step, ...] = (
    scheduled.run_once,
    facts.run_once,
    page_cache.run_once,
    imports.run_once,
    following.run_once,
    export.run_once,
    deliveries.announce,
    index.run_once,
    refresh.run_once,
    consortia.run_once,
    ring_refresh.run_once,
    watching.run_once,
    kept.run_once,
    pictures.run_once,
)
#: What waits for somebody else's server, and what takes long. `manage.py worker` does it in a thread of its own: a partner that answers a letter a minute must not hold up the index.
OUTSIDE: tuple[Step, ...] = (
    mail.send_due,
    sending.run_once,
    subscriptions.run_once,
    interests.run_once,
    harvest.run_once,
    links.run_once,
    open_data.run_once,
)

#: What somebody asked for and takes minutes: comparing a whole index, building it anew. A third thread, or the index's own reader would wait for it.
UPKEEP: tuple[Step, ...] = (upkeep.run_once,)


def run_once(steps: Iterable[Step] = INSIDE + OUTSIDE + UPKEEP, part: heartbeats.Part | None = None) -> int:
    """One round; returns how much was done. `part` is told of every step.

    What fails keeps nothing else from its turn (a full disk under the index, the mails); then its error is raised.
    """
    done, errors, part = 0, [], part or heartbeats.Part("once")
    for step in steps:
        try:
            done += part.does(step.__module__, step)
        except Exception as error:
            logger.exception("worker: %s failed", step.__module__)
            errors.append(error)
    if errors:
        raise errors[0]
    return done


def drain() -> int:
    """Rounds until nothing is left to do; returns how much was done."""
    total = 0
    while done := run_once():
        total += done
    return total


def run_daily() -> dict[str, int]:
    """What is due once a day: expiry, warnings before it, questions how it went, the mail of the day, vectors that nobody needs any more; a second run the same day does nothing.

    As in a round, what fails keeps nothing else from its turn: a page that cannot be read must not cost everybody the mail of the day.
    """
    done, errors = {}, []
    for name, part in (
        ("expired", listings.expire_overdue),
        ("warned", listings.warn_expiring),
        ("keys warned", key_operations.warn_expiring),
        ("asked", outcomes.ask_due),
        ("aid states", reviews.announce),
        ("aid reminders", reviews.remind),
        ("pages' links", links.collect),
        ("digests", daily.send),
        ("tombstones pruned", export.prune),
        ("messages pruned", deliveries.prune),
        ("interests ended", erasing.run_daily),
        ("partners' listings pruned", harvest.run_daily),
        ("API usage pruned", usage.prune),
        ("API counters pruned", throttling.prune),
        ("API answers pruned", idempotency.prune),
        ("vectors pruned", kept.prune),
        ("form submissions deleted", submissions.prune),
        ("conversations deleted", comments.forget_deleted_pages),
        ("comparisons asked", upkeep.ask_daily),
    ):
        try:
            done[name] = part()
        except Exception as error:
            logger.exception("worker: the day's part “%s” failed", name)
            errors.append(error)
    if errors:
        raise errors[0]
    return done

"""The stored suggestions follow what curators teach the engine (see `search.vocabulary`)."""

import datetime
import logging
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from marketplace.core import changelog
from search import effects, vocabulary
from search.models import Edit

logger = logging.getLogger(__name__)

#: Kind of a change by which a listing is matched anew though it has not changed itself; only the synergies' reader heeds it.
REMATCH = "rematch"

#: After one edit at most so many listings are matched anew, so that it takes effect within a minute; the rest follow when they change.
MOST_REMATCHED = 300

#: For so long after an edit a suggestion may have been made by who did not know of it yet.
UNAWARE = datetime.timedelta(seconds=2 * vocabulary.CHECK_SECONDS)


def follow(edits: Iterable[uuid.UUID]) -> None:
    """Line up the listings that hold an expression of the edited entries, as they were or as they are. Raises SearchUnavailable."""
    rules = [rule for edit in Edit.objects.filter(uid__in=list(edits)) for rule in edit.rules()]
    found = effects.affected(rules, limit=MOST_REMATCHED + 1)
    if len(found) > MOST_REMATCHED:
        logger.info("An edit of the vocabulary touches more than %d listings; the others follow when they change.", MOST_REMATCHED)
    with transaction.atomic():
        changelog.append_many(REMATCH, [uuid.UUID(document.uid) for document in found[:MOST_REMATCHED]])


def known_since() -> datetime.datetime:
    """From when on every suggestion was made with the present vocabulary."""
    last = Edit.objects.order_by("-id").values_list("at", flat=True).first()
    return last + UNAWARE if last else timezone.make_aware(datetime.datetime(1970, 1, 1))  # noqa: DTZ001 - made aware

"""Looks with every saved search at what changed: a reader of the change log, always behind the index.

It writes down what was found, nothing else; the mail of the day tells it (see `news`). Every hit of `search.find` is a match,
as on the public page, however weak: who asked for one word wants all that has it. The same question of several people is asked once.
A listing is asked about when it changes, so one that comes to match by a new synonym is no news.
"""

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

import search
from marketplace.core import changelog
from marketplace.core.models import Change
from marketplace.listings.models import Listing
from search import index

from .models import Finding, SavedSearch
from .searches import question

logger = logging.getLogger(__name__)
READER = "alerts"
#: How many listings one question names. One page of the engines holds all of them, so nothing is left on a second one. A batch is one question for
#: each different search (some 4 ms each on the embedded engine, with one changed listing).
AT_ONCE = 200
#: New searches that are looked at in one round; each reads every live listing's name once.
BEGUN_AT_ONCE = 20


def run_once() -> int:
    """Begin with new searches, then take the next batch of changes; how much was done. Without the search server 0, and it comes again."""
    try:
        return begin() + changelog.consume(READER, _handle, limit=AT_ONCE, behind=index.reader_name())
    except search.SearchUnavailable as error:
        logger.warning("saved searches wait for the search server: %s", error)
        return 0


def _handle(changes: list[Change]) -> None:
    changed = {change.uid for change in changes if change.kind == "listing"}
    listings = dict(Listing.objects.live().filter(uid__in=changed).values_list("uid", "pk"))
    if not listings:
        return
    answered, refused, reason = 0, [], None
    # Loaded after the changes: a search that is saved from now on begins at the index's place, which is not before them.
    for same in _by_question(SavedSearch.objects.all()):
        try:
            found = found_among(same[0], listings)
        except search.SearchUnavailable as error:
            refused, reason = [*refused, *same], error
            continue
        answered += 1
        if found:
            _note(same, listings, found)
    if reason and not answered:
        raise reason
    _put_back(refused)


def _put_back(refused: list[SavedSearch]) -> None:
    """These begin anew, at the place before the batch: one question that the engine cannot answer must not keep all others waiting, nor lose anything."""
    if refused:
        logger.warning("%d saved searches got no answer; they are asked anew.", len(refused))
        place = changelog.position(READER)
        ready = SavedSearch.objects.filter(pk__in=[one.pk for one in refused], is_ready=True)
        ready.update(is_ready=False, index_transaction=place[0], index_change=place[1])


def begin() -> int:
    """Find out what each new search finds from the start; with how many that was done. Without an answer it stays new."""
    # What got no answer goes behind the others.
    new = list(SavedSearch.objects.filter(is_ready=False).order_by("modified", "pk")[:BEGUN_AT_ONCE])
    begun = 0
    for same in _by_question(new):
        mine = SavedSearch.objects.filter(pk__in=[one.pk for one in same])
        try:
            _begin(same)
        except search.SearchUnavailable as error:
            logger.warning("new saved searches wait for the search server: %s", error)
            mine.update(modified=timezone.now())
        else:
            begun += mine.update(is_ready=True)
    return begun


def _begin(same: list[SavedSearch]) -> None:
    last = 0
    while rows := list(Listing.objects.live().filter(pk__gt=last).order_by("pk").values_list("uid", "pk")[:AT_ONCE]):
        listings, last = dict(rows), rows[-1][1]
        if found := found_among(same[0], listings):
            _note(same, listings, found)


def _by_question(searches: Iterable[SavedSearch]) -> Iterator[list[SavedSearch]]:
    """The searches that ask the same, together."""
    ordered = sorted(searches, key=lambda one: (one.fingerprint, one.pk))
    yield from (list(same) for _, same in groupby(ordered, key=lambda one: one.fingerprint))


def found_among(saved: SavedSearch, uids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these listings that the search finds. Raises SearchUnavailable.

    Not by the stand-in of a server that does not answer: it may not have taken the changes in yet, and they would be lost.
    """
    asked = question(saved.parameters, timezone.localdate(), size=AT_ONCE)
    if asked is None:
        return set()
    found: set[uuid.UUID] = set()
    names = sorted(map(str, uids))
    for start in range(0, len(names), AT_ONCE):
        page = search.find(replace(asked, uids=tuple(names[start : start + AT_ONCE])))
        if page.degraded:
            raise search.SearchUnavailable("only the stand-in answers")
        found |= {uuid.UUID(hit.uid) for hit in page.hits}
    return found


@transaction.atomic
def _note(searches: list[SavedSearch], listings: dict[uuid.UUID, int], found: set[uuid.UUID]) -> None:
    """Write down what was found. What is known already stays as it is, so doing it twice changes nothing."""
    # Locked, so that neither goes away before its row is written.
    present = set(Listing.objects.select_for_update(no_key=True).filter(uid__in=found).order_by("pk").values_list("uid", flat=True))
    kept = SavedSearch.objects.select_for_update(no_key=True).filter(pk__in=[one.pk for one in searches]).order_by("pk")
    rows = []
    for saved in kept:
        news = present if saved.is_ready else _changed_since(saved, present)
        rows += [Finding(search=saved, listing_id=listings[uid], is_news=uid in news) for uid in sorted(present)]
    Finding.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def _changed_since(saved: SavedSearch, uids: set[uuid.UUID]) -> set[uuid.UUID]:
    """Those that the index took in after the search was saved; the others its owner could see on the page."""
    after = Q(transaction__gt=saved.index_transaction) | Q(transaction=saved.index_transaction, id__gt=saved.index_change)
    return set(Change.objects.filter(after, kind="listing", uid__in=uids).values_list("uid", flat=True))

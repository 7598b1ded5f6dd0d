"""Two curators decide on the same listing at the same moment, with real threads and row locks."""

import threading

import pytest
from django.db import connection

from cms.console.decisions import decide
from marketplace.core.models import Change, Mail
from marketplace.listings.enums import Move
from marketplace.listings.models import Listing
from tests.factories import UserFactory


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_curators_at_once_decide_once(waiting):
    (listing,) = waiting(1)
    curators = [UserFactory(is_superuser=True) for _ in range(8)]
    barrier, results = threading.Barrier(len(curators)), []

    def act(curator):
        try:
            mine = Listing.objects.get(pk=listing.pk)
            barrier.wait()
            move = Move.REJECT if curator.pk % 2 else Move.PUBLISH
            results.append(decide(mine, move, by=curator, reason="No és per a empreses."))
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=[curator]) for curator in curators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A listing that was published first can still be rejected afterwards by another curator: that is a second decision, not a double.
    moves = list(listing.transitions.order_by("at").values_list("move", flat=True))
    assert moves in (["publish"], ["reject"], ["publish", "reject"])
    assert sum(not result.error for result in results) == len(moves)
    assert Change.objects.filter(uid=listing.uid).count() == len(moves)
    assert Mail.objects.count() == len(moves)

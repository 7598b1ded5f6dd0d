"""Several curators save the same entry at the same moment, with real threads and row locks."""

import threading

import pytest
from django.db import connection

from marketplace.core.models import Change
from search import editing
from search.models import Edit, Entry
from tests.factories import UserFactory


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_curators_at_once_one_saves_and_the_others_learn_of_it():
    entry = editing.add({"kind": "two_way", "ca": "tapaboques, boquera"}, by=None)
    curators = [UserFactory() for _ in range(8)]
    barrier, results = threading.Barrier(len(curators)), []

    def act(curator):
        try:
            mine = Entry.objects.get(pk=entry.pk)
            barrier.wait()
            results.append(editing.change(mine, {"note": str(curator.pk)}, seen=1, by=curator))
        except editing.StaleError as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=[curator]) for curator in curators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [saved] = [result for result in results if isinstance(result, Entry)]
    assert len(results) == len(curators)
    entry.refresh_from_db()
    assert (entry.revision, entry.note) == (2, saved.note)
    assert Edit.objects.count() == Change.objects.filter(kind=editing.VOCABULARY).count() == 2

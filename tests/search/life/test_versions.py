"""A document's version is the id of its newest change: what happens when changes are logged in one order and committed in another."""

import threading

import pytest
from django.db import connection, transaction

from marketplace.core import changelog
from marketplace.listings.models import Listing
from marketplace.synergies.vocabulary import REMATCH
from search import engine, index, kept
from tests.search.test_index import publish

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def embedded(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    [chosen] = engine.backends()
    return chosen


class Edit:
    """A change of a listing's title in a transaction of its own, that is logged but not yet committed."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._logged, self._may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._logged.wait(30)

    def _run(self) -> None:
        try:
            with transaction.atomic():
                Listing.objects.select_for_update().filter(pk=self._listing.pk).update(title="Guants de nitril")
                changelog.append("listing", self._listing.uid)
                self._logged.set()
                self._may_end.wait(30)
        finally:
            connection.close()

    def commit(self) -> None:
        self._may_end.set()
        self._thread.join()


def title_in(backend, listing) -> str:
    document = index._sources()[0].load([str(listing.uid)])[str(listing.uid)]
    assert document is not None
    from search.backends.embedded_clauses import stored_document  # noqa: PLC0415 - for this look alone

    searcher = backend._read().searcher
    hits = searcher.search(engine_all(), 10, count=False).hits
    return next(found.title for found in (stored_document(searcher, address) for _, address in hits) if found.uid == str(listing.uid))


def engine_all():
    from tantivy import Query  # noqa: PLC0415 - as above

    return Query.all_query()


def test_others_line_about_a_listing_does_not_keep_its_change_out(embedded):
    """The change is logged first and committed last; in between somebody has the listing matched anew, and the index reads an earlier change."""
    gel = publish("Gel hidroalcohòlic")
    index.run_once()
    with transaction.atomic():
        Listing.objects.select_for_update().get(pk=gel.pk)
        changelog.append("listing", gel.uid)
    edit = Edit(gel)
    with transaction.atomic():
        changelog.append(REMATCH, gel.uid)
    assert index.run_once() == 1
    edit.commit()
    while index.run_once():
        pass
    assert title_in(embedded, gel) == "Guants de nitril"
    assert not index.check(embedded)


def test_naive_version_of_any_line_keeps_a_change_out(embedded, monkeypatch):
    monkeypatch.setattr("marketplace.listings.querysets.DOCUMENT_KINDS", ("listing", REMATCH))
    with pytest.raises(AssertionError):
        test_others_line_about_a_listing_does_not_keep_its_change_out(embedded)


def test_lines_about_vectors_are_logged_while_the_row_is_held(embedded, settings):
    """Or a change that was logged before them and is committed after them would have the lower version."""
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Letters"
    gel = publish("Gel hidroalcohòlic")
    assert index.run_once() == 1
    edit, made = Edit(gel), threading.Event()

    def make() -> None:
        try:
            kept.run_once()
            made.set()
        finally:
            connection.close()

    thread = threading.Thread(target=make)
    thread.start()
    assert not made.wait(1)
    edit.commit()
    thread.join()
    while index.run_once() + kept.run_once():
        pass
    assert title_in(embedded, gel) == "Guants de nitril"
    assert not index.check(embedded)

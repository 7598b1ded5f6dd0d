"""What is news for a saved search: everything that came to match after it was saved, once, whatever fails in between."""

import shutil
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import search
from marketplace import worker
from marketplace.alerts import operations, watching
from marketplace.alerts.models import Finding, SavedSearch
from marketplace.companies.models import Company, Sector
from marketplace.core import changelog
from marketplace.listings.enums import State
from marketplace.listings.filters import ListingFilter
from marketplace.listings.models import Listing
from search import index
from tests import concurrency, processes
from tests.factories import UserFactory

from .conftest import GEL, VISORS, change, news_of, publish, save, watched

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_index")]


# --- What is news -------------------------------------------------------------------------------------------------------


def test_what_matched_at_the_saving_is_no_news_and_what_comes_is(seeker):
    publish(**GEL)
    saved = watched("q=gel", by=seeker)
    publish(**VISORS)
    publish(**GEL | {"title": "Gel de mans perfumat"})
    worker.drain()
    assert news_of(saved) == ["Gel de mans perfumat"]
    assert Finding.objects.filter(search=saved, is_news=False).count() == 1


def test_an_old_listing_that_is_edited_and_matches_now_is_news_once(seeker):
    listing = publish(**VISORS)
    saved = watched("q=gel", by=seeker)
    change(listing, title="Pantalles facials i gel")
    worker.drain()
    assert news_of(saved) == ["Pantalles facials i gel"]
    at = Finding.objects.get().at
    change(listing, title="Pantalles facials de PET")
    worker.drain()
    change(listing, title="Pantalles facials i gel")
    worker.drain()
    assert Finding.objects.get().at == at, "to and fro is no second news"


def test_an_edit_of_what_matched_before_is_no_news(seeker):
    """Who only looks at what changed since would announce every correction of a comma."""
    listing = publish(**GEL)
    saved = watched("q=gel", by=seeker)
    change(listing, description=GEL["description"] + " Sense alcohol.")
    worker.drain()
    assert news_of(saved) == []
    naive = {hit.uid for hit in search.find(search.Query(text="gel")).hits}
    assert naive == {str(listing.uid)}


@pytest.mark.parametrize(
    "query", ["kind=offer", "category=product&sector=C", "place=082798", "near=Terrassa&km=5", "language=ca&size=small", "q=garrafa", "q=garafes"]
)
def test_every_kind_of_filter_is_watched(seeker, query):
    saved = watched(query, by=seeker)
    publish(**GEL)
    publish(demand=True, title="Busquem vidre", language="es", category="space", sector_id="8299", place_id="080193", company__size="large", company__place_id="080193",
            description="Necesitamos cristal para escaparates de tiendas, con montaje.")  # fmt: skip
    worker.drain()
    assert news_of(saved) == [GEL["title"]]


def test_news_of_one_search_are_what_the_public_page_finds(seeker):
    saved = watched("q=gel&kind=offer", by=seeker)
    for number in range(5):
        publish(**GEL | {"title": f"Gel número {number}"}, kind="demand" if number == 3 else "offer")
    publish(**VISORS)
    worker.drain()
    hits = search.find(ListingFilter({"q": "gel", "kind": ["offer"]}).query()).hits
    assert {str(uid) for uid in Finding.objects.filter(search=saved).values_list("listing__uid", flat=True)} == {hit.uid for hit in hits}


def test_listing_renewed_by_its_company_is_no_news(seeker):
    listing = publish(**GEL)
    saved = watched("q=gel", by=seeker)
    change(listing, state=State.EXPIRED)
    worker.drain()
    change(listing, state=State.PUBLISHED)
    worker.drain()
    assert news_of(saved) == []


def test_a_company_that_is_shown_again_brings_news_only_of_what_was_not_there(seeker):
    there = publish(**GEL)
    hidden = publish(**GEL | {"title": "Gel de mans perfumat"})
    Company.objects.filter(pk=hidden.company_id).update(hidden=True)
    saved = watched("q=gel", by=seeker)
    for company in (there.company_id, hidden.company_id):
        Company.objects.filter(pk=company).update(hidden=False)
        with transaction.atomic():
            changelog.append("company", Company.objects.get(pk=company).uid)
    worker.drain()
    assert news_of(saved) == ["Gel de mans perfumat"]


# --- Late, absent and killed ------------------------------------------------------------------------------------------------


def test_published_while_the_index_lags_is_news(seeker):
    """The page did not show it when the search was saved, though the database had it: by the clock it would be lost."""
    worker.drain()
    listing = publish(**GEL)
    saved = save("q=gel", by=seeker)
    assert listing.published_at < saved.created
    worker.drain()
    assert news_of(saved) == [GEL["title"]]


def test_reader_never_looks_before_the_index(seeker):
    saved = watched("q=gel", by=seeker)
    publish(**GEL)
    watching.run_once()
    assert (news_of(saved), changelog.lag(watching.READER)) == ([], 1)
    worker.drain()
    assert (news_of(saved), changelog.lag(watching.READER)) == ([GEL["title"]], 0)


def test_changes_between_saving_and_the_first_look_are_news(seeker):
    old, edited = publish(**GEL), publish(**VISORS)
    worker.drain()
    saved = save("q=gel", by=seeker)
    publish(**GEL | {"title": "Gel de mans perfumat"})
    change(edited, title="Pantalles facials i gel")
    index.run_once()
    watching.run_once()
    assert news_of(saved) == ["Gel de mans perfumat", "Pantalles facials i gel"]
    assert list(Finding.objects.filter(is_news=False).values_list("listing", flat=True)) == [old.pk]


def test_without_an_index_nothing_is_lost(seeker, own_index):
    saved = watched("q=gel", by=seeker)
    publish(**GEL)
    index.run_once()
    own_index.path.rename(own_index.path.with_name("away"))
    assert watching.run_once() == 0
    assert changelog.lag(watching.READER) == 1
    own_index.path.with_name("away").rename(own_index.path)
    worker.drain()
    assert news_of(saved) == [GEL["title"]]


def test_search_saved_while_no_engine_answers_begins_later(seeker, own_index):
    old = publish(**GEL)
    worker.drain()
    shutil.move(own_index.path, own_index.path.with_name("away"))
    saved = save("q=gel", by=seeker)
    assert watching.run_once() == 0
    shutil.move(own_index.path.with_name("away"), own_index.path)
    publish(**GEL | {"title": "Gel de mans perfumat"})
    worker.drain()
    assert news_of(saved) == ["Gel de mans perfumat"]
    assert Finding.objects.get(is_news=False).listing == old


KILLED = """
from marketplace import worker
from marketplace.alerts import watching
note = watching._note
def die(*arguments):
    NOTE
    DIE
watching._note = die
worker.drain()
"""


@pytest.mark.parametrize("note", ["pass", "note(*arguments)"], ids=["before noting", "before the checkpoint"])
def test_watching_killed_in_the_middle_is_repeated(seeker, smtp, note):
    saved = watched("q=gel", by=seeker)
    publish(**GEL)
    processes.run(KILLED.replace("NOTE", note).replace("DIE", processes.DIE), is_killed=True)
    assert news_of(saved) == ([GEL["title"]] if note != "pass" else [])
    with time_machine.travel(timezone.now() + changelog.LEASE + timedelta(seconds=1), tick=True):
        worker.drain()
    assert news_of(saved) == [GEL["title"]]
    assert changelog.lag(watching.READER) == 0


def test_first_look_killed_in_the_middle_is_repeated(seeker, smtp):
    publish(**GEL)
    worker.drain()
    saved = save("q=gel", by=seeker)
    processes.run(KILLED.replace("NOTE", "note(*arguments)").replace("DIE", processes.DIE), is_killed=True)
    saved.refresh_from_db()
    assert not saved.is_ready
    worker.drain()
    saved.refresh_from_db()
    assert saved.is_ready
    assert (news_of(saved), Finding.objects.count()) == ([], 1)


def test_search_or_listing_deleted_meanwhile_holds_nothing_up(seeker):
    saved, other = watched("q=gel", by=seeker), watched("q=gel", by=UserFactory())
    first, second = publish(**GEL), publish(**GEL | {"title": "Gel de mans perfumat"})
    worker.run_once()
    Finding.objects.all().delete()
    listings = {listing.uid: listing.pk for listing in (first, second)}
    operations.delete(saved, by=seeker)
    Listing.objects.filter(pk=first.pk).delete()
    watching._note([saved, other], listings, set(listings))
    assert [(one.search, one.listing) for one in Finding.objects.all()] == [(other, second)]


@pytest.mark.postgresql
def test_several_workers_find_everything_once(seeker):
    searches = [watched(query, by=seeker) for query in ("q=gel", "kind=offer", "sector=C")]
    for number in range(20):
        publish(**GEL | {"title": f"Gel número {number}"})
    late = save("q=garrafes", by=seeker)
    results = concurrency.at_once(*[worker.drain] * 4)
    assert {type(one) for one in results} == {int}, results
    worker.drain()
    for saved in searches:
        assert len(news_of(saved)) == 20
    assert Finding.objects.filter(search=late).count() == 20


@pytest.mark.postgresql
def test_a_publication_that_commits_late_is_not_lost(seeker):
    """Its line has a lower id than the newest one that the saving can see: an id alone as the mark would count it as old."""
    worker.drain()
    goes_on, written = threading.Event(), threading.Event()

    def publish_slowly():
        with transaction.atomic():
            publish(**GEL)
            written.set()
            goes_on.wait(10)
        connection.close()

    thread = threading.Thread(target=publish_slowly)
    thread.start()
    written.wait(10)
    newer = publish(**VISORS)
    newest = changelog.last_id()
    saved = save("q=gel", by=seeker)
    goes_on.set()
    thread.join()
    gel = Listing.objects.get(title=GEL["title"])
    assert Listing.objects.with_last_change().get(pk=gel.pk).last_change < newest, "what a mark by id would call old"
    assert newer.pk != gel.pk
    worker.drain()
    assert news_of(saved) == [GEL["title"]]


# --- What it costs, and what it refuses -----------------------------------------------------------------------------------


def test_the_same_question_of_many_is_asked_once(seeker, monkeypatch):
    for person in [seeker, *UserFactory.create_batch(3)]:
        save("q=GEL&kind=offer&kind=demand", by=person)
        save("kind=demand&kind=offer&q=gel&sort=recent&page=3", by=person)
    worker.drain()
    asked = []
    find = search.find
    monkeypatch.setattr(search, "find", lambda query: asked.append(query) or find(query))
    publish(**GEL)
    worker.drain()
    assert len(asked) == 1
    assert len(asked[0].uids) == 1
    assert Finding.objects.filter(is_news=True).count() == 4


def test_noting_costs_the_same_queries_for_one_search_and_for_three(seeker):
    def cost(number: int) -> int:
        SavedSearch.objects.all().delete()
        for person in UserFactory.create_batch(number):
            save("q=gel", by=person)
        worker.drain()
        listing = publish(**GEL)
        worker.run_once()
        Finding.objects.all().delete()
        same = list(SavedSearch.objects.all())
        with CaptureQueriesContext(connection) as queries:
            watching._note(same, {listing.uid: listing.pk}, {listing.uid})
        assert Finding.objects.count() == number
        return len(queries)

    assert cost(1) == cost(3)


def test_more_listings_than_one_question_names_are_all_looked_at(seeker, monkeypatch):
    monkeypatch.setattr(watching, "AT_ONCE", 2)
    for number in range(5):
        publish(**GEL | {"title": f"Gel número {number}"})
    saved = watched("q=gel", by=seeker)
    assert Finding.objects.filter(search=saved, is_news=False).count() == 5
    for number in range(5, 10):
        publish(**GEL | {"title": f"Gel número {number}"})
    worker.drain()
    assert len(news_of(saved)) == 5


def test_a_filter_that_is_gone_does_not_widen_the_search(seeker):
    """Left out, as a typing error in an address is, it would announce the whole market."""
    saved = watched("sector=2229", by=seeker)
    SavedSearch.objects.filter(pk=saved.pk).update(parameters="sector=9999")
    assert not Sector.objects.filter(code="9999").exists()
    publish(**GEL)
    worker.drain()
    assert news_of(saved) == []


def test_stand_in_of_a_server_that_does_not_answer_is_not_believed(seeker, settings):
    """Elasticsearch is away, the embedded index answers in its place but knows nothing of the change: the match must not be lost."""
    saved = watched("q=gel", by=seeker)
    listing = publish(**GEL)
    settings.ELASTICSEARCH_URL, settings.EMBEDDED_FALLBACK = "http://127.0.0.1:9", True
    assert search.find(search.Query(text="gel")).degraded
    assert search.find(search.Query(text="gel")).total == 0
    with pytest.raises(search.SearchUnavailable):
        watching.found_among(saved, [listing.uid])
    settings.ELASTICSEARCH_URL = ""
    worker.drain()
    assert news_of(saved) == [GEL["title"]]


def test_one_question_without_an_answer_holds_up_nobody_and_loses_nothing(seeker, monkeypatch):
    """Taken for the whole engine's silence, it would keep everybody's news waiting for ever; passed over, its own would be lost."""
    saved, poor = watched("q=gel", by=seeker), watched("q=garrafes", by=seeker)
    find = search.find

    def answer(query):
        if query.text == "garrafes":
            raise search.SearchUnavailable("too hard")
        return find(query)

    monkeypatch.setattr(search, "find", answer)
    publish(**GEL)
    worker.drain()
    publish(**GEL | {"title": "Gel de mans perfumat"})
    late = save("q=mans", by=seeker)
    worker.drain()
    assert news_of(saved) == ["Gel de mans perfumat", GEL["title"]]
    assert SavedSearch.objects.get(pk=late.pk).is_ready
    assert (news_of(poor), SavedSearch.objects.get(pk=poor.pk).is_ready) == ([], False)
    monkeypatch.setattr(search, "find", find)
    worker.drain()
    assert news_of(poor) == ["Gel de mans perfumat", GEL["title"]]

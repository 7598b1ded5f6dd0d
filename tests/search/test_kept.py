"""Vectors follow the listings: made by the worker, never in a request, taken by the index, lost by nobody's death."""

import datetime
import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import search
from marketplace.core import changelog
from marketplace.core.models import Change
from marketplace.listings.models import Listing
from marketplace.synergies import refresh
from marketplace.synergies.models import Synergy
from search import encoding, index, kept, vectors
from search.documents import Write
from search.models import KeptVector
from tests import processes
from tests.concurrency import at_once
from tests.factories import ListingFactory, MembershipFactory
from tests.synergies.conftest import change, publish

from .encoders import Letters, Numbers

LETTERS, NUMBERS, REFUSING = (f"tests.search.encoders.{name}" for name in ("Letters", "Numbers", "Refusing"))
#: The letters of one are in the other, and no word is.
ASKED, ANSWER = "Desinfectants d'hospitals", "Hospitaldesinfectant"


@pytest.fixture(autouse=True)
def _letters(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.SEMANTIC_ENCODER = LETTERS


@pytest.fixture
def encoded(monkeypatch):
    """The texts that were encoded."""
    found = []
    original = Letters.encode
    monkeypatch.setattr(Letters, "encode", lambda self, texts, role: found.extend(texts) or original(self, texts, role))
    return found


def offer(title=ANSWER, description="", **values):
    return publish(title=title, description=description, keywords="", **values)


def work():
    """What the worker does in its rounds, until nothing is left of it."""
    while index.run_once() + refresh.run_once() + kept.run_once():
        pass


def indexed_with_vectors(listing):
    [document] = (d for d in _in_index() if d.uid == str(listing.uid))
    return bool(document.vectors)


def _in_index():
    [backend] = search.engine.backends()
    terms = {"text_word": {"hospitaldesinfectant": 1.0, "desinfectants": 1.0, "guants": 1.0}}
    for kind in ("offer", "demand"):
        yield from (d for d, _ in backend.candidates(search.backends.base.Candidates(terms=terms, kind=kind, valid_on=timezone.localdate())))


# --- In the request and after it ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_saving_searching_and_suggesting_encode_nothing(settings, client, django_capture_on_commit_callbacks):
    settings.SEMANTIC_ENCODER = REFUSING
    listing = ListingFactory(live=True, title="Guants de nitril")
    client.force_login(MembershipFactory(company=listing.company).user)
    with django_capture_on_commit_callbacks(execute=True):
        change(listing, title="Guants de nitril sense pols")
    index.rebuild()
    refresh.refresh([listing.uid])
    assert search.suggest(index._sources()[0].load([str(listing.uid)])[str(listing.uid)]) == []
    assert client.get(listing.get_absolute_url()).status_code == 200
    assert KeptVector.objects.count() == 0
    with pytest.raises(AssertionError, match="encoded in the request"):
        vectors.encode(vectors.missing(index._sources()[0].load([str(listing.uid)]).values(), kept.KEPT, encoding.encoder()), kept.KEPT, encoding.encoder())


@pytest.mark.django_db(transaction=True)
def test_the_worker_makes_vectors_the_index_takes_them_and_the_synergies_follow():
    wanted, answer = offer(ASKED, kind="demand"), offer()
    while index.run_once() + refresh.run_once():
        pass
    assert (indexed_with_vectors(answer), Synergy.objects.count()) == (False, 0)
    assert kept.run_once() == 2
    assert set(KeptVector.objects.values_list("key", flat=True)) == vectors.keys([d for batch in index._sources()[0].all() for d in batch], encoding.encoder())
    work()
    assert (indexed_with_vectors(answer), indexed_with_vectors(wanted)) == (True, True)
    synergy = Synergy.objects.get()
    assert (synergy.demand, synergy.offer) == (wanted, answer)
    assert {reason["code"] for reason in synergy.reasons} >= {"meaning"}
    assert kept.run_once() == index.run_once() == 0
    assert index.check().missing == index.check().stale == []


@pytest.mark.django_db(transaction=True)
def test_an_edited_text_is_matched_by_words_until_its_vectors_are_there(encoded):
    listing = offer("Guants de nitril", "Sense pols. Talles petites.")
    work()
    encoded.clear()
    change(listing, description="Sense pols. Talles grans.")
    index.run_once()
    assert not indexed_with_vectors(listing)
    work()
    assert indexed_with_vectors(listing)
    assert sorted(encoded) == ["Guants de nitril. Sense pols. Talles grans.", "Talles grans."]


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_keeps_the_vectors(settings):
    listing = offer()
    work()
    settings.SEMANTIC_ENCODER = REFUSING  # The same name, so the same index and the same vectors.
    index.rebuild()
    assert indexed_with_vectors(listing)


@pytest.mark.django_db(transaction=True)
def test_check_tells_and_mends_what_the_index_holds_without_its_vectors():
    """Ids and versions agree all the while, which is all that a check without vectors compares."""
    [backend] = search.engine.backends()
    intact, taken_away, never_made = offer(), offer(f"{ANSWER} de litre"), offer("Guants de nitril")
    work()
    plain = index._sources()[0].load([str(taken_away.uid), str(never_made.uid)]).values()
    backend.write([Write(document.uid, backend_version(backend, document.uid), document) for document in plain], force=True)
    KeptVector.objects.filter(key__in=vectors.keys([d for d in plain if d.uid == str(never_made.uid)], encoding.encoder())).delete()

    drift = index.check(repair=True)
    assert sorted(drift.without_vectors) == sorted([str(taken_away.uid), str(never_made.uid)])
    assert drift.missing == drift.extra == drift.stale == [], "what the naive check compares"
    assert indexed_with_vectors(intact)
    assert indexed_with_vectors(taken_away), "they were kept, so the repair has put them back"
    assert not indexed_with_vectors(never_made), "they are made by the worker"
    assert not index.check(), "its change waits for the reader that encodes, which is no drift"
    work()
    assert indexed_with_vectors(never_made)
    assert not index.check()


def backend_version(backend, uid):
    return next(entry.version for batch in backend.stored() for entry in batch if entry.uid == uid)


@pytest.mark.django_db(transaction=True)
def test_a_deleted_listing_needs_no_vectors(encoded):
    listing = offer()
    changelog_before = Change.objects.count()
    Listing.objects.filter(pk=listing.pk).delete()
    assert kept.run_once() == changelog_before
    assert (encoded, KeptVector.objects.count()) == ([], 0)


# --- Without ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_without_an_encoder_nothing_is_made_and_everything_works(settings):
    settings.SEMANTIC_ENCODER = ""
    wanted, answer = offer("Busquem guants de nitril", kind="demand"), offer("Guants de nitril")
    for number in range(5):
        offer(f"Lloguer de furgonetes {number}")
    work()
    assert (kept.run_once(), kept.prune(), kept.reader_name(), KeptVector.objects.count()) == (0, 0, "", 0)
    synergy = Synergy.objects.get(demand=wanted, offer=answer)
    assert {signal["name"] for signal in synergy.signals} == {"text", "sector", "place", "freshness"}


@pytest.mark.django_db(transaction=True)
def test_switching_the_encoder_off_goes_back_to_words(settings):
    offer(ASKED, kind="demand"), offer()
    work()
    settings.SEMANTIC_ENCODER = ""
    work()  # The index of another schema is built anew.
    refresh.refresh_all()
    assert Synergy.objects.open().count() == 0


# --- Death, repetition, others at the same time ---------------------------------------------------------------------------------------


DYING = f"""
from search import kept
kept.changelog.append_many = lambda *_: {processes.DIE}
kept.run_once()
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_encoding_and_checkpoint_loses_nothing(monkeypatch, encoded, smtp):
    listing = offer()
    monkeypatch.setenv("SEMANTIC_ENCODER", LETTERS)
    processes.run(DYING, is_killed=True)
    assert (KeptVector.objects.count(), changelog.position(kept.reader_name())) == (1, (0, 0))
    assert kept.run_once() == 0, "the dead one's lease has still to run out"
    _let_leases_run_out()
    work()
    assert encoded == [], "what was encoded is not encoded again"
    assert indexed_with_vectors(listing)
    assert Change.objects.filter(kind="listing:vectors").count() == 1


def _let_leases_run_out():
    from marketplace.core.models import Reader  # noqa: PLC0415 - here alone

    Reader.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_an_encoder_that_fails_stops_nobody_else_and_is_asked_again(monkeypatch):
    wanted, answer = offer("Busquem guants de nitril", kind="demand"), offer("Guants de nitril")
    monkeypatch.setattr(Letters, "encode", lambda *_: 1 / 0)
    index.run_once()
    with pytest.raises(ZeroDivisionError):
        kept.run_once()
    assert changelog.lag(kept.reader_name()) == 2
    monkeypatch.undo()
    work()
    assert indexed_with_vectors(wanted)
    assert indexed_with_vectors(answer)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [2])
def test_two_workers_at_once_make_everything_once_that_matters(workers):
    listings = [offer(f"Guants de nitril número {number}") for number in range(9)]
    index.run_once()
    kept_once = threading.Lock()

    def worker():
        total = 0
        for _ in range(8):
            total += kept.run_once()
        with kept_once:
            return total

    results = at_once(*[worker] * workers)
    assert all(isinstance(result, int) for result in results), results
    while kept.run_once():
        pass
    work()
    assert KeptVector.objects.count() == 9
    assert all(indexed_with_vectors(listing) for listing in listings)
    assert changelog.lag(kept.reader_name()) == 0


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_who_keep_the_same_vectors_at_the_same_moment_are_no_error():
    made = {f"key-{number}": "letters-1:AAAA" for number in range(500)}
    backwards = dict(reversed(made.items()))  # In another order: who locks row after row would wait for the other for ever.
    results = at_once(*(lambda own=own: vectors.InDatabase().save(own) for own in (made, backwards) * 2))
    assert results == [None] * 4
    assert KeptVector.objects.count() == 500


# --- Another encoder, and what nobody needs -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_another_encoder_makes_everything_anew_and_the_old_ones_go(settings):
    listing = offer()
    work()
    settings.SEMANTIC_ENCODER = NUMBERS
    work()
    assert indexed_with_vectors(listing)
    assert KeptVector.objects.count() == 2
    [document] = index._sources()[0].load([str(listing.uid)]).values()
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    assert [kept.prune(tomorrow + datetime.timedelta(days=days)) for days in (0, 1)] == [0, 1]
    assert set(KeptVector.objects.values_list("key", flat=True)) == vectors.keys([document], Numbers())


@pytest.mark.django_db(transaction=True)
def test_prune_deletes_what_no_listing_says_any_more_and_nothing_else():
    stays, edited, deleted = offer("Guants de nitril"), offer("Guants de làtex", "Sense pols. Talla única."), offer("Guants de cuir")
    work()
    change(edited, description="Sense pols. Talla gran.")
    Listing.objects.filter(pk=deleted.pk).delete()
    work()
    today = timezone.localdate()
    assert [kept.prune(today + datetime.timedelta(days=days)) for days in (0, 1, 2, 3)] == [0, 0, 3, 0]
    present = [d for batch in index._sources()[0].all() for d in batch]
    assert {d.uid for d in present} == {str(stays.uid), str(edited.uid)}
    assert set(KeptVector.objects.values_list("key", flat=True)) == vectors.keys(present, encoding.encoder())


@pytest.mark.django_db(transaction=True)
def test_who_comes_back_while_old_vectors_are_pruned_keeps_them():
    """Its vectors are there, so nobody makes them: they have to count as needed from this moment on."""
    offer()
    work()
    KeptVector.objects.update(needed_on=timezone.localdate() - datetime.timedelta(days=9))
    change(Listing.objects.get(), remote=True)
    kept.run_once()
    kept.run_once()
    assert KeptVector.objects.filter(needed_on=timezone.localdate()).count() == 1


@pytest.mark.django_db
def test_prune_asks_by_batches_and_not_by_listing():
    for number in range(2):
        publish(title=f"Guants número {number}")
    counts = []
    for more in (0, 4):
        for number in range(more):
            publish(title=f"Lloguer número {number}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            kept.prune()
        counts.append(len(queries))
    assert counts[0] == counts[1]

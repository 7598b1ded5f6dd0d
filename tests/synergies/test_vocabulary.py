"""The stored suggestions follow an edit of the vocabulary; a trial of one changes nothing."""

import pytest

from marketplace.core.models import Change
from marketplace.synergies import refresh, vocabulary
from marketplace.synergies.models import Synergy
from search import editing, effects, index
from search import vocabulary as words
from search.models import Edit, Entry
from tests.factories import RUBI, CompanyFactory

from .conftest import publish, publish_crowd

ENTRY = {"kind": "two_way", "ca": "tapaboques", "es": "cubrebocas"}


@pytest.fixture(autouse=True)
def _vocabulary():
    words.forget()
    yield
    words.forget()


@pytest.fixture
def market(own_index):
    """A demand and an offer that only curators can bring together, among others."""
    publish_crowd()
    place = {"sector_id": "1413", "place_id": RUBI}
    offer = publish(company=CompanyFactory(), title="Cubrebocas reutilizables", description="Cubrebocas de algodón.", language="es", **place)
    wanted = publish(company=CompanyFactory(), kind="demand", title="Tapaboques per a l'escola", description="Ens calen tapaboques.", **place)
    return offer, wanted


def work():
    while index.run_once() + refresh.run_once():
        pass


def pairs():
    return set(Synergy.objects.values_list("offer__title", "demand__title"))


@pytest.mark.django_db(transaction=True)
def test_suggestions_come_and_go_with_an_entry(market):
    offer, wanted = market
    pair = (offer.title, wanted.title)
    work()
    assert pair not in pairs()
    entry = editing.add(ENTRY, by=None)
    work()
    assert pair in pairs()
    entry = editing.change(entry, {"active": False}, seen=1, by=None)
    work()
    assert pair not in pairs()
    entry = editing.change(entry, {"active": True}, seen=2, by=None)
    work()
    assert pair in pairs()
    editing.remove(entry, seen=3, by=None)
    work()
    assert pair not in pairs()


@pytest.mark.django_db(transaction=True)
def test_an_edit_asks_only_about_listings_that_hold_an_expression(market):
    work()
    editing.add(ENTRY, by=None)
    work()
    assert set(Change.objects.filter(kind=vocabulary.REMATCH).values_list("uid", flat=True)) == {listing.uid for listing in market}


@pytest.mark.django_db(transaction=True)
def test_an_edit_rematches_no_more_than_its_bound(market, monkeypatch):
    monkeypatch.setattr(vocabulary, "MOST_REMATCHED", 1)
    editing.add(ENTRY, by=None)
    work()
    assert Change.objects.filter(kind=vocabulary.REMATCH).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_stop_phrase_rematches_what_it_stands_in(market):
    work()
    editing.add({"kind": "stop", "ca": "ens calen"}, by=None)
    work()
    assert set(Change.objects.filter(kind=vocabulary.REMATCH).values_list("uid", flat=True)) == {market[1].uid}


# --- Trials ---------------------------------------------------------------------------------------------------------------


def everything():
    return [sorted(model.objects.values_list()) for model in (Synergy, Change, Edit, Entry)]


@pytest.mark.django_db(transaction=True)
def test_a_trial_says_what_would_come_and_changes_nothing(market):
    offer, wanted = market
    work()
    before = everything()
    trial = effects.trial(None, Entry(**editing.checked(ENTRY)).rule())
    assert (trial.affected, trial.tried, trial.is_complete) == (2, 2, True)
    told = {effect.document.uid: {move.uid: (move.before, bool(move.after)) for move in effect.moves} for effect in trial.effects}
    assert told == {str(offer.uid): {str(wanted.uid): (None, True)}, str(wanted.uid): {str(offer.uid): (None, True)}}
    assert everything() == before
    with words.in_force() as known:
        assert known == words.EMPTY


@pytest.mark.django_db(transaction=True)
def test_a_trial_says_what_would_go_with_an_entry(market):
    entry = editing.add(ENTRY, by=None)
    work()
    trial = effects.trial(entry.rule(), None)
    assert {(move.before is not None, move.after) for effect in trial.effects for move in effect.moves} == {(True, None)}
    assert len(trial.effects) == 2
    same = effects.trial(entry.rule(), Entry(uid=entry.uid, **editing.checked(ENTRY | {"note": "x"}, entry=entry)).rule())
    assert same.effects == ()


@pytest.mark.django_db(transaction=True)
def test_a_trial_ends_in_time(market):
    work()
    trial = effects.trial(None, Entry(**editing.checked(ENTRY)).rule(), seconds=0)
    assert (trial.affected, trial.tried, trial.is_complete) == (2, 1, False)


@pytest.mark.django_db(transaction=True)
def test_a_trial_of_words_that_nobody_uses_is_empty(market):
    work()
    trial = effects.trial(None, Entry(**editing.checked({"kind": "two_way", "ca": "xiulet de llauna, xiulell"})).rule())
    assert (trial.effects, trial.affected, trial.tried) == ((), 0, 0)

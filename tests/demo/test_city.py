"""The demo city: whole, loaded once, and matched as a business adviser would."""

from collections import Counter

import pytest

import search
from marketplace.accounts.models import User
from marketplace.alerts.models import Finding, SavedSearch
from marketplace.companies.models import Company
from marketplace.core.models import Change
from marketplace.demo import city, curating, vocabulary
from marketplace.listings.documents import ListingSource
from marketplace.listings.enums import State
from marketplace.listings.models import Listing, Transition
from marketplace.synergies import outcomes, refresh
from marketplace.synergies.judgements import graded
from marketplace.synergies.models import Advice, OutcomeQuestion, Synergy, UnmetMark
from search import editing, index
from search.models import Entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded(db):
    city.load()


def counts():
    return [model.objects.count() for model in (User, Company, Listing, Transition, Change)]


def test_city_is_whole_and_valid(loaded):
    assert Company.objects.count() >= 90
    assert Listing.objects.count() >= 260
    assert set(Listing.objects.values_list("state", flat=True)) == set(State.values)
    languages = Counter(Listing.objects.values_list("language", flat=True))
    shares = {language: count / languages.total() for language, count in languages.items()}
    assert shares == pytest.approx({"ca": 0.60, "es": 0.25, "en": 0.15}, abs=0.03)
    for company in Company.objects.all():
        company.full_clean()


def test_second_load_changes_nothing(loaded):
    before = counts()
    assert city.load() == 0
    assert counts() == before


def test_fitting_offers_are_found_and_some_are_answered(loaded):
    index.run_once()
    fits = {}
    for row in city.rows("synergies"):
        if row.get("grade") == city.FITS:
            fits.setdefault(str(city.uid_of(row["demand"])), set()).add(str(city.uid_of(row["offer"])))
    best = [
        [suggestion for suggestion in search.suggest(document, limit=3, threshold=0) if suggestion.uid in offers]
        for uid, offers in fits.items()
        for document in ListingSource().load([uid]).values()
    ]
    assert len(best) > 70
    assert sum(map(bool, best)) / len(best) >= 0.85
    # By words alone, and without what curators taught, some true pairs stay under the threshold that keeps the wrong ones out.
    assert sum(any(suggestion.score >= search.THRESHOLD for suggestion in own) for own in best) / len(best) >= 0.7

    while refresh.run_once():
        pass
    assert city.answer(leave_alone=10) == city.AGREED + city.ASKED
    assert city.answer(leave_alone=10) == 0
    assert Counter(Synergy.objects.exclude(state="suggested").values_list("state", flat=True)) == {"mutual": city.AGREED, "interest": city.ASKED}

    assert curating.load(leave_alone=10) > curating.JUDGED
    assert curating.load(leave_alone=10) == 0
    told = Counter(outcomes.standing(synergy.answers.all()).is_agreed for synergy in Synergy.objects.mutual())
    assert told == {True: 1, False: city.AGREED - 1}
    assert Counter(judgement.grade for judgement in graded()).keys() == {0, 1, 2, 3}
    assert OutcomeQuestion.objects.exists()
    assert UnmetMark.objects.count() == Advice.objects.count() == 1


def test_saved_searches_of_the_demo_have_news_and_are_saved_once(loaded):
    index.rebuild()
    assert city.save_searches() == sum(len(wanted) for wanted in city.SEARCHES.values())
    for saved in SavedSearch.objects.select_related("owner"):
        found = Finding.objects.filter(search=saved)
        assert found.showable_to(saved.owner).unseen().exists(), saved.name
    assert city.save_searches() == 0


def test_vocabulary_of_the_demo_is_loaded_once_and_what_is_deleted_stays_away(loaded):
    assert vocabulary.load() == sum(1 for _ in city.rows("vocabulary"))
    assert vocabulary.load() == 0
    entry = Entry.objects.first()
    editing.remove(entry, seen=1, by=None)
    assert vocabulary.load() == 0

"""Sets of offers: the best one by trying all of them, and what is told of it stands in the texts."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

import search
from search import consortia, engine
from search.consortia import Candidate
from tests.search.conftest import write
from tests.search.documents import TERRASSA, TODAY, demand, listing

PARTS = "abcdef"
WEIGHTS = st.fixed_dictionaries({part: st.integers(min_value=1, max_value=12) for part in PARTS})
COVERS = st.dictionaries(st.sampled_from(PARTS), st.sampled_from([0.4, 0.65, 0.8, 1.0]), max_size=4)
CANDIDATES = st.lists(st.tuples(st.integers(min_value=1, max_value=6), COVERS), max_size=9).map(
    lambda rows: [Candidate(f"o{number}", f"c{company}", covers) for number, (company, covers) in enumerate(rows)]
)
SEVERAL = settings(max_examples=200, deadline=None)


def try_all(candidates, weights, alone, refused=()):
    """The worth of the best set, and every set that has it."""
    good = {}
    for size in range(consortia.FEWEST_MEMBERS, consortia.MOST_MEMBERS + 1):
        for members in itertools.combinations(candidates, size):
            share = consortia.covered(members, weights)
            enough = share >= max(consortia.LEAST_TOGETHER, alone + consortia.LEAST_GAIN)
            if enough and consortia.is_sound(members, weights) and not consortia.is_refused(members, refused):
                good[frozenset(member.uid for member in members)] = consortia.worth(members, weights)
    return max(good.values(), default=None), good


@SEVERAL
@given(CANDIDATES, WEIGHTS, st.sampled_from([0.0, 0.2, 0.3]))
def test_best_set_is_the_best_of_all_sets(candidates, weights, alone):
    found = consortia.best_set(candidates, weights, alone=alone)
    best, good = try_all(candidates, weights, alone)
    if found is None:
        assert best is None or best - max(consortia.LEAST_TOGETHER, alone + consortia.LEAST_GAIN) < 1e-6
    else:
        assert good[frozenset(member.uid for member in found.members)] == pytest.approx(best)


@SEVERAL
@given(CANDIDATES, WEIGHTS, st.lists(st.frozensets(st.sampled_from([f"o{n}" for n in range(9)]), min_size=2, max_size=3), max_size=3))
def test_best_set_has_no_two_of_a_refused_one_and_is_still_the_best(candidates, weights, refused):
    found = consortia.best_set(candidates, weights, alone=0.0, refused=refused)
    best, good = try_all(candidates, weights, 0.0, refused)
    if found is None:
        assert best is None or best - consortia.LEAST_TOGETHER < 1e-6
    else:
        uids = frozenset(member.uid for member in found.members)
        assert good[uids] == pytest.approx(best)
        assert all(len(uids & group) < 2 for group in refused)


@SEVERAL
@given(CANDIDATES, WEIGHTS)
def test_best_set_has_different_companies_and_nobody_superfluous(candidates, weights):
    found = consortia.best_set(candidates, weights, alone=0.0)
    if found:
        assert len({member.company for member in found.members}) == len(found.members)
        for member, adds in zip(found.members, found.adds, strict=True):
            without = consortia.covered([other for other in found.members if other is not member], weights)
            assert found.covered - without == pytest.approx(adds)
            assert adds >= consortia.LEAST_PART - 1e-6


def test_fewer_members_are_better_than_a_little_more_coverage():
    weights = {"a": 40, "b": 40, "c": 20}
    two = [Candidate("1", "1", {"a": 1.0}), Candidate("2", "2", {"b": 1.0, "c": 0.2})]
    third = Candidate("3", "3", {"c": 1.0})
    found = consortia.best_set([*two, third], weights, alone=0.4)
    assert {member.uid for member in found.members} == {"1", "2", "3"}, "a real part is worth one more company"
    third = Candidate("3", "3", {"c": 0.3})
    assert {member.uid for member in consortia.best_set([*two, third], weights, alone=0.4).members} == {"1", "2"}


def test_no_set_where_one_offer_does_or_where_many_add_little():
    weights = {"a": 50, "b": 50}
    pair = [Candidate("1", "1", {"a": 1.0}), Candidate("2", "2", {"b": 1.0})]
    assert consortia.best_set(pair, weights, alone=0.5)
    assert consortia.best_set(pair, weights, alone=consortia.COVERED) is None
    assert consortia.best_set([Candidate("1", "1", {"a": 0.5}), Candidate("2", "2", {"b": 0.3})], weights, alone=0.25) is None, "together too little"
    assert consortia.best_set([Candidate("1", "one", {"a": 1.0}), Candidate("2", "one", {"b": 1.0})], weights, alone=0.5) is None, "one company"


def test_best_sets_share_no_member():
    weights = {"a": 50, "b": 50}
    candidates = [Candidate(f"{part}{n}", f"{part}{n}", {part: 1.0 - n / 10}) for part in "ab" for n in range(3)]
    found = [{member.uid for member in each.members} for each in consortia.best_sets(candidates, weights, alone=0.5)]
    assert found == [{"a0", "b0"}, {"a1", "b1"}]


def test_search_looks_at_few_of_many_sets(monkeypatch):
    """30 candidates are 31,930 sets of two to four; the bounds leave few of them. Without the bounds this would look at all sound ones."""
    weights = dict.fromkeys(PARTS, 10)
    candidates = [Candidate(f"o{n:02}", f"c{n}", {PARTS[n % 6]: 1.0 - n / 100, PARTS[(n + 1) % 6]: 0.4}) for n in range(30)]
    looked = []
    real = consortia.is_sound
    monkeypatch.setattr(consortia, "is_sound", lambda members, weights: looked.append(len(members)) or real(members, weights))
    assert consortia.best_set(candidates, weights, alone=0.25)
    assert len(looked) < 5_000


# --- From texts ------------------------------------------------------------------------------------------------------------

DEMAND = {
    "title": "Carpa, càtering i equip de so per a la festa dels vint anys",
    "description": "Ens cal una carpa de dos-cents metres, càtering per a cent persones i un equip de so.",
    "keywords": ("carpa", "càtering", "equip de so"),
}
TENT = {
    "title": "Lloguer de carpes i envelats",
    "description": "Muntem carpes de fins a tres-cents metres, amb terra i llum.",
    "keywords": ("carpa", "envelat"),
}
FOOD = {"title": "Càtering per a festes i empreses", "description": "Preparem càtering fred i calent per a grups.", "keywords": ("càtering", "menjar")}
SOUND = {"title": "Equips de so amb tècnic", "description": "Portem l'equip de so, el muntem i el fem sonar.", "keywords": ("so", "equip de so", "concerts")}
OTHERS = [
    {"title": f"Assessoria laboral número {n}", "description": "Tramitem nòmines, contractes i altes a la seguretat social.", "keywords": ("nòmines",)}
    for n in range(4)
]


def offers(*texts, **values):
    return [listing(**(text | values)) for text in texts]


def found_among(backend, asking, stored, **options):
    write(backend, *stored, asking)
    return consortia.find_on(backend, asking, today=TODAY, **options)


def uids(members):
    return {member.uid for member in members}


def test_find_names_each_part_and_quotes_both_texts(backend):
    asking, stored = demand(**DEMAND), offers(TENT, FOOD, SOUND, *OTHERS)
    [found] = found_among(backend, asking, stored)
    assert uids(found.members) == uids(stored[:3])
    assert found.covered > found.best_alone + consortia.LEAST_GAIN
    assert sum(member.share for member in found.members) == pytest.approx(found.covered)
    by_uid = {document.uid: document for document in stored}
    words = {member.uid: [pair["mine_text"].casefold() for pair in member.pairs] for member in found.members}
    for document, part in zip(stored[:3], ("carpa", "càtering", "so"), strict=True):
        assert any(part in word for word in words[document.uid])
    for member in found.members:
        for pair in member.pairs:
            for whose, document in (("mine", asking), ("theirs", by_uid[member.uid])):
                start, end = pair[whose]
                assert document.text(pair[f"field_{whose}"])[start:end] == pair[f"{whose}_text"]
    places = [(pair["field_mine"], *pair["mine"]) for member in found.members for pair in member.pairs]
    assert len(places) == len(set(places)), "each part has one who answers it"


def test_find_tells_what_nobody_covers(backend):
    [found] = found_among(backend, demand(**DEMAND), offers(TENT, FOOD, *OTHERS))
    assert len(found.members) == 2
    assert "so" in found.missing


def test_find_proposes_nothing_where_one_offer_has_it_all(backend):
    everything = {"title": "Festes d'empresa: carpa, càtering i equip de so", "description": "Carpa, càtering i so.", "keywords": DEMAND["keywords"]}
    assert found_among(backend, demand(**DEMAND), offers(TENT, FOOD, SOUND, everything, *OTHERS)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"company_uid": "asking"},
        {"company_uid": "one and the same"},
        {"valid_until": TODAY - timedelta(days=1)},
        {"latitude": 43.36, "longitude": -8.41, "reach_km": 20},
        {"kind": "demand"},
    ],
)
def test_find_keeps_to_live_reachable_offers_of_different_other_companies(backend, values):
    asking = demand(**DEMAND, company_uid="asking", **TERRASSA)
    assert found_among(backend, asking, [*offers(TENT, FOOD, SOUND, **values), *offers(*OTHERS)]) == []


def test_find_knows_excluded_offers_and_refused_sets(backend):
    asking, stored = demand(**DEMAND), offers(TENT, FOOD, SOUND, *OTHERS)
    tent, food, sound, *_ = stored
    assert found_among(backend, asking, stored, refused=[frozenset({tent.uid, food.uid, sound.uid})]) == []
    [found] = found_among(backend, asking, stored, exclude_uids=(sound.uid,))
    assert uids(found.members) == {tent.uid, food.uid}


def test_a_word_by_chance_makes_no_member(backend):
    """Metres of a tent are wanted, not metal by the metre."""
    chance = {"title": "Xapa i perfils per metres", "description": "Tallem xapa, tubs i perfils d'acer.", "keywords": ("acer", "xapa", "perfils", "tubs")}
    assert found_among(backend, demand(**DEMAND), offers(TENT, chance, *OTHERS)) == []


def test_demand_without_a_word_known_to_anybody_finds_nothing(backend):
    assert found_among(backend, demand("Xyzzy plugh", "Qwertz."), offers(TENT, FOOD, SOUND)) == []


def test_touched_are_the_demands_an_offer_may_help_to_answer(backend):
    asking, other = demand(**DEMAND), demand("Nòmines i contractes", "Busquem qui els faci.")
    [tent] = offers(TENT)
    write(backend, tent, asking, other)
    assert consortia.touched_on(backend, tent, today=TODAY) == [asking.uid]


def test_find_and_touched_ask_the_chosen_engine(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "index", ""
    [chosen] = engine.backends()
    with pytest.raises(search.SearchUnavailable):
        consortia.find(demand(**DEMAND))
    chosen.create()
    valid = {"valid_until": timezone.localdate() + timedelta(days=9)}
    asking, stored = demand(**DEMAND, **valid), offers(TENT, FOOD, SOUND, *OTHERS, **valid)
    write(chosen, *stored, asking)
    [found] = consortia.find(asking)
    assert uids(found.members) == uids(stored[:3])
    assert consortia.touched(stored[0]) == [asking.uid]

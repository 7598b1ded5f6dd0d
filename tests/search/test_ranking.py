"""The quick scores: those of the full assessment, to the last bit."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search import matching, ranking, reading, wants
from search.backends.base import Frequencies
from search.vocabulary import EMPTY, Rule, build

from .documents import GIRONA, SABADELL, TERRASSA, TODAY, demand, listing
from .encoders import encoded

WORDS = [
    *("gel", "gel hidroalcohòlic", "solució hidroalcohòlica", "mascaretes", "mascarilla", "face masks", "masks", "guants", "nitril", "2", "EN 149"),
    *("formació", "formación", "training", "servei de", "per a", "de", "l'hospital", "roba de treball", "uniformes", "repartiment a domicili"),
    *("home delivery", "reparto a domicilio", "col·lecció", "3D", "Òxid", "mes", "taula", "mesa", "WWW"),
]
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
PLACES = st.sampled_from([{}, TERRASSA, SABADELL, GIRONA])
LANGUAGES = st.sampled_from(["ca", "es", "en"])
TAUGHT = build(
    [
        Rule("1", "two_way", (("ca", "guants"), ("ca", "roba de treball"))),
        Rule("2", "one_way", (("ca", "gel"),), (("ca", "solució hidroalcohòlica"),)),
        Rule("3", "stop", (("ca", "servei de"),)),
    ]
)


@st.composite
def texts(draw):
    """The values of a listing that a score depends on."""
    return {
        "title": draw(SENTENCES),
        "description": draw(st.one_of(st.just(""), SENTENCES)),
        "keywords": tuple(draw(st.lists(st.sampled_from(WORDS), max_size=3))),
        "language": draw(LANGUAGES),
        "sectors": draw(st.sampled_from([(), ("C", "22"), ("C", "22", "222"), ("G",)])),
        "remote": draw(st.booleans()),
        **draw(PLACES),
    }


def indexed(documents, which):
    """Those of the numbers `which` as they come from the index, which keeps what was read in them."""
    return [replace(document, read=reading.written(reading.fields(document))) if which >> number & 1 else document for number, document in enumerate(documents)]


def weighing_of(keys):
    """Words of all kinds of rarity."""
    return wants.weights(Frequencies(1_000, {key: sum(map(ord, key[1])) % 400 for key in keys}))


def for_any_texts(test):
    """Run with a text that asks and some that may answer, from the index or not, with and without a vocabulary and meaning."""
    values = {
        "asking": texts(),
        "others": st.lists(texts(), min_size=1, max_size=6),
        "taught": st.sampled_from([EMPTY, TAUGHT]),
        "with_meaning": st.booleans(),
        "which": st.integers(0, 63),
    }
    return settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])(given(**values)(test))


@for_any_texts
def test_a_demand_scores_its_offers_as_the_full_assessment_does(asking, others, taught, with_meaning, which):
    wanted, *offers = [demand(**asking), *indexed([listing(**other) for other in others], which)]
    if with_meaning:
        wanted, *offers = encoded(wanted, *offers)
    full = wants.analysed(wanted, taught)
    weighing = weighing_of(full.places)
    terms = wants.wanted_terms(full, weighing)
    quick = [one.score for one in ranking.offers(full, terms, weighing, offers, taught=taught, today=TODAY)]
    assert quick == [matching.assess(wants.analysed(offer, taught), full, terms, weighing, today=TODAY).score for offer in offers]


@for_any_texts
def test_an_offer_scores_its_demands_as_the_full_assessment_does(asking, others, taught, with_meaning, which):
    offer, *demands = [listing(**asking), *indexed([demand(**other) for other in others], which)]
    if with_meaning:
        offer, *demands = encoded(offer, *demands)
    full, readings = wants.analysed(offer, taught), [ranking.read_demand(each, taught) for each in demands]
    in_full = [wants.analysed(each, taught) for each in demands]
    keys = ranking.keys_of(readings)
    assert keys == {key for one in in_full for key in one.places}
    weighing = weighing_of(keys)
    quick = [one.score for one in ranking.demands(full, readings, weighing, today=TODAY)]
    assert quick == [matching.assess(full, one, wants.wanted_terms(one, weighing), weighing, today=TODAY).score for one in in_full]


def test_what_the_index_keeps_is_not_read_again(monkeypatch):
    offers, demands = [listing("Gel hidroalcohòlic", "Per a hospitals.")], [demand("Gel per a hospitals")]
    weighing = weighing_of({key for one in (*offers, *demands) for key in wants.analysed(one).places})

    def scores(offers, demands):
        asking, answering = wants.analysed(demands[0]), wants.analysed(offers[0])
        read = [ranking.read_demand(one, EMPTY) for one in demands]
        by_demand = ranking.offers(asking, wants.wanted_terms(asking, weighing), weighing, offers, taught=EMPTY, today=TODAY)
        return [one.score for one in (*by_demand, *ranking.demands(answering, read, weighing, today=TODAY))]

    expected, kept = scores(offers, demands), (indexed(offers, 1), indexed(demands, 1))
    monkeypatch.setattr(reading, "fields", None)
    assert scores(*kept) == expected

"""How near two listings are: pure functions over vectors that an encoder made, or that stand here."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import matching, meaning, reasons, wants
from search.backends.base import Frequencies
from search.passages import MOST, passages

from .documents import TODAY, demand, listing
from .encoders import Letters, Numbers, encoded
from .test_passages import HOSTILE

SEEDS = st.integers(0, 2**32 - 1)


def some_vectors(seed, count, dimensions=48):
    return meaning.unit(np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32))


def pointing(document, *directions, encoder="hand-made"):
    """The document with these vectors: of the whole first, then of each passage, unless there is just one."""
    return replace(document, vectors=meaning.packed(encoder, meaning.unit(np.array(directions, dtype=np.float32))))


def with_random_vectors(document, seed):
    count = len(passages(document))
    return pointing(document, *some_vectors(seed, count + (count > 1)))


def of(document):
    found = meaning.of(document)
    assert found is not None
    return found


# --- Packing --------------------------------------------------------------------------------------------------------------


@given(SEEDS, st.integers(2, 20), st.sampled_from([2, 16, 384]))
def test_packing_keeps_cosines(seed, count, dimensions):
    vectors = some_vectors(seed, count, dimensions)
    encoder, again = meaning.unpacked(meaning.packed("an-encoder", vectors), count)
    assert encoder == "an-encoder"
    assert np.abs(again @ again.T - vectors @ vectors.T).max() < PRECISION[dimensions]
    assert np.allclose(np.linalg.norm(again, axis=1), 1, atol=1e-6)


#: With few numbers each one's rounding counts for more; encoders have hundreds.
PRECISION = {2: 0.02, 16: 0.01, 384: 0.004}


@given(SEEDS, st.integers(1, 8))
def test_joined_is_what_packing_them_together_gives(seed, count):
    vectors = some_vectors(seed, count)
    assert meaning.joined([meaning.packed("e", vector[None]) for vector in vectors]) == meaning.packed("e", vectors)


def test_a_vector_of_nothing_is_packed_without_a_warning():
    _, again = meaning.unpacked(meaning.packed("e", np.zeros((1, 8), dtype=np.float32)), 1)
    assert again.tolist() == [[0.0] * 8]


# --- A listing's vectors ------------------------------------------------------------------------------------------------------


def test_of_takes_the_whole_and_each_passage():
    document = listing("Gel hidroalcohòlic", "En garrafes. Per a mans.")
    own = of(pointing(document, [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]))
    assert own.whole.tolist() == [1, 0, 0, 0]
    assert own.vectors.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert [passage.text for passage in own.passages] == ["Gel hidroalcohòlic", "En garrafes.", "Per a mans."]
    assert np.argmax(own.together) == 1, "the longest passage says most"


def test_of_one_passage_the_whole_is_that_passage():
    own = of(pointing(listing("Gel hidroalcohòlic"), [0, 1]))
    assert own.whole.tolist() == own.vectors[0].tolist() == own.together.tolist() == [0, 1]


@pytest.mark.parametrize("vectors", ["", "e:", "e:AAAA", "e:no base64!", "no colon", "e:" + "A" * 7])
def test_of_vectors_that_are_not_those_of_the_passages_is_nothing(vectors):
    assert meaning.of(replace(listing("Gel hidroalcohòlic", "En garrafes. Per a mans. I més."), vectors=vectors)) is None


def test_of_a_listing_that_says_nothing_is_nothing():
    assert meaning.of(replace(listing("", "..."), vectors="e:AAAA")) is None


def test_a_demand_points_as_a_whole_and_an_offer_with_its_passages_too():
    texts = ("Gel hidroalcohòlic", "En garrafes de cinc.")
    vectors = [1, 0, 0], [0, 1, 0], [0, 1, 0]
    assert of(pointing(demand(*texts), *vectors)).direction.tolist() == [1, 0, 0]
    assert of(pointing(listing(*texts), *vectors)).direction == pytest.approx([0.5**0.5, 0.5**0.5, 0])


# --- Nearness -----------------------------------------------------------------------------------------------------------------------


def pair(seed, offer_passages=5):
    offer = listing("Catàleg de coses", " ".join(f"Frase número {number}." for number in range(1, offer_passages)))
    return of(with_random_vectors(demand("Busquem coses", "De tota mena. I més."), seed)), of(with_random_vectors(offer, seed + 1))


@settings(deadline=None)
@given(SEEDS, st.integers(1, 12), st.data())
def test_nearness_is_between_strangers_and_one_whatever_is_left_out(seed, count, data):
    wanted, offer = pair(seed, count)
    left_out = data.draw(st.sets(st.integers(0, len(offer.passages) - 1)))
    near = meaning.nearness(wanted, offer, without=dict.fromkeys(left_out, 1.0))
    assert 0 <= near.value <= 1 + 1e-6
    assert near.best not in left_out or len(left_out) == len(offer.passages)
    cosines = offer.vectors @ wanted.whole
    assert all(cosines[near.best] >= cosines[number] for number in range(len(cosines)) if number not in left_out) or len(left_out) == len(cosines)


@given(SEEDS, st.integers(1, 12))
def test_nearness_without_all_passages_is_none_at_all(seed, count):
    wanted, offer = pair(seed, count)
    assert meaning.nearness(wanted, offer, without=dict.fromkeys(range(len(offer.passages)), 1.0)).value == 0


@given(SEEDS, st.integers(1, 12), st.floats(0, 1))
def test_nearness_without_nothing_is_the_nearness(seed, count, share):
    wanted, offer = pair(seed, count)
    near = meaning.nearness(wanted, offer)
    assert meaning.nearness(wanted, offer, without=dict.fromkeys(range(count), 0.0)).value == pytest.approx(near.value, abs=1e-5)
    assert 0 <= meaning.nearness(wanted, offer, without=dict.fromkeys(range(count), share)).value <= 1 + 1e-6


def test_nearness_falls_with_the_share_of_the_answer_that_is_lost():
    wanted = of(pointing(demand("Busquem coses"), [1, 0, 0]))
    offer = of(pointing(listing("Catàleg de coses", "Frase primera."), [0.7, 0.7, 0], [0, 1, 0], [1, 0, 0.2]))
    values = [meaning.nearness(wanted, offer, without={1: share}).value for share in (0.0, 0.1, 0.3, 0.6, 1.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] - values[1] > 0.1 * (values[0] - values[-1]), "the first words that go are those that answer"


def test_nearness_of_a_text_to_itself_is_one():
    texts = ("Gel hidroalcohòlic", "")
    wanted, offer = encoded(demand(*texts), listing(*texts))
    assert meaning.nearness(of(wanted), of(offer)).value == pytest.approx(1, abs=0.002)


def test_nearness_rises_with_what_answers_and_names_it():
    wanted = of(pointing(demand("Busquem coses"), [1, 0, 0, 0]))
    texts = ("Catàleg de coses", "Frase primera. Frase segona.")
    none = of(pointing(listing(*texts), [0, 0, 0, 1], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]))
    one = of(pointing(listing(*texts), [0.3, 0, 0, 1], [0, 0, 0, 1], [1, 0.3, 0, 0], [0, 0, 1, 0]))
    two = of(pointing(listing(*texts), [0.6, 0, 0, 1], [0, 0, 0, 1], [1, 0.3, 0, 0], [1, 0, 0.2, 0]))
    near = [meaning.nearness(wanted, offer) for offer in (none, one, two)]
    assert near[0].value == 0 < near[1].value < near[2].value < 1
    assert [found.best for found in near[1:]] == [1, 2]
    assert meaning.nearness(wanted, two, without={2: 1.0}).best == 1


def test_nearness_against_is_no_less_than_none():
    wanted, offer = of(pointing(demand("Busquem"), [1, 0])), of(pointing(listing("Oferim"), [-1, 0.1]))
    assert meaning.nearness(wanted, offer).value == 0


def test_vectors_of_two_encoders_never_meet():
    texts = ("Gel hidroalcohòlic", "En garrafes.")
    [wanted], [offer] = encoded(demand(*texts), encoder=Letters()), encoded(listing(*texts), encoder=Numbers())
    assert (of(wanted).encoder, of(offer).encoder) == ("letters-1", "numbers-1")
    assert meaning.nearness(of(wanted), of(offer)) is None
    assert meaning.nearness(of(wanted), None) is meaning.nearness(None, of(offer)) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_has_its_meaning(text):
    wanted, offer = encoded(demand("Busquem gel", text), listing("Oferim gel", text, keywords=(text,)))
    near = meaning.nearness(of(wanted), of(offer))
    assert 0 <= near.value <= 1 + 1e-6
    assert of(offer).passages[near.best] in passages(offer)


def test_a_catalogue_of_a_hundred_sentences_is_near_to_one_of_the_first():
    [wanted], [offer] = (
        encoded(demand("Necessitem torns de fusta")),
        encoded(listing("Catàleg", "\n".join([*(f"Peça {number}" for number in range(30)), "Torns de fusta", *(f"Peça {number}" for number in range(70))]))),
    )
    near = meaning.nearness(of(wanted), of(offer))
    assert len(of(offer).passages) == MOST
    assert of(offer).passages[near.best].text == "Torns de fusta"


# --- Which passages -----------------------------------------------------------------------------------------------------------------


def test_asking_and_answered_passages_are_those_that_point_the_same_way():
    wanted = of(pointing(demand("Busquem coses", "De fusta. De metall."), [1, 1, 1], [0, 0, 1], [1, 0, 0], [0, 1, 0]))
    offer = of(pointing(listing("Catàleg", "Metalls i més."), [0, 1, 0], [0, 0.1, 1], [0, 1, 0]))
    assert meaning.asking_passage(wanted, offer, 1).text == "De metall."
    assert [passage.text for passage in meaning.answered_passages(wanted, offer, at_least=0.9)] == ["Busquem coses", "De metall."]


# --- Neighbours -------------------------------------------------------------------------------------------------------------------------


def test_nobody_vouches_for_who_stands_alone_or_without_vectors():
    alone = of(pointing(listing("Oferim coses"), [1, 0]))
    assert meaning.vouched([], []) == []
    assert meaning.vouched([50.0], [alone]) == [0.0]
    assert meaning.vouched([50.0, 60.0], [alone, None]) == [0.0, 0.0]


def test_two_neighbours_vouch_for_each_other():
    one, other, stranger = (of(pointing(listing("Oferim coses"), vector)) for vector in ([1, 0, 0], [1, 0.1, 0], [0, 0, 1]))
    assert meaning.vouched([80.0, 20.0], [one, other]) == pytest.approx([20, 80])
    assert meaning.vouched([80.0, 20.0, 70.0], [one, other, stranger]) == pytest.approx([20, 80, 0], abs=1e-5)


@settings(deadline=None)
@given(SEEDS, st.integers(2, 30), st.randoms(use_true_random=False))
def test_neighbours_vouch_within_what_scores_there_are_in_any_order(seed, count, source):
    listings = [of(with_random_vectors(listing("Oferim coses", "De tota mena."), seed + number)) for number in range(count)]
    scores = [source.uniform(0, 100) for _ in range(count)]
    support = meaning.vouched(scores, listings)
    assert all(0 <= value <= max(scores) + 1e-3 for value in support)
    order = source.sample(range(count), count)
    again = meaning.vouched([scores[number] for number in order], [listings[number] for number in order])
    assert again == pytest.approx([support[number] for number in order], abs=1e-4)


# --- In a score ------------------------------------------------------------------------------------------------------------------------------


def assess(offer, wanted):
    """The assessment where each word is as rare as the other."""
    one, other = wants.analysed(offer), wants.analysed(wanted)
    weighing = wants.weights(Frequencies(1_000, {(form, word): 10 for form, words in wants.vocabulary([other]).items() for word in words}))
    return matching.assess(one, other, wants.wanted_terms(other, weighing), weighing, today=TODAY)


def test_across_languages_a_score_stands_on_meaning_alone():
    near = assess(pointing(listing("Oak barrels", language="en"), [1, 0.5]), pointing(demand("Bótes de roure"), [1, 0]))
    far = assess(pointing(listing("Oak barrels", language="en"), [0, 1]), pointing(demand("Bótes de roure"), [1, 0]))
    assert near.score > matching.THRESHOLD > far.score == 0
    [reason] = [reason for reason in reasons.reasons(near, asking=near.demand.document) if reason.code == "meaning"]
    [quoted] = reason.data["pairs"]
    assert (quoted["mine_text"], quoted["theirs_text"], quoted["points"]) == ("Bótes de roure", "Oak barrels", round(near.score, 1))
    assert not any(reason.code in {"meaning", "missing"} and reason.positive for reason in reasons.reasons(far, asking=far.demand.document))


def test_both_owners_are_told_the_same_passages_from_their_own_side():
    found = assess(pointing(listing("Oak barrels", language="en"), [1, 0.5]), pointing(demand("Bótes de roure"), [1, 0]))
    [mine], [theirs] = reasons.alike(found, asking=found.demand.document), reasons.alike(found, asking=found.offer.document)
    assert (theirs["mine_text"], theirs["theirs_text"]) == (mine["theirs_text"], mine["mine_text"])
    assert theirs["points"] == mine["points"]


def test_what_is_said_in_other_words_is_not_missing():
    wanted = pointing(demand("Bótes de roure"), [1, 0])
    assert reasons.missing(assess(pointing(listing("Oak barrels", language="en"), [1, 0.1]), wanted)) == []
    assert reasons.missing(assess(pointing(listing("Fresh fruit", language="en"), [0, 1]), wanted)) == ["Bótes", "roure"]


def test_signals_of_words_and_meaning_share_the_points_of_content():
    both = assess(pointing(listing("Bótes de roure"), [1, 0]), pointing(demand("Bótes de roure"), [1, 0]))
    words = assess(listing("Bótes de roure"), pointing(demand("Bótes de roure"), [1, 0]))
    for found, names in ((both, {"text", "meaning"}), (words, {"text"})):
        content = {signal.name: signal.maximum for signal in found.signals if signal.name in {"text", "meaning"}}
        assert set(content) == names
        assert sum(content.values()) == pytest.approx(matching.CONTENT_POINTS)


def test_an_order_is_helped_by_neighbours_and_the_score_is_not():
    like_one, like_other, stranger = (
        matching.Scored(offer, meaning.of(offer), score)
        for offer, score in ((pointing(listing("Bótes"), vector), score) for vector, score in (([1, 0, 0], 80.0), ([1, 0.1, 0], 50.0), ([0, 0, 1], 55.0)))
    )
    ordered = matching.best([stranger, like_other, like_one], limit=10, threshold=0)
    assert [found for found, _ in ordered] == [like_one, like_other, stranger]
    assert ordered[1][1] == pytest.approx(matching.VOUCHED_SHARE * 80)
    assert [found for found, _ in matching.best([like_other, like_one], limit=10, threshold=60)] == [like_one]

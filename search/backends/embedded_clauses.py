"""Tantivy's schema, a listing as its document, and the clauses of its queries."""

from collections.abc import Iterable, Iterator, Sequence

import orjson
import tantivy
from tantivy import FieldType, Occur
from tantivy import Query as Clause

from search import encoding, queries
from search.documents import ListingDocument, Write
from search.queries import FORM_FIELDS, FindWord
from search.vocabulary import Forms

_SCHEMA_VERSION = 3

_KEYWORDS = ("kind", "category", "language", "company_size", "company_uid", "place")

#: Tantivy's BM25 keeps Lucene's old factor (k1 + 1); constants beside it grow by the same, so that weights mean the same.
_CONSTANT_SCALE = 2.2


def schema() -> str:
    """Part of a directory's name: an index of another schema, or with another encoder's vectors, is not opened but built anew."""
    return "-".join(filter(None, (f"v{_SCHEMA_VERSION}", encoding.name())))


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("uid", "position", "sectors", *_KEYWORDS):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("version", "document_version", "valid_until", "recency", "expiry"):
        builder.add_integer_field(name, indexed=True, fast=True)
    builder.add_boolean_field("live", indexed=True, fast=True)
    for name in FORM_FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_bytes_field("source", stored=True)
    return builder.build()


SCHEMA = _schema()


# --- Documents --------------------------------------------------------------------------------


def indexed(write: Write) -> tantivy.Document:
    """A listing, or a tombstone, as tantivy keeps it."""
    indexed = tantivy.Document()
    indexed.add_text("uid", write.uid)
    indexed.add_integer("version", write.version)
    indexed.add_boolean("live", write.document is not None)
    document = write.document
    indexed.add_integer("document_version", document.version if document else 0)
    if document is None:
        return indexed
    for name in _KEYWORDS:
        indexed.add_text(name, getattr(document, name))
    for code in document.sectors:
        indexed.add_text("sectors", code)
    indexed.add_text("position", position_of(document))
    indexed.add_integer("valid_until", document.valid_until.toordinal())
    indexed.add_integer("recency", queries.recency_key(document))
    indexed.add_integer("expiry", queries.expiry_key(document))
    forms, read = queries.forms(document)
    for name, terms in forms.items():
        indexed.add_text(name, terms)
    # Both under one name: with another field nobody could search an older index until the new one is there.
    indexed.add_bytes("source", orjson.dumps(document.to_source()))
    indexed.add_bytes("source", read.encode())
    return indexed


def position_of(document: ListingDocument) -> str:
    """The coordinates as a keyword, empty if they are not known: so many listings share a place that places can be counted."""
    if document.latitude is None or document.longitude is None:
        return ""
    return f"{document.latitude:.5f},{document.longitude:.5f}"


def stored_document(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> ListingDocument:
    """The listing at an address."""
    source, *read = searcher.doc(address).get_all("source")
    return ListingDocument.from_source(orjson.loads(source), read=read[0].decode() if read else "")


# --- Clauses --------------------------------------------------------------------------------


def matching_words(words: list[FindWord]) -> Clause:
    """What a person's words find."""
    clauses = [(Occur.Should, _any_form(word)) for word in words]
    return Clause.boolean_query(clauses, minimum_number_should_match=queries.required_words(len(words)))


def _any_form(word: FindWord) -> Clause:
    exact = (boosted(term(name, form), weight) for name, weight in queries.FIND_WEIGHTS.items() for form in word.terms(name))
    return any_of((*exact, *map(_together, word.synonyms), *_tolerant(word)))


def _together(expression: tuple[Forms, ...]) -> Clause:
    """All words of an expression, each in any of its forms; where they stand in the text, the index does not know."""
    weight = queries.SYNONYM_WEIGHT / len(expression)
    words = (any_of(boosted(term(name, form), weight) for name in queries.SYNONYM_FIELDS for form in word) for word in expression)
    return Clause.boolean_query([(Occur.Must, word) for word in words])


def _tolerant(word: FindWord) -> Iterator[Clause]:
    if word.is_prefix:
        for name, weight in queries.PREFIX_WEIGHTS.items():
            yield Clause.const_score_query(Clause.fuzzy_term_query(SCHEMA, name, word.word, distance=0, prefix=True), weight * _CONSTANT_SCALE)
    if word.edits:
        for name, weight in queries.FUZZY_WEIGHTS.items():
            yield Clause.const_score_query(Clause.fuzzy_term_query(SCHEMA, name, word.word, distance=word.edits), weight * _CONSTANT_SCALE)


def live() -> Clause:
    """No tombstones."""
    return Clause.term_query(SCHEMA, "live", True, "basic")


def term(name: str, value: str) -> Clause:
    """Documents with exactly this value or word."""
    return Clause.term_query(SCHEMA, name, value, "freq" if name in FORM_FIELDS else "basic")


def boosted(clause: Clause, weight: float) -> Clause:
    """The clause with its score multiplied."""
    return Clause.boost_query(clause, weight)


def silent(clause: Clause) -> Clause:
    """A filter: it restricts and adds nothing to the score."""
    return Clause.const_score_query(clause, 0.0)


def any_of(clauses: Iterable[Clause]) -> Clause:
    """At least one of the clauses, their scores added."""
    return Clause.boolean_query([(Occur.Should, clause) for clause in clauses])


def one_of(name: str, values: Sequence[str]) -> Clause:
    """Documents with one of these values."""
    return Clause.term_set_query(SCHEMA, name, list(values))


def at_least(name: str, value: int) -> Clause:
    """Documents whose number is this or more."""
    return Clause.range_query(SCHEMA, name, FieldType.Integer, value, None)

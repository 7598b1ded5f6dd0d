"""The Elasticsearch backend: an alias for searches, an index behind it for each rebuild.

A document's external version is the id of its change, so a late or repeated write is refused (409), which is as good as
written. A delete writes a tombstone that searches hide: Elasticsearch forgets a deleted document's version after a minute and
at a restart, and a late write would bring it back.
"""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any, Self
from zlib import crc32

from django.conf import settings
from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError, UnsupportedProductError
from elasticsearch.serializer import OrjsonSerializer

from search import queries
from search.documents import Hit, ListingDocument, Page, Query, Write
from search.geo import distance_km
from search.highlighting import highlights

from . import elastic_bodies as bodies
from . import elastic_bulk
from .base import Candidates, EngineAvoidedError, EngineUnavailableError, Frequencies, Stored, Vitals
from .breaker import Breaker

logger = logging.getLogger(__name__)

#: A person waits for a search; the fallback is quick, so waiting longer serves nobody. The nodes that are asked share it.
SEARCH_SECONDS = 2.5

#: How long each question of `vitals` may take: after a node that is silent there is time to ask another one (see status.VITALS_SECONDS).
VITAL_SECONDS = 0.7

#: Nobody waits for the index; a bulk on a busy server may take its time.
WRITE_SECONDS = 30.0

#: How long to wait for a new index's copy on a second node: when it is made, and once more before searches go there. Then it has to do without.
COPY_SECONDS = 10.0

_SCAN_KEEP_ALIVE = "2m"
#: Of a bulk's answer. The rest is longer than all of these, and nobody reads it.
_TOLD = ("items.*._id", "items.*.status", "items.*.error")
_COPY_WAIT = f"{COPY_SECONDS:.0f}s"

#: Answers of a server that is there but overloaded, starting or broken.
_SICK = {HTTPStatus.TOO_MANY_REQUESTS, *(status for status in HTTPStatus if status >= HTTPStatus.INTERNAL_SERVER_ERROR)}

#: Answers of a node that lost its cluster, starts or stops: another one may know better. Not 429: who is overloaded gets nothing twice.
_ASK_ANOTHER = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


def connect(urls: str) -> Elasticsearch:
    """A client for the server at `urls`: one address, or those of several nodes of one cluster, separated by commas.

    With several, what one node leaves unanswered goes to another, once; the client sends nothing to a node that was away for a
    second, then two, four, … thirty. Writes may go twice: their versions make the second one void. A single server is never
    asked twice: the breaker and the change log's reader decide when to try again.
    """
    nodes = [url.strip() for url in urls.split(",") if url.strip()]
    credentials: dict[str, Any] = {}
    if settings.ELASTICSEARCH_API_KEY:
        credentials["api_key"] = settings.ELASTICSEARCH_API_KEY
    elif settings.ELASTICSEARCH_PASSWORD:
        credentials["basic_auth"] = (settings.ELASTICSEARCH_USERNAME, settings.ELASTICSEARCH_PASSWORD)
    if settings.ELASTICSEARCH_CA_CERTS:
        credentials["ca_certs"] = settings.ELASTICSEARCH_CA_CERTS
    several = len(nodes) > 1
    return Elasticsearch(nodes, serializer=OrjsonSerializer(), max_retries=int(several), retry_on_timeout=several, retry_on_status=_ASK_ANOTHER, **credentials)


class ElasticBackend:
    """The index behind the alias `<prefix>-listings`, or the one of the given name. The methods are those of base.Backend."""

    name = "elasticsearch"

    def __init__(self, client: Elasticsearch, prefix: str, *, index: str | None = None, breaker: Breaker | None = None) -> None:
        self._client = client
        self._prefix = prefix
        self._alias = f"{prefix}-listings"
        self._staged = index
        # One that is silent must leave time for another.
        self._share = 1 / min(len(client.transport.node_pool), 2)
        #: What this process has seen of the server; one for all indices behind the same client.
        self.breaker = breaker or Breaker()

    @property
    def _index(self) -> str:
        return self._staged or self._alias

    @property
    def _written(self) -> str:
        """Where writes go: always to an alias. A late write to an index that is gone would make it anew, with guessed fields."""
        return _alias_of_staged(self._staged) if self._staged else self._alias

    @contextmanager
    def _asking(self, *, patient: bool = False) -> Iterator[Elasticsearch]:
        """The client; what goes wrong becomes EngineUnavailableError. `patient` work waits longer and goes out even while the breaker is open."""
        if not patient and not self.breaker.allows():
            message = "Elasticsearch did not answer a moment ago; not asked again yet"
            raise EngineAvoidedError(message)
        try:
            yield self._client.options(request_timeout=(WRITE_SECONDS if patient else SEARCH_SECONDS) * self._share)
        except ApiError as error:
            if error.meta.status in _SICK or isinstance(error, UnsupportedProductError):
                self.breaker.failed()
            else:
                self.breaker.succeeded()  # It refused, so it is there.
            raise EngineUnavailableError(str(error)) from error
        except TransportError as error:
            self.breaker.failed()
            raise EngineUnavailableError(f"{type(error).__name__}: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            # An answer of another shape: something that is not Elasticsearch listens there.
            self.breaker.failed()
            raise EngineUnavailableError(f"Unexpected answer: {error!r}") from error
        else:
            self.breaker.succeeded()

    # --- The index as a whole -----------------------------------------------------------------------------------------

    def exists(self) -> bool:
        # Asked at every look of the worker: a silent server must not hold up all the work that has nothing to do with it.
        with self._asking() as client:
            return any(self._is_current(name) for name in self._names(client))

    def _names(self, client: Elasticsearch) -> list[str]:
        """The indices that searches go to."""
        try:
            # What the node that is asked knows: while a master is elected, searches go on and so must who looks for their index.
            return list(client.indices.get(index=self._index, features="aliases", local=True))
        except NotFoundError:
            return []

    def _is_current(self, name: str) -> bool:
        return name.rpartition("-")[0] == f"{self._alias}-{bodies.schema()}"

    def create(self) -> None:
        if not self.exists():
            self.swap(self.stage())

    def stage(self) -> Self:
        name = f"{self._alias}-{bodies.schema()}-{uuid.uuid4().hex[:12]}"
        with self._asking(patient=True) as client:
            # With its copy from the first document on, both hold all of them before anybody searches there.
            client.indices.create(index=name, **bodies.definition(), aliases={_alias_of_staged(name): {}}, wait_for_active_shards="all", timeout=_COPY_WAIT)
        return type(self)(self._client, self._prefix, index=name, breaker=self.breaker)

    def swap(self, staged: Self) -> None:
        with self._asking(patient=True) as client:
            old = [name for name in self._names(client) if name != staged._index]
            away = [{"remove": {"index": name, "alias": self._alias}} for name in old]
            away.append({"remove": {"index": staged._index, "alias": staged._written}})
            # One call: with two, one search in two found no index in between.
            client.indices.update_aliases(actions=[{"add": {"index": staged._index, "alias": self._alias}}, *away])

    def clear_up(self) -> None:
        with self._asking(patient=True) as client:
            indices = client.indices.get(index=f"{self._alias}-v*", features="aliases").body
            unused = [name for name, index in indices.items() if self._alias not in index["aliases"]]
            if unused and len(unused) < len(indices):
                self._wait_for_copy(client)
                time.sleep(SEARCH_SECONDS)  # Searches that are still on their way to the old index may finish.
            for name in unused:
                client.indices.delete(index=name, ignore_unavailable=True)

    def _wait_for_copy(self, client: Elasticsearch) -> None:
        """A node that dies once the old index is gone must not take the only copy of the new one along. A single node has none to wait for."""
        health = client.options(ignore_status=HTTPStatus.REQUEST_TIMEOUT).cluster.health(index=self._alias, wait_for_status="green", timeout=_COPY_WAIT)
        if health["timed_out"]:
            logger.warning("The index behind %s loses the one before it while it has no copy on a second node.", self._alias)

    def remove(self) -> None:
        with self._asking(patient=True) as client:
            for name in self._names(client):
                client.indices.delete(index=name, ignore_unavailable=True)

    def vitals(self) -> Vitals:
        """How the server and our index do. The breaker learns nothing of it: a cluster that elects a master answers searches, and one that answers this may not."""
        client = self._client.options(request_timeout=VITAL_SECONDS)
        try:
            # Of our indices alone: what else lives in the cluster may be yellow for ever.
            cluster = client.cluster.health(index=f"{self._alias}-v*", master_timeout=f"{VITAL_SECONDS:.0f}s")
            exists = any(self._is_current(name) for name in self._names(client))
            documents = client.count(index=self._index, query={"term": {"live": True}})["count"] if exists else None
            return Vitals(documents, cluster["status"], cluster["number_of_nodes"], cluster["unassigned_shards"])
        except (ApiError, TransportError) as error:
            raise EngineUnavailableError(f"{type(error).__name__}: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise EngineUnavailableError(f"Unexpected answer: {error!r}") from error

    # --- Writing ----------------------------------------------------------------------------------------------------------

    def write(self, writes: Iterable[Write], *, force: bool = False) -> int:
        dumps = self._client.transport.serializers.get_serializer("application/json").dumps
        # Closed at once, which waits for the request under way: when a fault is told, nothing of this write is still to come.
        with closing(elastic_bulk.send(writes, self._bulk, dumps=dumps, force=force)) as answers:
            return sum(_is_taken(answer) for part in answers for answer in part)

    def _bulk(self, lines: elastic_bulk.Lines, is_last: bool) -> elastic_bulk.Answers:  # noqa: FBT001 - see elastic_bulk.send
        with self._asking(patient=True) as client:
            answer = client.bulk(index=self._written, operations=lines, refresh=is_last, require_alias=True, filter_path=_TOLD)
            answers = [{**item["index"], "status": int(item["index"]["status"])} for item in answer["items"]]
            if 2 * len(answers) != len(lines):
                message = f"{len(answers)} answers to {len(lines) // 2} writes"
                raise ValueError(message)
            return answers

    # --- Reading ----------------------------------------------------------------------------------------------------------

    def find(self, query: Query) -> Page:
        words = queries.find_words(query.text)
        with self._asking() as client:
            found = self._search(client, bodies.find(query, words), asking=query.text)
            documents = [(bodies.document_of(hit), hit.get("_score")) for hit in found["hits"]["hits"]]
            counted = {} if query.uids else found["aggregations"]
            facets = {name: {b["key"]: b["doc_count"] for b in facet["values"]["buckets"] if b["key"]} for name, facet in counted.items()}
            total = found["hits"]["total"]["value"]
        return Page(
            hits=tuple(Hit(d.uid, score or 0.0, highlights(d, words), _distance(query, d)) for d, score in documents),
            total=total,
            facets=facets,
            page=query.page,
            page_size=queries.window(query)[1],
            engine=self.name,
        )

    def _search(self, client: Elasticsearch, body: dict[str, Any], *, asking: str) -> dict[str, Any]:
        # Half an answer would make listings vanish without a word.
        return client.search(index=self._index, preference=_copy(asking), allow_partial_search_results=False, **_arguments(body)).body

    def _searches(self, client: Elasticsearch, queries: list[dict[str, Any]], *, asking: str) -> list[dict[str, Any]]:
        """Several searches in one request."""
        if len(queries) <= 1:
            return [self._search(client, body, asking=asking) for body in queries]
        head = {"allow_partial_search_results": False, "preference": _copy(asking)}
        answers = client.msearch(index=self._index, searches=[line for body in queries for line in (head, body)])["responses"]
        for answer in answers:
            if "error" in answer:
                raise EngineUnavailableError(str(answer["error"].get("reason", answer["error"])))
        return answers

    def candidates(self, wanted: Candidates) -> list[tuple[ListingDocument, float]]:
        with self._asking() as client:
            asked = ([bodies.candidates(wanted)] if wanted.terms else []) + ([bodies.nearest(wanted)] if wanted.direction else [])
            answers = self._searches(client, asked, asking="".join(wanted.exclude_uids[:1]))
            by_terms = answers[0]["hits"]["hits"] if wanted.terms else []
            known = {hit["_id"] for hit in by_terms}
            near = [hit for hit in answers[-1]["hits"]["hits"] if hit["_id"] not in known] if wanted.direction else []
            found = [(hit, hit["_score"]) for hit in by_terms] + [(hit, 0.0) for hit in near]
            return [(bodies.document_of(hit), score) for hit, score in found if bodies.is_reachable(hit, wanted.reach_of)]

    def frequencies(self, terms: dict[str, Sequence[str]]) -> Frequencies:
        with self._asking() as client:
            vectors = client.termvectors(index=self._index, preference=_copy(""), **bodies.frequencies(terms))["term_vectors"]
            by_term = {(name, term): own.get("doc_freq", 0) for name, vector in vectors.items() for term, own in vector["terms"].items()}
            return Frequencies(max((vector["field_statistics"]["doc_count"] for vector in vectors.values()), default=0), by_term)

    def stored(self, batch: int = 500) -> Iterator[list[Stored]]:
        with self._asking(patient=True) as client:
            pit = client.open_point_in_time(index=self._index, keep_alive=_SCAN_KEEP_ALIVE)["id"]
            try:
                after: list[Any] | None = None
                while hits := self._scan(client, pit, after, batch):
                    yield [_stored(hit) for hit in hits]
                    after = hits[-1]["sort"]
            finally:
                client.close_point_in_time(id=pit)

    @staticmethod
    def _scan(client: Elasticsearch, pit: str, after: list[Any] | None, batch: int) -> list[dict[str, Any]]:
        place = {} if after is None else {"search_after": after}
        return client.search(
            pit={"id": pit, "keep_alive": _SCAN_KEEP_ALIVE},
            query={"bool": {"must": {"match_all": {}}, "should": [{"exists": {"field": "direction", "_name": "direction"}}]}},
            sort=[{"uid": "asc"}],
            size=batch,
            version=True,
            source=["live", "document_version"],
            track_total_hits=False,
            **place,
        )["hits"]["hits"]


def _copy(asking: str) -> str:
    """The same copy of the index for the same question; otherwise page two of one could repeat hits of page one of the other."""
    # Each counts the words of replaced documents until it drops them, at a time of its own.
    return f"q{crc32(asking.encode()):x}"


def _stored(hit: dict[str, Any]) -> Stored:
    return Stored(hit["_id"], hit["_version"], hit["_source"]["document_version"], hit["_source"]["live"], "direction" in hit.get("matched_queries", ()))


def _arguments(body: dict[str, Any]) -> dict[str, Any]:
    """The body under the client's names for its parts."""
    renamed = {"from": "from_", "_source": "source"}
    return {renamed.get(name, name): value for name, value in body.items()}


def _alias_of_staged(name: str) -> str:
    return f"{name}-staged"


def _is_taken(answer: dict[str, Any]) -> bool:
    """Whether a write was stored. Raises if it must be repeated, and the whole batch with it.

    A newer version is there (409): as good as written. A document that Elasticsearch cannot take (400) must not hold up all
    that come after it: it is logged, and `check_index` goes on naming it.
    """
    status = answer["status"]
    if status == HTTPStatus.BAD_REQUEST:
        logger.error("Elasticsearch cannot index %s: %s", answer.get("_id"), answer.get("error"))
    elif status >= HTTPStatus.MULTIPLE_CHOICES and status != HTTPStatus.CONFLICT:
        raise EngineUnavailableError(f"{answer.get('_id')} was refused with {status}: {answer.get('error')}")
    return status < HTTPStatus.MULTIPLE_CHOICES


def _distance(query: Query, document: ListingDocument) -> float | None:
    if query.near is None or document.latitude is None or document.longitude is None:
        return None
    return round(distance_km(query.near, (document.latitude, document.longitude)), 1)

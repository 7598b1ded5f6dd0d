"""What the embedded engine does for people: words, filters, facets, orders and pages over one commit of the index."""

from dataclasses import dataclass, field
from pathlib import Path

import tantivy
from tantivy import Occur, Order
from tantivy import Query as Clause

from search import queries
from search.documents import Hit, ListingDocument, Page, Query
from search.geo import distance_km
from search.highlighting import highlights
from search.queries import FACETS

from .embedded_clauses import at_least, live, matching_words, one_of, position_of, silent, stored_document, term

NAME = "embedded"

#: Some 20 MB in a process that suggests.
_KEPT_DOCUMENTS = 8_000


@dataclass(slots=True)
class Snapshot:
    """One commit of the index, for reading."""

    stamp: tuple[str, int, int]
    home: Path
    index: tantivy.Index
    searcher: tantivy.Searcher
    positions: dict[str, tuple[float, float]]
    frequencies: dict[tuple[str, str], int] = field(default_factory=dict)
    documents: dict[tuple[int, int], ListingDocument] = field(default_factory=dict)
    _live_documents: int | None = None

    @property
    def live_documents(self) -> int:
        """How many documents are no tombstones."""
        if self._live_documents is None:
            self._live_documents = self.searcher.search(live(), 1).count
        return self._live_documents

    def document(self, address: tantivy.DocAddress) -> ListingDocument:
        """The listing at an address. Kept: each lies in a packed block of the store, and the same ones are candidates again and again."""
        key = address.segment_ord, address.doc
        document = self.documents.get(key)
        if document is None:
            if len(self.documents) >= _KEPT_DOCUMENTS:
                self.documents.clear()
            self.documents[key] = document = stored_document(self.searcher, address)
        return document

    def frequency(self, name: str, word: str) -> int:
        """In how many documents `word` stands. Kept: hundreds of listings in a row ask about the same words."""
        key = name, word
        if key not in self.frequencies:
            self.frequencies[key] = self.searcher.doc_freq(name, word)
        return self.frequencies[key]


class Finder:
    """One `find` over one commit of the index."""

    def __init__(self, snapshot: Snapshot, query: Query) -> None:
        self.searcher, self.document = snapshot.searcher, snapshot.document
        self.query = query
        self.words = queries.find_words(query.text)
        self.offset, self.size = queries.window(query)
        self.distances = self._distances(snapshot.positions)

    def _distances(self, positions: dict[str, tuple[float, float]]) -> dict[str, float]:
        near = self.query.near
        return {key: distance_km(near, place) for key, place in positions.items()} if near else {}

    def page(self) -> Page:
        everything = self._clause()
        total = self.searcher.search(everything, 1, count=True).count
        hits = self._hits(everything)
        return Page(
            hits=tuple(self._hit(score, address) for score, address in hits),
            total=total,
            facets={} if self.query.uids else self._facets(everything),
            page=self.query.page,
            page_size=self.size,
            engine=NAME,
        )

    def _clause(self, *, without: str = "") -> Clause:
        """The whole query; `without` the filter of one facet."""
        clauses = [(Occur.Must, matching_words(self.words))] if self.words else []
        clauses += [(Occur.Must, silent(live())), (Occur.Must, silent(one_of("kind", queries.kinds(self.query))))]
        clauses += [(Occur.Must, silent(one_of(FACETS[name], values))) for name, values in queries.facet_filters(self.query).items() if name != without]
        if self.query.company_uid is not None:
            clauses.append((Occur.Must, silent(term("company_uid", self.query.company_uid))))
        if self.query.valid_on is not None:
            clauses.append((Occur.Must, silent(at_least("valid_until", self.query.valid_on.toordinal()))))
        if self.query.near and self.query.within_km is not None:
            within = [key for key, km in self.distances.items() if km <= self.query.within_km]
            clauses.append((Occur.Must, silent(one_of("position", within))))
        if self.query.uids:
            clauses.append((Occur.Must, silent(one_of("uid", self.query.uids))))
        if self.query.exclude_uids:
            clauses.append((Occur.MustNot, one_of("uid", self.query.exclude_uids)))
        return Clause.boolean_query(clauses)

    def _facets(self, everything: Clause) -> dict[str, dict[str, int]]:
        restricted = queries.facet_filters(self.query)
        shared = self._counts(everything, [name for name in FACETS if name not in restricted])
        return shared | {name: self._counts(self._clause(without=name), [name])[name] for name in restricted}

    def _counts(self, clause: Clause, names: list[str]) -> dict[str, dict[str, int]]:
        wanted = {name: {"terms": {"field": FACETS[name], "size": queries.MOST_FACET_VALUES}} for name in names}
        found = self.searcher.aggregate(clause, wanted) if wanted else {}
        return {name: {bucket["key"]: bucket["doc_count"] for bucket in found[name]["buckets"] if bucket["key"]} for name in names}

    def _hits(self, clause: Clause) -> list[tuple[float, tantivy.DocAddress]]:
        match queries.sort_of(self.query):
            case "nearest":
                return self._nearest(clause)
            case "recent":
                return self._ordered(clause, "recency", Order.Desc, self.offset, self.size)
            case "expiring":
                return self._ordered(clause, "expiry", Order.Asc, self.offset, self.size)
        return self.searcher.search(clause, self.size, count=False, offset=self.offset).hits

    def _ordered(self, clause: Clause, name: str, order: Order, offset: int, size: int) -> list[tuple[float, tantivy.DocAddress]]:
        hits = self.searcher.search(clause, size, count=False, order_by_field=name, order=order, offset=offset).hits
        return [(0.0, address) for _, address in hits]

    def _nearest(self, clause: Clause) -> list[tuple[float, tantivy.DocAddress]]:
        """Place after place outwards, the newest first in each; listings without a place come last."""
        buckets = self.searcher.aggregate(clause, {"positions": {"terms": {"field": "position", "size": len(self.distances) + 1}}})["positions"]["buckets"]
        counts = {bucket["key"]: bucket["doc_count"] for bucket in buckets}
        hits: list[tuple[float, tantivy.DocAddress]] = []
        skip = self.offset
        for key in sorted(counts, key=lambda key: (self.distances.get(key, float("inf")), key)):
            if len(hits) >= self.size:
                break
            if skip >= counts[key]:
                skip -= counts[key]
                continue
            here = Clause.boolean_query([(Occur.Must, clause), (Occur.Must, term("position", key))])
            hits += self._ordered(here, "recency", Order.Desc, skip, self.size - len(hits))
            skip = 0
        return hits

    def _hit(self, score: float, address: tantivy.DocAddress) -> Hit:
        document = self.document(address)
        km = self.distances.get(position_of(document))
        return Hit(document.uid, score, highlights(document, self.words), None if km is None else round(km, 1))

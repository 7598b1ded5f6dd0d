"""What goes into the engine and what comes out: frozen, free of Django models, the same for every backend."""

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple, Self

#: The listing's texts that are analysed, in the order in which evidence is looked for and shown.
TEXT_FIELDS = ("title", "keywords", "description")

KEYWORD_SEPARATOR = ", "


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDocument:
    """A findable listing, or one language's version of an aid page: `kind` is "offer", "demand" or "aid".

    `version` is the id of the listing's last change in the change log: it rises with every write, so that a late write
    never overwrites a newer one. `sectors` is the path from the NACE section down to `sector` ("C", "22", "222", "2229").
    `reach_km` None means that distance does not matter. `vectors` are those of its passages (see `meaning`), empty without.
    `read` is what the index that it comes from has kept of its text (see `reading`): no part of it, and empty if it comes from elsewhere.
    """

    uid: str
    version: int
    kind: str
    category: str
    language: str
    title: str
    description: str
    keywords: tuple[str, ...] = ()
    sector: str = ""
    sectors: tuple[str, ...] = ()
    company_uid: str = ""
    company_name: str = ""
    company_size: str = ""
    place: str = ""
    place_name: str = ""
    latitude: float | None = None
    longitude: float | None = None
    reach_km: int | None = None
    remote: bool = False
    published_at: datetime
    valid_until: date
    vectors: str = ""
    read: str = field(default="", compare=False, repr=False)

    def text(self, name: str) -> str:
        """One of TEXT_FIELDS as the text in which evidence spans count."""
        return KEYWORD_SEPARATOR.join(self.keywords) if name == "keywords" else getattr(self, name)

    def to_source(self) -> dict[str, Any]:
        """The document as JSON types, as the backends store it."""
        # By hand: `asdict` copies every value, which takes twenty times as long.
        source = dict(zip(_STORED, _stored(self), strict=True))
        source["published_at"] = self.published_at.isoformat()
        source["valid_until"] = self.valid_until.isoformat()
        return source

    @classmethod
    def from_source(cls, source: dict[str, Any], *, read: str = "") -> Self:
        """The document that `to_source` gave."""
        return cls(
            **{
                **source,
                "keywords": tuple(source["keywords"]),
                "sectors": tuple(source["sectors"]),
                "published_at": datetime.fromisoformat(source["published_at"]),
                "valid_until": date.fromisoformat(source["valid_until"]),
                "read": read,
            }
        )


_STORED = tuple(each.name for each in fields(ListingDocument) if each.name != "read")
_stored = attrgetter(*_STORED)


class Whereabouts(NamedTuple):
    """Where a listing is and how far that matters: its values of the same names."""

    latitude: float | None
    longitude: float | None
    reach_km: int | None
    remote: bool

    @classmethod
    def of(cls, source: dict[str, Any]) -> Self:
        """Those of a source, for who need not have the document."""
        return cls(source["latitude"], source["longitude"], source["reach_km"], source["remote"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a person looks for. Empty values mean no restriction, but no kind means offers and demands; `sectors` takes codes of any level of the tree.

    `sort` is "relevance" (the newest first when there is no text), "recent", "nearest" (needs `near`) or "expiring".
    `uids` asks which of certain listings are found; nothing is counted for facets then, which nobody would see.
    """

    text: str = ""
    kinds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    near: tuple[float, float] | None = None
    within_km: int | None = None
    company_uid: str | None = None
    uids: tuple[str, ...] = ()
    exclude_uids: tuple[str, ...] = ()
    valid_on: date | None = None
    sort: str = "relevance"
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One found listing. `highlights` holds escaped HTML by field, only of fields where something matched."""

    uid: str
    score: float
    highlights: dict[str, str] = field(default_factory=dict)
    distance_km: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of hits. Each facet is counted without its own filter, so that a second value can be ticked.

    `degraded` says that the chosen engine did not answer and another one did.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: dict[str, dict[str, int]]
    page: int
    page_size: int
    engine: str
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """What one signal gave, of what it could give at most."""

    name: str
    points: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two listings match, or what speaks against it; `data` can be stored as JSON. The codes are in `reasons`."""

    code: str
    positive: bool
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A listing that answers the one asked about. `score` is 0–100 and the sum of the signals' points.

    `vouched` is no part of the score: points by which the list where it was found ranks it higher (see matching.best).
    """

    uid: str
    score: float
    signals: tuple[Signal, ...]
    reasons: tuple[Reason, ...]
    engine_version: str
    vouched: float = 0.0


@dataclass(frozen=True, slots=True)
class Write:
    """What the index shall hold for `uid` from `version` on; no document means a tombstone."""

    uid: str
    version: int
    document: ListingDocument | None = None

"""Listings made from real texts and a seed, as many as wanted: in memory or as rows of the database.

A folder holds `listings.jsonl`, a real purchase a line: `{lang, kind, supplier, object, …}`; without one, the listings of the demo city give their sentences.
A listing is made of several of one language: the title of one, a description of up to four, keywords of another, and the supplier as its company. The same folders, seed and number give the same listing, whatever the size.
"""

import datetime
import json
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from marketplace.companies import places, sectors
from marketplace.companies.enums import Size
from marketplace.companies.models import Company
from marketplace.core import changelog, copies
from marketplace.listings.enums import Kind, State
from marketplace.listings.models import Listing
from search.documents import ListingDocument

SEED = 2020
LONGEST_TITLE = 120
SHORTEST_TITLE = 8
#: A listing's description has that many purchases.
OBJECTS = (2, 4)
SHORTEST_KEYWORD = 6
MOST_KEYWORDS = 3
#: Rows a transaction.
ROWS = 2_000

PRODUCTS = ("Subministraments", "Suministro")


@dataclass(frozen=True, slots=True)
class Purchase:
    """A line of the data."""

    language: str
    category: str
    supplier: str
    object: str


@dataclass(frozen=True, slots=True)
class Made:
    """A listing before it is a row or a document."""

    uid: uuid.UUID
    kind: str
    category: str
    language: str
    title: str
    description: str
    keywords: tuple[str, ...]
    company: str
    sector: str
    place: str
    reach_km: int | None
    age: datetime.timedelta
    days_left: int


def purchases(folders: Sequence[Path]) -> list[Purchase]:
    """The lines of all folders that have a text to make a title of; without a folder, the sentences of the demo city."""
    if not folders:
        return list(_demo())
    lines = (json.loads(line) for folder in folders for line in (Path(folder) / "listings.jsonl").read_text(encoding="utf-8").splitlines())
    read = (
        Purchase(row["lang"], "product" if row["kind"] in PRODUCTS else "solution", row["supplier"] or "?", " ".join(row["object"].split())) for row in lines
    )
    return [purchase for purchase in read if len(purchase.object) >= SHORTEST_TITLE]


def _demo() -> Iterator[Purchase]:
    path = Path(__file__).parent.parent / "marketplace" / "demo" / "data" / "listings.jsonl"
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        for sentence in (row["title"], *row["description"].split(". ")):
            if len(sentence) >= SHORTEST_TITLE:
                yield Purchase(row["language"], row["category"], row["company"], sentence)


def listings(known: Sequence[Purchase], count: int, *, seed: int = SEED, first: int = 0) -> Iterator[Made]:
    """`count` listings from number `first` on."""
    by_language: dict[str, list[Purchase]] = {}
    for purchase in known:
        by_language.setdefault(purchase.language, []).append(purchase)
    for number in range(first, first + count):
        yield _made(random.Random(f"{seed}:{number}"), known, by_language)  # noqa: S311 - to measure, no secret


def _made(source: random.Random, known: Sequence[Purchase], by_language: dict[str, list[Purchase]]) -> Made:
    main = source.choice(known)
    alike = by_language[main.language]
    others = [source.choice(alike).object for _ in range(source.randint(*OBJECTS) - 1)]
    words = [word.strip(".,;:()\"'") for word in source.choice(alike).object.split()]
    keywords = [word for word in words if len(word) >= SHORTEST_KEYWORD and word.isalpha()][: source.randint(0, MOST_KEYWORDS)]
    return Made(
        uid=uuid.UUID(int=source.getrandbits(128), version=4),
        kind=source.choice(list(Kind)).value,
        category=main.category,
        language=main.language,
        title=main.object[:LONGEST_TITLE],
        description=". ".join([main.object, *others]),
        keywords=tuple(dict.fromkeys(keywords)),
        company=main.supplier[:160],
        sector=source.choice(_codes()),
        place=source.choice(_places()),
        reach_km=source.choice((None, None, 25, 100)),
        age=datetime.timedelta(minutes=source.randrange(365 * 24 * 60)),
        days_left=source.randrange(30, 330),
    )


@cache
def _codes() -> list[str]:
    return sorted(sectors.tree())


@cache
def _places() -> list[str]:
    return sorted(places.known())


def documents(made: Iterable[Made], *, now: datetime.datetime, version: int = 1) -> Iterator[ListingDocument]:
    """The listings as the engine takes them, without a database."""
    for one in made:
        place = places.known()[one.place]
        yield ListingDocument(
            uid=str(one.uid),
            version=version,
            kind=one.kind,
            category=one.category,
            language=one.language,
            title=one.title,
            description=one.description,
            keywords=one.keywords,
            sector=one.sector,
            sectors=sectors.tree()[one.sector].codes,
            company_uid=str(uuid.uuid5(uuid.NAMESPACE_OID, one.company)),
            company_name=one.company,
            company_size=Size.SMALL.value,
            place=one.place,
            place_name=place.name,
            latitude=place.latitude,
            longitude=place.longitude,
            reach_km=one.reach_km,
            published_at=now - one.age,
            valid_until=now.date() + datetime.timedelta(days=one.days_left),
        )


def fill(made: Iterable[Made], *, logged: bool = True) -> int:
    """Publish the listings in the database, with a change each unless not `logged`; how many. An empty database has to be migrated before."""
    now, today, count = timezone.now(), timezone.localdate(), 0
    companies: dict[str, int] = dict(Company.objects.values_list("name", "id"))
    for batch in _batches(made):
        new = dict.fromkeys(one.company for one in batch if one.company not in companies)
        with transaction.atomic():
            rows = Company.objects.bulk_create(Company(name=name, sector_id=_codes()[0], place_id=_places()[0], size=Size.SMALL) for name in new)
            companies |= {company.name: company.pk for company in rows}
            published = [
                Listing(
                    uid=one.uid, company_id=companies[one.company], kind=one.kind, category=one.category, title=one.title, description=one.description,
                    keywords=", ".join(one.keywords), language=one.language, sector_id=one.sector, place_id=one.place, reach_km=one.reach_km,
                    valid_until=today + datetime.timedelta(days=one.days_left), state=State.PUBLISHED, published_at=now - one.age,
                    modified=now,
                )
                for one in batch
            ]  # fmt: skip
            copies.insert(Listing, published)
            if logged:
                changelog.append_bulk("listing", [one.uid for one in batch])
        count += len(batch)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return count


def _batches(made: Iterable[Made]) -> Iterator[list[Made]]:
    batch = []
    for one in made:
        batch.append(one)
        if len(batch) == ROWS:
            yield batch
            batch = []
    if batch:
        yield batch

"""The same listings in every format that partners have, served by real web servers."""

import csv
import gzip
import html
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import openpyxl
from django.utils.module_loading import import_string

from marketplace.federation.fetching import fetcher
from marketplace.federation.items import Batch, Fault, Item
from marketplace.federation.models import Partner
from marketplace.federation.readers import READERS
from marketplace.federation.readers.facts import Maker

FAR = "2999-12-31"
#: As a partner would tell them; every value is a text.
LISTINGS = [
    {
        "id": "101", "kind": "offer", "title": "Injecció de peces de plàstic reciclat", "category": "product", "sector": "2229", "place": "Terrassa",
        "description": "Fem sèries curtes de peces injectades amb polipropilè reciclat.\nTambé dissenyem el motlle.", "language": "ca", "until": FAR,
        "from": "2026-01-15", "updated": "2026-02-03T10:15:00+00:00", "company": "Plàstics del Vallès, SL", "tax_id": "B10000000", "keywords": "plàstic; motlles",
    },
    {
        "id": "102", "kind": "demand", "title": "Busquem nau de 300 m² per a un obrador", "category": "space", "sector": "1071", "place": "Sabadell",
        "description": "Un forn que creix necessita una nau amb sortida de fums i moll de càrrega.", "language": "ca", "until": FAR,
        "from": "2026-01-20", "updated": "2026-01-20T08:00:00+00:00", "company": "Forn de Can Rull, SCCL", "tax_id": "F10000007", "keywords": "nau; obrador",
    },
    {
        "id": "103", "kind": "offer", "title": "Auditoría energética para pymes & comercios", "category": "solution", "sector": "7112", "place": "Rubí",
        "description": "Medimos el consumo durante dos semanas y proponemos cambios que se pagan en menos de tres años.", "language": "es", "until": FAR,
        "from": "2026-02-01", "updated": "2026-02-01T12:30:00+00:00", "company": "Enginyeria Solell, SL", "tax_id": "B10000018", "keywords": "energía; ahorro",
    },
]  # fmt: skip
COLUMNS = {
    "Codi": "id", "Tipus": "kind", "Títol": "title", "Descripció": "description", "Categoria": "category", "Sector": "sector", "Municipi": "place",
    "Llengua": "language", "Vigent fins": "valid_until", "Publicat": "valid_from", "Actualitzat": "updated", "Empresa": "company", "NIF": "tax_id",
    "Paraules clau": "keywords",
}  # fmt: skip
KEYS = ("id", "kind", "title", "description", "category", "sector", "place", "language", "until", "from", "updated", "company", "tax_id", "keywords")

Answer = tuple[int, dict[str, str], bytes]


def answer(kind: str, body: bytes | str, **headers: str) -> Answer:
    body = body.encode() if isinstance(body, str) else body
    return 200, {"Content-Type": kind, **headers}, body


def as_rows(listings: list[dict]) -> list[list[str]]:
    return [list(COLUMNS), *([listing.get(key, "") for key in KEYS] for listing in listings)]


def as_csv(listings: list[dict], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(as_rows(listings))
    return file.getvalue().encode(encoding)


def as_workbook(listings: list[dict]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in as_rows(listings):
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def as_json(listing: dict) -> dict:
    """A partner's own shape, nested as such interfaces are."""
    return {
        "codi": listing["id"], "tipus": {"nom": listing["kind"]}, "titol": listing["title"], "cos": listing["description"], "classe": listing["category"],
        "activitat": {"codi": listing["sector"]}, "ubicacio": {"municipi": listing["place"]}, "idioma": listing["language"],
        "dates": {"publicat": listing["from"], "fins": listing["until"], "modificat": listing["updated"]},
        "empresa": {"nom": listing["company"], "nif": listing["tax_id"]}, "etiquetes": listing["keywords"].split("; "),
    }  # fmt: skip


FIELDS = {
    "id": "codi", "kind": "tipus.nom", "title": "titol", "description": "cos", "category": "classe", "sector": "activitat.codi", "place": "ubicacio.municipi",
    "language": "idioma", "valid_from": "dates.publicat", "valid_until": "dates.fins", "updated": "dates.modificat", "company": "empresa.nom", "tax_id": "empresa.nif",
    "keywords": "etiquetes[]",
}  # fmt: skip
OWN = "https://partner.example/terms"


def as_rss(listings: list[dict]) -> str:
    def item(listing: dict) -> str:
        parts = {
            "title": listing["title"], "description": html.escape(listing["description"]).replace("\n", "<br>"), "author": listing["company"],
            "m:kind": listing["kind"], "m:category": listing["category"], "m:sector": listing["sector"], "m:place": listing["place"],
            "m:language": listing["language"], "m:until": listing["until"], "m:from": listing["from"], "m:changed": listing["updated"], "m:nif": listing["tax_id"],
        }  # fmt: skip
        inner = "".join(f"<{name}>{html.escape(text)}</{name}>" for name, text in parts.items())
        tags = "".join(f"<category>{html.escape(word)}</category>" for word in listing["keywords"].split("; "))
        return f'<item><guid isPermaLink="false">{listing["id"]}</guid>{inner}{tags}</item>'

    items = "".join(map(item, listings))
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:m="{OWN}"><channel><title>Borsa</title><link>/</link><description>.</description>{items}</channel></rss>'


RSS_COLUMNS = {
    "m_kind": "kind", "m_category": "category", "m_sector": "sector", "m_place": "place", "m_language": "language", "m_until": "valid_until", "m_from": "valid_from",
    "m_changed": "updated", "m_nif": "tax_id", "published": "",
}  # fmt: skip


def as_page(listing: dict) -> str:
    """A web page with its JSON-LD, as content management systems write it."""
    company = {"@type": "LocalBusiness", "name": listing["company"], "taxID": listing["tax_id"]}
    node = {
        "@context": "https://schema.org", "@type": listing["kind"].capitalize(), "identifier": listing["id"], "name": listing["title"], "description": listing["description"],
        "mp:kindOfThing": listing["category"], "keywords": listing["keywords"].split("; "), "inLanguage": listing["language"], "validFrom": listing["from"],
        "category": {"@type": "CategoryCode", "codeValue": listing["sector"]}, "validThrough": listing["until"], "dateModified": listing["updated"],
        "areaServed": {"@type": "City", "name": listing["place"]}, "seller" if listing["kind"] == "offer" else "mp:soughtBy": company,
    }  # fmt: skip
    script = json.dumps(node, ensure_ascii=False).replace("<", "\\u003c")
    return f'<!doctype html><html lang="ca"><head><title>x</title><script type="application/ld+json">{script}</script></head><body><p>…</p></body></html>'


def as_sitemap(addresses: Mapping[str, str]) -> str:
    urls = "".join(f"<url><loc>{html.escape(url)}</loc>{f'<lastmod>{mod}</lastmod>' if mod else ''}</url>" for url, mod in addresses.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'


@dataclass
class Source:
    """One format. `pages(site, listings)` is what the server shows, `bad(listing)` the same listing with something wrong in it."""

    name: str
    reader: str
    options: dict
    pages: Callable
    main: str = "/data"
    kind: str = ""
    optional: dict = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def _table(kind: str, make: Callable) -> Callable:
    return lambda _site, listings: {"/data": answer(kind, make(listings))}


def _json(site, listings) -> dict:
    return {"/data": answer("application/json", json.dumps({"dades": {"anuncis": [as_json(one) for one in listings]}}))}


def _json_pages(site, listings) -> dict:
    """Two entries a page, by number."""

    def page(request):
        number = int(request.path.partition("page=")[2].partition("&")[0] or 1)
        return answer("application/json", json.dumps([as_json(one) for one in listings[2 * number - 2 : 2 * number]]))

    return {"/data": page}


def _web(site, listings) -> dict:
    pages = {f"/anunci/{one['id']}": answer("text/html; charset=utf-8", as_page(one)) for one in listings}
    sitemap = as_sitemap({site.url + path: "" for path in pages})
    return {**pages, "/data": answer("application/xml", sitemap)}


def _web_index(site, listings) -> dict:
    """A packed sitemap behind an index, found by robots.txt."""
    pages = _web(site, listings)
    packed = gzip.compress(pages.pop("/data")[2])
    index = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>{site.url}/one.xml.gz</loc></sitemap></sitemapindex>'
    robots = f"User-agent: *\nDisallow: /private/\nSitemap: {site.url}/index.xml\n"
    return {**pages, "/one.xml.gz": answer("application/gzip", packed), "/index.xml": answer("text/xml", index), "/robots.txt": answer("text/plain", robots)}


def _protocol(site, listings) -> dict:
    """A marketplace like ours: a snapshot, and no changes behind it."""
    maker, items = Maker(Partner(name="Cambra", base_url=site.url), {}), []
    facts = {"until": "valid_until", "from": "valid_from"}
    for number, listing in enumerate(listings, 1):
        told = {facts.get(key, key): text for key, text in listing.items()}
        [item] = maker.items(told | {"valid_until": FAR})
        until = item.expires_at.isoformat() if listing["until"] == FAR else listing["until"]
        items.append(
            {
                "op": "upsert",
                "uri": item.uri,
                "version": number,
                "updated_at": listing["updated"],
                "expires_at": until,
                "digest": item.digest,
                "listing": item.listing,
            }
        )
    lines = [{"as_of": "c9", "total": len(items)}, *items, {"end": True, "count": len(items)}]
    changes = {"items": [], "cursor": "c9", "more": False}
    return {
        "/api/federation/v1/snapshot": answer("application/x-ndjson", "".join(json.dumps(line) + "\n" for line in lines)),
        "/api/federation/v1/changes": answer("application/json", json.dumps(changes)),
    }


PROTOCOL = Source("protocol", "protocol", {}, _protocol, main="/api/federation/v1/snapshot")
SOURCES = [
    Source("csv", "table", {"url": "/data", "columns": COLUMNS}, _table("text/csv", as_csv), kind="text/csv"),
    Source("csv-windows", "table", {"url": "/data", "columns": COLUMNS}, _table("application/vnd.ms-excel", lambda rows: as_csv(rows, "cp1252", ";"))),
    Source("csv-utf16", "table", {"url": "/data", "columns": COLUMNS}, _table("text/plain", lambda rows: as_csv(rows, "utf-16", "\t"))),
    Source("xlsx", "table", {"url": "/data", "columns": COLUMNS}, _table("application/octet-stream", as_workbook)),
    Source("rss", "feed", {"url": "/data", "columns": RSS_COLUMNS}, _table("application/rss+xml", lambda rows: as_rss(rows).encode())),
    Source("rss-latin1", "feed", {"url": "/data", "columns": RSS_COLUMNS}, _table("text/xml", lambda rows: as_rss(rows).replace('"utf-8"', '"iso-8859-1"', 1).encode("iso-8859-1"))),
    Source("json", "json", {"url": "/data", "items": "dades.anuncis", "fields": FIELDS}, _json),
    Source("json-pages", "json", {"url": "/data", "items": "@", "fields": FIELDS, "paging": "page"}, _json_pages),
    Source("web", "web", {"sitemap": "/data"}, _web),
    Source("web-index", "web", {}, _web_index, main="/index.xml"),
]  # fmt: skip


def partner_of(site, source: Source, **options: object) -> Partner:
    """A partner (not saved) that has the source at the site."""
    own = {name: site.url + value if name in ("url", "sitemap") else value for name, value in source.options.items()}
    return Partner(name="Cambra", base_url=site.url, reader=source.reader, reader_options={**own, **options})


def read(partner: Partner, checkpoint: dict | None = None) -> tuple[list[Item], list[Fault], list[Batch]]:
    """What one run gives."""
    reader = import_string(READERS[partner.reader])()
    batches = list(reader.batches(partner, checkpoint or {}, fetch=fetcher(partner)))
    assert [batch.is_last for batch in batches] == [False] * (len(batches) - 1) + [True]
    return [item for batch in batches for item in batch.items], [fault for batch in batches for fault in batch.faults], batches

"""Web pages: only those that may have changed are asked for, robots.txt is heeded, and schema.org is read as sites write it."""

import gzip
import json
import time

import pytest

from marketplace.core.outgoing import Answer
from marketplace.federation.items import HarvestError
from marketplace.federation.readers import robots, schema_org, web_pages

from .sources import LISTINGS, SOURCES, answer, as_page, as_sitemap, partner_of, read

WEB = next(source for source in SOURCES if source.name == "web")


def paths(site):
    return [path for _method, path in site.asked if path.startswith("/anunci/")]


def dated(site, listings, day):
    return answer("application/xml", as_sitemap({f"{site.url}/anunci/{one['id']}": day for one in listings}))


def test_pages_of_the_same_lastmod_are_not_asked_again(site):
    site.pages = {**WEB.pages(site, LISTINGS), "/data": dated(site, LISTINGS, "2026-03-01")}
    partner = partner_of(site, WEB)
    first, _faults, batches = read(partner)
    assert len(paths(site)) == 3
    site.asked.clear()
    again, _faults, later = read(partner, batches[-1].checkpoint)
    assert paths(site) == []
    assert again == first
    changed = {**LISTINGS[0], "description": "Ara també amb bioplàstics, i en sèries de mil peces."}
    sitemap = {f"{site.url}/anunci/{one['id']}": "2026-03-02" if one["id"] == "101" else "2026-03-01" for one in LISTINGS}
    site.pages |= {"/anunci/101": answer("text/html", as_page(changed)), "/data": answer("text/xml", as_sitemap(sitemap))}
    items, _faults, _batches = read(partner, later[-1].checkpoint)
    assert paths(site) == ["/anunci/101"]
    assert [one.digest != other.digest for one, other in zip(items, first, strict=True)] == [True, False, False]


def test_pages_without_lastmod_are_asked_with_their_etag(site):
    shown = WEB.pages(site, LISTINGS)
    site.pages = shown | {
        path: lambda request, page=page: (304, {}, b"") if request.headers.get("If-None-Match") else (*page[:1], {**page[1], "ETag": '"1"'}, page[2])
        for path, page in shown.items()
        if path.startswith("/anunci/")
    }
    partner = partner_of(site, WEB)
    first, _faults, batches = read(partner)
    again, _faults, _batches = read(partner, batches[-1].checkpoint)
    assert again == first
    assert [headers.get("If-None-Match") for (_method, path), headers in zip(site.asked, site.headers, strict=True) if path.startswith("/anunci/")] == [
        None
    ] * 3 + ['"1"'] * 3


def test_page_that_fails_keeps_what_it_said_before(site):
    site.pages = WEB.pages(site, LISTINGS)
    partner = partner_of(site, WEB)
    first, _faults, batches = read(partner)
    site.pages["/anunci/102"] = (500, {}, b"")
    items, faults, later = read(partner, batches[-1].checkpoint)
    assert items == first
    assert [fault.code for fault in faults] == ["bad-record"]
    site.pages["/anunci/102"] = (410, {}, b"")
    items, _faults, _batches = read(partner, later[-1].checkpoint)
    assert len(items) == 2


def test_robots_are_heeded(site):
    site.pages = {**WEB.pages(site, LISTINGS), "/robots.txt": answer("text/plain", "User-agent: *\nDisallow: /anunci/102\n")}
    items, _faults, _batches = read(partner_of(site, WEB))
    assert [item.listing["name"] for item in items] == [LISTINGS[0]["title"], LISTINGS[2]["title"]]
    assert "/anunci/102" not in paths(site)


def test_forbidden_sitemap_is_an_error(site):
    site.pages = {**WEB.pages(site, LISTINGS), "/robots.txt": answer("text/plain", "User-agent: BusinessMarketplace\nDisallow: /\n")}
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, WEB))
    assert raised.value.code == "robots"
    assert paths(site) == []


def test_robots_in_trouble_allow_nothing(site):
    site.pages = {**WEB.pages(site, LISTINGS), "/robots.txt": (503, {}, b"")}
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, WEB))
    assert raised.value.code == "http-503"


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Disallow: /", "/a", False), ("Disallow:", "/a", True), ("Disallow: /a\nAllow: /a/b", "/a/b/c", True), ("Disallow: /a\nAllow: /a", "/a", True),
        ("Disallow: /*.pdf$", "/x/y.pdf", False), ("Disallow: /*.pdf$", "/x/y.pdf?z", True), ("Disallow: /*?*lang=", "/x?a=1&lang=es", False),
        ("Disallow: /%C3%A0", "/à", False), ("Disallow: /à", "/%C3%A0", False), ("# Disallow: /", "/", True), ("disallow: /A", "/a", True),
        ("Disallow: /" + "*a" * 2000 + "$", "/" + "a" * 2000 + "b", True),
    ],
)  # fmt: skip
def test_rules_of_robots(rules, path, allowed):
    assert robots.read(f"User-agent: *\n{rules}\n".encode()).allow(f"https://site.example.org{path}") is allowed


def test_own_group_goes_before_that_of_all():
    rules = robots.read(
        b"User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: businessmarketplace\nDisallow: /private\nSitemap: https://a.example.org/s.xml\n"
    )
    assert rules.allow("https://a.example.org/x")
    assert not rules.allow("https://a.example.org/private/x")
    assert rules.sitemaps == ("https://a.example.org/s.xml",)


def test_pages_of_other_hosts_and_other_paths_are_left_alone(site):
    sitemap = as_sitemap({f"{site.url}/anunci/101": "", "http://169.254.169.254/anunci/1": "", f"{site.url}/noticies/1": ""})
    site.pages = {**WEB.pages(site, LISTINGS), "/data": answer("text/xml", sitemap)}
    items, faults, _batches = read(partner_of(site, WEB, path="/anunci/"))
    assert (len(items), faults) == (1, [])
    assert [path for _method, path in site.asked if not path.startswith("/anunci/")] == ["/robots.txt", "/data"]


def test_packed_bomb_is_refused(site):
    site.pages = {"/data": answer("application/gzip", gzip.compress(b" " * (60 * 2**20), compresslevel=9))}
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, WEB))
    assert raised.value.code == "too_large"


def test_sitemaps_in_a_circle_end(site):
    index = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>{site.url}/data</loc></sitemap></sitemapindex>'
    site.pages = {"/data": answer("text/xml", index)}
    with pytest.raises(HarvestError):
        read(partner_of(site, WEB))
    assert len(site.asked) == 2


def test_broken_json_ld_is_a_fault_of_its_page(site):
    site.pages = {**WEB.pages(site, LISTINGS), "/anunci/102": answer("text/html", '<script type="application/ld+json">{"@type": "Offer",}</script>')}
    items, [fault], _batches = read(partner_of(site, WEB))
    assert len(items) == 2
    assert "/anunci/102" in fault.message


# --- What sites write -------------------------------------------------------------------------------------------------------


def facts(document, page="https://shop.example.org/p"):
    return schema_org.listings(document, page)


SHOP = {"@type": "Bakery", "@id": "#us", "name": "Forn Vell", "url": "https://forn.example.org", "address": {"addressLocality": "Manresa"}}


def test_organisation_that_offers_and_seeks():
    found = facts(
        {
            "@context": "https://schema.org",
            **SHOP,
            "makesOffer": [{"@type": "Offer", "itemOffered": {"@type": "Service", "name": "Càtering per a empreses"}}],
            "seeks": {"@type": "Demand", "name": "Farina de blat antic"},
        }
    )
    assert [(one["kind"], one["title"], one["company"], one["place"]) for one in found] == [
        ("offer", "Càtering per a empreses", "Forn Vell", "Manresa"), ("demand", "Farina de blat antic", "Forn Vell", "Manresa"),
    ]  # fmt: skip
    assert found[0]["category"] == "solution"


def test_graph_with_references():
    graph = [
        SHOP,
        {"@type": "Product", "@id": "#bread", "name": "Pa de pagès", "brand": {"@id": "#us"}, "offers": {"@type": "Offer", "price": 3}},
        {"@type": "WebPage"},
    ]
    [one] = facts({"@context": "https://schema.org", "@graph": graph})
    assert (one["id"], one["title"], one["company"], one["category"]) == ("https://shop.example.org/p#bread", "Pa de pagès", "Forn Vell", "product")


def test_list_of_items():
    items = [{"@type": "ListItem", "position": n, "item": {"@type": "Service", "name": f"Servei {n}", "provider": SHOP}} for n in range(3)]
    assert [one["title"] for one in facts({"@type": "ItemList", "itemListElement": items})] == ["Servei 0", "Servei 1", "Servei 2"]


def test_catalogue_within_an_organisation():
    catalogue = {"@type": "OfferCatalog", "itemListElement": [{"@type": "Offer", "itemOffered": {"@type": "Service", "name": "Reparació de motors"}}]}
    [one] = facts({**SHOP, "@type": ["Organization", "LocalBusiness"], "hasOfferCatalog": catalogue})
    assert (one["title"], one["company"]) == ("Reparació de motors", "Forn Vell")


@pytest.mark.parametrize(
    "document",
    [None, 3, "x", [], {}, [[[[]]]], {"@type": 3}, {"@type": ["Offer", None]}, {"@graph": {"@graph": {}}}, {"@type": "Offer", "name": {"@value": ["a", {"@value": None}]}},
     {"@type": "Offer", "@id": ["a"], "offeredBy": [[]], "areaServed": 7, "category": [None]}, {"@type": "Offer", "@id": "http://[", "url": "http://["}],
)  # fmt: skip
def test_strange_documents_harm_nothing(document):
    assert isinstance(facts(document), list)


def test_nodes_that_hold_each_other_end():
    one = {"@id": "a", "@type": "Organization", "makesOffer": {"@id": "b"}}
    two = {"@id": "b", "@type": "Offer", "name": "Una cosa", "offeredBy": {"@id": "a"}, "itemOffered": {"@id": "b"}}
    assert len(facts({"@graph": [one, two]})) == 1


def test_deep_and_wide_documents_end():
    deep = {"@type": "Offer", "name": "x"}
    for _ in range(200):
        deep = {"@graph": [deep]}
    assert facts(deep) == []
    assert len(facts({"@graph": [{"@type": "Offer", "name": str(number)} for number in range(5000)]})) == schema_org.MAX_LISTINGS


def test_blocks_are_found_as_browsers_find_them():
    document = (
        '<SCRIPT TYPE=" application/ld+json; charset=utf-8">\n{"a": "b\tc"}</SCRIPT><script type="application/ld+json"></script><script>{"c": 1}</script>'
    )
    assert [(document, bool(fault)) for document, fault in schema_org.blocks(document)] == [({"a": "b\tc"}, False), (None, True)]
    assert json.dumps(document)


def test_site_that_is_down_is_no_fault_of_its_pages(site):
    many = [{**LISTINGS[0], "id": str(number)} for number in range(20)]
    site.pages = {path: page if path == "/data" else (500, {}, b"") for path, page in WEB.pages(site, many).items()}
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, WEB))
    assert raised.value.code == "http-500"
    assert len(paths(site)) == 5


@pytest.mark.parametrize("page", ["<script>" * 250_000, '<script type="application/ld+json">' * 50_000, "<!--" * 400_000, "<script " * 250_000])
def test_page_without_end_costs_no_time(page):
    """Python's own parser of HTML takes minutes for two megabytes of opened comments."""
    begun = time.process_time()
    assert list(schema_org.blocks(page)) == []
    assert time.process_time() - begun < 3


def test_block_in_a_comment_is_none():
    assert list(schema_org.blocks('<!-- <script type="application/ld+json">{"old": 1}</script> --><script type=application/ld+json>{"a": 1}</script>')) == [
        ({"a": 1}, "")
    ]


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("à".encode(), ""),
        ("à".encode("latin-1"), ""),
        ("à".encode("latin-1"), "iso-8859-1"),
        ("à".encode("utf-16"), "utf-16"),
        ("à".encode(), "no-such-one"),
        (b'<meta charset="iso-8859-1">\xe0', ""),
    ],
)
def test_encoding_of_pages(content, charset):
    assert schema_org.decoded(content, charset).endswith("à")


def test_what_a_checkpoint_cannot_keep_spoils_no_visit(site):
    """PostgreSQL takes neither a NUL nor half a character in JSON: kept as they came, one page would end the visit at every try."""
    odd = json.dumps({"@type": "Offer", "name": "Peces A\0B \ud800 de plàstic", "description": "Motlles\0 i peces."})
    site.pages = {**WEB.pages(site, LISTINGS), "/anunci/102": answer("text/html", f'<script type="application/ld+json">{odd}</script>'.encode())}
    _items, _faults, batches = read(partner_of(site, WEB))
    kept = json.dumps(batches[-1].checkpoint)
    naive = json.dumps([record.cells for record in web_pages.records(Answer("https://a.example", 200, {}, site.pages["/anunci/102"][2]), "https://a.example")])
    assert ("\\u0000" in naive, "\\ud800" in naive) == (True, True)
    assert ("\\u0000" in kept, "\\ud800" in kept) == (False, False)
    assert "Peces A" in kept

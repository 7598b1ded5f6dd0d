"""Tables, feeds and what facts become: addresses, halves of a row, words, texts, dates, persons' data."""

import datetime
import time

import pytest
from bs4 import BeautifulSoup

from marketplace.federation.items import HarvestError
from marketplace.federation.models import Partner
from marketplace.federation.readers.facts import Maker, RecordError, plain
from tests.websites import serve

from .sources import LISTINGS, SOURCES, Source, answer, as_csv, partner_of, read

CSV = SOURCES[0]


@pytest.fixture
def maker():
    return lambda **options: Maker(Partner(name="Cambra de Comerç", base_url="https://cambra.example.org/"), options)


def one(maker, **facts):
    [item] = maker.items({"kind": "offer", "title": "Peces de plàstic a mida", **facts})
    return item


# --- Addresses ------------------------------------------------------------------------------------------------------------


def test_address_is_made_from_the_identifier(maker):
    assert one(maker(), id="12 à/b").uri == "https://cambra.example.org/#listing-12%20%C3%A0%2Fb"


def test_address_of_the_partner_stands_as_it_is(maker):
    assert one(maker(), id="https://cambra.example.org/anuncis/7?x=à").uri == "https://cambra.example.org/anuncis/7?x=%C3%A0"


@pytest.mark.parametrize(
    "identifier",
    [
        "https://other.example.org/id/listing/1",
        "https://cambra.example.org.evil.example/1",
        "https://cambra.example.org@evil.example/1",
        "//evil.example/1",
        "javascript:alert(1)",
        "tag:evil.example,2026:1",
    ],
)
def test_address_of_somebody_else_is_never_claimed(maker, identifier):
    assert one(maker(), id=identifier).uri.startswith("https://cambra.example.org/#listing-")


def test_address_without_identifier_stays_when_the_text_changes(maker):
    first, second = (one(maker(), description=text, company="Taller, SL") for text in ("Fem peces petites i grans.", "Ara també fem motlles."))
    assert first.uri == second.uri
    assert first.digest != second.digest
    assert one(maker(), company="Un altre taller, SL").uri != first.uri


def test_long_identifier_gives_an_address_that_fits(maker):
    assert len(one(maker(), id="x" * 5000).uri) < 500


def test_same_identifier_with_another_text_is_a_fault(site):
    twice = [LISTINGS[0], {**LISTINGS[1], "id": "101"}, LISTINGS[0]]
    site.pages = CSV.pages(site, twice)
    items, [fault], _batches = read(partner_of(site, CSV))
    assert (len(items), fault.code) == (1, "twice")
    assert "2" in fault.message


# --- What a row holds -------------------------------------------------------------------------------------------------------


def test_row_of_what_is_offered_and_needed_is_two_listings(maker):
    items = list(maker().items({"id": "5", "company": "Taller, SL", "offer": "Fem peces de xapa.", "demand": "Busquem un proveïdor d'acer."}))
    assert [(item.listing["@type"], item.uri.rpartition("-")[2]) for item in items] == [("Offer", "offer"), ("Demand", "demand")]


def test_tick_says_the_side(maker):
    [item] = maker().items({"title": "Nau de 300 metres quadrats", "demand": "x", "offer": ""})
    assert item.listing["@type"] == "Demand"


def test_values_and_defaults(maker):
    made = maker(values={"kind": {"Es busca": "demand"}, "sector": {"Grup 3": "2229"}}, defaults={"category": "product", "place": "Terrassa"}, kind="offer")
    listing = one(made, kind="ES BUSCA", sector="grup 3").listing
    assert (listing["@type"], listing["category"]["codeValue"], listing["mp:kindOfThing"], listing["mp:place"]["identifier"]) == (
        "Demand",
        "2229",
        "product",
        "082798",
    )


def test_word_that_nobody_knows_is_passed_on(maker):
    listing = one(maker(), kind="Wunsch", sector="Grup 3", place="Arreu", category="Talent").listing
    assert (listing["@type"], listing["mp:kind"], listing["category"], listing["mp:place"], listing["mp:kindOfThing"]) == (
        "mp:Listing", "Wunsch", {"@type": "CategoryCode", "name": "Grup 3"}, {"@type": "City", "name": "Arreu"}, "Talent",
    )  # fmt: skip


def test_without_a_kind_it_is_a_fault(maker):
    with pytest.raises(RecordError) as raised:
        list(maker().items({"title": "Peces de plàstic a mida"}))
    assert raised.value.code == "no-kind"


def test_without_a_company_the_partner_speaks(maker):
    assert one(maker()).listing["offeredBy"]["name"] == "Cambra de Comerç"


@pytest.mark.parametrize("number", ["12345678Z", "X1234567L", "y1234567x", "K1234567D", "B12345678", "nonsense"])
def test_identity_of_persons_and_wrong_ones_are_left_out(maker, number):
    listing = one(maker(), company="Anna Puig", tax_id=number).listing
    assert "identifier" not in listing["offeredBy"]
    assert number.upper() not in str(listing).upper()


def test_page_elsewhere_is_left_out(maker):
    assert "url" not in one(maker(), url="https://evil.example/x").listing
    assert one(maker(), url="/anunci/5").listing["url"] == "https://cambra.example.org/anunci/5"


# --- Texts and dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Un</p><p>Dos &amp; tres</p>", "Un\n\nDos & tres"), ("a<br>b<br/>c", "a\nb\nc"), ("<script>alert(1)</script>Hola <b>món</b>", "Hola món"), ("1 < 2 i 3 > 2", "1 < 2 i 3 > 2"),
        ("x\0y\ud800z", "xy?z"), ("  a   b \n\n\n\n c ", "a b\n\nc"), ("<img src=x onerror=alert(1)>", ""), ("R&D, I+D", "R&D, I+D"),
    ],
)  # fmt: skip
def test_texts_are_plain(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2999-05-06", "2200-01-01"), ("6/5/2099", "2099-05-06"), ("2099-05-06T23:30:00Z", "2099-05-07"), ("2099-05-06T01:00:00+14:00", "2099-05-05"),
        ("Wed, 06 May 2099 10:00:00 GMT", "2099-05-06"), ("9999-12-31T23:59:59-12:00", None), ("0001-01-01T00:00:00+14:00", None), ("demà", None), ("31/02/2099", None),
        ("99999999999999999999", None),
    ],
)  # fmt: skip
def test_dates_of_every_spelling(maker, said, day):
    if day is None:
        with pytest.raises(RecordError):
            one(maker(), valid_until=said)
    else:
        assert one(maker(), valid_until=said).listing["validThrough"] == day


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x", "1" * 400, "Mon, 99 Foo 2099"])
def test_odd_time_of_change_is_left_out(maker, said):
    assert one(maker(), updated=said).updated_at is None


@pytest.mark.parametrize(
    "text",
    [
        "<p>" * 100_000,
        "<a href='" * 50_000,
        "http://x.example/?a=1&amp;b=2",
        "https://x.example/page",
        "x.txt",
        "&" * 100_000,
        "\ud800" * 40,
        "\0" * 40,
        "<" * 5000,
        "&#99999999999;" * 20,
        "𝕏" * 9000,
        "a" * 200_000,
    ],
)
def test_odd_texts_harm_nothing(maker, text):
    try:
        items = list(
            maker().items(
                dict.fromkeys(("id", "title", "description", "sector", "place", "company", "keywords", "reach_km", "remote", "language", "url", "web"), text)
                | {"kind": "offer"}
            )
        )
    except RecordError:
        return
    assert all(len(item.listing["name"]) <= 120 and len(item.listing["description"]) <= 6000 for item in items)


# --- Feeds ------------------------------------------------------------------------------------------------------------------


ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ca"><title>x</title>{next}{entries}</feed>"""
ENTRY = """<entry><id>urn:uuid:{n}</id><title>Oferta número {n}</title><updated>2026-02-01T00:00:00Z</updated><summary>Curt.</summary>
<content type="html">&lt;p&gt;Text llarg de l'oferta número {n}.&lt;/p&gt;</content><link href="{url}/o/{n}"/><category term="Metall"/><author><name>Taller {n}, SL</name><email>a@b.example</email></author></entry>"""


def atom(site, numbers, following=""):
    return answer("application/atom+xml", ATOM.format(next=following, entries="".join(ENTRY.format(n=n, url=site.url) for n in numbers)))


FEED = Source("atom", "feed", {"url": "/data", "kind": "offer"}, lambda *_: {})


def test_atom_with_the_usual_meaning(site):
    site.pages = {"/data": atom(site, [1, 2])}
    items, faults, batches = read(partner_of(site, FEED))
    assert (len(items), faults, batches[-1].is_snapshot) == (2, [], True)
    listing = items[0].listing
    assert (listing["name"], listing["description"], listing["url"], listing["keywords"], listing["inLanguage"]) == (
        "Oferta número 1", "Text llarg de l'oferta número 1.", f"{site.url}/o/1", ["Metall"], "ca",
    )  # fmt: skip
    assert listing["offeredBy"]["name"] == "Taller 1, SL"
    assert "a@b.example" not in str(listing)
    assert items[0].updated_at == datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC)


def test_feed_of_the_newest_only_takes_nothing_away(site):
    site.pages = {"/data": atom(site, [1])}
    _items, _faults, batches = read(partner_of(site, FEED, complete=False))
    assert [batch.is_snapshot for batch in batches] == [False]


def test_feed_in_pages(site):
    site.pages = {"/data": atom(site, [1, 2], '<link rel="next" href="/more"/>'), "/more": atom(site, [3])}
    items, _faults, batches = read(partner_of(site, FEED))
    assert len(items) == 3
    assert len(read(partner_of(site, FEED), batches[-1].checkpoint)[0]) == 3  # The first page being the same says nothing of the others.


def test_feed_never_fetches_by_itself(site):
    with serve({}) as other:
        body = f'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "{other.url}/x.dtd"><?xml-stylesheet href="{other.url}/s.xsl"?>' + ATOM.format(
            next=f'<link rel="hub" href="{other.url}"/>', entries=ENTRY.format(n=1, url=site.url)
        ).removeprefix('<?xml version="1.0"?>')
        site.pages = {"/data": answer("application/xml", body)}
        read(partner_of(site, FEED))
        assert other.connections == 0


def test_broken_feed_gives_what_can_be_read(site):
    site.pages = {"/data": answer("application/rss+xml", b"<rss version='2.0'><channel><item><title>Tornejat de peces & eixos</title><guid>1</guid></item>")}
    [item], _faults, _batches = read(partner_of(site, FEED))
    assert item.listing["name"] == "Tornejat de peces & eixos"


# --- Tables -----------------------------------------------------------------------------------------------------------------


def test_rows_of_a_wrong_width_are_faults(site):
    body = as_csv(LISTINGS).decode().replace("plàstic; motlles", "plàstic; motlles,a,b,c")
    site.pages = {"/data": answer("text/csv", body)}
    items, [fault], _batches = read(partner_of(site, CSV))
    assert len(items) == 2
    assert fault.message.startswith("fila 2") or "2" in fault.message.partition(":")[0]


def test_old_excel_file_is_said(site):
    site.pages = {"/data": answer("application/vnd.ms-excel", b"\xd0\xcf\x11\xe0" + b"\0" * 500)}
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, CSV))
    assert ".xls" in raised.value.message


def test_table_without_a_column_for_the_text_is_said(site):
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, CSV, columns={"Codi": "id"}))
    assert raised.value.code == "no-columns"
    assert site.asked == []


@pytest.mark.parametrize(
    "options", [{}, {"url": ""}, {"url": 5}, {"url": None, "columns": []}, {"url": "http://x", "columns": "x"}, {"url": "::", "columns": {"a": "title"}}]
)
@pytest.mark.parametrize("reader", ["table", "feed", "json"])
def test_strange_options_are_errors(site, reader, options):
    with pytest.raises(HarvestError):
        read(Partner(name="x", base_url=site.url, reader=reader, reader_options=options))


@pytest.mark.parametrize("text", ["<p>" * 20_000, "<!--" * 15_000, "<script>" * 7000, "<a " * 20_000, "<" * 60_000, "&lt;" * 15_000, "<!---->" * 8000])
def test_mark_up_without_end_costs_no_time(text):
    """The naive way, a parser of HTML, takes half a minute for the first of them."""
    begun = time.process_time()
    plain(text)
    assert time.process_time() - begun < 0.5


def test_naive_mark_up_reading_takes_ever_longer():
    text = "<p>" * 4000

    def naive():
        soup = BeautifulSoup(text, "html.parser")
        for node in soup("p"):
            node.insert_before("\n")
            node.append("\n")
        soup.get_text()

    assert seconds(naive) > 20 * seconds(lambda: plain(text))


def seconds(work):
    begun = time.process_time()
    work()
    return time.process_time() - begun

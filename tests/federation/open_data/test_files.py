"""The downloads: what is in them, what is not, and that they are made once for each state."""

import csv
import gzip
import io
import json
import os
import re
import threading
import time
import tracemalloc
import uuid

import pytest
from django.db import transaction
from django.utils import timezone
from rdflib import RDF, Graph, URIRef

from marketplace.core import changelog
from marketplace.federation import personal
from marketplace.federation.models import FeedEntry
from marketplace.federation.open_data import contents, files
from marketplace.listings import operations
from marketplace.listings.enums import Origin
from tests.factories import CompanyFactory, ListingFactory
from tests.federation import feeding

# rdflib's own reader of JSON-LD uses what rdflib deprecates.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")]

CSV, JSON_LD = "/open-data/listings.csv", "/open-data/listings.jsonld"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.OPEN_DATA_PATH = tmp_path


def live(**fields):
    listing = ListingFactory(live=True, **fields)
    touch(listing)
    return listing


def touch(*listings):
    with transaction.atomic():
        changelog.append_many("listing", [listing.uid for listing in listings])
    feeding.follow()


def rows(client) -> list[dict[str, str]]:
    text = client.get(CSV).getvalue()
    assert text.startswith(b"\xef\xbb\xbf"), "Excel would show no accents"
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def graph(client) -> list[dict]:
    return json.loads(client.get(JSON_LD).getvalue())["@graph"]


def test_downloads_hold_what_is_public_here_and_nothing_else(client):
    offer, demand = live(), live(demand=True)
    live(origin=Origin.PARTNER, source_uri="https://other.example.org/id/listing/1")
    touch(ListingFactory())
    uris = {f"http://testserver/id/listing/{listing.uid}" for listing in (offer, demand)}
    assert {row["uri"] for row in rows(client)} == {told["@id"] for told in graph(client)} == uris
    assert {row["kind"] for row in rows(client)} == {"offer", "demand"}
    operations.erase([offer], by=None)
    feeding.follow()
    assert [row["kind"] for row in rows(client)] == ["demand"]
    assert [told["@type"] for told in graph(client)] == ["Demand"]


def test_row_tells_what_the_listing_tells(client):
    listing = live(reach_km=25, keywords="visera, PET", company__name="Plàstics Egara, SL")
    (row,) = rows(client)
    assert list(row) == contents.COLUMNS
    assert row | {} == row | {
        "page": f"http://testserver{listing.get_absolute_url()}", "kind_of_thing": "product", "title": listing.title, "description": listing.description,
        "keywords": "visera, PET", "language": "ca", "sector_code": "2229", "place_code": "082798", "place": "Terrassa", "reach_km": "25", "remote": "no",
        "valid_until": listing.valid_until.isoformat(), "company_name": "Plàstics Egara, SL", "company_nif": listing.company.tax_id, "company_place": "Terrassa",
    }  # fmt: skip


@pytest.mark.parametrize("tax_id", ["12345678Z", "X1234567L", None])
def test_self_employed_people_have_no_name(client, tax_id):
    company = CompanyFactory(tax_id=tax_id, name="Montserrat Puig", description="Sóc la Montserrat", web="https://montserrat.example")
    live(company=company)
    (row,) = rows(client)
    assert (row["company_name"], row["company_uri"], row["company_nif"], row["company_size"]) == ("", "", "", "small")
    for address in (CSV, JSON_LD):
        told = client.get(address).getvalue().decode().lower()
        assert "montserrat" not in told
        assert str(company.uid) not in told


@pytest.mark.parametrize(
    "contact", ["maria.puig@firm.example", "612 345 678", "937361234", "(937) 36.12.34", "+34 612-345-678", "+376 812 345", "0034937361234"]
)
def test_contact_data_in_texts_are_taken_out(client, contact):
    live(title=f"Peces i motlles {contact}", description=f"Fabriquem peces de plàstic. Escriu a {contact} i et diem el preu.", keywords=f"peces, {contact}")
    assert contact not in client.get(CSV).getvalue().decode()
    assert contact not in client.get(JSON_LD).getvalue().decode()
    assert personal.TAKEN_OUT in rows(client)[0]["description"]


@pytest.mark.parametrize(
    "text",
    [
        "De 1.000.000 a 2.500.000 peces",
        "ISO 9001:2015 i UNE-EN 13501-1",
        "Des de 1998, 25 m2",
        "Lot 600000000001",
        "NACE 2229, 6201",
        "1.931.234.567 peces",
        "https://a.example/item/612345678",
    ],
)
def test_other_numbers_stay(text):
    assert personal.without_contact(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [("Tel.937361234", "Tel.[…]"), ("T.93.736.12.34, Terrassa", "T.[…], Terrassa"), ("937361234/612345678", "[…]/[…]"), ("tel:937361234.", "tel:[…].")],
)
def test_phone_numbers_as_people_write_them(text, left):
    """A naive reader, for which no point or stroke may stand beside a number, leaves the most usual of them."""
    naive = re.compile(r"(?<![\w.,/])\(?[6-9]\d(?:[ .()-]{0,2}\d){7}(?![\w/]|[.,]\d)")
    assert personal.without_contact(text) == left
    assert text.startswith("tel:") or naive.sub("[…]", text) == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(client, start):
    live(title=f"{start}HYPERLINK(x)!", keywords=f"{start}1")
    (row,) = rows(client)
    assert row["title"] == f"'{start}HYPERLINK(x)!"
    assert row["keywords"] == f"'{start}1"
    assert graph(client)[0]["name"] == f"{start}HYPERLINK(x)!", "only spreadsheets run formulas"


def test_json_ld_is_a_graph_that_needs_nothing_from_elsewhere(client):
    listing = live(demand=True, reach_km=10)
    live(reach_km=None)
    told = Graph().parse(data=client.get(JSON_LD).getvalue(), format="json-ld")
    node, schema = URIRef(f"http://testserver/id/listing/{listing.uid}"), "https://schema.org/"
    assert set(told.subjects(RDF.type, URIRef(f"{schema}Demand"))) == {node}
    assert str(told.value(node, URIRef(f"{schema}name"))) == listing.title
    company = URIRef(f"http://testserver/id/company/{listing.company.uid}")
    from marketplace.federation.jsonld import VOCABULARY  # noqa: PLC0415 - beside what it is compared with

    assert told.value(node, URIRef(f"{VOCABULARY}soughtBy")) == company
    assert told.value(node, URIRef(f"{VOCABULARY}reachKm")).toPython() == 10
    assert told.value(company, RDF.type) == URIRef(f"{schema}Organization")


def test_empty_downloads_are_whole(client):
    assert rows(client) == []
    assert graph(client) == []


def test_download_is_made_once_for_each_state(client, monkeypatch, django_assert_max_num_queries):
    live()
    made = []
    monkeypatch.setattr(files, "_write", lambda form, file, write=files._write: (made.append(form.ending), write(form, file)))
    first = client.get(CSV)
    content = first.getvalue()
    with django_assert_max_num_queries(5):
        again = client.get(CSV)
    assert (made, again.getvalue()) == (["csv"], content)
    assert first["Access-Control-Allow-Origin"] == "*"
    assert client.get(CSV, headers={"If-None-Match": first["ETag"]}).status_code == 304
    live()
    assert client.get(CSV, headers={"If-None-Match": first["ETag"]}).getvalue() != content
    assert made == ["csv", "csv"]
    assert len(list(files._folder().glob("*.csv"))) == 1, "the old one is gone"


def test_download_takes_gzip(client):
    live()
    packed = client.get(CSV, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.getvalue()) == client.get(CSV).getvalue()


def test_one_process_writes_and_others_serve_the_file_of_before(client, monkeypatch):
    live()
    before = files.current(files.CSV)
    live()
    goes_on, is_writing, answers = threading.Event(), threading.Event(), []

    def slow(form, file, write=files._write):
        is_writing.set()
        goes_on.wait(10)
        file.plain.write_bytes(b"")
        file.packed.write_bytes(b"")

    monkeypatch.setattr(files, "_write", slow)
    # The thread has the state told, so that it needs no database.
    version, folder = files._version(), files._folder()
    monkeypatch.setattr(files, "_version", lambda: version)
    monkeypatch.setattr(files, "_folder", lambda: folder)
    writer = threading.Thread(target=lambda: answers.append(files.current(files.CSV)))
    writer.start()
    is_writing.wait(10)
    assert files.current(files.CSV) == before
    goes_on.set()
    writer.join()
    assert answers[0].version != before.version


def test_writing_five_times_as_much_takes_no_more_memory():
    text = live() and FeedEntry.objects.get().text

    def fill(number):
        made = (FeedEntry(uid=uuid.uuid4(), uri="x", op="upsert", version=1, updated_at=timezone.now(), text=text) for _ in range(number))
        FeedEntry.objects.bulk_create(made, batch_size=1000)

    def peak():
        tracemalloc.start()
        for _part in files.csv_parts(FeedEntry.objects.texts(files.CHUNK)):
            pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    fill(1000)
    peak()
    small = peak()
    fill(4000)
    assert peak() < 1.25 * small


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_that_is_tidied_away_before_it_is_opened_is_no_error(client, monkeypatch, is_packed):
    """Another process has written a newer one between the two. A naive view opens what it was told a moment ago."""
    live()
    real, asked = files.current, []

    def current(form):
        file = real(form)
        asked.append(file)
        if len(asked) == 1:
            touch(live())
            files._tidy(form, real(form))
        return file

    monkeypatch.setattr(files, "current", current)
    response = client.get(CSV, headers={"Accept-Encoding": "gzip" if is_packed else ""})
    content = response.getvalue()
    assert (response.status_code, len(asked)) == (200, 2)
    assert (gzip.decompress(content) if is_packed else content).count(b"\r\n") == 3
    naive = asked[0].packed if is_packed else asked[0].plain
    with pytest.raises(FileNotFoundError):
        naive.open("rb")


def test_half_a_file_is_written_anew(client):
    live()
    assert len(rows(client)) == 1
    files.current(files.CSV).plain.unlink()
    assert len(rows(client)) == 1


# --- Who writes them ----------------------------------------------------------------------------------------------------


def test_nobody_waits_for_files_where_a_worker_looks_after_them(client, monkeypatch):
    """Naively the first visitor after a change waits until all of it is written."""
    live(title="The first listing")
    assert (files.run_once(), files.run_once()) == (2, 0)
    live(title="The second listing")
    written = []
    monkeypatch.setattr(files, "_write", lambda *arguments: written.append(arguments))
    assert [row["title"] for row in rows(client)] == ["The first listing"]
    assert written == []
    files._made(files.CSV)
    assert [form for form, _file in written] == [files.CSV], "the naive way writes"


def test_worker_writes_what_is_old_now_and_then(client):
    live(title="The first listing")
    files.run_once()
    live(title="The second listing")
    older(files.LOOK_SECONDS + 1)
    assert files.run_once() == 0, "not again within some minutes: a market is busy all day"
    older(files.PAUSE_SECONDS + 1)
    assert files.run_once() == 2
    assert {row["title"] for row in rows(client)} == {"The first listing", "The second listing"}
    older(files.PAUSE_SECONDS + 1)
    assert files.run_once() == 0, "nothing has changed"


def test_without_a_worker_for_the_folder_who_asks_writes(client):
    live(title="The first listing")
    files.run_once()
    live(title="The second listing")
    older(files.FORGOTTEN_SECONDS + 1)
    assert len(rows(client)) == 2


def older(seconds):
    for path in files._folder().iterdir():
        then = time.time() - seconds
        os.utime(path, (then, then))

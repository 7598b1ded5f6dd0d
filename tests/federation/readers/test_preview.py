"""What somebody sees while they describe a source, and the forms that ask for the description."""

import json

import pytest

from marketplace.federation.fetching import fetcher
from marketplace.federation.models import Partner
from marketplace.federation.readers import proposing
from marketplace.federation.readers.forms import form_for
from marketplace.federation.readers.preview import preview
from marketplace.federation.readers.reading import Record

from .sources import COLUMNS, LISTINGS, SOURCES, answer, as_csv, partner_of, read

NAMED = {source.name: source for source in SOURCES}


def look(site, source, **options):
    partner = partner_of(site, source, **options)
    return preview(partner, partner.reader_options, fetch=fetcher(partner))


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "web"])
def test_source_without_description_is_proposed_whole(site, name):
    """Somebody types an address and nothing else: what comes is what a careful person would have described."""
    source = NAMED[name]
    site.pages = source.pages(site, LISTINGS)
    expected, _faults, _batches = read(partner_of(site, source))
    found = look(site, source, columns={}, fields={}, items="")
    assert found.error == ""
    assert [(item.uri, item.digest) for item in found.items] == [(item.uri, item.digest) for item in expected]
    assert found.faults == []
    assert found.records == 3


def test_options_of_the_preview_are_those_to_be_saved(site):
    site.pages = NAMED["json"].pages(site, LISTINGS)
    found = look(site, NAMED["json"], fields={}, items="")
    assert found.options["items"] == "dades.anuncis"
    partner = partner_of(site, NAMED["json"])
    partner.reader_options = found.options
    assert len(read(partner)[0]) == 3


def test_columns_and_texts_are_shown(site):
    site.pages = NAMED["csv"].pages(site, LISTINGS)
    found = look(site, NAMED["csv"])
    assert found.columns == list(COLUMNS)
    assert found.texts_of("Municipi") == ["Terrassa", "Sabadell", "Rubí"]
    assert found.sample[0]["Codi"] == "101"


def test_faults_are_shown(site):
    site.pages = NAMED["csv"].pages(site, [LISTINGS[0], {**LISTINGS[1], "until": "mai"}])
    found = look(site, NAMED["csv"])
    assert (len(found.items), len(found.faults)) == (1, 1)


@pytest.mark.parametrize("name", ["csv", "rss", "json", "web"])
def test_source_that_does_not_answer_is_an_error_in_words(site, name):
    found = look(site, NAMED[name])
    assert "404" in found.error or "sitemap" in found.error.lower()
    assert (found.items, found.columns) == ([], [])


def test_contact_data_is_proposed_for_nothing():
    cells = {"Títol": "Peces de plàstic", "Persona de contacte": "Anna Puig", "Correu electrònic": "anna@firm.example", "Telèfon": "600000000"}
    proposal = proposing.propose([Record("row 2", cells)])
    assert proposal == {"Títol": "title", "Persona de contacte": "", "Correu electrònic": "", "Telèfon": ""}


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("dades.dataPublicacio", "data publicacio"), ("empresa.nom", "empresa"), ("location.name", "location"), ("Títol de l'anunci", "titol de l anunci"), ("validUntil", "valid until"), ("@type", "type"),
        ("tags[].label", "tags"), ("codi_postal", "codi postal"), ("", ""), ("NIFEmpresa", "nif empresa"),
    ],
)  # fmt: skip
def test_names_of_columns_are_read_as_words(column, words):
    assert proposing.readable(column) == words


ES_EN = [
    ({"Identificador": "1", "Título": "Piezas", "Descripción": "Hacemos piezas", "Empresa": "A, SL", "Población": "Terrassa", "Sector de actividad": "2229", "Enlace": "https://a.example/1", "Fecha de actualización": "2026-01-01"},
     {"Identificador": "id", "Título": "title", "Descripción": "description", "Empresa": "company", "Población": "place", "Sector de actividad": "sector", "Enlace": "url", "Fecha de actualización": "updated"}),
    ({"guid": "1", "headline": "Parts", "body": "We make parts", "company": "A Ltd", "city": "Terrassa", "industry": "2229", "link": "https://a.example/1", "modified": "2026-01-01", "tags": "a; b"},
     {"guid": "id", "headline": "title", "body": "description", "company": "company", "city": "place", "industry": "sector", "link": "url", "modified": "updated", "tags": "keywords"}),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), ES_EN, ids=["es", "en"])
def test_names_in_spanish_and_english_are_recognised(cells, expected):
    assert proposing.propose([Record("row 2", cells)]) == expected


# --- Forms ----------------------------------------------------------------------------------------------------------------


def test_table_form_asks_for_each_column(site):
    site.pages = NAMED["csv"].pages(site, LISTINGS)
    found = look(site, NAMED["csv"], columns={})
    form = form_for("table")(columns=found.columns, proposal=found.proposal)
    data = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()} | {"url": f"{site.url}/data"}
    sent = form_for("table")(data, columns=found.columns, proposal=found.proposal)
    assert sent.is_valid(), sent.errors
    assert sent.options == {"url": f"{site.url}/data", "columns": COLUMNS}


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_stored_options_come_back_the_same(site, source):
    more = {"kind": "offer", "defaults": {"place": "Terrassa"}, "values": {"kind": {"Es busca: ara = ja": "demand"}}}
    options = partner_of(site, source, **more).reader_options
    form = form_for(source.reader)(options=options)
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent = form_for(source.reader)({name: value for name, value in data.items() if value not in (None, "", False)}, options=options)
    assert sent.is_valid(), sent.errors
    kept = {**sent.options, "complete": True} if source.reader == "feed" else sent.options
    partner = Partner(name="Cambra", base_url=site.url, reader=source.reader, reader_options=kept)
    site.pages = source.pages(site, LISTINGS)
    assert [item.digest for item in read(partner)[0]] == [item.digest for item in read(partner_of(site, source, **more))[0]]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("table", {"url": "ftp://x"}), ("table", {}), ("json", {"url": "https://a.example", "path-title": "a..b"}), ("json", {"url": "https://a.example", "path-title": "a", "paging": "cursor"}),
        ("json", {"url": "https://a.example", "size": "99999999999999999999"}), ("web", {"sitemap": "not an address"}), ("feed", {"url": "https://a.example", "values": "kind Es busca"}),
        ("feed", {"url": "https://a.example", "values": "title: a = b"}), ("table", {"url": "https://a.example", "defaults": "title = x"}), ("table", {"url": "https://a.example", "defaults": "place"}),
    ],
)  # fmt: skip
def test_wrong_descriptions_are_refused(name, data):
    form = form_for(name)(data)
    assert not form.is_valid()
    assert json.dumps(form.errors.get_json_data())


def test_protocol_has_no_form():
    assert form_for("protocol") is None
    assert form_for("none") is None


def test_preview_reads_little_of_much(site):
    many = [{**LISTINGS[0], "id": str(number)} for number in range(3000)]
    site.pages = {"/data": answer("text/csv", as_csv(many))}
    found = look(site, NAMED["csv"])
    assert (len(found.items), found.records) == (50, 3000)

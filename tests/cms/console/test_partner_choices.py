"""What we take and give, how a partner is read, what its words mean: chosen in the console, counted and looked at before anything is written."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.federation import export, mapping, operations
from marketplace.federation.enums import MappingState
from marketplace.federation.models import Mapping, RemoteListing
from tests.cms.console.partnering import came, connected, item
from tests.factories import RUBI, TERRASSA, UserFactory
from tests.synergies.conftest import publish
from tests.websites import serve


@pytest.fixture
def partner(curator):
    return connected(by=curator)


def at(partner, name):
    return reverse(f"console_partner_{name}", args=[partner.uid])


# --- What we take and give ------------------------------------------------------------------------------------------------


def test_sectors_are_ticked_or_typed_and_what_lies_below_another_is_left_out(console, partner):
    typed = {
        "take_sectors": ["C", "22"],
        "take_sectors_codes": "62.01, 6202",
        "take_kinds": ["offer"],
        "take_places": "Terrassa, Rubí\nsabadell",
        "seen": partner.version,
    }
    assert console.post(at(partner, "takes"), typed).status_code == 302
    partner.refresh_from_db()
    assert partner.take_kinds == ["offer"]
    assert set(partner.take_sectors.values_list("pk", flat=True)) == {"C", "6201", "6202"}
    assert set(partner.take_places.values_list("name", flat=True)) == {"Terrassa", "Rubí", "Sabadell"}
    page = console.get(at(partner, "takes")).content.decode()
    assert 'value="C" checked' in page
    assert "6201, 6202" in page
    console.post(at(partner, "takes"), {"seen": partner.version})
    partner.refresh_from_db()
    assert (partner.take_kinds, partner.take_sectors.count(), partner.take_places.count()) == ([], 0, 0)


@pytest.mark.parametrize(
    ("typed", "field", "kept"),
    [
        ({"take_sectors": ["ZZ"]}, "take_sectors", 'value="ZZ"'),
        ({"take_sectors_codes": "62.01 9999"}, "take_sectors", "6201, 9999"),
        ({"take_places": "Terrasa, Atlantis"}, "take_places", "Terrasa, Atlantis"),
        ({"take_kinds": ["gift"]}, "take_kinds", ""),
        ({"take_sectors_codes": "9" * 10_000}, "take_sectors", "9" * 10_000),
    ],
)
def test_what_is_no_sector_or_place_gets_a_word_and_stays(console, partner, typed, field, kept):
    page = console.post(at(partner, "takes"), typed | {"seen": partner.version})
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    assert kept in page.content.decode()


def test_what_we_take_is_counted_before_it_is_saved(console, partner):
    metal = {"category": {"@type": "CategoryCode", "inCodeSet": "NACE Rev. 2", "codeValue": "2512", "name": "Metall"}}
    came(partner, item(partner, 1), item(partner, 2), item(partner, 3, **metal))
    assert "3" in console.get(at(partner, "takes")).context["said"]
    page = console.post(at(partner, "takes"), {"take_sectors": ["22"], "step": "count", "seen": partner.version})
    assert "2" in page.context["said"]
    assert partner.take_sectors.count() == 0
    assert RemoteListing.objects.filter(digest="").count() == 0


def test_what_we_give_is_counted_as_the_feed_counts(console, partner):
    publish(sector_id="2229", place_id=TERRASSA)
    publish(kind="demand", sector_id="2229", place_id=RUBI)
    publish(sector_id="6201", place_id=RUBI)
    export.run_once()
    base = {"step": "count", "seen": partner.version}
    for typed, number in [({}, 3), ({"give_kinds": ["offer"]}, 2), ({"give_sectors": ["C"]}, 2), ({"give_sectors": ["C"], "give_places": "Rubí"}, 1)]:
        said = console.post(at(partner, "gives"), base | {"gives": "on"} | typed).context["said"]
        assert said.split()[-1].strip(".") == str(number), typed
    assert "0" in console.post(at(partner, "gives"), base).context["said"]
    partner.refresh_from_db()
    assert (partner.gives, partner.gives_version) == (False, 1)


def test_two_people_choosing_at_once_learn_of_each_other(console, partner):
    mine = {"gives": "on", "give_sectors": ["C"], "seen": partner.version}
    operations.change(partner, {"gives": True, "give_sectors": ["J"]}, seen=partner.version, by=UserFactory(name="Pere Primer", is_superuser=True))
    page = console.post(at(partner, "gives"), mine)
    assert page.status_code == 422
    assert "Pere Primer" in page.content.decode()
    assert list(partner.give_sectors.values_list("pk", flat=True)) == ["J"]
    console.post(at(partner, "gives"), mine | {"seen": page.context["form"]["seen"].value()})
    assert list(partner.give_sectors.values_list("pk", flat=True)) == ["C"]


# --- How it is read --------------------------------------------------------------------------------------------------------

CSV = """Títol;Descripció;Tipus;Sector;Municipi
Tall làser de xapa fina;Tallem xapa d'acer de fins a deu mil·límetres per a sèries curtes.;Oferta;25;Terrassa
Busquem taller de pintura;Ens cal un taller que pinti peces metàl·liques cada setmana.;Demanda;25;Rubí
Reparem motors de tota mena;Bobinem i reparem motors elèctrics de qualsevol potència.;Oferta;Coses que van soles;Terrassa
;;Oferta;25;Terrassa
"""


@pytest.fixture
def site(settings):
    with serve({"/ofertes.csv": (200, {"Content-Type": "text/csv; charset=utf-8"}, CSV.encode())}) as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        yield site


@pytest.fixture
def table(site, curator):
    return connected("Cambra", url=site.url, by=curator, active=False, reader="table")


def described(partner, site, **changes):
    known = {"reader": "table", "harvest_minutes": 60, "default_language": "ca", "default_place": "", "default_sector": "", "seen": partner.version}
    return known | {"how-url": f"{site.url}/ofertes.csv", "how-kind": "", "how-defaults": "", "how-values": ""} | changes


def columns_of(page):
    form = page.context["options_form"]
    return {field.html_name: field.initial for field in form if "column-" in field.name} | {"columns": page.context["columns"]}


def test_a_table_is_looked_at_then_saved_as_it_was_seen(console, table, site):
    page = console.post(at(table, "reading"), described(table, site, step="preview"))
    text = page.content.decode()
    assert [one.title for one in page.context["shown"]] == ["Tall làser de xapa fina", "Busquem taller de pintura"]
    assert len(page.context["faults"]) == 2
    for words in ("Tall làser de xapa fina", "Títol", "Municipi"):
        assert words in text
    table.refresh_from_db()
    # Nor is the word that nobody knows written down.
    assert (table.reader_options, table.version, Mapping.objects.count()) == ({}, 1, 0)
    assert console.post(at(table, "reading"), described(table, site, step="save", publishes="on", **columns_of(page))).status_code == 302
    table.refresh_from_db()
    assert table.reader_options["url"] == f"{site.url}/ofertes.csv"
    assert table.reader_options["columns"]["Títol"] == "title"


def test_a_column_that_was_changed_counts_in_the_next_look(console, table, site):
    page = console.post(at(table, "reading"), described(table, site, step="preview"))
    columns = columns_of(page)
    title = next(field.html_name for field in page.context["options_form"] if field.label == "Títol")
    page = console.post(at(table, "reading"), described(table, site, step="preview", **columns | {title: ""}))
    assert "Tall làser de xapa fina" not in [one.title for one in page.context["shown"]]


def test_what_was_not_looked_at_is_not_saved(console, table, site):
    page = console.post(at(table, "reading"), described(table, site, step="save"))
    assert page.status_code == 422
    table.refresh_from_db()
    assert table.reader_options == {}


@pytest.mark.parametrize(
    "answer",
    [404, 500, (302, {"Location": "http://127.0.0.1:1/"}, b""), (200, {"Content-Type": "text/csv"}, b""), (200, {"Content-Type": "image/png"}, b"\x89PNG")],
)
def test_a_source_that_does_not_answer_gets_a_word_and_what_was_typed_stays(console, table, site, answer):
    site.pages["/ofertes.csv"] = answer
    page = console.post(at(table, "reading"), described(table, site, step="preview", **{"how-defaults": "category = product"}))
    text = page.content.decode()
    assert page.context["preview"].error
    assert "category = product" in text
    assert f"{site.url}/ofertes.csv" in text


def test_a_source_on_another_host_is_not_fetched(console, table, site):
    with serve({"/ofertes.csv": (200, {"Content-Type": "text/csv"}, CSV.encode())}) as other:
        page = console.post(at(table, "reading"), described(table, other, step="preview"))
        assert page.context["preview"].error
        assert other.connections == 0


def test_broken_fields_are_no_error_of_ours(console, table, site):
    for changes in ({"columns": "[" * 100_000}, {"columns": '"x"'}, {"columns": "{}"}, {"reader": "no such"}, {"harvest_minutes": "9" * 40}, {"how-url": "\0"}):
        assert console.post(at(table, "reading"), described(table, site, step="save", **changes)).status_code in (200, 302, 422)


# --- Its words and ours ----------------------------------------------------------------------------------------------------


def word(partner, label, scheme="sector", times=1):
    resolver = mapping.Resolver(partner)
    for _ in range(times):
        resolver.resolve(scheme, label, label)
    resolver.store()
    return Mapping.objects.get(partner=partner, scheme=scheme, label=label)


def answer_for(*words, **meanings):
    sent = {"word": [one.pk for one in words]} | {f"seen-{one.pk}": one.version for one in words}
    return sent | {f"meaning-{pk.lstrip('w')}": text for pk, text in meanings.items()}


def test_many_words_are_settled_at_once_and_one_that_does_not_go_keeps_no_other(console, partner):
    plastic, textile, odd = word(partner, "Coses de plàstic"), word(partner, "Roba i teixits"), word(partner, "Xxyyzz")
    sent = answer_for(plastic, textile, odd) | {
        f"meaning-{plastic.pk}": "22.29",
        f"meaning-{textile.pk}": "13 · Indústries tèxtils",
        f"meaning-{odd.pk}": "Qqq",
    }
    page = console.post(at(partner, "mapping"), sent | {"act": "confirm"})
    assert page.status_code == 422
    assert "Qqq" in page.content.decode()
    for one in (plastic, textile, odd):
        one.refresh_from_db()
    assert [(one.state, one.sector_id) for one in (plastic, textile)] == [("confirmed", "2229"), ("confirmed", "13")]
    assert odd.state == MappingState.PROPOSED


def test_places_and_kinds_are_said_in_words(console, partner):
    place, kind = word(partner, "Vallès central", "place"), word(partner, "Bescanvi", "kind")
    sent = answer_for(place, kind) | {f"meaning-{place.pk}": "sabadell", f"meaning-{kind.pk}": "offer", "act": "confirm"}
    assert console.post(at(partner, "mapping"), sent).status_code == 302
    place.refresh_from_db()
    kind.refresh_from_db()
    assert (place.place.name, kind.choice) == ("Sabadell", "offer")


def test_words_are_passed_over_and_opened_again(console, partner):
    one = word(partner, "Altres")
    console.post(at(partner, "mapping"), answer_for(one) | {"act": "ignore"})
    one.refresh_from_db()
    assert one.state == MappingState.IGNORED
    assert "Altres" in console.get(at(partner, "mapping"), {"state": "ignored", "scheme": "sector"}).content.decode()
    console.post(at(partner, "mapping"), answer_for(one) | {"act": "reopen"})
    one.refresh_from_db()
    assert one.state == MappingState.PROPOSED


def test_a_word_that_somebody_else_settled_meanwhile_is_looked_at_again(console, curator, partner):
    one = word(partner, "Coses de plàstic")
    sent = answer_for(one) | {f"meaning-{one.pk}": "13", "act": "confirm"}
    mapping.confirm(one, "2229", by=curator)
    assert console.post(at(partner, "mapping"), sent).status_code == 422
    one.refresh_from_db()
    assert one.sector_id == "2229"


def test_words_of_another_partner_are_not_touched(console, curator, partner):
    theirs = word(connected("Third", by=curator), "Coses de plàstic")
    console.post(at(partner, "mapping"), answer_for(theirs) | {f"meaning-{theirs.pk}": "13", "act": "confirm"})
    theirs.refresh_from_db()
    assert theirs.state == MappingState.PROPOSED


def test_words_take_as_many_queries_for_three_as_for_one(console, partner):
    word(partner, "Coses de plàstic")
    console.get(at(partner, "mapping"))
    with CaptureQueriesContext(connection) as one:
        console.get(at(partner, "mapping"))
    word(partner, "Roba i teixits")
    word(partner, "Xxyyzz")
    with CaptureQueriesContext(connection) as three:
        console.get(at(partner, "mapping"))
    assert len(three) == len(one)


def test_an_interface_is_described_by_paths_that_its_first_look_proposes(console, curator, site):
    entries = [
        {
            "titol": f"Tall làser, sèrie {number}",
            "text": "Tallem xapa d'acer per a sèries curtes.",
            "tipus": "oferta",
            "on": {"sector": "25", "municipi": "Rubí"},
        }
        for number in range(3)
    ]
    site.pages["/api"] = (200, {"Content-Type": "application/json"}, json.dumps({"dades": entries}).encode())
    partner = connected("Igualada", url=site.url, by=curator, active=False, reader="json")
    sent = described(partner, site, reader="json", **{"how-url": f"{site.url}/api", "how-paging": "", "how-items": "dades"})
    page = console.post(at(partner, "reading"), sent | {"step": "preview"})
    assert len(page.context["shown"]) == 3
    proposed = {field.html_name: field.value() or "" for field in page.context["options_form"] if field.name.startswith("path-")}
    assert proposed["how-path-title"] == "titol"
    assert "how-path-sector" in [field.html_name for field in page.context["path_fields"]]
    assert console.post(at(partner, "reading"), sent | proposed | {"step": "save"}).status_code == 302
    partner.refresh_from_db()
    assert partner.reader_options["fields"]["place"] == "on.municipi"

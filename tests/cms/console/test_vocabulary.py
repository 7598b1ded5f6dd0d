"""The console's pages about the vocabulary."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from cms.console import vocabulary_files
from marketplace.accounts import privacy
from marketplace.core.models import Change
from search import editing, engine, index, vocabulary
from search.models import Edit, Entry
from tests.factories import RUBI, CompanyFactory, UserFactory
from tests.synergies.conftest import publish, publish_crowd

LIST = reverse("console_vocabulary")
ADD = reverse("console_vocabulary_add")
TWO_WAY = {"kind": "two_way", "ca": "tapaboques", "es": "cubrebocas", "active": "on"}


@pytest.fixture(autouse=True)
def _vocabulary():
    vocabulary.forget()
    yield
    vocabulary.forget()


@pytest.fixture
def entry(curator):
    return editing.add(TWO_WAY, by=curator)


def page_of(entry):
    return reverse("console_vocabulary_entry", args=[entry.uid])


def sent(entry, **changes):
    return {name: value for name, value in entry.facts().items() if value} | {"active": "on", "seen": entry.revision} | changes


def uids(response):
    return {row.uid for row in response.context["object_list"]}


# --- Who ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["console_vocabulary", "console_vocabulary_add", "console_vocabulary_upload", "console_vocabulary_edits"])
def test_only_curators_see_the_pages(client, console, name, db):
    assert console.get(reverse(name)).status_code == 200
    client.force_login(UserFactory())
    assert client.get(reverse(name)).status_code == 302


def test_only_curators_edit(client, entry):
    client.force_login(UserFactory())
    for address in (ADD, page_of(entry), reverse("console_vocabulary_delete", args=[entry.uid]), reverse("console_vocabulary_upload")):
        assert client.post(address, TWO_WAY | {"ca": "altra cosa"}).status_code == 302
    assert Edit.objects.count() == 1


def test_reading_changes_nothing(console, entry):
    for address in (LIST, ADD, page_of(entry), reverse("console_vocabulary_delete", args=[entry.uid])):
        assert console.get(address).status_code == 200
    assert (Entry.objects.count(), Edit.objects.count()) == (1, 1)


# --- The list -------------------------------------------------------------------------------------------------------------


def test_list_is_searched_and_filtered(console, entry):
    stop = editing.add({"kind": "stop", "en": "supply of", "active": False}, by=None)
    assert uids(console.get(LIST)) == {entry.uid, stop.uid}
    assert uids(console.get(LIST, {"q": "cubrebo"})) == {entry.uid}
    assert uids(console.get(LIST, {"kind": "stop"})) == {stop.uid}
    assert uids(console.get(LIST, {"language": "es"})) == {entry.uid}
    assert uids(console.get(LIST, {"language": "en"})) == {stop.uid}
    assert uids(console.get(LIST, {"active": "false"})) == {stop.uid}


def test_list_says_who_edited(console, entry, curator):
    assert curator.get_full_name() in console.get(LIST).content.decode()
    assert curator.get_full_name() in console.get(reverse("console_vocabulary_edits")).content.decode()


@pytest.mark.parametrize("name", ["console_vocabulary", "console_vocabulary_edits"])
def test_lists_take_as_many_queries_for_three_as_for_one(console, entry, name):
    console.get(reverse(name))
    with CaptureQueriesContext(connection) as one:
        console.get(reverse(name))
    for word in ("unatalcosa", "altratalcosa"):
        editing.add({"kind": "two_way", "ca": f"{word}, {word}nova"}, by=UserFactory())
    with CaptureQueriesContext(connection) as three:
        console.get(reverse(name))
    assert len(three) == len(one)


def test_edits_show_what_is_deleted(console, entry, curator):
    editing.remove(entry, seen=1, by=curator)
    page = console.get(reverse("console_vocabulary_edits")).content.decode()
    assert page.count("tapaboques, cubrebocas") == 2
    assert page_of(entry) not in page


# --- Editing ----------------------------------------------------------------------------------------------------------------


def test_an_entry_is_added_changed_and_switched_off(console, curator):
    assert console.post(ADD, TWO_WAY).status_code == 302
    entry = Entry.objects.get()
    console.post(page_of(entry), sent(entry, en="mouth cover"))
    entry.refresh_from_db()
    off = sent(entry)
    del off["active"]
    console.post(page_of(entry), off)
    entry.refresh_from_db()
    assert (entry.en, entry.active, entry.revision, entry.edited_by) == ("mouth cover", False, 3, curator.uid)
    assert list(Edit.objects.order_by("id").values_list("action", "by")) == [(action, curator.uid) for action in ("added", "changed", "off")]


@pytest.mark.parametrize("button", [{}, {"preview": "1"}])
def test_bad_input_keeps_what_was_typed(console, button, db):
    typed = {"kind": "one_way", "ca": "de la\nuniforme", "also_es": "bata blanca", "note": "per a la Marta", "active": "on"}
    page = console.post(ADD, typed | button)
    text = page.content.decode()
    assert page.status_code == 200
    assert not Entry.objects.exists()
    assert page.context["form"].errors.keys() == {"ca"}
    for kept in ("de la\nuniforme", "bata blanca", "per a la Marta"):
        assert kept in text


def test_two_curators_at_once_learn_of_each_other(console, entry):
    """The second one's words stay on the page, the first one's in the database; whoever saves again has seen both."""
    mine = sent(entry, en="my cover")
    colleague = UserFactory(name="Pere Primer")
    editing.change(entry, {"en": "their cover"}, seen=1, by=colleague)
    page = console.post(page_of(entry), mine)
    text = page.content.decode()
    assert "my cover" in text
    assert "their cover" in text
    assert "Pere Primer" in text
    entry.refresh_from_db()
    assert entry.en == "their cover"
    console.post(page_of(entry), mine | {"seen": page.context["form"]["seen"].value()})
    entry.refresh_from_db()
    assert entry.en == "my cover"


def test_an_entry_deleted_meanwhile_can_be_made_anew(console, entry, monkeypatch):
    """Deleted between the form's own look at it and the write."""
    real = editing.change

    def late(locked, *args, **kwargs):
        Entry.objects.filter(pk=locked.pk).delete()
        return real(locked, *args, **kwargs)

    monkeypatch.setattr(editing, "change", late)
    page = console.post(page_of(entry), sent(entry, en="mouth cover"))
    assert page.status_code == 200
    assert f'action="{ADD}"' in page.content.decode()
    assert "mouth cover" in page.content.decode()


def test_an_entry_is_deleted_after_a_question(console, entry, curator):
    address = reverse("console_vocabulary_delete", args=[entry.uid])
    assert 'name="seen" value="1"' in console.get(address).content.decode()
    editing.change(entry, {"en": "mouth cover"}, seen=1, by=curator)
    console.post(address, {"seen": 1})
    assert Entry.objects.exists()
    console.post(address, {"seen": 2})
    assert not Entry.objects.exists()


# --- What would change ------------------------------------------------------------------------------------------------------


@pytest.fixture
def market(settings, tmp_path, db):
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "index", ""
    engine.backends()[0].create()
    publish_crowd()
    place = {"sector_id": "1413", "place_id": RUBI}
    publish(company=CompanyFactory(), title="Cubrebocas reutilizables", description="Cubrebocas de algodón.", language="es", **place)
    publish(company=CompanyFactory(), kind="demand", title="Tapaboques per a l'escola", description="Ens calen tapaboques.", **place)
    index.rebuild()


def test_preview_names_what_would_come_and_saves_nothing(console, market):
    changes = Change.objects.count()
    page = console.post(ADD, TWO_WAY | {"preview": "1"})
    rows = page.context["preview"].rows
    assert {row["listing"].title: [one["listing"].title for one in row["come"]] for row in rows} == {
        "Tapaboques per a l'escola": ["Cubrebocas reutilizables"],
        "Cubrebocas reutilizables": ["Tapaboques per a l'escola"],
    }
    assert not Entry.objects.exists()
    assert Change.objects.count() == changes
    with vocabulary.in_force() as known:
        assert known == vocabulary.EMPTY
    assert "tapaboques" in page.content.decode()


def test_preview_names_what_would_go(console, market):
    entry = editing.add(TWO_WAY, by=None)
    vocabulary.forget()
    off = sent(entry, preview="1")
    del off["active"]
    rows = console.post(page_of(entry), off).context["preview"].rows
    assert [len(row["go"]) for row in rows] == [1, 1]
    entry.refresh_from_db()
    assert entry.active


def test_preview_without_a_search_engine_says_so(console, settings, tmp_path, db):
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "none", ""
    page = console.post(ADD, TWO_WAY | {"preview": "1"})
    assert page.status_code == 200
    assert page.context["preview"].trial is None


# --- Files ------------------------------------------------------------------------------------------------------------------


def upload(console, content, name="vocabulary.csv"):
    return console.post(reverse("console_vocabulary_upload"), {"file": SimpleUploadedFile(name, content)})


def test_what_is_downloaded_can_be_brought_in_elsewhere(console, entry):
    editing.add({"kind": "one_way", "ca": "uniforme\nroba de treball", "also_es": "bata blanca", "note": "=1+1", "active": False}, by=None)
    before = {(e.kind, e.ca, e.es, e.also_es, e.note, e.active) for e in Entry.objects.all()}
    for kind in ("csv", "xlsx"):
        answer = console.get(LIST, {"export": kind})
        content = b"".join(answer.streaming_content)
        assert b",=1" not in content
        if kind == "xlsx":
            assert "f" not in {cell.data_type for row in load_workbook(io.BytesIO(content)).active.rows for cell in row}
        Entry.objects.all().delete()
        assert upload(console, content, f"vocabulary.{kind}").status_code == 302
        assert {(e.kind, e.ca, e.es, e.also_es, e.note, e.active) for e in Entry.objects.all()} == before


def test_a_file_is_taken_as_a_whole_or_not_at_all(console, db):
    rows = "kind,ca,es,en\ntwo_way,tapaboques,cubrebocas,\ntwo_way,sola,,\nstop,de la,,\n"
    page = upload(console, rows.encode())
    assert len(page.context["faults"]) == 2
    assert "3" in page.context["faults"][0]
    assert (Entry.objects.count(), Edit.objects.count(), Change.objects.count()) == (0, 0, 0)


def test_what_is_there_already_is_passed_over(console, entry):
    rows = "kind,ca,es,en\ntwo_way,tapaboques,cubrebocas,\nstop,servei de,,\n"
    assert upload(console, rows.encode()).status_code == 302
    assert Entry.objects.count() == 2


@pytest.mark.parametrize("content", [b"%PDF-1.4 ...", b"a,b\n1,2\n", b"   "])
def test_another_file_is_refused_with_a_reason(console, content, db):
    page = upload(console, content)
    assert page.context["faults"] if page.context.get("faults") else page.context["form"].errors
    assert not Entry.objects.exists()


def test_columns_of_the_file_are_the_facts_of_an_entry(entry):
    assert list(entry.facts()) == vocabulary_files.COLUMNS


# --- Privacy ----------------------------------------------------------------------------------------------------------------


def test_who_edited_is_in_the_copy_of_their_data_and_forgotten_with_them(entry, curator):
    assert privacy.export(curator)["vocabulary"]["edits"][0]["action"] == "added"
    privacy.erase(curator)
    entry.refresh_from_db()
    assert (entry.edited_by, Edit.objects.get().by) == (None, None)

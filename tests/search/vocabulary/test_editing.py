"""Curators' edits: what they check, what they leave behind, and when the engine knows of them."""

import subprocess
import sys
import textwrap

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import translation

import search
from marketplace.core.models import Change
from search import editing, vocabulary
from search.documents import Query
from search.models import Edit, Entry
from tests.factories import UserFactory
from tests.search.conftest import write
from tests.search.documents import NOW, demand, listing

TWO_WAY = {"kind": "two_way", "ca": "tapaboques, boquera", "es": "cubrebocas"}
ONE_WAY = {"kind": "one_way", "ca": "uniforme", "also_ca": "bata blanca"}
STOP = {"kind": "stop", "ca": "servei de", "es": "servicio de"}


@pytest.fixture
def curator(db):
    return UserFactory()


@pytest.fixture
def in_english():
    """The texts below are those of the code, whatever their translations say."""
    with translation.override("en"):
        yield


# --- Checks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("in_english")
@pytest.mark.parametrize(
    ("facts", "field", "said"),
    [
        ({"kind": "two_way"}, "ca", "at least one expression"),
        ({"kind": "two_way", "ca": " , ;\n"}, "ca", "at least one expression"),
        ({"kind": "two_way", "ca": "tapaboques"}, "ca", "at least two expressions"),
        ({"kind": "two_way", "ca": "pantalla, pantalles"}, "ca", "at least two expressions"),
        ({"kind": "one_way", "ca": "uniforme"}, "also_ca", "shall be found"),
        ({"kind": "one_way", "ca": "uniforme", "also_ca": "uniformes"}, "also_ca", "both sides"),
        ({"kind": "two_way", "ca": "de la, tapaboques"}, "ca", "“de la” has only words"),
        ({"kind": "stop", "es": "para el"}, "es", "has only words"),
        ({"kind": "two_way", "ca": "servei, prestació social"}, "ca", "“servei” stands in nearly every listing"),
        ({"kind": "one_way", "ca": "uniforme", "also_es": "empresa"}, "also_es", "stands in nearly every listing"),
        ({"kind": "two_way", "ca": "2, parell"}, "ca", "stands in nearly every listing"),
        ({"kind": "two_way", "en": "a very long row of words about masks, mask"}, "en", "too long"),
        ({"kind": "two_way", "en": "m" * 61 + ", mask"}, "en", "too long"),
        ({"kind": "two_way", "ca": ", ".join(f"paraula{n}a" for n in range(21))}, "ca", "At most 20"),
        ({"kind": "three_way", "ca": "x"}, "kind", "Choose"),
    ],
)
def test_bad_input_is_told_by_field(facts, field, said):
    with pytest.raises(ValidationError) as caught, transaction.atomic():
        editing.add(facts, by=None)
    assert list(caught.value.message_dict) == [field]
    assert said in caught.value.message_dict[field][0]
    assert not Entry.objects.exists()
    assert not Edit.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("in_english")
@pytest.mark.parametrize(
    ("facts", "again"),
    [
        (TWO_WAY, {"kind": "two_way", "ca": "Boqueres", "es": "CUBREBOCAS"}),
        (ONE_WAY, {"kind": "one_way", "ca": "uniformes", "also_ca": "bates blanques"}),
        (STOP, {"kind": "stop", "ca": "serveis de"}),
    ],
)
def test_what_is_there_already_is_refused(facts, again):
    editing.add(facts, by=None)
    with pytest.raises(ValidationError, match="already"):
        editing.add(again, by=None)


@pytest.mark.django_db
def test_what_only_resembles_an_entry_is_taken():
    """The other direction, a wider phrase, a word in two entries: each says something new. Circles are no fault."""
    for facts in (
        TWO_WAY,
        ONE_WAY,
        STOP,
        {"kind": "one_way", "ca": "bata blanca", "also_ca": "uniforme"},
        {"kind": "stop", "ca": "servei"},
        {"kind": "two_way", "ca": "tapaboques, bufanda tubular"},
        {"kind": "two_way", "en": "people counting, occupancy"},
    ):
        editing.add(facts, by=None)
    assert Entry.objects.count() == 7
    assert vocabulary.build(entry.rule() for entry in Entry.objects.all()).rules


@pytest.mark.django_db
def test_expressions_are_kept_one_a_line_without_repetition():
    entry = editing.add({"kind": "two_way", "ca": " Tapaboques ,tapaboques; «boquera»\nprotector   bucal.", "note": " per a escoles "}, by=None)
    assert (entry.ca, entry.note) == ("Tapaboques\nboquera\nprotector bucal", "per a escoles")


@pytest.mark.django_db
def test_the_second_side_belongs_to_one_way_entries_alone():
    entry = editing.add(TWO_WAY | {"also_ca": "bata blanca"}, by=None)
    assert entry.also_ca == ""


# --- History --------------------------------------------------------------------------------------------------------------


def test_every_edit_leaves_who_and_what_and_a_change(curator):
    entry = editing.add(TWO_WAY, by=curator)
    entry = editing.change(entry, {"active": False}, seen=1, by=None)
    entry = editing.change(entry, {"en": "mouth cover"}, seen=2, by=curator)
    editing.change(entry, {"en": "mouth cover"}, seen=3, by=curator)
    editing.remove(entry, seen=3, by=curator)
    told = [(edit.action, edit.by, bool(edit.before), bool(edit.after)) for edit in Edit.objects.order_by("id")]
    assert told == [
        ("added", curator.uid, False, True),
        ("off", None, True, True),
        ("changed", curator.uid, True, True),
        ("deleted", curator.uid, True, False),
    ]
    assert set(Change.objects.filter(kind=editing.VOCABULARY).values_list("uid", flat=True)) == set(Edit.objects.values_list("uid", flat=True))


def test_a_second_curator_does_not_overwrite_the_first(curator):
    """The naive save would take the first one's words away in silence."""
    entry = editing.add(TWO_WAY, by=curator)
    editing.change(entry, {"en": "mouth cover"}, seen=1, by=curator)
    with pytest.raises(editing.StaleError):
        editing.change(entry, {"note": "mine"}, seen=1, by=None)
    with pytest.raises(editing.StaleError):
        editing.remove(entry, seen=1, by=None)
    entry.refresh_from_db()
    assert (entry.en, entry.note) == ("mouth cover", "")
    editing.remove(entry, seen=2, by=curator)
    with pytest.raises(editing.StaleError) as caught:
        editing.change(entry, {"note": "mine"}, seen=2, by=None)
    assert caught.value.code == "deleted"


# --- When the engine knows ------------------------------------------------------------------------------------------------


def names():
    with vocabulary.in_force() as words:
        return {rule.name for rule in words.rules}


@pytest.mark.django_db
def test_only_entries_in_use_hold():
    entry = editing.add(TWO_WAY, by=None)
    off = editing.add(STOP | {"active": False}, by=None)
    assert names() == {str(entry.uid)} != {str(off.uid)}


@pytest.mark.django_db
def test_an_edit_is_noticed_when_the_time_has_come(monkeypatch, django_assert_num_queries):
    """Whatever the edit: a deletion and an edit that commits behind a later one change the version too."""
    assert names() == set()
    entry = editing.add(TWO_WAY, by=None)
    with django_assert_num_queries(0):
        assert names() == set()
    monkeypatch.setattr(vocabulary, "CHECK_SECONDS", 0.0)
    assert names() == {str(entry.uid)}
    editing.remove(entry, seen=1, by=None)
    assert names() == set()
    with django_assert_num_queries(1):
        names()


@pytest.mark.django_db
def test_an_edit_that_commits_late_is_noticed():
    """The naive version, the highest id, would stay the same."""
    editing.add(TWO_WAY, by=None)
    late = Edit.objects.get()
    later = Edit.objects.create(entry=late.entry, action="changed")
    Edit.objects.filter(pk=late.pk).delete()
    before = Edit.objects.version()
    late.save(force_insert=True)
    assert Edit.objects.version() != before
    assert Edit.objects.version()[0] == later.pk == before[0]


@pytest.mark.django_db(transaction=True)
def test_another_process_knows_within_seconds_without_a_restart():
    """A second process that searches in a loop; the naive cache, filled once, would never see the entry."""
    program = textwrap.dedent("""
        import os, sys, time
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        import django
        django.setup()
        from django.conf import settings
        settings.DATABASES["default"]["NAME"] = sys.argv[1]
        from search import vocabulary
        vocabulary.CHECK_SECONDS = 0.2
        def known():
            with vocabulary.in_force() as words:
                return len(words.rules)
        print(known(), flush=True)
        end = time.monotonic() + 30
        while not known() and time.monotonic() < end:
            time.sleep(0.1)
        print(known(), flush=True)
    """)
    process = subprocess.Popen([sys.executable, "-c", program, str(connection.settings_dict["NAME"])], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "0"
    editing.add(TWO_WAY, by=None)
    out, _ = process.communicate(timeout=60)
    assert out.strip() == "1"


@pytest.mark.django_db(transaction=True)
def test_the_process_of_the_edit_knows_at_once():
    assert names() == set()
    entry = editing.add(TWO_WAY, by=None)
    assert names() == {str(entry.uid)}


@pytest.mark.django_db
def test_the_door_opens_with_the_curators_words(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "index", ""
    [backend] = search.engine.backends()
    backend.create()
    later = NOW.replace(year=NOW.year + 50)
    offer = listing("Cubrebocas lavables", language="es", valid_until=later.date())
    wanted = demand("Tapaboques", valid_until=later.date())
    write(backend, offer, wanted)
    assert search.find(Query(text="tapaboques", kinds=("offer",))).total == 0
    editing.add(TWO_WAY, by=None)
    vocabulary.forget()
    assert search.find(Query(text="tapaboques", kinds=("offer",))).total == 1
    assert [s.uid for s in search.suggest(wanted, threshold=0.0)] == [offer.uid]
    assert "terms" in {reason.code for reason in search.why_not(offer, wanted) if reason.positive}

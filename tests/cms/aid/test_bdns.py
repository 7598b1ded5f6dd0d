"""Calls from a file in the shape of the national database: new ones become drafts, known ones change field by field, nothing comes twice."""

import copy
import csv
import datetime
import io
import json
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from cms.aid.bdns import files, operations, plans, records
from cms.aid.enums import Beneficiary, Kind, Level
from cms.aid.freshness_models import CallFile, CallFileState, CallRow, ImportedCall, Outcome
from cms.aid.models import AidPage, Funder
from cms.pages.rules import EDITORS, OFFICERS
from marketplace.imports.errors import FileError
from tests.cms.aid.factories import funder, make_aid, translate_aid
from tests.concurrency import at_once
from tests.factories import TERRASSA, UserFactory

pytestmark = pytest.mark.django_db

#: An invented call, with every field that the database's service gives.
CALL = {
    "id": 1000001,
    "organo": {"nivel1": "LOCAL", "nivel2": "AYUNTAMIENTO DE TERRASSA", "nivel3": ""},
    "sedeElectronica": "WWW.SEU.EXAMPLE",
    "codigoBDNS": "900001",
    "fechaRecepcion": "2026-02-20T14:18:10+01:00",
    "instrumentos": [{"descripcion": "SUBVENCIÓN Y ENTREGA DINERARIA SIN CONTRAPRESTACIÓN "}],
    "tipoConvocatoria": "Concurrencia competitiva - canónica",
    "presupuestoTotal": 120000,
    "mrr": False,
    "descripcion": "AYUDAS A LA DIGITALIZACIÓN DEL COMERCIO LOCAL 2026",
    "descripcionLeng": "Ajuts a la digitalització del comerç local 2026",
    "tiposBeneficiarios": [{"descripcion": "PYME Y PERSONAS FÍSICAS QUE DESARROLLAN ACTIVIDAD ECONÓMICA"}],
    "sectores": [{"descripcion": "COMERCIO AL POR MAYOR Y AL POR MENOR", "codigo": "G"}],
    "regiones": [{"descripcion": "ES511 - Barcelona"}],
    "descripcionFinalidad": "Comercio, Turismo y Pymes",
    "descripcionBasesReguladoras": "Bases reguladoras de las ayudas al comercio",
    "urlBasesReguladoras": "https://bop.example/bases/2026",
    "sePublicaDiarioOficial": True,
    "abierto": True,
    "fechaInicioSolicitud": "2026-03-01T00:00:00+01:00",
    "fechaFinSolicitud": "2026-04-15T00:00:00+02:00",
    "textInicio": "Al día siguiente de la publicación",
    "textFin": "",
    "ayudaEstado": "",
    "fondos": [],
    "reglamento": None,
    "objetivos": [],
    "documentos": [{"id": 5000001, "descripcion": "Texto de la convocatoria", "nombreFic": "convocatoria.pdf", "long": 100000}],
    "anuncios": [],
    "advertencia": "Datos inventados.",
}


def call(**changes):
    return copy.deepcopy(CALL) | changes


def as_json(*calls, wrap=True):
    return json.dumps({"content": list(calls), "totalElements": len(calls)} if wrap else list(calls), ensure_ascii=False).encode()


def as_csv(rows, delimiter=";", encoding="utf-8"):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


TABLE = [
    ["Código BDNS", "Administración", "Departamento", "Título", "Tipo de beneficiario", "Región de impacto", "Presupuesto total", "Fecha de inicio", "Fecha de fin", "Notas"],
    ["900001", "LOCAL", "AYUNTAMIENTO DE TERRASSA", "Ayudas al comercio", "GRAN EMPRESA | PYME Y PERSONAS FÍSICAS QUE DESARROLLAN", "ES51 - CATALUÑA", "1.234.567,89 €", "01/03/2026", "15/4/2026", "x"],
]  # fmt: skip


@pytest.fixture
def editor():
    user = UserFactory(email="editor@city.example")
    user.groups.add(Group.objects.get(name=EDITORS))
    return user


@pytest.fixture
def officer():
    user = UserFactory(email="officer@city.example")
    user.groups.add(Group.objects.get(name=OFFICERS))
    return user


def load(content, by, name="calls.json", **options):
    """Upload and apply; the outcomes by number."""
    file = operations.upload(name, content, by=by)
    operations.apply(file, by=by, **options)
    return {row.source_id or row.number: row.outcome for row in file.rows.all()}


def messages(content, name="calls.json"):
    return " ".join(message for plan in plans.plan_all(files.read(content, name).records) for message in plan.messages)


# --- New calls ----------------------------------------------------------------------------------------------------------


def test_new_call_becomes_a_draft_with_its_facts(editor):
    assert load(as_json(CALL), editor) == {"900001": Outcome.NEW}
    page = AidPage.objects.get()
    assert not page.live
    assert (page.title, page.locale.language_code, page.owner) == ("Ajuts a la digitalització del comerç local 2026", "ca", editor)
    assert page.slug == "ajuts-a-la-digitalitzacio-del-comerc-local-2026-900001"
    assert (page.kind, page.sizes) == (Kind.GRANT, ["micro", "small", "medium"])
    assert set(page.beneficiaries) == {Beneficiary.SELF_EMPLOYED, Beneficiary.COMPANY, Beneficiary.COOPERATIVE, Beneficiary.SOCIAL_ENTERPRISE}
    assert [(one.name, one.level) for one in page.funders] == [("Ayuntamiento de Terrassa", Level.MUNICIPAL)]
    assert ([one.code for one in page.sectors], [one.code for one in page.places]) == (["G"], [TERRASSA])
    assert (page.procedure_url, page.legal_base_url) == ("https://www.seu.example/", "https://bop.example/bases/2026")
    assert page.legal_base == "Bases reguladoras de las ayudas al comercio"
    only = page.calls.get()
    assert (only.number, only.opens_on, only.deadline, only.budget) == (
        "900001", datetime.date(2026, 3, 1), datetime.date(2026, 4, 15), Decimal("120000.00"),
    )  # fmt: skip
    assert only.url.endswith("/900001")
    assert "Al día siguiente" in str(page.body)
    assert page.latest_revision.user == editor


def test_same_file_twice_changes_nothing(editor):
    load(as_json(CALL), editor)
    before = AidPage.objects.values().get()
    assert load(as_json(CALL), editor) == {"900001": Outcome.UNCHANGED}
    assert AidPage.objects.values().get() == before
    assert AidPage.objects.get().revisions.count() == 1
    assert Funder.objects.count() == 1


def test_naive_import_makes_it_twice(editor):
    """By title and without the number as key."""
    load(as_json(CALL), editor)
    renamed = call(descripcionLeng="Ajuts al comerç")
    assert not AidPage.objects.filter(title=renamed["descripcionLeng"]).exists(), "so a look-up by title would make a second page"
    assert load(as_json(renamed), editor) == {"900001": Outcome.UNCHANGED}
    assert AidPage.objects.count() == 1


def test_call_that_stands_in_the_file_twice_is_taken_once(editor):
    file = operations.upload("calls.json", as_json(CALL, call(presupuestoTotal=1)), by=editor)
    assert [plan.outcome for plan in operations.preview(file)] == [Outcome.NEW, Outcome.REFUSED]
    operations.apply(file, by=editor)
    assert list(file.rows.values_list("outcome", flat=True)) == [Outcome.NEW, Outcome.REFUSED]
    assert AidPage.objects.get().calls.get().budget == 120000


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_make_one_page():
    people = []
    for number in range(2):
        user = UserFactory(email=f"editor{number}@city.example")
        user.groups.add(Group.objects.get(name=EDITORS))
        people.append(user)
    uploads = [operations.upload("calls.json", as_json(CALL, call(codigoBDNS="900002")), by=user) for user in people]
    results = at_once(*(lambda file=file, user=user: operations.apply(file, by=user) for file, user in zip(uploads, people, strict=True)))
    assert sum(result[Outcome.NEW] for result in results) == 2
    assert sum(result[Outcome.UNCHANGED] for result in results) == 2
    assert (AidPage.objects.count(), ImportedCall.objects.count(), Funder.objects.count()) == (2, 2, 1)
    assert AidPage.find_problems() == ([], [], [], [], [])


@pytest.mark.django_db(transaction=True)
def test_second_click_applies_nothing():
    user = UserFactory()
    user.groups.add(Group.objects.get(name=EDITORS))
    file = operations.upload("calls.json", as_json(CALL), by=user)
    results = at_once(lambda: operations.apply(file, by=user), lambda: operations.apply(file, by=user))
    assert sorted(type(result).__name__ for result in results) == ["Counter", "NotNowError"]
    with pytest.raises(operations.NotNowError):
        operations.apply(file, by=user)
    assert AidPage.objects.count() == 1


def test_run_that_was_killed_is_started_again(editor):
    file = operations.upload("calls.json", as_json(CALL, call(codigoBDNS="900002")), by=editor)
    operations._claim(file, publish=False)
    operations._apply_one(file, files.read(as_json(CALL)).records[0], {}, by=editor, publish=False)
    with pytest.raises(operations.NotNowError):
        operations.apply(file, by=editor)
    CallFile.objects.update(lease_until=None)
    operations.apply(file, by=editor)
    assert AidPage.objects.count() == 2
    assert set(file.rows.values_list("source_id", flat=True)) == {"900001", "900002"}


# --- Changes ------------------------------------------------------------------------------------------------------------


def published(editor, officer):
    """The call as an officer published it, with a Spanish version."""
    load(as_json(CALL), editor)
    page = AidPage.objects.get()
    page.get_latest_revision_as_object().save_revision(user=officer).publish(user=officer)
    page.refresh_from_db()
    return page


LATER = {"fechaFinSolicitud": "2026-05-31T00:00:00+02:00", "presupuestoTotal": 150000}


def test_changed_call_is_shown_field_by_field(editor, officer):
    published(editor, officer)
    plan = operations.preview(operations.upload("calls.json", as_json(call(**LATER)), by=editor))[0]
    assert plan.outcome == Outcome.CHANGED
    assert set(plan.fields) == {"deadline", "budget"}
    assert [(before, after) for _label, before, after in plan.changes] == [("15 d’abril de 2026", "31 de maig de 2026"), ("120.000,00 €", "150.000,00 €")]


def test_change_is_a_draft_unless_an_officer_publishes_it(editor, officer):
    page = published(editor, officer)
    assert load(as_json(call(**LATER)), editor) == {"900001": Outcome.CHANGED}
    page.refresh_from_db()
    assert page.has_unpublished_changes
    assert page.calls.get().deadline == datetime.date(2026, 4, 15)
    draft = page.get_latest_revision_as_object()
    assert [(one.deadline, one.budget) for one in draft.calls.all()] == [(datetime.date(2026, 5, 31), Decimal(150000))]
    assert load(as_json(call(**LATER)), editor) == {"900001": Outcome.UNCHANGED}, "it stands in the draft"


def test_officer_publishes_changes_at_once(editor, officer):
    page = published(editor, officer)
    uid = page.calls.get().uid
    load(as_json(call(**LATER)), officer, publish=True)
    page.refresh_from_db()
    assert not page.has_unpublished_changes
    only = page.calls.get()
    assert (only.deadline, only.budget, only.uid) == (datetime.date(2026, 5, 31), Decimal(150000), uid)
    with pytest.raises(PermissionDenied):
        load(as_json(call(**LATER)), editor, publish=True)


def test_publishing_takes_no_colleagues_draft_along(editor, officer):
    page = published(editor, officer)
    draft = page.get_latest_revision_as_object()
    draft.summary = "Half-written"
    draft.save_revision(user=editor)
    load(as_json(call(**LATER)), officer, publish=True)
    page.refresh_from_db()
    assert page.summary != "Half-written"
    assert page.calls.get().deadline == datetime.date(2026, 4, 15)
    newest = page.get_latest_revision_as_object()
    assert (newest.summary, newest.calls.all()[0].deadline) == ("Half-written", datetime.date(2026, 5, 31))


def test_officers_correction_stays_until_the_file_says_something_new(editor, officer):
    page = published(editor, officer)
    corrected = page.get_latest_revision_as_object()
    corrected.procedure_url = "https://right.example/"
    corrected.save_revision(user=officer).publish(user=officer)
    assert load(as_json(CALL), editor) == {"900001": Outcome.UNCHANGED}
    assert AidPage.objects.get(pk=page.pk).procedure_url == "https://right.example/"
    load(as_json(call(sedeElectronica="https://new.example")), officer, publish=True)
    assert AidPage.objects.get(pk=page.pk).procedure_url == "https://new.example/"


def test_what_the_file_does_not_say_is_not_wiped(editor, officer):
    page = published(editor, officer)
    short = {"codigoBDNS": "900001", "descripcion": "Ayudas", "fechaFinSolicitud": None, "presupuestoTotal": 0, "sectores": []}
    assert load(as_json(short), officer, publish=True) == {"900001": Outcome.UNCHANGED}
    assert AidPage.objects.get(pk=page.pk).calls.get().deadline == datetime.date(2026, 4, 15)


def test_page_made_by_hand_is_found_by_its_number(editor):
    page = make_aid(calls=[{"number": "900001", "deadline": datetime.date(2026, 4, 1)}, {"number": "800000"}], funders=[funder("Ajuntament (exemple)")])
    translate_aid(page, "es", "Ayuda")
    assert load(as_json(CALL), editor) == {"900001": Outcome.CHANGED}
    assert AidPage.objects.count() == 2
    page.refresh_from_db()
    draft = page.get_latest_revision_as_object()
    assert {(one.number, one.deadline) for one in draft.calls.all()} == {("900001", datetime.date(2026, 4, 15)), ("800000", None)}
    assert ImportedCall.objects.get().translation_key == page.translation_key


def test_page_that_was_deleted_is_not_made_again(editor):
    load(as_json(CALL), editor)
    AidPage.objects.get().delete()
    assert load(as_json(call(**LATER)), editor) == {"900001": Outcome.UNCHANGED}
    assert not AidPage.objects.exists()


def test_page_under_review_or_lock_is_left_alone(editor, officer):
    page = published(editor, officer)
    workflow = page.get_workflow().start(page, editor)
    assert load(as_json(call(**LATER)), editor) == {"900001": Outcome.REFUSED}
    workflow.cancel(user=editor)
    AidPage.objects.filter(pk=page.pk).update(locked=True)
    assert load(as_json(call(**LATER)), editor) == {"900001": Outcome.REFUSED}


def test_change_that_does_not_fit_the_page_is_refused_with_its_reason(editor, officer):
    page = published(editor, officer)
    corrected = page.get_latest_revision_as_object()
    corrected.amount_min = Decimal(9000)
    corrected.save_revision(user=officer).publish(user=officer)
    assert load(as_json(call(importeMaximo="5.000,00"), call(codigoBDNS="900002")), editor) == {"900001": Outcome.REFUSED, "900002": Outcome.NEW}
    row = CallRow.objects.get(outcome=Outcome.REFUSED)
    assert str(row.number) in row.messages[0]


def test_history_says_what_became_of_each_call(editor, officer):
    published(editor, officer)
    file = operations.upload("calls.json", as_json(call(**LATER), call(codigoBDNS="x")), by=officer)
    operations.apply(file, by=officer, publish=True)
    assert (file.state, file.publish, file.total) == (CallFileState.DONE, True, 2)
    changed, wrong = file.rows.all()
    assert (changed.outcome, len(changed.changes), changed.page) == (Outcome.CHANGED, 2, AidPage.objects.get())
    assert (wrong.outcome, wrong.page) == (Outcome.REFUSED, None)


def test_file_that_was_applied_is_not_forgotten(editor):
    waiting = operations.upload("calls.json", as_json(CALL), by=editor)
    operations.discard(waiting, by=editor)
    assert not CallFile.objects.exists()
    done = operations.upload("calls.json", as_json(CALL), by=editor)
    operations.apply(done, by=editor)
    with pytest.raises(operations.NotNowError):
        operations.discard(done, by=editor)


def test_only_editors_import():
    with pytest.raises(PermissionDenied):
        operations.upload("calls.json", as_json(CALL), by=UserFactory())


# --- Files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [as_json(CALL), as_json(CALL, wrap=False), json.dumps(CALL).encode(), b"\xef\xbb\xbf" + as_json(CALL), as_json(CALL).decode().encode("utf-16"),
     json.dumps(CALL).encode() + b"\n" + json.dumps(call(codigoBDNS="900002")).encode(), json.dumps([CALL], ensure_ascii=False).encode("cp1252")],
    ids=["page", "list", "one", "mark", "utf-16", "lines", "cp1252"],
)  # fmt: skip
def test_json_is_read_in_every_shape(content):
    found = files.read(content, "calls.json")
    assert found.records[0].values["descripcionLeng"] == CALL["descripcionLeng"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_table_is_read_with_every_separator_and_encoding(delimiter, encoding):
    found = files.read(as_csv(TABLE, delimiter, encoding), "calls.csv")
    reading = records.read(found.records[0].values)
    assert reading.errors == []
    assert (reading.number, reading.title) == ("900001", "Ayudas al comercio")
    assert reading.facts["budget"] == Decimal("1234567.89")
    assert (reading.facts["opens_on"], reading.facts["deadline"]) == (datetime.date(2026, 3, 1), datetime.date(2026, 4, 15))
    assert "sizes" not in reading.facts, "both small and large"
    assert "Notas" in found.notes[-1]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "calls.json"),
        (b"   \n", "calls.csv"),
        (b'{"content": [', "calls.json"),
        (b"not json", "calls.json"),
        (b'{"error": "no"}', "calls.json"),
        (b"[]", "calls.json"),
        (b'[{"codigoBDNS": NaN}]', "calls.json"),
        (b"[" * 100_000, "calls.json"),
        (b"42", "calls.json"),
        (b"%PDF-1.7", "calls.csv"),
        (b"a|b|c\n1|2|3\n", "calls.csv"),
        (b"Titulo;Fecha\nAyuda;01/03/2026\n", "calls.csv"),
        (b"\xff\xfe\x00", "calls.csv"),
        (b"\x00\x01\x02\x03" * 50, "calls.csv"),
        ("codigoBDNS;descripcion\n900001;ConvocatÃ²ria d’ajuts\n".encode(), "calls.csv"),
        (as_json(*(call(codigoBDNS=str(number)) for number in range(501))), "calls.json"),
    ],
)
def test_file_that_cannot_be_read_says_what_to_do(content, name):
    with pytest.raises(FileError) as raised:
        files.read(content, name)
    assert raised.value.messages[0]
    assert not raised.value.messages[0].startswith("{")


def test_file_of_100_megabytes_is_refused_before_it_is_read():
    with pytest.raises(FileError, match="10 MB"):
        files.read(bytes(100 * 2**20), "calls.json")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"fechaFinSolicitud": "2026-02-01T00:00:00+01:00"}, "2026-02-01"),
        ({"importeMinimo": 5000, "importeMaximo": 1000}, "5000"),
        ({"importeMinimo": 500000}, "120000"),
        ({"presupuestoTotal": -5}, "-5"),
        ({"presupuestoTotal": "mucho"}, "mucho"),
        ({"presupuestoTotal": 1e15}, "presupuestoTotal"),
        ({"fechaInicioSolicitud": "pronto"}, "pronto"),
        ({"fechaInicioSolicitud": "2026-02-31"}, "2026-02-31"),
        ({"fechaInicioSolicitud": "0026-02-01"}, "0026-02-01"),
        ({"codigoBDNS": "", "numeroConvocatoria": None}, "codigoBDNS"),
        ({"codigoBDNS": "<script>"}, "<script>"),
        ({"descripcion": "", "descripcionLeng": None}, "descripcion"),
        ({"instrumentos": [{"descripcion": "TRUEQUE"}]}, "TRUEQUE"),
        ({"tiposBeneficiarios": [{"descripcion": "MARCIANOS"}]}, "MARCIANOS"),
        ({"sectores": [{"codigo": "Z9", "descripcion": "?"}]}, "Z9"),
        ({"regiones": [{"descripcion": "XX1 - Ninguna parte"}]}, "XX1"),
        ({"regiones": [{"descripcion": "ES61 - ANDALUCIA"}]}, "ES61"),
    ],
)
def test_wrong_call_is_refused_with_line_and_reason_and_the_others_land(changes, part, editor):
    content = as_json(call(codigoBDNS="900002"), call(**changes))
    text = messages(content)
    assert part in text
    assert "2" in text.partition(":")[0]
    load(content, editor)
    assert list(CallRow.objects.values_list("outcome", flat=True)) == [Outcome.NEW, Outcome.REFUSED]
    assert AidPage.objects.count() == 1


@pytest.mark.parametrize("value", [None, 7, "text", [], ["x"]])
def test_record_that_is_no_object_is_refused_alone(value):
    found = files.read(json.dumps([CALL, value]).encode(), "calls.json")
    assert [plan.outcome for plan in plans.plan_all(found.records)] == [Outcome.NEW, Outcome.REFUSED]


@pytest.mark.parametrize(
    "changes",
    [
        {"organo": None, "sectores": None, "regiones": None, "instrumentos": None, "tiposBeneficiarios": None, "documentos": None},
        {"organo": "Ajuntament de Terrassa", "sectores": "G; C", "regiones": "ES511 - Barcelona", "instrumentos": "SUBVENCIÓN"},
        {"organo": {"nivel1": []}, "sectores": [{"codigo": "49.3"}], "regiones": [{"descripcion": None}], "instrumentos": [None]},
        {"descripcion": ["x"], "sedeElectronica": {"a": 1}, "urlBasesReguladoras": "pendiente de publicación", "textFin": 5},
        {"sedeElectronica": "javascript:alert(1)", "urlBasesReguladoras": "http://127.0.0.1/"},
    ],
)
def test_strange_values_break_nothing(changes):
    reading = records.read(call(**changes))
    assert reading.errors == []
    assert "127" not in reading.facts.get("legal_base_url", "")
    assert not reading.facts.get("procedure_url", "").startswith("javascript")


def test_texts_of_the_file_bring_no_markup(editor):
    load(as_json(call(descripcion="<script>alert(1)</script>", textInicio="<b>x</b>")), editor)
    assert "<script>" not in str(AidPage.objects.get().body)


def test_call_without_a_last_day_says_so():
    assert "Hasta agotar" in messages(as_json(call(fechaFinSolicitud=None, textFin="Hasta agotar el presupuesto")))


@pytest.mark.parametrize(
    ("organ", "level"),
    [
        ({"nivel1": "ESTADO", "nivel2": "MINISTERIO DE INDUSTRIA"}, Level.STATE),
        ({"nivel1": "CATALUÑA", "nivel2": "DEPARTAMENTO DE EMPRESA"}, Level.REGIONAL),
        ({"nivel1": "LOCAL", "nivel2": "DIPUTACIÓN PROV. DE BARCELONA"}, Level.COUNTY),
        ({"nivel1": "SABADELL", "nivel2": "AJUNTAMENT DE SABADELL"}, Level.MUNICIPAL),
    ],
)
def test_level_of_who_calls_is_told_from_its_name(organ, level):
    assert records.read(call(organo=organ)).facts["funder"]["level"] == level


# --- Command ------------------------------------------------------------------------------------------------------------


def test_command_shows_and_applies(tmp_path, editor, capsys):
    path = tmp_path / "calls.json"
    path.write_bytes(as_json(CALL, call(codigoBDNS="x")))
    call_command("import_aid_calls", str(path))
    shown = capsys.readouterr().out
    assert "900001" in shown
    assert "120.000,00 €" in shown
    assert not AidPage.objects.exists()
    call_command("import_aid_calls", str(path), apply=True, by=editor.email)
    assert AidPage.objects.count() == 1
    assert CallFile.objects.get().by == editor


def test_command_says_what_is_missing(tmp_path, editor):
    path = tmp_path / "calls.json"
    path.write_bytes(as_json(CALL))
    for options in ({"apply": True}, {"apply": True, "by": "nobody@city.example"}, {"apply": True, "publish": True, "by": editor.email}):
        with pytest.raises(CommandError):
            call_command("import_aid_calls", str(path), **options)
    with pytest.raises(CommandError):
        call_command("import_aid_calls", str(tmp_path / "missing.json"))
    with path.open("r+b") as large:
        large.truncate(100 * 2**20)
    with pytest.raises(CommandError, match="10 MB"):
        call_command("import_aid_calls", str(path))


def test_signs_that_no_database_takes_are_left_out(editor):
    """Written as JSON writes them: NUL, which PostgreSQL refuses in any text, and half of a sign, which nothing can store."""
    content = json.dumps([call(descripcion="Ajuts\x00 a\ud800 botigues", descripcionLeng=""), "\x00\ud800"]).encode()
    assert list(load(content, editor).values()) == [Outcome.NEW, Outcome.REFUSED]
    assert AidPage.objects.get().title == "Ajuts a botigues"
    row = CallRow.objects.get(outcome=Outcome.REFUSED)
    assert json.dumps(row.messages, ensure_ascii=False).encode()
    assert "\x00" not in row.messages[0]

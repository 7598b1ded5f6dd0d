import json

import pytest

from marketplace.imports import mapping, readers
from marketplace.imports.errors import MappingError

from .conftest import csv_of, good

CATALAN = {
    "Marca de temps": "timestamp", "Nom de l'empresa": "company", "NIF": "tax_id", "Correu electrònic": "contact_email", "Municipi": "place",
    "Sector d'activitat": "sector", "Oferta o demanda?": "kind", "Títol": "title", "Descripció": "description", "Categoria": "category",
}  # fmt: skip


def guessed(header, *rows):
    return mapping.guess(readers.read(csv_of(rows, header=header)))


def lines(*objects):
    return readers.read("\n".join(json.dumps(one) for one in objects).encode(), "x.jsonl")


def test_catalan_form_is_guessed_whole(db):
    assert mapping.guess(readers.read(csv_of([good()]))) == CATALAN


def test_spanish_and_english_headers_are_guessed():
    spanish = guessed(["Razón social", "CIF", "Qué ofrece su empresa", "Qué necesita", "Población"], ["X SL", "B10000008", "Gel", "Cajas", "Rubí"])
    assert list(spanish.values()) == ["company", "tax_id", "offer", "demand", "place"]
    english = guessed(
        ["Timestamp", "Email Address", "Company name", "Offer or demand?", "Description", "City"],
        ["24/03/2020 10:00", "a@b.example", "X", "Offer", "Gel", "Rubí"],
    )
    assert list(english.values()) == ["timestamp", "contact_email", "company", "kind", "description", "place"]


def test_content_tells_what_the_header_does_not():
    found = guessed(["P1", "P2", "P3", "P4", "P5"], ["B10000008", "a@b.example", "https://x.example", "24/03/2020 10:15", "937000000"])
    assert list(found.values()) == ["tax_id", "contact_email", "web", "timestamp", "contact_phone"]


def test_mistyped_header_is_guessed():
    assert guessed(["Nom de la empresa", "Descripcio ", "Municipi"], ["X", "Gel", "Rubí"])["Nom de la empresa"] == "company"


def test_companies_in_a_column_called_title_are_companies():
    table = lines({"id": "1", "lang": "ca", "title": "GRAFIC RAPID SL", "text": "Segells de goma.", "kind": "Subministraments"})
    assert mapping.guess(table) == {"id": "id", "lang": "language", "title": "company", "text": "description", "kind": "category"}


def test_buyers_and_their_needs_are_guessed():
    table = lines({"id": "1", "lang": "ca", "text": "Gel hidroalcohòlic", "buyer": "Institut Català de la Salut", "kind": "Serveis"})
    assert mapping.guess(table) == {"id": "id", "lang": "language", "text": "description", "buyer": "company", "kind": "category"}


def test_columns_of_our_own_export_are_guessed(db):
    from marketplace.imports.export import COLUMNS  # noqa: PLC0415

    row = [
        "0" * 36,
        "published",
        "offer",
        "product",
        "Bates",
        "Text",
        "a, b",
        "ca",
        "2229",
        "Terrassa",
        "50",
        "no",
        "2030-01-01",
        "",
        "",
        "X SL",
        "B10000008",
        "small",
        "",
    ]
    found = guessed(COLUMNS, row)
    assert {name: target for name, target in found.items() if name != target} == {"state": "", "submitted_at": "", "published_at": "", "web": "web"} or {
        name for name, target in found.items() if not target
    } == {"state", "submitted_at", "published_at"}


def test_missing_columns_are_named_all_at_once():
    with pytest.raises(MappingError) as refused:
        mapping.check({"a": "", "b": "sector"}, ["a", "b"])
    assert len(refused.value.messages) == 3


def test_two_columns_for_one_thing_and_unknown_names_are_refused():
    with pytest.raises(MappingError) as refused:
        mapping.check({"a": "company", "b": "company", "c": "description", "d": "nonsense", "e": ""}, ["a", "b", "c", "d"], kind="offer")
    assert len(refused.value.messages) == 3

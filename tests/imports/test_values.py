import datetime

import pytest

from marketplace.imports import values

AT = datetime.timezone(datetime.timedelta(hours=1))
MARCH = datetime.datetime(2020, 3, 24, 10, 15, 32, tzinfo=AT)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("24/03/2020 10:15:32", MARCH),
        ("2020/03/24 10:15:32 AM GMT+1", MARCH),
        ("2020/03/24 10:15:32 p. m. GMT+1", MARCH.replace(hour=22)),
        ("2020-03-24T09:15:32Z", MARCH),
        ("24-3-20 10:15:32", MARCH),
        ("24.03.2020", MARCH.replace(hour=0, minute=0, second=0)),
        ("31/02/2020", None),
        ("aviat", None),
        ("", None),
    ],
)
def test_moment_reads_what_forms_write(cell, meant):
    assert values.moment(cell) == meant


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("terrassa", "082798"),
        ("TERRASSA (Barcelona)", "082798"),
        ("08221 Terrassa", "082798"),
        ("082798", "082798"),
        ("l'Hospitalet", "081017"),
        ("Hospitalet de Llobregat, L'", "081017"),
        ("Sant Cugat", None),
        ("08221", None),
        ("Macondo", None),
    ],
)
def test_place_is_found_whatever_accents_article_and_postal_code(cell, code):
    found = values.place(cell)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("C", "C"),
        ("22.29", "2229"),
        ("C 22.29", "2229"),
        ("22.29 - Fabricació d'altres productes", "2229"),
        ("Fabricació d'altres productes de matèries plàstiques", "2229"),
        ("FABRICACION DE OTROS PRODUCTOS DE PLASTICO", "2229"),
        ("Education", "P"),
        ("quelcom", None),
    ],
)
def test_sector_is_found_by_code_or_label(cell, code):
    found = values.sector(cell)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("Ofereixo", {"offer"}),
        ("OFERTA", {"offer"}),
        ("Busco proveïdor", {"demand"}),
        ("I need", {"demand"}),
        ("Oferta i demanda", {"offer", "demand"}),
        ("Serveis", set()),
    ],
)
def test_kind_is_understood_in_three_languages(cell, kinds):
    assert values.kinds(cell) == kinds


@pytest.mark.parametrize(
    ("cell", "category"),
    [("Subministraments", "product"), ("Servei de formació", "knowledge"), ("Nau industrial", "space"), ("Solució; Producte", "solution"), ("?", None)],
)
def test_category_is_understood(cell, category):
    assert values.category(cell) == category


@pytest.mark.parametrize(
    ("cell", "size"),
    [("10-49", "small"), ("Més de 250", "large"), ("7", "micro"), ("Autònom", "micro"), ("Mediana", "medium"), ("?", None), ("9" * 5000, "large")],
)
def test_size_is_understood(cell, size):
    assert values.size(cell) == size


def test_company_names_are_the_same_however_the_legal_form_is_written():
    assert {values.company_key(name) for name in ("ACME, S.L.", "Acme SL", "ACME  s. l.", "acmé S.L")} == {"acme sl"}
    assert values.company_key("Acme SA") != values.company_key("Acme SL")


def test_choices_are_cut_at_commas_and_semicolons_but_not_in_numbers():
    assert values.choices("Gel, mascaretes; bates\nguants 1,5 kg") == ["Gel", "mascaretes", "bates", "guants 1,5 kg"]

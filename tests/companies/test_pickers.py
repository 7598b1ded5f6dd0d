"""Finding sectors and municipalities by what people type."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from marketplace.companies import places, sectors
from marketplace.companies.fields import PlaceField, SectorField

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Terrassa", "Terrassa"),
        ("terrassa ", "Terrassa"),
        ("rubi", "Rubí"),
        ("SANT CUGAT DEL VALLES", "Sant Cugat del Vallès"),
        ("Escala", "L'Escala"),
        ("L’Escala", "L'Escala"),
        ("Escala, l'", "L'Escala"),
        ("hospitalet de llobregat (l')", "L'Hospitalet de Llobregat"),
        ("bisbal d'emporda, la", "La Bisbal d'Empordà"),
    ],
)
def test_a_municipality_is_found_as_people_write_it(typed, name):
    assert PlaceField().clean(typed).name == name


@pytest.mark.parametrize(("typed", "meant"), [("Terasa", "Terrassa"), ("Sabadel", "Sabadell"), ("Sant Cugat", "Sant Cugat del Vallès")])
def test_an_unknown_municipality_names_those_it_may_have_meant(typed, meant):
    with pytest.raises(ValidationError, match=meant):
        PlaceField().clean(typed)


@pytest.mark.parametrize("typed", ["Madrid", "\x00", "<script>", "🦄", "x" * 100_000, "עברית"])
def test_what_is_no_municipality_is_refused(typed):
    with pytest.raises(ValidationError):
        PlaceField().clean(typed)


def test_every_municipality_is_found_by_its_own_name():
    assert {place.code for place in map(places.match, (place.name for place in places.known().values()))} == set(places.known())


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2229", "2229"),
        ("22.29", "2229"),
        ("dentista", "8623"),
        ("odontol", "8623"),
        ("dental pract", "8623"),
        ("programació informàtica", "6201"),
        ("programacion inf", "6201"),
    ],
)
def test_a_sector_is_found_by_code_or_words_in_three_languages(typed, code):
    assert code in [sector.code for sector in sectors.find(typed)]


@pytest.mark.parametrize("typed", ["", "   ", "zzzzqqq", "\x00", "🦄", "%", "(", "a" * 10_000])
def test_what_names_no_sector_finds_none(typed):
    assert sectors.find(typed) == [] or len(sectors.find(typed)) <= 8


def test_proposals_come_from_the_text():
    assert sectors.propose("Neteja i desinfecció d'oficines i edificis", "ca")[0].codes[:2] == ("N", "81")
    assert sectors.propose("hmm", "ca") == []


def test_labels_follow_the_language():
    with translation.override("en"):
        assert str(sectors.tree()["62"]) == "Computer programming, consultancy and related activities"


def test_an_unknown_sector_code_is_refused():
    for code in ("99999", "\x00", "<script>"):
        with pytest.raises(ValidationError):
            SectorField().clean(code)

import csv
import io

import pytest
from django.contrib.auth.models import Group
from django.utils import translation

from marketplace.accounts.rules import CURATORS
from marketplace.imports import operations
from marketplace.imports.candidates import Options
from tests.factories import UserFactory

HEADER = [
    "Marca de temps",
    "Nom de l'empresa",
    "NIF",
    "Correu electrònic",
    "Municipi",
    "Sector d'activitat",
    "Oferta o demanda?",
    "Títol",
    "Descripció",
    "Categoria",
]
GOOD = [
    "24/03/2020 10:15:32",
    "Confeccions Vallparadís, SL",
    "B10000008",
    "hola@confeccions.example",
    "Terrassa",
    "14.12",
    "Ofereixo",
    "Bates impermeables reutilitzables",
    "Confeccionem bates impermeables rentables, 500 unitats per setmana.",
    "Producte",
]


def csv_of(rows, *, header=HEADER, delimiter=";", encoding="utf-8"):
    """The bytes of a CSV file as a form exports it."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue().encode(encoding)


def good(**cells):
    """A right row with some cells changed, by the header's name."""
    row = dict(zip(HEADER, GOOD, strict=True)) | cells
    return [row[name] for name in HEADER]


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture
def curator(db):
    user = UserFactory(email="curator@city.example", name="Carme Curadora", language="en")
    user.groups.add(Group.objects.get(name=CURATORS))
    return user


@pytest.fixture
def run(curator):
    """Upload, confirm the guess, run to the end."""

    def make(content, name="answers.csv", **options):
        source = operations.upload(name, content, by=curator, options=Options(**options))
        source = operations.decide(source, source.mapping, Options(**options), by=curator)
        return operations.run_now(source)

    return make

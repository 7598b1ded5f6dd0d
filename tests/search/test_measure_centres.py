"""manage.py measure_centres, with an encoder that costs nothing."""

import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from search import vectors
from search.encoding import PASSAGE, QUERY

from .encoders import Letters

ROWS = [
    {"language": "ca", "title": "Gel hidroalcohòlic", "description": "En garrafes. De cinc litres, o de deu."},
    {"language": "es", "title": "Guantes de nitrilo", "description": "En cajas."},
    {"language": "en", "text": "Face masks in boxes. Delivered tomorrow."},
    {"language": None, "text": "Fabriquem mascaretes quirúrgiques amb certificat i les lliurem a tota la comarca."},
]


@pytest.fixture
def _own_centres(tmp_path, monkeypatch, settings):
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Letters"
    monkeypatch.setattr(vectors, "CENTRES", tmp_path / "centres")
    vectors._centres.cache_clear()
    yield
    vectors._centres.cache_clear()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")
    return path


pytestmark = pytest.mark.usefixtures("_own_centres")


def test_the_middle_of_the_sentences_and_titles_of_each_language_is_written(file, capsys):
    call_command("measure_centres", str(file))
    assert "letters-1.json: 4 ca, 2 es, 2 en" in capsys.readouterr().out
    for role in (QUERY, PASSAGE):
        expected = Letters().encode(["Guantes de nitrilo", "En cajas."], role).mean(axis=0)
        assert np.abs(vectors.centre(Letters(), role, "es") - expected).max() < 0.001


def test_the_same_texts_give_the_same_file(file):
    written = []
    for _ in range(2):
        call_command("measure_centres", str(file), "--replace", "--sentences=1", "--titles=1")
        written.append(vectors.centres_file("letters-1").read_text())
    assert written[0] == written[1]


def test_present_middles_are_not_written_over_by_the_way(file):
    call_command("measure_centres", str(file))
    with pytest.raises(CommandError, match="give the encoder a new name, or --replace"):
        call_command("measure_centres", str(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"language": "fr", "text": "Bonjour"}', "line 1: language 'fr' is none of ca, es, en"),
        ('{"language": "ca", "text": "Bon dia"}', "no text in es, en"),
        ("not JSON", "Expecting value"),
        ("[1]", "no attribute 'get'"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_the_reason(file, text, message):
    file.write_text(text)
    with pytest.raises(CommandError, match=message):
        call_command("measure_centres", str(file))
    assert not vectors.centres_file("letters-1").exists()


def test_no_file_and_no_encoder_are_told(file, settings):
    with pytest.raises(CommandError, match="No such file"):
        call_command("measure_centres", str(file) + ".gone")
    settings.SEMANTIC_ENCODER = ""
    with pytest.raises(CommandError, match="No encoder"):
        call_command("measure_centres", str(file))

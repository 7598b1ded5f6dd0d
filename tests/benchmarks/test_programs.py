"""The programs run from their folder, say what they measured, and name what is wrong with what they are given."""

import json
import os
import subprocess
import sys

import pytest

from tests.benchmarks.conftest import PROGRAMS


def rows(printed):
    """The cells of each table's rows, without the rule."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines() if line.startswith("|") and "---" not in line]


def test_ablation_tells_each_variant_beside_the_matching_as_it_is(program, judged, tmp_path):
    done = program("ablation.py", judged, "--only", "length", "--json", tmp_path / "told.json")
    assert done.returncode == 0, done.stderr
    head, as_it_is, *others = rows(done.stdout)[:4]
    assert "encoder letters-1" in done.stdout
    assert head == ["nDCG@10", "needs, the same language", "needs, Catalan and Spanish"]
    assert as_it_is[0] == "as it is"
    assert [row[0] for row in others] == ["an offer's length counts nothing", "its length counts as in Lucene"]
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["as it is"]["needs, the same language"]["difference"]["ndcg@10"] == [0, 0, 0]


def test_ablation_changes_what_it_says(program, judged):
    done = program("ablation.py", judged, "--only", "in the score")
    assert done.returncode == 0, done.stderr
    figures = {row[0]: row[1] for row in rows(done.stdout)[:4]}
    # One demand shares no word with what answers it: without meaning it is the last of three, by chance.
    assert figures["no meaning in the score"].startswith("-")
    assert figures["no words in the score"].startswith("+.000")


def test_cross_validation_tells_the_value_in_use_and_what_leaving_out_costs(program, judged):
    done = program("cross_validation.py", "matching.MEANING_SHARE", "0", "1", "--dataset", judged)
    assert done.returncode == 0, done.stderr
    grid = rows(done.stdout)
    assert grid[0] == ["`matching.MEANING_SHARE`", "needs, the same language", "needs, Catalan and Spanish", "mean"]
    assert sum("(in use)" in row[0] for row in grid) == 1
    assert [row[0] for row in grid[-2:]] == ["needs, the same language", "needs, Catalan and Spanish"]


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("matching.NO_SUCH", "no weight of the matching"),
        ("no_module.WEIGHT", "no weight of the matching"),
        ("wants.FORM_STRENGTHS.text_rhyme", "no entry text_rhyme; it has text_word"),
        ("wants.FORM_STRENGTHS", "is no number"),
        ("matching", "module.CONSTANT"),
    ],
)
def test_cross_validation_names_a_weight_that_there_is_not(program, judged, weight, message):
    done = program("cross_validation.py", weight, "1", "--dataset", judged)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_quality_prints_a_table_for_each_kind_of_pair(program, judged, tmp_path):
    done = program("quality.py", judged, "--vectors", tmp_path / "vectors.npz", "--json", tmp_path / "told.json")
    assert done.returncode == 0, done.stderr
    assert "Mean of the pairs: the same language." in done.stdout
    assert "Mean of the pairs: Catalan and Spanish." in done.stdout
    assert "Not to be had: more_like_this; it needs Elasticsearch." in done.stdout
    assert {"ours", "vectors alone"} <= {row[0] for row in rows(done.stdout)}
    assert json.loads((tmp_path / "told.json").read_text())["needs"]["means"].keys() == {"the same language", "Catalan and Spanish"}
    assert (tmp_path / "vectors.npz").exists()


@pytest.mark.parametrize("name", ["ablation.py", "quality.py"])
def test_programs_say_that_a_folder_is_missing(program, tmp_path, name):
    done = program(name, tmp_path / "nothing")
    assert done.returncode == 1
    assert "corpus.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


def test_tables_go_between_their_marks(program, judged, tmp_path):
    page = tmp_path / "README.md"
    page.write_text("Before.\n<!-- quality: begin -->\nold\n<!-- quality: end -->\nAfter.\n")
    done = program("quality.py", judged, "--into", page)
    assert done.returncode == 0, done.stderr
    assert page.read_text().startswith("Before.\n<!-- quality: begin -->\n")
    assert page.read_text().endswith("\n\nNot to be had: RRF of most_fields and vectors; it needs Elasticsearch.\n<!-- quality: end -->\nAfter.\n")
    assert "old" not in page.read_text()
    assert done.stdout == ""


def test_tables_without_a_place_are_shown_all_the_same(program, judged, tmp_path):
    done = program("quality.py", judged, "--into", tmp_path / "README.md")
    assert done.returncode == 1
    assert "has no place for it: <!-- quality: begin -->" in done.stderr
    assert "### needs" in done.stderr


def test_quality_says_that_the_server_is_down(program, judged, settings):
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    done = program("quality.py", judged)
    assert done.returncode == 1
    assert "elasticsearch does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_programs_run_from_the_shell(judged):
    command = [sys.executable, str(PROGRAMS / "quality.py"), str(judged), "--engine", "embedded"]
    done = subprocess.run(command, env=os.environ | {"SEMANTIC_ENCODER": ""}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "### needs" in done.stdout


def test_a_changed_weight_is_set_back_even_after_an_error(program, monkeypatch):
    monkeypatch.syspath_prepend(str(PROGRAMS))
    from trial import Change, changed  # noqa: PLC0415 - from the folder put on the path above

    from search import matching  # noqa: PLC0415 - as above

    before = matching.MEANING_SHARE

    def fail():
        with changed([Change(matching, "MEANING_SHARE", 0.0)]):
            assert matching.MEANING_SHARE == 0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert before == matching.MEANING_SHARE
    with pytest.raises(AttributeError), changed([Change(matching, "MEANING_SHARES", 0.0)]):
        pytest.fail("tried a weight that there is not")
    assert not hasattr(matching, "MEANING_SHARES")

"""The measures, and the command that prints them."""

import json

import pytest
from django.core.management import CommandError, call_command

from search import evaluation


def test_measures_against_figures_made_by_hand():
    grades = {"a": 3, "b": 1, "c": 0, "d": 1}
    found = ["x", "a", "c", "b"]
    # gains: 7 at rank 2 and 1 at rank 4; ideal: 7, 1, 1 at ranks 1 to 3
    assert evaluation.ndcg(found, grades) == pytest.approx((7 / 1.58496 + 1 / 2.32193) / (7 + 1 / 1.58496 + 1 / 2), abs=1e-4)
    assert evaluation.reciprocal_rank(found, grades) == 0.5
    assert evaluation.recall(found, grades) == pytest.approx(2 / 3)
    assert evaluation.ndcg(["x"] * 10 + ["a"], grades) == evaluation.reciprocal_rank(["x"] * 10 + ["a"], grades) == 0
    assert evaluation.ndcg(["a", "b", "d"], grades) == 1


@pytest.fixture
def dataset(tmp_path):
    corpus = [
        {"id": "o1", "lang": "ca", "title": "Higiene SL", "text": "Gel hidroalcohòlic i mascaretes."},
        {"id": "o2", "lang": "es", "title": "Guantes SA", "text": "Guantes de nitrilo."},
        {"id": "o3", "lang": "ca", "title": "", "text": "Transport de mercaderies."},
    ]
    queries = [
        {"id": "q1", "lang": "ca", "text": "Subministrament de mascaretes"},
        {"id": "q2", "lang": "ca", "text": "Guants de nitril", "buyer": "Ajuntament"},
        {"id": "o3", "lang": "es", "text": "Transporte"},
        {"id": "unjudged", "lang": "ca", "text": "Fruita"},
    ]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("query-id\tdoc-id\tgrade\nq1\to1\t1\nq2\to2\t2\no3\to3\t1\no3\to9\t1\n")
    return tmp_path


@pytest.fixture(params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.needs("elasticsearch"))])
def engine_name(request, settings):
    if request.param == "elasticsearch":
        settings.ELASTICSEARCH_URL = request.getfixturevalue("elasticsearch_url")
    return request.param


def test_evaluate_matching_prints_one_object(dataset, engine_name, capsys):
    call_command("evaluate_matching", "--dataset", str(dataset), "--engine", engine_name, "--json")
    printed = capsys.readouterr()
    figures = json.loads(printed.out)
    assert figures.pop("seconds") >= 0
    assert figures == {"ndcg@10": 1.0, "mrr@10": 1.0, "recall@100": 1.0, "queries": 3, "engine": engine_name}
    assert "3/3" in printed.err


def test_evaluate_matching_restricts_to_a_language_pair(dataset, capsys):
    call_command("evaluate_matching", "--dataset", str(dataset), "--queries-language", "ca", "--documents-language", "es", "--json")
    assert json.loads(capsys.readouterr().out)["queries"] == 1


def test_evaluate_matching_leaves_no_index(dataset, settings, elasticsearch_url):
    from search.backends import elastic  # noqa: PLC0415 - as the command loads it

    settings.ELASTICSEARCH_URL = elasticsearch_url
    call_command("evaluate_matching", "--dataset", str(dataset), "--engine", "elasticsearch")
    with elastic.connect(elasticsearch_url) as client:
        assert list(client.indices.get(index=f"{settings.SEARCH_INDEX_PREFIX}-evaluation*")) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", "{", "corpus.jsonl"),
        ("corpus.jsonl", '{"id": "o1"}', "line 1: id and text"),
        ("qrels.tsv", "query-id\tdoc-id\tgrade\nq1\to1\tgood\n", "qrels.tsv"),
        ("qrels.tsv", "query-id\tdoc-id\tgrade\n", "no query"),
    ],
)
def test_evaluate_matching_says_what_is_wrong_with_a_set(dataset, name, content, message):
    (dataset / name).write_text(content)
    with pytest.raises(CommandError, match=message):
        call_command("evaluate_matching", "--dataset", str(dataset))


def test_evaluate_matching_says_that_a_file_is_missing(tmp_path):
    with pytest.raises(CommandError, match=r"corpus\.jsonl"):
        call_command("evaluate_matching", "--dataset", str(tmp_path))


def test_evaluate_matching_on_elasticsearch_needs_its_address(dataset):
    with pytest.raises(CommandError, match="ELASTICSEARCH_URL"):
        call_command("evaluate_matching", "--dataset", str(dataset), "--engine", "elasticsearch")

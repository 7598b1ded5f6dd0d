"""The measures, and the command that prints them."""

import json
import os
import signal

import pytest
from django.core.management import CommandError, call_command

from search import baselines, encoding, evaluation, evaluation_report
from search.significance import Interval


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


# --- What one would pick instead --------------------------------------------------------------------------------------

LETTERS = "tests.search.encoders.Letters"


@pytest.fixture
def encoder(settings):
    settings.SEMANTIC_ENCODER = LETTERS
    return encoding.encoder()


@pytest.fixture
def server(settings, elasticsearch_url):
    settings.ELASTICSEARCH_URL = elasticsearch_url
    return elasticsearch_url


def evaluated(dataset, capsys, *options):
    call_command("evaluate_matching", "--dataset", str(dataset), "--json", *options)
    return json.loads(capsys.readouterr().out)


def test_evaluate_matching_compares_with_every_baseline(dataset, server, encoder, capsys):
    told = evaluated(dataset, capsys, "--baselines")
    assert tuple(told["baselines"]) == baselines.NAMES
    assert told["not_to_be_had"] == {}
    for name, figures in told["baselines"].items():
        for measure in evaluation.MEASURES:
            mean, low, high = figures["difference"][measure]
            assert low <= mean <= high, name
            assert mean == pytest.approx(told[measure] - figures[measure], abs=2e-4), name
    # The standard analyzer has no inflections and no Catalan "guants" for the Spanish "guantes".
    assert told["baselines"][baselines.STANDARD]["ndcg@10"] < told["ndcg@10"]


def test_evaluate_matching_with_baselines_leaves_no_index(dataset, server, settings):
    from search.backends import elastic  # noqa: PLC0415 - as the command loads it

    call_command("evaluate_matching", "--dataset", str(dataset), "--baselines")
    with elastic.connect(server) as client:
        assert list(client.indices.get(index=f"{settings.SEARCH_INDEX_PREFIX}-evaluation*")) == []


def test_evaluate_matching_says_which_baselines_are_not_to_be_had(dataset, capsys):
    told = evaluated(dataset, capsys, "--baselines", "--engine", "embedded")
    assert told["baselines"] == {}
    assert told["not_to_be_had"] == baselines.missing(None, None)
    call_command("evaluate_matching", "--dataset", str(dataset), "--baselines", "--engine", "embedded")
    printed = capsys.readouterr().out
    assert f"Not to be had: {baselines.STANDARD}; it {baselines.NO_SERVER}." in printed
    assert f"Not to be had: {baselines.VECTORS}; it {baselines.NO_ENCODER}." in printed


def test_evaluate_matching_prints_a_table_of_systems(dataset, encoder, capsys):
    call_command("evaluate_matching", "--dataset", str(dataset), "--baselines", "--engine", "embedded")
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [row[0].strip() for row in rows] == ["System", "-" * len(rows[1][0].strip()), "ours", baselines.VECTORS]
    assert len({len(row) for row in rows}) == 1


def test_evaluate_matching_keeps_vectors_for_the_next_run(dataset, encoder, tmp_path, capsys):
    file = tmp_path / "vectors.npz"
    encoder.encoded.clear()
    first = evaluated(dataset, capsys, "--vectors", str(file), "--baselines")
    assert encoder.encoded
    encoder.encoded.clear()
    second = evaluated(dataset, capsys, "--vectors", str(file), "--baselines")
    assert encoder.encoded == []
    for told in (first, second):
        told.pop("seconds")
        told["baselines"][baselines.VECTORS].pop("seconds")
    assert first == second


def test_evaluate_matching_measures_every_pair_of_languages(dataset, capsys):
    told = evaluated(dataset, capsys, "--language-pairs")
    # o1 (ca) answers a demand in Catalan, o2 (es) another; o3 (ca) one in Spanish.
    assert [(pair["queries_language"], pair["documents_language"], pair["queries"]) for pair in told["pairs"]] == [
        ("ca", "ca", 1),
        ("ca", "es", 1),
        ("es", "ca", 1),
    ]
    assert told["means"]["the same language"]["ours"]["ndcg@10"] == told["pairs"][0]["ndcg@10"]
    across = told["pairs"][1:]
    assert told["means"]["Catalan and Spanish"]["ours"]["ndcg@10"] == pytest.approx(sum(pair["ndcg@10"] for pair in across) / 2, abs=1e-4)
    call_command("evaluate_matching", "--dataset", str(dataset), "--language-pairs")
    assert "| mean, Catalan and Spanish |" in capsys.readouterr().out


def test_language_pairs_are_those_with_judgements_and_without_strays(tmp_path):
    languages = [*["ca"] * 30, *["es"] * 9, "en"]  # One in forty is a stray.
    for name in ("corpus", "queries"):
        rows = [{"id": f"{name}{number}", "lang": language, "text": "Guants"} for number, language in enumerate(languages)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    judged = [(0, 0, 1), (0, 30, 2), (30, 31, 1), (31, 0, 0), (39, 39, 1)]  # From Spanish to Catalan there is only a bad answer.
    (tmp_path / "qrels.tsv").write_text("query\tdocument\tgrade\n" + "".join(f"queries{q}\tcorpus{d}\t{g}\n" for q, d, g in judged))
    assert evaluation.language_pairs(tmp_path) == [("ca", "ca"), ("es", "es"), ("ca", "es")]


def test_evaluate_matching_shows_the_worst_queries(dataset, capsys):
    (dataset / "qrels.tsv").write_text("query-id\tdoc-id\tgrade\nq1\to1\t1\nq2\to3\t2\n")  # Nobody finds transport for gloves.
    told = evaluated(dataset, capsys, "--misses", "1")
    (miss,) = told["misses"]
    assert miss["demand"] == "Guants de nitril"
    assert [(wanted["uid"], wanted["rank"], wanted["grade"]) for wanted in miss["wanted"]] == [("o3", None, 2)]
    assert [(found["uid"], found["rank"], found["grade"]) for found in miss["found"]] == [("o2", 1, 0)]
    call_command("evaluate_matching", "--dataset", str(dataset), "--misses", "1")
    printed = capsys.readouterr().out
    assert "nDCG@10     0.5" in printed
    assert "wanted, not found: Transport de mercaderies." in printed
    assert "found, rank 1, grade 0: Guantes SA · Guantes de nitrilo." in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--vectors", "vectors.npz"], "needs an encoder"),
        (["--language-pairs", "--queries-language", "ca"], "leave --queries-language"),
        (["--misses", "-1"], "--misses takes"),
    ],
)
def test_evaluate_matching_says_what_is_wrong_with_the_options(dataset, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("evaluate_matching", "--dataset", str(dataset), *options)


def test_evaluate_matching_refuses_a_file_of_other_vectors(dataset, encoder, tmp_path):
    (tmp_path / "vectors.npz").write_text("holiday pictures")
    with pytest.raises(CommandError, match="holds no vectors"):
        call_command("evaluate_matching", "--dataset", str(dataset), "--vectors", str(tmp_path / "vectors.npz"))


def test_evaluate_matching_says_that_the_server_is_down(dataset, settings):
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="elasticsearch does not answer"):
        call_command("evaluate_matching", "--dataset", str(dataset), "--engine", "elasticsearch", "--baselines")


def test_evaluate_matching_removes_its_indices_when_the_server_fails_on_the_way(dataset, settings, elasticsearch_url, monkeypatch):
    from search.backends import elastic  # noqa: PLC0415 - as the command loads it

    settings.ELASTICSEARCH_URL = elasticsearch_url
    # A query that the server refuses: what goes wrong after the indices were made.
    monkeypatch.setitem(baselines.QUERIES, baselines.MORE_LIKE_THIS, lambda _text: {"no_such_query": {}})
    with pytest.raises(CommandError, match="no_such_query"):
        call_command("evaluate_matching", "--dataset", str(dataset), "--engine", "elasticsearch", "--baselines")
    with elastic.connect(elasticsearch_url) as client:
        assert list(client.indices.get(index=f"{settings.SEARCH_INDEX_PREFIX}-evaluation*")) == []


def test_evaluate_matching_removes_its_indices_when_it_is_ended(dataset, settings, elasticsearch_url, monkeypatch):
    from search.backends import elastic  # noqa: PLC0415 - as the command loads it

    settings.ELASTICSEARCH_URL = elasticsearch_url
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setitem(baselines.QUERIES, baselines.MORE_LIKE_THIS, lambda _text: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit):
        call_command("evaluate_matching", "--dataset", str(dataset), "--engine", "elasticsearch", "--baselines")
    assert signal.getsignal(signal.SIGTERM) == before
    with elastic.connect(elasticsearch_url) as client:
        assert list(client.indices.get(index=f"{settings.SEARCH_INDEX_PREFIX}-evaluation*")) == []


def test_figures_and_differences_are_written_as_in_papers():
    assert evaluation_report.share(0.5124) == ".512"
    assert evaluation_report.share(1) == "1.000"
    assert evaluation_report.signed(Interval(0.031, 0.012, 0.05)) == "**+.031** [+.012, +.050]"
    assert evaluation_report.signed(Interval(-0.01, -0.03, 0.01)) == "-.010 [-.030, +.010]"
    assert evaluation_report.signed(Interval(-1, -1, -1)) == "**-1.000** [-1.000, -1.000]"

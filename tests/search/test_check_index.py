"""What `manage.py check_index` tells, and by which exit code."""

import datetime
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from marketplace.core.heartbeats import Heart, Part
from marketplace.core.models import Reader
from search import engine, index, upkeep
from search.enums import Work
from search.models import IndexBuild, IndexCheck
from search.status import status
from tests.search.servers import SICKNESSES, Sick

from .test_index import make_drift, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def embedded(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.EMBEDDED_FALLBACK = True
    [chosen] = engine.backends()
    return chosen


def run(capsys, *arguments: str) -> tuple[int, str]:
    code = 0
    try:
        call_command("check_index", *arguments, skip_checks=True)
    except CommandError as error:
        code = error.returncode
    return code, capsys.readouterr().out


def test_exit_code_tells_whether_something_differs(embedded, capsys):
    make_drift(embedded)
    code, out = run(capsys)
    assert code == 1
    assert "embedded: 1 missing" in out
    assert run(capsys, "--repair")[0] == 0
    assert run(capsys)[0] == 0
    assert list(IndexCheck.objects.values_list("missing", "repaired")) == [(0, False), (1, True), (1, False)]


def test_engine_that_cannot_be_reached_has_a_code_of_its_own_and_keeps_no_other_from_it(embedded, capsys, settings):
    publish("Gel")
    index.run_once()
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    code, out = run(capsys)
    assert code == 2
    assert "elasticsearch: cannot be checked" in out
    assert "embedded: 0 missing" in out
    assert "elasticsearch (searches use it): does not answer" in out


def test_text_tells_engines_readers_and_workers(embedded, capsys):
    publish("Gel")
    index.run_once()
    publish("Guants")
    now = timezone.now()
    IndexBuild.objects.create(engine="embedded", started=now, finished=now, lease_until=now, documents=1)
    later = now + datetime.timedelta(seconds=1)
    IndexBuild.objects.create(engine="embedded", started=later, finished=later, lease_until=later, error="disk full")
    Heart([Part("inside")], lambda: {"elasticsearch": "open"}).beat()
    upkeep.ask("embedded", Work.REBUILD)
    lines = run(capsys)[1].splitlines()
    for begins in (
        "embedded (searches use it): 1 documents",
        "  last rebuild: 20",
        "  later rebuild: began 20",
        "  last compared: 20",
        "  asked for: rebuild, 20",
        "reader embedded: 1 changes behind, the oldest waits 0 s",
        "worker ",
    ):
        assert [line for line in lines if line.startswith(begins)], begins
    assert any("failed: disk full" in line for line in lines)
    assert any("inside: alive, idle" in line and "breaker of elasticsearch open" in line for line in lines)


def test_json_is_one_object_with_all_of_it(embedded, capsys):
    make_drift(embedded)
    Heart([Part("inside")]).beat()
    code, out = run(capsys, "--json")
    told = json.loads(out)
    assert (code, told["differs"], told["repaired"], told["errors"]) == (1, True, False, {})
    assert told["drift"]["embedded"]["counts"] == {"missing": 1, "extra": 1, "stale": 1, "without_vectors": 0}
    assert [(one["engine"], one["checked"]["missing"]) for one in told["engines"]] == [("embedded", 1)]
    assert [one["reader"] for one in told["readers"]] == ["embedded"]
    assert [(one["part"], one["condition"]) for one in told["workers"]] == [("inside", "alive")]


# --- Status -------------------------------------------------------------------------------------------------------------


def test_status_of_a_real_server(embedded, settings, elasticsearch_url):
    settings.ELASTICSEARCH_URL = elasticsearch_url
    settings.SEARCH_INDEX_PREFIX = f"test-status-{timezone.now():%H%M%S%f}"
    chosen = engine.backends()[0]
    try:
        assert status().engines[0].documents is None
        publish("Gel")
        index.run_once()
        [one, stand_in] = status().engines
        assert (one.engine, one.documents, one.error, one.nodes, one.breaker) == ("elasticsearch", 1, "", 1, "closed")
        assert one.colour in ("green", "yellow")
        assert (stand_in.engine, stand_in.documents, stand_in.is_chosen) == ("embedded", 1, False)
    finally:
        chosen.remove()


def test_looking_at_a_sick_server_opens_no_breaker(embedded, settings):
    """A cluster that elects a master leaves this question open and answers searches."""
    server = Sick(SICKNESSES["503"])
    settings.ELASTICSEARCH_URL = server.url
    try:
        for _ in range(3):
            assert [(one.breaker, bool(one.error)) for one in status().engines[:1]] == [("closed", True)]
    finally:
        server.stop()


def test_breaker_that_searches_opened_is_seen(embedded, settings):
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:9"
    index.run_once()
    chosen = engine.backends()[0]
    for _ in range(2):
        chosen.breaker.failed()
    try:
        assert status().engines[0].breaker == "open"
    finally:
        chosen.breaker.succeeded()


def test_status_takes_the_same_queries_for_one_reader_and_for_three(embedded, django_assert_num_queries):
    index.run_once()
    now = timezone.now()
    IndexBuild.objects.create(engine="embedded", started=now, finished=now, lease_until=now, documents=1)
    for count in (1, 3):
        for number in range(count):
            Reader.objects.get_or_create(name=f"reader {number}")
        with django_assert_num_queries(6):
            status()

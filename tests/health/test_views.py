"""Who is told what of the service, and how quickly."""

import contextlib
import datetime
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from marketplace.core import changelog
from marketplace.core.models import Change, Reader
from search import status
from search.backends import elastic
from search.backends.base import EngineUnavailableError
from tests.factories import UserFactory
from tests.health.conftest import BEARER
from tests.search.servers import SICKNESSES, Sick

PATHS = ["/health/details/", "/health/details/?format=text", "/metrics"]
#: More than a page may take longer than with a search server in health, whatever that one does.
SECONDS = 2.0


@pytest.fixture(params=SICKNESSES)
def sick(request, service, settings, monkeypatch):
    """Elasticsearch is chosen and sick; the embedded engine stands in."""
    server = Sick(SICKNESSES[request.param])
    settings.ELASTICSEARCH_URL = server.url
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    yield server
    server.stop()
    _let_threads_end()


def _let_threads_end() -> None:
    """Those that nobody waits for any more: what they say after the test would be said of another one."""
    for thread in threading.enumerate():
        if thread.name == "asking-an-engine":
            thread.join(20)


def seconds(client, path: str) -> float:
    """The least of three tries: on a busy machine any one of them may have had to wait for its turn."""
    taken = []
    for _ in range(3):
        began = time.monotonic()
        client.get(path, headers=BEARER)
        taken.append(time.monotonic() - began)
    return min(taken)


def seconds_without(client, settings, path: str) -> float:
    """How long it takes on this machine at this moment without a search server."""
    url, settings.ELASTICSEARCH_URL = settings.ELASTICSEARCH_URL, ""
    try:
        return seconds(client, path)
    finally:
        settings.ELASTICSEARCH_URL = url


# --- For load balancers -------------------------------------------------------------------------------------------------


def test_health_says_ok_and_nothing_else(client, service):
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_health_is_cheap(client, service, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        client.get("/health/")


def test_health_is_degraded_when_what_people_see_is_old(client, service):
    Reader.objects.create(name="synergies")
    with transaction.atomic():
        changelog.append("listing", uuid.uuid4())
    assert client.get("/health/").json() == {"status": "ok"}
    Change.objects.update(created=timezone.now() - datetime.timedelta(minutes=20))
    assert client.get("/health/").json() == {"status": "degraded"}


def test_reader_of_an_engine_that_is_not_in_use_any_more_is_not_behind(client, service):
    Reader.objects.create(name="index")
    with transaction.atomic():
        changelog.append("listing", uuid.uuid4())
    Change.objects.update(created=timezone.now() - datetime.timedelta(days=1))
    Reader.objects.exclude(name="index").update(transaction=2**40)
    assert client.get("/health/").json() == {"status": "ok"}


def test_health_is_degraded_and_quick_when_the_search_server_is_sick(client, sick, settings):
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})
    assert seconds(client, "/health/") - seconds_without(client, settings, "/health/") < SECONDS


def test_naive_question_waits_for_as_long_as_the_server_likes(service):
    """A client's timeout begins anew with every byte: a server that lets them trickle in holds a thread for as long as it likes."""
    server = Sick(b"")
    trickle = b"HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n" + b" " * 400

    class Trickling(server.RequestHandlerClass):
        def handle(self):
            self._drain()
            with contextlib.suppress(OSError):
                for byte in trickle:
                    if self.server.released.wait(0.1):
                        return
                    self.wfile.write(bytes([byte]))

    server.RequestHandlerClass = Trickling
    try:
        backend = elastic.ElasticBackend(elastic.connect(server.url), "test")

        def ask() -> None:
            with contextlib.suppress(EngineUnavailableError):
                backend.vitals()

        naive = threading.Thread(target=ask, daemon=True)
        naive.start()
        with pytest.raises(EngineUnavailableError, match="within"):
            status.within(0.5, backend.vitals)
        naive.join(4 * elastic.VITAL_SECONDS)
        assert naive.is_alive()
    finally:
        server.stop()
        naive.join(20)
        _let_threads_end()


@pytest.mark.parametrize("path", ["/health/", *PATHS])
def test_dead_database_is_503_with_nothing_in_it(client, service, monkeypatch, path):
    def away(*_):
        raise OperationalError('connection to server at "10.1.2.3", port 5432 failed')

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        answer = client.get(path, headers=BEARER)
    assert (answer.status_code, answer.json()) == (503, {"status": "down"})


#: Asks for /health/, then once more as without a limit; tells the answer, its seconds, and whether the other question still waits after twice as long.
ASK_A_SILENT_DATABASE = """
import json, threading, time, django
django.setup()
from django.db import connections
from django.test import Client

began = time.monotonic()
answer = Client().get("/health/")
taken = time.monotonic() - began
connections.settings["default"]["OPTIONS"].pop("connect_timeout")
naive = threading.Thread(target=lambda: Client().get("/health/"), daemon=True)
naive.start()
naive.join(2 * taken)
print(json.dumps([answer.status_code, answer.json(), taken, naive.is_alive()]), flush=True)
"""


def test_database_that_takes_a_connection_and_says_nothing_is_down_within_seconds():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://marketplace:secret@127.0.0.1:{silent.getsockname()[1]}/marketplace"
        done = subprocess.run(
            [sys.executable, "-c", ASK_A_SILENT_DATABASE],
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "marketplace.settings", "DATABASE_URL": url, "ALLOWED_HOSTS": "testserver"},
            cwd=django_settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    status_code, said, taken, naive_waits = json.loads(done.stdout)
    assert (status_code, said, taken < 3 + SECONDS, naive_waits) == (503, {"status": "down"}, True, True)


# --- For operators ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": "Basic Og=="}, {"Authorization": "Bearer é"}]
)
def test_without_the_token_nothing_is_told(client, service, path, headers):
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="operation"')
    assert b"embedded" not in answer.content


@pytest.mark.parametrize("path", PATHS)
def test_where_no_token_is_set_none_opens(client, service, settings, path):
    """Also from this very machine: behind a proxy every visitor comes from there."""
    settings.METRICS_TOKEN = ""
    assert [client.get(path, headers={"Authorization": value}).status_code for value in ("", "Bearer ", "Bearer None")] == [401] * 3


@pytest.mark.parametrize("path", PATHS)
def test_curators_read_it_and_other_people_do_not(client, service, curator, path):
    client.force_login(UserFactory())
    assert client.get(path).status_code == 401
    client.force_login(curator)
    assert client.get(path).status_code == 200


def test_details_tell_every_part(client, service):
    answer = client.get("/health/details/", headers=BEARER).json()
    assert {part["part"]: part["level"] for part in answer["parts"]} == dict.fromkeys(
        ("engine", "index", "readers", "workers", "mails", "partners", "database"), "well"
    )
    assert answer["level"] == "well"
    assert [(engine["engine"], engine["documents"], engine["error"]) for engine in answer["engines"]] == [("embedded", 0, "")]
    assert [(worker["part"], worker["condition"]) for worker in answer["workers"]] == [("inside", "alive")]
    assert [reader["reader"] for reader in answer["readers"]] == ["embedded"]


def test_details_are_in_english_whatever_language_is_on(client, service):
    answer = client.get("/health/details/", headers=BEARER | {"Accept-Language": "ca"}).json()
    assert answer["parts"][2]["says"] == ["Every change has been handled."]
    text = client.get("/health/details/", headers=BEARER | {"Accept": "text/plain"})
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert "WELL readers: Every change has been handled." in text.content.decode()


def test_details_are_quick_when_the_search_server_is_sick(client, sick, settings):
    assert seconds(client, "/health/details/") - seconds_without(client, settings, "/health/details/") < SECONDS
    answer = client.get("/health/details/", headers=BEARER).json()
    [chosen, stand_in] = answer["engines"]
    assert (chosen["engine"], chosen["documents"], stand_in["documents"]) == ("elasticsearch", None, 0)
    assert chosen["error"]
    assert {part["part"]: part["level"] for part in answer["parts"]}["engine"] == "bad"


def test_details_take_the_same_queries_for_one_of_each_and_for_three(client, service, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    counts = []
    for count in (1, 3):
        for number in range(count):
            Reader.objects.get_or_create(name=f"reader {number}")
        with CaptureQueriesContext(connection) as asked:
            client.get("/health/details/", headers=BEARER)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 12

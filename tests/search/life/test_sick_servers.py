"""Elasticsearch refusing, silent, overloaded or rubbish, under a real site and worker: every save succeeds, searches stay quick, and it catches up.

    LIFE_SIZE=full python -m tests.postgresql -- python -m pytest -m postgresql tests/search/life/test_sick_servers.py -s

sends 200 requests in each sickness, half of them saves.
"""

import random
import statistics
import threading
import time

import pytest
from elasticsearch import Elasticsearch

from tests.search.life import comparing, load
from tests.search.life.conftest import FULL
from tests.search.life.line import REFUSING, WELL, Line
from tests.search.servers import SICKNESSES

pytestmark = [pytest.mark.postgresql, pytest.mark.needs("elasticsearch")]

REQUESTS = 200
#: In a server's silence somebody waits for it now and then, some of a hundred; in the other states what is true of many is true of few.
FEWER = REQUESTS if FULL else 60
#: Each is in every listing.
WORDS = ("pantalles", "facials", "visera", "reutilitzables")
FALLBACK_SECONDS, CATCH_UP_SECONDS = 0.3, 30.0
STATES = [REFUSING, *SICKNESSES] if FULL else [REFUSING, "silent", "429", "503", "a page of HTML"]


@pytest.fixture
def line(elasticsearch_url):
    line = Line(elasticsearch_url)
    yield line
    line.close()


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


class Visit:
    """Saves and searches by several programs at once; how long each took, and what failed."""

    def __init__(self, url: str, key: str, seed: float) -> None:
        self._program = load.Program(url, key, seed)
        self._chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
        self.searches: list[float] = []
        self.engines: list[bool] = []
        self.faults: list[str] = []

    def make(self, requests: int) -> None:
        """So many requests, half of them saves."""
        for number in range(requests):
            began = time.monotonic()
            if number % 2:
                answer = self._program.ask("POST", "/listings/", json=load.NEW | {"title": f"Pantalles facials de PET, lot {self._chance.randrange(10**9)}"})
                if answer is None or answer.status != 201:
                    self.faults.append(f"save: {answer and answer.status}")
            else:
                answer = self._program.ask("GET", f"/listings/?q={self._chance.choice(WORDS)}")
                if answer is None or answer.status != 200 or not answer.json()["results"]:
                    self.faults.append(f"search: {answer and answer.status}")
                else:
                    self.searches.append(time.monotonic() - began)
                    self.engines.append(answer.json()["degraded"])


def visit(url: str, key: str, seed: int, requests: int, *, at_once: int = 2) -> list[Visit]:
    visits = [Visit(url, key, seed + number) for number in range(at_once)]
    threads = [threading.Thread(target=one.make, args=(requests // at_once,)) for one in visits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return visits


def wait_until_read(forks, reader: str, seconds: float) -> float:
    began = time.monotonic()
    while comparing.lag(forks.node, reader):
        assert time.monotonic() - began < seconds, forks.node.log[-4000:]
        time.sleep(0.05)
    return time.monotonic() - began


def test_sick_server_costs_no_save_and_no_time(marketplace, line, differences, seed):
    forks = marketplace(ELASTICSEARCH_URL=line.url)
    key = load.set_up(forks, 60)
    worker = forks.start("work")
    wait_until_read(forks, "index", 60)
    forks.serve(processes=2)
    visit(forks.node.url, key, seed, 20)
    well = p95([seconds for one in visit(forks.node.url, key, seed, 40) for seconds in one.searches])
    told = []
    for state in STATES:
        line.become(state)
        requests = REQUESTS if state == "silent" else FEWER
        visits = visit(forks.node.url, key, seed, requests)
        load.publish(forks, 10)
        wait_until_read(forks, "embedded", CATCH_UP_SECONDS)
        line.become(WELL)
        caught_up = wait_until_read(forks, "index", CATCH_UP_SECONDS)
        faults = [fault for one in visits for fault in one.faults]
        searches = [seconds for one in visits for seconds in one.searches]
        degraded = [is_degraded for one in visits for is_degraded in one.engines]
        told.append(
            f"{state}: {len(faults)} failed of {requests}, search p95 {p95(searches) * 1000:.0f} ms, slowest {max(searches) * 1000:.0f} ms, caught up in {caught_up:.1f} s"
        )
        print(told[-1])
        assert faults == []
        assert all(degraded)
        # On a machine that is busy with other things, twice what it takes while all is well.
        assert p95(searches) <= max(FALLBACK_SECONDS, 2 * well)
        wait_until_well(forks.node.url, key)
    forks.end(worker)
    found = differences(forks.node)
    assert not any(found.values()), {name: vars(wrong) for name, wrong in found.items()}


def wait_until_well(url: str, key: str, seconds: float = 30) -> None:
    """Wait until each web process asks Elasticsearch again."""
    program, deadline, in_a_row = load.Program(url, key, 0), time.monotonic() + seconds, 0
    while in_a_row < 12:
        assert time.monotonic() < deadline
        answer = program.ask("GET", "/listings/?q=pantalles")
        in_a_row = in_a_row + 1 if answer and not answer.json()["degraded"] else 0
        time.sleep(0.05)


#: Ten saves as the usual Django glue does them, which asks the server at once; prints how many ended in an error, and how many rows there are then.
GLUE = """
import random
from marketplace.listings import operations
from marketplace.listings.models import Listing
from tests.search.life import children
writer, before, failed = children._Writer(random.Random(SEED)), Listing.objects.count(), 0
children._index_like_many("WHEN")
for _ in range(10):
    try:
        operations.create(writer._company, writer._fields(), by=writer._user)
    except Exception as error:
        failed += 1
print(failed, Listing.objects.count() - before)
"""


def test_naive_glue_loses_saves_in_every_sickness(marketplace, line, seed):
    """In a signal each save fails and nothing is kept; at commit it is kept, but whoever saved is shown an error."""
    forks = marketplace(ELASTICSEARCH_URL=line.url, EMBEDDED_FALLBACK=False)
    load.set_up(forks, 5)
    for state in (REFUSING, "429", "503", "a page of HTML"):
        line.become(state)
        told = {when: forks.python(GLUE.replace("SEED", str(seed)).replace("WHEN", when)).split()[-2:] for when in ("signal", "commit")}
        line.become(WELL)
        assert told == {"signal": ["10", "0"], "commit": ["10", "10"]}, state


def test_naive_client_makes_people_wait(line):
    """The client as it comes: ten seconds of patience, and three retries."""
    line.become("silent")
    client = Elasticsearch(line.url, retry_on_timeout=True, request_timeout=0.4)
    began = time.monotonic()
    with pytest.raises(Exception, match=r"timed out|Connection"):
        client.index(index="naive", document={"title": "Gel"})
    assert time.monotonic() - began > 3 * 0.4, "the same silence three times and once more; by default each is 10 s long"
    line.become("503")
    began = line.connections
    with pytest.raises(Exception, match=r"503|not recovered"):
        client.index(index="naive", document={"title": "Gel"})
    assert line.connections - began == 4, "asked four times while it is overloaded"

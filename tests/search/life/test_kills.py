"""Webs and workers killed at random points, and transactions rolled back, while programs and people write.

    LIFE_SIZE=full python -m tests.postgresql -- python -m pytest -m postgresql tests/search/life/test_kills.py -s

kills 200 processes. LIFE_SEED repeats a run's choices (where in its work a process is when it dies, the machine decides).
"""

import collections
import contextlib
import os
import random
import signal
import time

import pytest

from tests.search.life import comparing, load
from tests.search.life.conftest import FULL
from tests.search.life.forks import Forks, below

pytestmark = [pytest.mark.postgresql, pytest.mark.needs("elasticsearch")]

KILLS, ROLLBACKS = (200, 50) if FULL else (40, 10)
NAIVE_KILLS, NAIVE_ROLLBACKS = (30, 20) if FULL else (12, 6)
LISTINGS = 60
CATCH_UP_SECONDS = 60
#: Of the readers; a killed worker's work waits for it. The real one is a minute.
LEASE_SECONDS = 1.0


class Dying:
    """Processes of a marketplace, killed and started again."""

    def __init__(self, forks: Forks, chance: random.Random, kinds: list[str], **options: object) -> None:
        self._forks, self._chance, self._options = forks, chance, options
        self._marks = forks.node.folder / f"marks-{chance.random()}"
        self._marks.touch()
        self._running = [(kind, self._start(kind)) for kind in kinds]
        self.killed: collections.Counter[str] = collections.Counter()

    def _start(self, kind: str) -> int:
        if kind == "worker":
            return self._forks.start("work", lease=LEASE_SECONDS, pause=0.05)
        return self._forks.start("write", seed=self._chance.random(), marks=str(self._marks), **self._options)

    def kill_one(self) -> None:
        """Kill one of them and start it anew."""
        place = self._chance.randrange(len(self._running))
        kind, pid = self._running[place]
        self._forks.kill(pid)
        self.killed[kind] += 1
        self._running[place] = kind, self._start(kind)

    def wait_for_rollbacks(self, number: int, seconds: float = 120) -> None:
        """Let them go on until so many operations were rolled back."""
        deadline = time.monotonic() + seconds
        while self.rolled_back < number:
            assert time.monotonic() < deadline, self._forks.node.log[-4000:]
            time.sleep(0.05)

    def kill_all(self) -> None:
        """Kill them for good."""
        for _kind, pid in self._running:
            self._forks.kill(pid)

    @property
    def written(self) -> int:
        """Operations that were committed."""
        return self._marks.read_bytes().count(b"d")

    @property
    def rolled_back(self) -> int:
        """Operations that were rolled back."""
        return self._marks.read_bytes().count(b"r")


def kill_a_web(parent: int, chance: random.Random) -> int:
    """Kill one of the processes that answer requests; how many that was: now and then none is there."""
    running = below(parent)
    with contextlib.suppress(ProcessLookupError):
        if running:
            os.kill(chance.choice(running), signal.SIGKILL)
            return 1
    return 0


def wait_for_work(done, number: int = 3, seconds: float = 5) -> None:
    """Wait until some more is done: on a busy machine nobody would live long enough to be killed in the middle of anything."""
    began, before = time.monotonic(), done()
    while done() < before + number and time.monotonic() - began < seconds:
        time.sleep(0.005)


def wait_until_read(forks: Forks, seconds: float = CATCH_UP_SECONDS) -> float:
    """Wait until the readers of both engines have seen every change; how long that took."""
    began = time.monotonic()
    while any(comparing.lag(forks.node, reader) for reader in comparing.READERS.values()):
        assert time.monotonic() - began < seconds, forks.node.log[-4000:]
        time.sleep(0.05)
    return time.monotonic() - began


def test_killed_webs_and_workers_lose_nothing(marketplace, differences, seed):
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    forks = marketplace()
    key = load.set_up(forks, LISTINGS)
    web = forks.serve(processes=3)
    killed_webs = 0
    with load.writing(forks.node.url, key, programs=2, seed=seed) as programs:
        dying = Dying(forks, chance, ["worker", "worker", "writer", "writer"], undone=0.25)
        while killed_webs + dying.killed.total() < KILLS:
            wait_for_work(lambda: dying.written + sum(program.answers.total() for program in programs))
            time.sleep(chance.uniform(0.0, 0.2))
            if chance.random() < 0.5:
                killed_webs += kill_a_web(web, chance)
            else:
                dying.kill_one()
        dying.wait_for_rollbacks(ROLLBACKS)
        # The whole server, as when the machine loses its current: who serves finds out by itself.
        forks.kill(web)
        dying.kill_all()
    last = forks.start("work", lease=LEASE_SECONDS)
    caught_up = wait_until_read(forks)
    forks.end(last)
    found = differences(forks.node)
    answers = sum((program.answers for program in programs), start=collections.Counter())
    print(
        f"killed: {killed_webs} webs, {dict(dying.killed)}; {dying.written} operations, {dying.rolled_back} rolled back, answers {dict(answers)}, "
        f"{comparing.rows(forks.node)} rows, caught up in {caught_up:.1f} s; {', '.join(f'{name}: {wrong}' for name, wrong in found.items())}"
    )
    assert [fault for program in programs for fault in program.faults] == []
    assert min(answers[200], answers[201], dying.written) > 0
    assert not any(found.values()), {name: vars(wrong) for name, wrong in found.items()}


@pytest.mark.parametrize("naive", ["signal", "commit"])
def test_naive_index_in_the_request_loses_or_invents(marketplace, differences, seed, naive):
    """Indexing as a row is saved keeps what is rolled back; indexing after the commit misses what is killed in between."""
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    forks = marketplace(EMBEDDED_FALLBACK=False)
    load.set_up(forks, LISTINGS)
    rollbacks = NAIVE_ROLLBACKS if naive == "signal" else 0
    found = None
    for _ in range(4):
        # Where they die is chance: once in a while all of them die elsewhere.
        dying = Dying(forks, chance, ["writer", "writer"], undone=0.3 if rollbacks else 0.0, naive=naive)
        while dying.killed.total() < NAIVE_KILLS:
            wait_for_work(lambda: dying.written)  # noqa: B023 - called before the next round
            time.sleep(chance.uniform(0.0, 0.2))
            dying.kill_one()
        dying.wait_for_rollbacks(rollbacks)
        dying.kill_all()
        found = differences(forks.node, versions=False)["elasticsearch"]
        print(f"naive, {naive}: {dict(dying.killed)}, {dying.written} operations, {dying.rolled_back} rolled back: {found}")
        if found:
            break
    assert found

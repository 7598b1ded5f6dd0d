"""People who write and search, and a worker that follows, while something happens to the search server."""

import random
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise

from django.db import connection

import search
from search import index
from search.documents import Query

from .documents import demand
from .test_index import change, delete, publish

WORDS = ("gel", "guants", "fusta", "llibres", "mascaretes", "pantalles")

#: Changes a second that the slowest machine writes beside three nodes.
SLOWEST_PACE = 5


@dataclass
class Traffic:
    """Threads for as long as the block lasts. Afterwards the log is not read to its end: that is for the test.

    `searches` holds (when answered, seconds, engine) of each search, engine "" for one that failed.
    """

    company: object
    seed: int = 7
    searchers: int = 2
    changes: int = 0
    searches: list[tuple[float, float, str]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def __enter__(self):
        self._over = threading.Event()
        work = [self._write, self._follow, *[self._search] * self.searchers]
        self._threads = [threading.Thread(target=self._run, args=(each, number)) for number, each in enumerate(work)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def go_on_for(self, changes: int) -> None:
        """Wait until so many more changes are written."""
        goal, deadline = self.changes + changes, time.monotonic() + 120 + changes / SLOWEST_PACE
        while self.changes < goal and not self.errors:
            assert time.monotonic() < deadline, f"{self.changes} of {goal} changes"
            time.sleep(0.02)

    @property
    def share_degraded(self) -> float:
        """The share of searches that the stand-in answered."""
        return sum(engine != "elasticsearch" for _, _, engine in self.searches) / len(self.searches)

    @property
    def longest_gap(self) -> float:
        """The longest time, in seconds, that nobody got an answer from Elasticsearch."""
        answered = sorted(when for when, _, engine in self.searches if engine == "elasticsearch")
        return max(later - earlier for earlier, later in pairwise(answered))

    @property
    def figures(self) -> str:
        """What a run measured, for pytest -s."""
        return (
            f"{self.changes} changes, {len(self.searches)} searches, {self.share_degraded:.2%} by the stand-in, "
            f"longest gap {self.longest_gap:.2f} s, slowest {self.slowest:.2f} s"
        )

    @property
    def slowest(self) -> float:
        """The longest time, in seconds, that a person waited."""
        return max(seconds for _, seconds, _ in self.searches)

    # --- Who does what ------------------------------------------------------------------------------------------------

    def _run(self, step, number: int) -> None:
        dice = random.Random(self.seed + number)  # noqa: S311 - no secret
        try:
            while not self._over.is_set():
                step(dice)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.errors.append(error)
        finally:
            connection.close()

    _listings: list = field(default_factory=list)

    def _write(self, dice: random.Random) -> None:
        word, kind = dice.choice(WORDS), dice.random()
        if kind < 0.4 or len(self._listings) < 10:
            self._listings.append(publish(f"{word} {self.changes}", company=self.company))
        elif kind < 0.85:
            change(dice.choice(self._listings), title=f"{word} ara {self.changes}")
        else:
            delete(self._listings.pop(dice.randrange(len(self._listings))))
        self.changes += 1
        time.sleep(0.02)

    def _follow(self, _: random.Random) -> None:
        if not index.run_once():
            time.sleep(0.05)

    def _search(self, dice: random.Random) -> None:
        began, engine = time.monotonic(), ""
        try:
            if dice.random() < 0.5:
                engine = search.find(Query(text=dice.choice(WORDS))).engine
            else:
                search.suggest(demand(f"Necessitem {dice.choice(WORDS)}"))
                engine = "elasticsearch"
        finally:
            self.searches.append((time.monotonic(), time.monotonic() - began, engine))

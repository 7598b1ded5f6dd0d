"""Programs that write listings over HTTP for as long as a block lasts, whatever becomes of the server."""

import collections
import contextlib
import random
import threading
import time
from collections.abc import Iterator

import urllib3

from tests.search.life.forks import Forks

#: Makes the company whose listings are written, its owner's key, and listings to begin with; prints the key.
SET_UP = """
from marketplace.core import changelog
from marketplace.listings.models import Listing
from django.db import transaction
from search import index
from tests import factories
from tests.rest import keys
owner = factories.MembershipFactory(user__email="owner@firm.example")
made = keys.company_key("read", "write", company=owner.company, user=owner.user, rate=1_000_000)
with transaction.atomic():
    rows = factories.ListingFactory.create_batch(NUMBER, company=owner.company, author=owner.user, live=True)
    changelog.append_many("listing", [row.uid for row in rows])
while index.run_once():
    pass
print(made.secret)
"""

#: Public listings that wait for the index.
PUBLISH = """
from django.db import transaction
from marketplace.core import changelog
from marketplace.companies.models import Company
from tests import factories
with transaction.atomic():
    rows = factories.ListingFactory.create_batch(NUMBER, company=Company.objects.get(), live=True)
    changelog.append_many("listing", [row.uid for row in rows])
"""

NEW = {
    "kind": "offer",
    "category": "product",
    "title": "Pantalles facials de PET per a botigues",
    "description": "Fabriquem pantalles facials reutilitzables amb visera de PET.",
    "language": "ca",
    "sector": "2229",
}


def set_up(forks: Forks, number: int) -> str:
    """A company with so many public listings, which are indexed; the key of its owner."""
    return forks.python(SET_UP.replace("NUMBER", str(number))).strip().splitlines()[-1]


def publish(forks: Forks, number: int) -> None:
    """So many new listings of the same company, for the index to take in."""
    forks.python(PUBLISH.replace("NUMBER", str(number)))


class Program:
    """One client of the API that creates, changes, withdraws and reopens listings; `answers` counts status codes, 0 is no answer."""

    def __init__(self, url: str, key: str, seed: float) -> None:
        self.answers: collections.Counter[int] = collections.Counter()
        self.faults: list[str] = []
        self._url, self._chance = url, random.Random(seed)  # noqa: S311 - chance that can be repeated
        self._headers = {"Authorization": f"Bearer {key}"}
        self._pool = urllib3.PoolManager()

    def ask(self, method: str, path: str, *, json: object = None, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse | None:
        """The answer, None if the server died over it."""
        try:
            answer = self._pool.request(method, f"{self._url}/api/v1{path}", json=json, headers=self._headers | (headers or {}), retries=False, timeout=30)
        except (OSError, urllib3.exceptions.HTTPError):
            self.answers[0] += 1
            time.sleep(0.05)
            return None
        self.answers[answer.status] += 1
        if answer.status >= 500:
            self.faults.append(f"{method} {path}: {answer.status} {answer.data[:300]!r}")
        return answer

    def step(self) -> None:
        """One write, with what has to be read before it."""
        does = self._chance.choices(["create", "change", "withdraw", "reopen"], [3, 6, 2, 2])[0]
        if does == "create":
            made = self.ask("POST", "/listings/", json=NEW | {"title": self._title()})
            if made and made.status == 201:
                self.ask("POST", f"/listings/{made.json()['uid']}/submit/", json={})
            return
        if own := self._any("withdrawn" if does == "reopen" else "published"):
            if does == "change":
                self.ask("PATCH", f"/listings/{own['uid']}/", json={"title": self._title()}, headers={"If-Match": "*"})
            else:
                taken = self.ask("POST", f"/listings/{own['uid']}/{does}/", json={})
                if does == "reopen" and taken and taken.status == 200:
                    self.ask("POST", f"/listings/{own['uid']}/submit/", json={})

    def _any(self, state: str) -> dict | None:
        page = self.ask("GET", f"/listings/own/?state={state}&limit=100")
        found = page.json()["results"] if page and page.status == 200 else []
        return self._chance.choice(found) if found else None

    def _title(self) -> str:
        return f"Pantalles facials de PET, lot {self._chance.randrange(10**9)}"


@contextlib.contextmanager
def writing(url: str, key: str, *, programs: int, seed: float) -> Iterator[list[Program]]:
    """Programs that write while the block lasts."""
    over = threading.Event()
    made = [Program(url, key, seed + number) for number in range(programs)]

    def write(program: Program) -> None:
        while not over.is_set():
            program.step()

    threads = [threading.Thread(target=write, args=(program,)) for program in made]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        over.set()
        for thread in threads:
            thread.join()

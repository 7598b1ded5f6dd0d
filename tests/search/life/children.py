"""What the forked children of a marketplace do (see forks): they work, serve, or write listings until they are killed."""

import contextlib
import datetime
import os
import random
import sys
import threading
import time
from dataclasses import replace

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.management import call_command
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.companies.models import Place, Sector
from marketplace.core import changelog, nudges
from marketplace.core.models import Change
from marketplace.listings import operations
from marketplace.listings.documents import ListingSource
from marketplace.listings.models import Listing
from search import engine, index
from search.backends.base import Backend
from search.documents import Write

OWNER = "owner@firm.example"


def work(*, lease: float | None = None, pause: float | None = None, handled: str = "") -> None:
    """The real worker. With `lease`, its readers hold their place for so many seconds instead of a minute.

    The file `handled` gets a line for each change that an engine's index took in: its id and the engine's name.
    """
    _lease(lease)
    if handled:
        _tell_what_is_indexed(handled)
    call_command("worker", pause=pause)


def _lease(seconds: float | None) -> None:
    if seconds:
        changelog.consume.__kwdefaults__["lease"] = datetime.timedelta(seconds=seconds)


def _tell_what_is_indexed(path: str) -> None:
    telling, do = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY), index.index_changes

    def told(changes: list[Change], *, backend: Backend) -> None:
        do(changes, backend=backend)
        os.write(telling, "".join(f"{change.id} {backend.name}\n" for change in changes).encode())

    index.index_changes = told


def hold(*, reader: str, seconds: float, lease: float, renewing: bool = True) -> None:
    """Take a batch of the reader and be at it for so long; prints how many changes that was."""
    _lease(lease)
    if not renewing:
        changelog._renewing = lambda *_: contextlib.nullcontext()
    print(changelog.consume(reader, lambda _changes: time.sleep(seconds)), flush=True)


def wake(*, sit_down: float, naive: bool) -> None:
    """A worker's wait for work, which it prints, with a moment between the look and the wait; the naive one listens only from then on."""
    stop = threading.Event()
    with nudges.Nudges(60) as listening:
        while True:
            while changelog.consume("woken", lambda changes: print(*(change.id for change in changes), sep="\n", flush=True)):
                pass
            time.sleep(sit_down)
            if naive:
                listening._drop()
            listening.wait(stop)


def serve(*, bind: str, processes: int) -> None:
    """The real web server; each of its processes loads the application for itself."""
    from gunicorn.app.wsgiapp import WSGIApplication  # noqa: PLC0415 - this child alone needs it

    options = ["--bind", bind, "--workers", str(processes), "--threads", "3", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]  # noqa: S108
    sys.argv = ["gunicorn", "marketplace.wsgi", *options]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").run()


def run(*, program: str) -> None:
    """Any program; what it prints goes into its log."""
    exec(compile(program, "program", "exec"), {})  # noqa: S102 - the tests' own


# --- Writing -------------------------------------------------------------------------------------------------------------


class _UndoneError(Exception):
    pass


def write(*, seed: float, marks: str, undone: float, naive: str = "") -> None:
    """Operations without end; a share of them is rolled back. Each leaves a letter in the file `marks`: done, or rolled back."""
    marking = os.open(marks, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    writer = _Writer(chance)
    if naive:
        _index_like_many(naive)
    while True:
        with contextlib.suppress(ValidationError, ObjectDoesNotExist):
            if chance.random() < undone:
                with contextlib.suppress(_UndoneError), transaction.atomic():
                    writer.step()
                    raise _UndoneError
                os.write(marking, b"r")
            else:
                writer.step()
                os.write(marking, b"d")


class _Writer:
    """One operation after another on the listings of the test's company."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._user = User.objects.get(email=OWNER)
        self._company = self._user.memberships.get().company

    def step(self) -> None:
        """Create, publish, change, withdraw, bring back or erase a listing."""
        does = self._chance.choices(["create", "publish", "change", "withdraw", "back", "erase"], [3, 4, 6, 2, 2, 2])[0]
        if does == "create":
            listing = operations.submit(operations.create(self._company, self._fields(), by=self._user), by=self._user)
            operations.publish(listing, by=None)
        elif does == "publish":
            operations.publish(self._any(state="submitted"), by=None)
        elif does == "change":
            operations.edit(self._any(state="published"), {"title": self._title()}, by=self._user)
        elif does == "withdraw":
            operations.withdraw(self._any(state="published"), by=self._user)
        elif does == "back":
            operations.publish(operations.submit(operations.reopen(self._any(state="withdrawn"), by=self._user), by=self._user), by=None)
        else:
            operations.erase([self._any()], by=None)

    def _any(self, **values: object) -> Listing:
        pks = list(Listing.objects.filter(company=self._company, **values).values_list("pk", flat=True))
        return Listing.objects.get(pk=self._chance.choice(pks) if pks else 0)

    def _title(self) -> str:
        return f"Pantalles facials de PET, lot {self._chance.randrange(10**9)}"

    def _fields(self) -> dict[str, object]:
        return {
            "kind": "offer",
            "category": "product",
            "title": self._title(),
            "description": "Fabriquem pantalles facials reutilitzables amb visera de PET.",
            "language": "ca",
            "sector": Sector.objects.get(code="2229"),
            "place": Place.objects.get(code="082798"),
            "valid_until": timezone.localdate() + datetime.timedelta(days=90),
        }


def _index_like_many(when: str) -> None:
    """The usual Django glue: index each listing as it is saved ("signal"), or after the commit ("commit")."""

    def index_now(uid: str) -> None:
        engine.backends()[0].write([Write(uid, time.time_ns(), ListingSource().load([uid])[uid])])

    def changed(instance: Listing, **values: object) -> None:
        if when == "signal":
            index_now(str(instance.uid))
        else:
            transaction.on_commit(lambda: index_now(str(instance.uid)))

    post_save.connect(changed, sender=Listing, weak=False)
    post_delete.connect(changed, sender=Listing, weak=False)


# --- One embedded index ---------------------------------------------------------------------------------------------------


def write_embedded(*, number: int, rounds: int) -> None:
    """Write every document of the index under rising versions; one process the even ones, the other the odd ones."""
    [backend] = engine.backends()
    documents = [document for batch in ListingSource().all() for document in batch]
    for turn in range(rounds):
        version = 1_000_000 + 2 * turn + number
        backend.write([Write(document.uid, version, replace(document, version=version)) for document in documents])


def newest_embedded() -> None:
    """Print the version of each document."""
    [backend] = engine.backends()
    print(*(entry.version for batch in backend.stored() for entry in batch if entry.version == entry.document_version))

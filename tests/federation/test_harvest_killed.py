"""Killed at every page boundary, the harvester ends with exactly what the origin has, having asked for no page more than once again."""

import collections
import datetime
import json

import pytest
from django.utils import timezone

from marketplace.core.models import Change
from marketplace.federation import harvest
from marketplace.federation.models import Checkpoint, RemoteListing
from marketplace.listings.enums import State
from marketplace.listings.models import Listing, Transition
from tests import processes

pytestmark = pytest.mark.postgresql
PAGES, EACH = 50, 3

#: One program, Django set up once; each visit is a process of its own that dies at the boundary of its turn. What died last is printed.
KILLED = """
import json, time
from django.db import connection
from django.utils import timezone
from marketplace.federation import harvest, writing
from marketplace.federation.models import Checkpoint, Partner
from django.db import transaction

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def visit(boundary, page):
    # Dies at the boundary of the page-th page of this visit.
    count = 0
    whole, pages = harvest._Visit._write, harvest._Visit._pages
    def write(self, batch, taking):
        nonlocal count
        count += 1
        if count == page and boundary == "fetched":
            die()
        whole(self, batch, taking)
        if count == page and boundary == "committed":
            die()
    harvest._Visit._write = write
    original = writing.write
    def written(*arguments):
        outcome = original(*arguments)
        if count == page and boundary == "written":
            die()
        return outcome
    writing.write = written
    {naive}
    harvest.visit(Partner.objects.get())
    os._exit(0)

leases = []
for number in range({visits}):
    child = os.fork()
    if child == 0:
        # The first page of each but the first visit is the one at which the last was killed, unless that was committed.
        visit(*{boundary})
    status = os.waitpid(child, 0)[1]
    row = Checkpoint.objects.get()
    leases.append([status, (row.lease_until - timezone.now()).total_seconds() if row.lease_until else None])
    Checkpoint.objects.filter(lease_until__gt=timezone.now()).update(lease_until=timezone.now())
    connection.close()
    if status == 0:
        break
print(json.dumps(leases))
"""
BOUNDARIES = ("fetched", "written", "committed")
#: The checkpoint in a transaction of its own, before the rows that it covers: what most harvesters do.
NAIVE = """
    def apart(self, batch, taking):
        nonlocal count
        count += 1
        Checkpoint.objects.update(state=batch.checkpoint)
        if count == page and boundary == "fetched":
            die()
        whole(self, batch, taking)
    harvest._Visit._write = apart
"""


def run(visits, boundary, naive=""):
    """Visit after visit until one is not killed; (status, seconds for which the lease was still held) of each."""
    program = KILLED.replace("{visits}", str(visits)).replace("{boundary}", boundary).replace("    {naive}\n", naive)
    return json.loads(processes.run(program).strip().splitlines()[-1])


@pytest.fixture
def partner(partner, transactional_db, settings, monkeypatch):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 25
    monkeypatch.setenv("OUTGOING_ALLOWED_HOSTS", ",".join(settings.OUTGOING_ALLOWED_HOSTS))
    # The key is sealed with the test's own secret, which the programs do not have.
    partner.sealed_key, partner.reader_options = "", {"limit": EACH}
    partner.save()
    return partner


def is_exactly(origin):
    """Whether here is what the origin has: each listing once, with its newest text, written no oftener than it changed."""
    here = {uri: (title, state) for uri, title, state in Listing.objects.values_list("source_uri", "title", "state") if state == State.PUBLISHED}
    return here == {uri: (item["listing"]["name"], State.PUBLISHED) for uri, item in origin.live.items()}


def times_asked(origin):
    return collections.Counter(origin.pages_asked)


def fill(origin, count, first=0):
    for number in range(first, first + count):
        origin.put(f"{number:05}")


@pytest.mark.parametrize("kind", ["snapshot", "changes"])
def test_killed_at_each_page_boundary(kind, origin, partner):
    fill(origin, PAGES * EACH)
    if kind == "changes":
        Checkpoint.objects.create(partner=partner, state={"cursor": "c0"})
    # A visit first writes the page at which the last one died, then dies at the next; each boundary in its turn.
    visits = run(
        PAGES + 5, f"('{BOUNDARIES[0]}', 1) if number == 0 else ({BOUNDARIES!r}[number % 3], 1 if {BOUNDARIES!r}[(number - 1) % 3] == 'committed' else 2)"
    )
    killed = [lease for status, lease in visits if status == 9]
    assert (len(killed), visits[-1][0]) == (PAGES, 0)
    assert all(0 < lease <= 120 for lease in killed), "free within two minutes"
    assert is_exactly(origin)
    assert max(times_asked(origin).values()) == 2
    assert Listing.history.count() == Transition.objects.count() == Change.objects.filter(kind="listing").count() == PAGES * EACH
    assert RemoteListing.objects.filter(tombstoned_at=None).count() == PAGES * EACH


def test_killed_around_an_expired_cursor(origin, partner):
    fill(origin, 20)
    run(1, "('none', 0)")
    Checkpoint.objects.update(next_at=timezone.now())
    # Meanwhile much happens, and the cursor is forgotten: the snapshot is read, and what changes during it afterwards.
    origin.log = [item for item in origin.log if item["uri"] not in (origin.uri("00003"), origin.uri("00004"))]
    fill(origin, 10, first=20)
    origin.put("00007", name="Un altre títol")
    origin.expire_before = len(origin.log)
    origin.site.asked.clear()
    visits = run(20, "('written', 1 if number == 0 else 2)")
    assert [status for status, _lease in visits[:-1]] == [9] * (len(visits) - 1)
    assert len(visits) > 5
    origin.put("00008", name="Changed while the snapshot was read")
    run(1, "('none', 0)")
    assert is_exactly(origin)
    # 410 is told once, then the pages: each at most twice.
    assert max(times_asked(origin).values()) <= 2
    assert Checkpoint.objects.get().generation == 2


def test_naive_checkpoint_apart_from_its_rows_loses_them(origin, partner):
    fill(origin, 6 * EACH)
    visits = run(10, "('fetched', 1 if number == 0 else 2)", NAIVE)
    assert visits[-1][0] == 0
    assert not is_exactly(origin)
    assert Listing.objects.count() < 6 * EACH


def test_worker_takes_over_when_the_lease_has_run_out(origin, partner):
    fill(origin, 2 * EACH)
    run(1, "('written', 1)")
    row = Checkpoint.objects.get()
    Checkpoint.objects.update(lease_until=timezone.now() + datetime.timedelta(seconds=100), next_at=timezone.now())
    assert (harvest.run_once(), harvest.visit(partner)) == (0, 0), "somebody may still be at it"
    Checkpoint.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    assert harvest.run_once() == 2 * EACH
    assert is_exactly(origin)
    assert row.leased_by


def test_slower_of_two_workers_writes_nothing(origin, partner, monkeypatch):
    """Its lease ran out while it fetched, another one came and read on: its page is rolled back, checkpoint and all."""
    fill(origin, 2 * EACH)
    whole = harvest._Visit._write
    turns = []

    def write(self, batch, taking):
        if not turns:
            turns.append(1)
            Checkpoint.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
            harvest.visit(partner)
            origin.put("00000", name="Said after both had asked")
            Checkpoint.objects.update(next_at=timezone.now())
            harvest.visit(partner)
        whole(self, batch, taking)

    monkeypatch.setattr(harvest._Visit, "_write", write)
    harvest.visit(partner)
    assert is_exactly(origin)
    assert Checkpoint.objects.get().state == {"cursor": f"c{len(origin.log)}"}
    assert Listing.history.count() == 2 * EACH + 1

"""Several web and worker processes on one database and one Elasticsearch: nothing is done twice, nothing is left, nobody waits long for the dead.

    LIFE_SIZE=full python -m tests.postgresql -- python -m pytest -m postgresql tests/search/life/test_several_workers.py -s

waits for real leases of a minute.
"""

import collections
import contextlib
import random
import time

import pytest

from marketplace.core import changelog
from tests import nodes as marketplaces
from tests.search.life import comparing, load
from tests.search.life.conftest import FULL

pytestmark = [pytest.mark.postgresql, pytest.mark.needs("elasticsearch")]

WRITTEN = 200 if FULL else 60
NUDGES = 100 if FULL else 25
LEASE_SECONDS = 60.0 if FULL else 3.0

#: What is due on the day: listings that have ended, listings that end soon, and demands that offers answer; those of the writers come and go.
#: All titles hold the word by which documents are compared.
DUE = """
import datetime
from django.db import transaction
from django.utils import timezone
from marketplace.core import changelog
from tests import factories
today = timezone.localdate()
with transaction.atomic():
    other = factories.MembershipFactory(company__tax_id=factories.company_tax_id(2_000_000), user__email="other@firm.example").company
    rows = factories.ListingFactory.create_batch(10, company=other, live=True, valid_until=today - datetime.timedelta(days=1))
    rows += factories.ListingFactory.create_batch(10, company=other, live=True, valid_until=today + datetime.timedelta(days=2))
    rows += factories.ListingFactory.create_batch(
        10, company=other, live=True, demand=True, title="Busquem pantalles facials per a botigues", description="Necessitem 200 pantalles facials de PET reutilitzables."
    )
    third = factories.CompanyFactory(tax_id=factories.company_tax_id(2_000_001))
    rows.append(factories.ListingFactory(company=third, live=True, title="Bastides i pantalles per a façanes", description="Muntem bastides homologades."))
    rows.append(factories.ListingFactory(
        company=other, live=True, demand=True, title="Bastides i pantalles per a una façana", description="Rehabilitem una façana de quatre plantes."
    ))
    changelog.append_many("listing", [row.uid for row in rows])
"""
LASTING = """SELECT count(*) FROM synergies_synergy JOIN listings_listing AS offer ON offer.id = offer_id JOIN listings_listing AS demand ON demand.id = demand_id
WHERE strpos(offer.title, 'Bastides') = 1 AND strpos(demand.title, 'Bastides') = 1"""


def wait_until(is_so, seconds: float, log=lambda: "") -> float:
    """Wait until it is so; how long that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, log()
        time.sleep(0.02)
    return time.monotonic() - began


def readers_left(node) -> list[tuple]:
    """Readers that have not read all, with what they have still to see."""
    return node.sql(
        "SELECT reader.name, count(*) FROM core_reader AS reader JOIN core_change AS change"
        " ON (change.transaction, change.id) > (reader.transaction, reader.change_id) WHERE reader.name IN"
        " ('index', 'embedded', 'synergies', 'listings') GROUP BY reader.name"
    )


def test_three_workers_and_two_webs_do_everything_once(marketplace, differences, smtp, seed):
    forks = marketplace(MAIL_DELIVERY_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST=smtp.host, EMAIL_PORT=smtp.port)
    node = forks.node
    key = load.set_up(forks, 10)
    forks.python(DUE)
    marks = node.folder / "marks"
    handled = node.folder / "handled"
    workers = [forks.start("work", handled=str(handled)) for _ in range(3)]
    ports = node.port, marketplaces._free_port()
    webs = [forks.serve(processes=1, port=port) for port in ports]
    writers = [forks.start("write", seed=seed + number, marks=str(marks), undone=0.1) for number in range(2)]
    with contextlib.ExitStack() as stack:
        programs = [stack.enter_context(load.writing(f"http://127.0.0.1:{port}", key, programs=1, seed=seed))[0] for port in ports]
        wait_until(lambda: marks.exists() and marks.read_bytes().count(b"d") >= WRITTEN, 240, lambda: node.log[-4000:])
    for writer in writers:
        forks.kill(writer)
    wait_until(lambda: not readers_left(node), 120, lambda: f"{readers_left(node)} {node.log[-4000:]}")
    mails = "SELECT count(*) FROM core_mail WHERE state = 'waiting'"
    wait_until(lambda: node.sql(mails) == [(0,)], 120, lambda: f"{node.sql(mails)} {node.log[-4000:]}")
    for process in (*workers, *webs):
        forks.end(process)

    assert [fault for program in programs for fault in program.faults] == []
    found = differences(node)
    assert not any(found.values()), {name: vars(wrong) for name, wrong in found.items()}
    times = collections.Counter(handled.read_text().splitlines())
    assert set(times.values()) == {1}, "each change once for each engine"
    engines = collections.Counter(line.split()[1] for line in times)
    assert engines["elasticsearch"] == engines["embedded"] > WRITTEN

    sent = collections.Counter(message["Message-ID"] for message in smtp.messages)
    assert set(sent.values()) == {1}
    assert len(sent) == node.sql("SELECT count(*) FROM core_mail WHERE state = 'sent'")[0][0]
    expired = node.sql("SELECT listing_id, count(*) FROM listings_transition WHERE move = 'expire' GROUP BY listing_id")
    assert [number for _, number in expired] == [1] * 10
    pairs = node.sql("SELECT offer_id, demand_id, count(*) FROM synergies_synergy GROUP BY offer_id, demand_id")
    assert {number for *_, number in pairs} == {1}
    assert node.sql(LASTING) == [(1,)]
    print(f"{len(times)} changes indexed, {len(sent)} mails, {len(expired)} expired, {len(pairs)} synergies, {[dict(one.answers) for one in programs]}")


def test_work_of_a_killed_worker_is_taken_over_when_its_lease_runs_out(marketplace):
    """And not before: a worker that lives may take longer than its lease."""
    assert changelog.LEASE.total_seconds() <= 60
    forks = marketplace(EMBEDDED_FALLBACK=False)
    load.set_up(forks, 10)
    load.publish(forks, 5)
    killed = forks.start("hold", reader="index", seconds=600, lease=LEASE_SECONDS)
    wait_until(lambda: holder(forks.node, "index"), 30)
    worker = forks.start("work", lease=LEASE_SECONDS)
    time.sleep(1.5 * LEASE_SECONDS)
    assert comparing.lag(forks.node, "index") == 5, "who is at it renews the lease"
    forks.kill(killed)
    waited = wait_until(lambda: not comparing.lag(forks.node, "index"), LEASE_SECONDS + 15, lambda: forks.node.log[-4000:])
    print(f"taken over {waited:.1f} s after the kill, with leases of {LEASE_SECONDS:.0f} s")
    forks.end(worker)


def test_long_batch_is_done_once(marketplace):
    """Three times as long as its lease, with others who would take over: it is renewed, so its checkpoint counts. The naive lease is not."""
    forks = marketplace(EMBEDDED_FALLBACK=False)
    load.set_up(forks, 10)
    load.publish(forks, 5)
    busy = [forks.start("hold", reader="index", seconds=3.0, lease=1.0) for _ in range(3)]
    for process in busy:
        forks.wait(process)
    assert sorted(forks.printed(process).split() for process in busy) == [["0"], ["0"], ["5"]]
    assert comparing.lag(forks.node, "index") == 0

    load.publish(forks, 5)
    naive = []
    for _ in range(3):
        naive.append(forks.start("hold", reader="index", seconds=3.0, lease=1.0, renewing=False))
        time.sleep(1.2)
    for process in naive:
        forks.wait(process)
    done = [forks.printed(process).strip() for process in naive]
    assert done == ["5", "5", "5"], "each took over from who was still at it, and all did the same"


@pytest.mark.parametrize("naive", [False, True], ids=["listening all the time", "naive"])
def test_no_nudge_is_lost_between_the_look_and_the_wait(marketplace, seed, naive):
    forks = marketplace(EMBEDDED_FALLBACK=False)
    woken, chance = forks.start("wake", sit_down=0.05, naive=naive), random.Random(seed)  # noqa: S311 - chance that can be repeated
    seen = forks.node.folder / f"{woken}.out"
    late = []
    for number in range(NUDGES):
        # Most fall into the moment between the look that found nothing and the wait.
        time.sleep(chance.uniform(0, 0.1))
        [(change,)] = forks.node.sql(
            "INSERT INTO core_change (transaction, kind, uid, operation, created)"
            " VALUES (pg_current_xact_id()::text::bigint, 'nothing', gen_random_uuid(), 'upsert', now()) RETURNING id"
        )
        deadline = time.monotonic() + (2 if naive else 10)
        while str(change) not in seen.read_text().split():
            if time.monotonic() > deadline:
                late.append(number)
                break
            time.sleep(0.01)
        if naive and late:
            break
    assert bool(late) == naive, "waits of a minute"
    forks.kill(woken)


def test_two_processes_write_one_embedded_index(marketplace):
    """Of each listing the newest version stays, whoever comes when: one writes at a time, and looks at what is there under its lock."""
    forks = marketplace(ELASTICSEARCH_URL="")
    load.set_up(forks, 20)
    writing = [forks.start("write_embedded", number=number, rounds=20 if FULL else 8) for number in range(2)]
    for process in writing:
        forks.wait(process)
    newest = forks.python("from tests.search.life import children; children.newest_embedded()").split()
    assert len(newest) == 20
    assert set(newest) == {str(1_000_000 + (20 if FULL else 8) * 2 - 1)}


def holder(node, reader: str) -> str:
    return next((one for (one,) in node.sql("SELECT leased_by FROM core_reader WHERE name = %s AND lease_until IS NOT NULL", reader)), "")

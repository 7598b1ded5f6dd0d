"""Five hundred changes told by one marketplace to another, over a line that fails, by a sender that is killed fifty times and whose clock jumps."""

import contextlib
import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.conf import settings

from marketplace.federation import deliveries
from tests import nodes as marketplaces
from tests.federation import faults

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

EVENTS, KILLS, LOT = 500, 50, 20
NAIVE_EVENTS, NAIVE_KILLS = 60, 8
CALL_SECONDS = 0.4
#: As many as in three days, in seconds: with few of them the clock that is ten days ahead would end all patience.
PAUSES = ",".join(["0.02"] + ["0.05"] * 300)

#: A parent that has everything loaded, and children that send until they are killed: so a kill costs a fraction of a second. Every tenth has a
#: clock that is ten days ahead. The last one works until nothing is left.
SENDER = """
import datetime, os, random, signal, sys, time
import time_machine
from django.db import connections
from marketplace.federation import deliveries, sending
from marketplace.federation.models import Delivery, FeedEntry, Hook

# What a killed one has leased waits until the lease has run out; the next one shall have something to send all the same.
sending.LEASE, sending.TRIP_SECONDS, sending.TRIP_MESSAGES = datetime.timedelta(seconds=1), 0.4, 5
kills, chance = int(sys.argv[1]), random.Random(50)

def work(is_last):
    Hook.objects.count()
    os.write(ready[1], b"!")
    while True:
        done = STEP()
        if is_last and not done and IS_DONE():
            os._exit(0)
        time.sleep(0.01)

STEPS

connections.close_all()
ready = os.pipe()
for number in range(kills + 1):
    child = os.fork()
    if not child:
        try:
            if number % 10 == 7:
                with time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=10), tick=True):
                    work(False)
            work(number == kills)
        except BaseException as error:
            print("failed:", repr(error), flush=True)
            os._exit(1)
    if number < kills:
        os.read(ready[0], 1)
        time.sleep(0.6 if number % 10 == 7 else chance.uniform(0.02, 0.3))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    print("killed" if os.WIFSIGNALED(status) else f"ended {os.waitstatus_to_exitcode(status)}", flush=True)
"""

OURS = """
def STEP():
    return deliveries.announce() + sending.run_once(seconds=0.2)

def IS_DONE():
    return FeedEntry.objects.count() >= EVENTS and not deliveries.announce() and not Delivery.objects.filter(state="waiting").exists()
"""

#: What one would write first: move on, then send; a new id for each attempt.
NAIVE = """
import json, urllib3, uuid
from django.conf import settings
from django.utils import timezone
from marketplace.federation import node_keys, signing
from marketplace.federation.models import Announced, Node

def STEP():
    told, _ = Announced.objects.get_or_create(pk=2)
    entries = list(FeedEntry.objects.after(told.position).in_order()[:2])
    if not entries:
        return 0
    Announced.objects.filter(pk=2).update(transaction=entries[-1].transaction, entry_id=entries[-1].id)
    for entry in entries:
        body = json.dumps({"type": "listing.changed", "data": {"node": str(Node.own_uid()), "event": entry.id}}).encode()
        for attempt in range(100):
            headers = signing.sign(str(uuid.uuid4()), timezone.now(), body, node_keys.signing_secrets())
            try:
                if urllib3.request("POST", Hook.objects.get().url, body=body, headers=headers, timeout=settings.WEBHOOK_SECONDS, retries=False).status == 200:
                    break
            except urllib3.exceptions.HTTPError:
                pass
    return len(entries)

def IS_DONE():
    return True
"""

PARTNERS = """
import json, sys
from django.utils import timezone
from datetime import timedelta
from marketplace.federation import hooks, introductions, operations
from marketplace.federation.models import Checkpoint, Partner, Subscription
told = json.loads(sys.argv[1])
facts = {"name": told["name"], "base_url": told["url"], "more_hosts": told["hosts"], "gives": True, "reader": "protocol"}
made = operations.create(facts, presented=introductions.ask(told["url"]), by=None)
Partner.objects.filter(pk=made.pk).update(state="active")
made.refresh_from_db()
if told["hook"]:
    hooks.register(made, told["hook"])
else:
    Checkpoint.objects.get_or_create(partner=made, defaults={"next_at": timezone.now() + timedelta(days=1)})
    Subscription.objects.create(partner=made, url="x", next_attempt_at=None)
print(operations.issue_key(made, name="feed", expires_at=None, by=None)[1])
"""

#: How often a message took effect at the receiver, counted where no memory of ids can hide it.
COUNTING = """
CREATE TABLE effects (at timestamptz DEFAULT now());
CREATE FUNCTION count_effect() RETURNS trigger AS 'BEGIN INSERT INTO effects DEFAULT VALUES; RETURN NEW; END' LANGUAGE plpgsql;
CREATE TRIGGER count_effect AFTER UPDATE OF last_message_at ON federation_subscription FOR EACH ROW EXECUTE FUNCTION count_effect();
"""


def introduce(node: marketplaces.Node, other: marketplaces.Node, *, hook: str = "", hosts: str = "") -> str:
    """Make `other` a partner of `node`; the key it gets."""
    told = json.dumps({"name": other.name, "url": other.url, "hosts": hosts, "hook": hook})
    return node.python(f"import sys; sys.argv = ['', {told!r}]\n{PARTNERS}").strip().splitlines()[-1]


def change(node: marketplaces.Node, number: int) -> list[tuple[uuid.UUID, int]]:
    """So many changes in the node's log, each committed by itself."""
    made = [(uuid.uuid4(), 1) for _ in range(number)]
    statement = (
        "INSERT INTO federation_feedentry (transaction, uid, uri, op, reason, version, updated_at, digest, kind, sector_path, place, text)"
        " VALUES (pg_current_xact_id()::text::bigint, %s, %s, 'tombstone', 'withdrawn', %s, now(), '', '', '', '', '{}')"
    )
    with psycopg.connect(node.database_url, autocommit=True) as connection:
        for uid, version in made:
            connection.execute(statement, [uid, f"{node.url}/id/listing/{uid}", version])
    return made


@contextlib.contextmanager
def registering_again(node: marketplaces.Node, key: str, url: str) -> Iterator[None]:
    """The receiver's people, who register their hook again whenever it was turned off."""
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(node.database_url, autocommit=True) as connection:
            while not over.wait(0.1):
                if connection.execute("SELECT 1 FROM federation_hook WHERE off_reason <> ''").fetchone():
                    assert node.request("PUT", "/api/federation/v1/hook", key=key, json={"url": url}).status in (200, 202)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def send(node: marketplaces.Node, steps: str, kills: int) -> list[str]:
    """Run a sender that is killed so often; what became of each of its children."""
    program = f"import django; django.setup()\n{SENDER.replace('STEPS', steps).replace('EVENTS', str(EVENTS))}"
    done = subprocess.run(
        [sys.executable, "-c", program, str(kills)], env=node.env, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.strip().splitlines()


def free_port() -> int:
    return marketplaces._free_port()


def test_five_hundred_changes_arrive_once_whatever_fails(nodes):
    port = free_port()
    a, b = nodes(2, allow=(f"127.0.0.1:{port}",), WEBHOOK_SECONDS=str(CALL_SECONDS), WEBHOOK_PAUSES=PAUSES)
    with faults.line(f"{b.url}/api/federation/v1/webhooks", port, slow_seconds=2 * CALL_SECONDS) as line:
        with ThreadPoolExecutor() as both:
            both.submit(introduce, b, a)
            key = both.submit(introduce, a, b, hook=line.url, hosts=line.host)
        key = key.result()
        b.sql(COUNTING)
        with registering_again(a, key, line.url):
            writing = threading.Thread(target=change_slowly, args=(a, EVENTS, changed := []))
            writing.start()
            ends = send(a, OURS, KILLS)
            writing.join()
        assert ends == ["killed"] * KILLS + ["ended 0"]

        node = uuid.UUID(json.loads(a.get("/.well-known/marketplace-federation").data)["node_id"])
        ids = {deliveries.message_id(node, uid, version) for uid, version in changed}
        received = b.sql("SELECT message_id FROM federation_receivedmessage WHERE type = 'listing.changed'")
        assert len(ids) == EVENTS
        assert {one for (one,) in received} == ids, "0 lost, one id for each"
        pings = b.sql("SELECT count(*) FROM federation_receivedmessage WHERE type = 'hook.ping'")[0][0]
        assert b.sql("SELECT count(*) FROM effects")[0][0] == EVENTS + pings, "each took effect once"
        assert {one for (one,) in a.sql("SELECT state FROM federation_delivery")} == {"sent"}
        assert sum(number - 1 for number in line.reached.values()) > 0, "some came more than once"
        assert set(line.met) == {*faults.FAULTS, "refused"}, "every fault was met"
        assert line.answers[401] > 0, "the clock that is ahead was refused"
        tries = a.sql("SELECT count(*), count(*) FILTER (WHERE status = 200 AND error = '') FROM federation_deliveryattempt")[0]
        print(f"\n{tries[0]} attempts, {tries[1]} good, {dict(line.met)}, {dict(line.answers)}")

        # The naive variant over the same line loses some and has others take effect twice.
        effects = b.sql("SELECT count(*) FROM effects")[0][0]
        line.told.clear()
        a.sql("INSERT INTO federation_announced (id, transaction, entry_id, renumbered) SELECT 2, max(transaction), max(id), 0 FROM federation_feedentry")
        change(a, NAIVE_EVENTS)
        send(a, NAIVE, NAIVE_KILLS)
        assert len(line.told) < NAIVE_EVENTS, "some are lost"
        assert b.sql("SELECT count(*) FROM effects")[0][0] - effects > len(line.told), "some took effect twice"


def change_slowly(node: marketplaces.Node, number: int, made: list) -> None:
    """In lots that are no burst, so that each change is told by itself."""
    pause = threading.Event()
    untold = "SELECT count(*) FROM federation_feedentry WHERE (transaction, id) > (SELECT coalesce(max(transaction), 0), coalesce(max(entry_id), 0) FROM federation_announced)"
    with psycopg.connect(node.database_url, autocommit=True) as connection:
        while len(made) < number:
            if connection.execute(untold).fetchone()[0] <= deliveries.BURST - LOT:
                made += change(node, LOT)
            pause.wait(0.1)

"""Three whole marketplaces that are each other's partners, and one that means harm: every line of the list of what has to hold."""

import datetime
import json
import time
import uuid

import psycopg
import pytest

from marketplace.federation import conformance, signing
from marketplace.federation.client import digest_of
from tests import websites
from tests.federation import origins, towns

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
WEBHOOKS = "/api/federation/v1/webhooks"
CHANGES = "/api/federation/v1/changes"
#: No limits to run into, and no minutes to wait after a failure.
QUICK = {"API_RATE_ADDRESS": "100000", "API_RATE_KEY": "100000", "API_RATE_FAILURES": "100000", "WEBHOOK_PAUSES": "0.05,0.1"}
GOOD = 30


def test_three_marketplaces_keep_to_every_line(nodes, subtests):  # noqa: PLR0915 - one world is dear to build, so all lines are tried in it
    made = nodes(3, **QUICK)
    with towns.towns(made) as (a, b, c):
        of_a = a.do("result = publish(1, ['Estampació de xapa', 'Motlles de silicona', 'Cintes transportadores'])")
        of_b = b.do("result = publish(2, ['Traduccions jurades', 'Disseny de webs'])")
        of_c = c.do("result = publish(3, ['Lloguer de naus'])")
        everything = {*of_a, *of_b, *of_c}
        towns.settle([a, b, c])
        for town in (a, b, c):
            assert set(town.shown) == everything

        with subtests.test("each conforms, seen from outside"):
            for town, reader in ((a, b), (b, c), (c, a)):
                report = conformance.run(town.url, reader.keys[town.name])
                assert [(outcome.name, outcome.found) for outcome in report.faults] == []

        with subtests.test("three-node loop: what came from others goes to nobody"):
            for town, own in ((a, of_a), (b, of_b), (c, of_c)):
                reader = b if town is a else a
                assert {item["uri"] for item in town.feed(reader.keys[town.name])[0]} == set(own)
            entries = [town.get("FeedEntry.objects.count()") for town in (a, b, c)]
            towns.settle([a, b, c])
            assert [town.get("FeedEntry.objects.count()") for town in (a, b, c)] == entries
            # The naive way, all that is published goes out: then each would give away all six, and none would come to rest.
            assert a.get("Listing.objects.filter(state=State.PUBLISHED).count()") == 6

        with subtests.test("duplicate: the same pages twice change nothing"):
            before = b.get("[Change.objects.count(), Listing.history.count(), Listing.objects.count()]")
            b.do("Checkpoint.objects.update(state={}, in_snapshot=False)\nresult = visit(name)", name=a.name)
            b.do("result = visit(name)", name=a.name)
            assert b.get("[Change.objects.count(), Listing.history.count(), Listing.objects.count()]") == before

        with subtests.test("a change arrives by a message, without waiting for the next visit"):
            a.do("rename(uri, 'Estampació de xapa fina')", uri=of_a[0])
            towns.settle([a, b, c])
            assert {town.shown[of_a[0]] for town in (a, b, c)} == {"Estampació de xapa fina"}

        with subtests.test("lost webhook: the next visit brings it"):
            a.do("rename(uri, 'Motlles de silicona alimentària')\nfollowing.run_once(); export.run_once(); deliveries.announce()", uri=of_a[1])
            a.do("Delivery.objects.filter(state='waiting').delete()")
            towns.settle([a, b])
            assert b.shown[of_a[1]] == "Motlles de silicona", "nobody told it, and its visit is in an hour"
            b.do("result = visit(name)", name=a.name)
            assert b.shown[of_a[1]] == "Motlles de silicona alimentària"

        with subtests.test("replay: the same message again does nothing"):
            counted = "[ReceivedMessage.objects.count(), HarvestRun.objects.count()]"
            a.do("deliveries.replay_since(partner(name), timezone.now() - datetime.timedelta(days=1), by=None)", name=b.name)
            before, sent = b.get(counted), a.get("sending.run_once(seconds=20)")
            b.get("harvest.run_once()")
            assert sent > 0
            assert b.get(counted) == before

        with subtests.test("clock skew: a message is refused, a visit is not harmed"):
            skewed = "import time_machine\nwith time_machine.travel(timezone.now() + datetime.timedelta(hours=5), tick=True):\n    "
            a.do("rename(uri, 'Cintes transportadores de corretja')\nfollowing.run_once(); export.run_once(); deliveries.announce()", uri=of_a[2])
            a.do(f"{skewed}sending.run_once(seconds=20)")
            refused = a.get("list(DeliveryAttempt.objects.order_by('-pk').values_list('status', flat=True)[:2])")
            assert refused == [401, 401]
            b.do(f"{skewed}harvest.run_once()")
            towns.settle([a, b, c])
            assert b.shown[of_a[2]] == c.shown[of_a[2]] == "Cintes transportadores de corretja"

        with subtests.test("late commit: what was written first and committed last is not skipped"):
            _late_commit(a, b)

        with subtests.test("crash in mid-harvest: the next one goes on"):
            _crash(a, b)

        with subtests.test("key rotation: of the feed, both keys for a while"):
            old = b.keys[a.name]
            new = a.do(
                "from marketplace.rest.models import ApiKey\n"
                "row = partner(name).client.keys.get(revoked_at=None)\n"
                "result = operations.rotate_key(partner(name), row, overlap=datetime.timedelta(days=1), by=None)[1]",
                name=b.name,
            )
            assert [a.node.get(CHANGES, key=key).status for key in (old, new)] == [200, 200]
            a.do("ApiKey.objects.filter(replaced_by__isnull=False).update(expires_at=timezone.now())")
            assert [a.node.get(CHANGES, key=key).status for key in (old, new)] == [401, 200]
            assert b.do("result = visit(name)", name=a.name), "the old key is refused, and that is told"
            b.do("operations.set_key(partner(name), key, by=None)", name=a.name, key=new)
            b.keys[a.name] = new
            assert b.do("result = visit(name)", name=a.name) == ""

        with subtests.test("key rotation: of the messages, both sign until the new one is known"):
            a.do("node_keys.rotate(by=None)\nrename(uri, 'Cintes')", uri=of_a[2])
            towns.settle([a, b, c])
            assert b.shown[of_a[2]] == "Cintes"
            a.do("NodeKey.objects.exclude(ends_at=None).update(ends_at=timezone.now())\nrename(uri, 'Cintes i corrons')", uri=of_a[2])
            towns.settle([a, b, c])
            assert b.shown[of_a[2]] == c.shown[of_a[2]] == "Cintes i corrons", "the message was signed with the new key alone"
            assert a.get("Delivery.objects.exclude(state='sent').count()") == 0

        with subtests.test("erased listing: nothing is left anywhere"):
            secret = "Frase que ha de desaparèixer"
            a.do("rename(uri, title)", uri=of_a[0], title=secret)
            towns.settle([a, b, c])
            assert b.shown[of_a[0]] == secret
            assert _search(b, secret) == 1
            a.do("listings.erase([mine(uri)], by=None)", uri=of_a[0])
            towns.settle([a, b, c])
            for town in (a, b, c):
                assert of_a[0] not in town.shown
                assert _search(town, secret) == 0
            for town in (b, c):
                assert _rows_with(town, secret) == []
            gone = a.node.get(f"/api/federation/v1/listings/{of_a[0].rpartition('/')[2]}", key=b.keys[a.name])
            assert (gone.status, json.loads(gone.data)["reason"]) == (410, "erasure")

        with subtests.test("they come to rest, and still conform"):
            towns.settle([a, b, c])
            report = conformance.run(a.url, b.keys[a.name])
            assert [(outcome.name, outcome.found) for outcome in report.faults] == []


def _late_commit(a: towns.Town, b: towns.Town) -> None:
    """A writer that takes its time while another one is quick."""
    late, quick = a.do("result = publish(8, ['Escriu lentament', 'Escriu de pressa'])")
    a.do("Change.objects.filter(uid__in=[mine(uri).uid for uri in uris]).delete()", uris=[late, quick])
    with psycopg.connect(a.node.database_url) as slow:
        sequence = (
            "INSERT INTO core_change (transaction, kind, uid, operation, created) VALUES (pg_current_xact_id()::text::bigint, 'listing', %s, 'upsert', now())"
        )
        slow.execute(sequence, [late.rpartition("/")[2]])
        a.do("touch(mine(uri))", uri=quick)
        # The naive cursor, by the serial id of what is committed, goes past the one that is still being written.
        assert a.get("Change.objects.order_by('-id').values_list('id', flat=True)[0]") > slow.execute("SELECT max(id) FROM core_change").fetchone()[0] - 1
        towns.settle([a, b])
        assert quick not in b.shown, "it waits for the slow one"
        slow.commit()
    towns.settle([a, b])
    assert {late, quick} <= set(b.shown)


def _crash(a: towns.Town, b: towns.Town) -> None:
    """Killed when a page has been written and not yet committed, then again when it has."""
    more = a.do("result = publish(9, [f'Producte número {n} de molts' for n in range(9)])")
    a.do("following.run_once(); export.run_once()")
    b.do("Partner.objects.filter(name=name).update(reader_options={'limit': 3})", name=a.name)
    for boundary in ("written", "committed"):
        program = towns._WORDS + (
            "import os, signal\nwhole = harvest._Visit._write\ndef write(self, batch, taking):\n"
            "    with transaction.atomic():\n        whole(self, batch, taking)\n"
            f"        if {boundary == 'written'}: os.kill(os.getpid(), signal.SIGKILL)\n"
            f"    os.kill(os.getpid(), signal.SIGKILL)\nharvest._Visit._write = write\nvisit({a.name!r})"
        )
        b.node.python(program, is_killed=True)
        assert len(set(more) & set(b.shown)) == (0 if boundary == "written" else 3)
    left = b.get("(Checkpoint.objects.get(partner=partner(name)).lease_until - timezone.now()).total_seconds()", name=a.name)
    assert 0 < left <= 120, "the lease is free within two minutes"
    b.do("result = visit(name)", name=a.name)
    assert set(more) <= set(b.shown)
    b.do("Partner.objects.update(reader_options={})")


def _search(town: towns.Town, words: str) -> int:
    """How many listings the public search finds."""
    answer = town.node.request("GET", f"/api/v1/listings/?q={words.replace(' ', '+')}")
    assert answer.status == 200, answer.data
    return sum(words in json.dumps(row, ensure_ascii=False) for row in json.loads(answer.data)["results"])


def _rows_with(town: towns.Town, words: str) -> list[str]:
    """The tables in whose rows the words still stand."""
    tables = town.node.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'")
    return [table for (table,) in tables if town.node.sql(f'SELECT 1 FROM "{table}" t WHERE t::text LIKE %s LIMIT 1', f"%{words}%")]  # noqa: S608 - names of our own tables


# --- One that means harm ------------------------------------------------------------------------------------------------


@pytest.fixture
def harmful():
    with origins.origin() as origin, websites.serve({"/": 200}) as home:
        origin.home = home
        yield origin


def test_marketplace_that_means_harm_does_none(nodes, harmful, subtests):  # noqa: PLR0915 - as above
    secret, node = signing.new_secret(), str(uuid.uuid4())
    harmful.site.pages["/.well-known/marketplace-federation"] = lambda _request: _as_json(_discovery(harmful, node, secret))
    # The address to which it redirects is allowed, so that only the refusal to follow keeps us from it.
    (a,) = nodes(1, allow=(harmful.site.host, harmful.home.host), **QUICK)
    with towns.towns([a]) as (a,):
        own = a.do("result = publish(1, ['Estampació de xapa', 'Motlles'])")
        a.do(
            "facts = {'name': 'harm', 'base_url': url, 'gives': True, 'reader': 'protocol'}\n"
            "made = operations.create(facts, presented=introductions.ask(url), by=None)\n"
            "operations.issue_key(made, name='x', expires_at=None, by=None)\n"
            "operations.set_key(made, 'a-key-of-theirs-0123456789', by=None)\noperations.activate(made, by=None)",
            url=harmful.url,
        )
        good = [harmful.put(number)["uri"] for number in range(GOOD)]
        assert a.do("visit('harm')\nresult = visit('harm')") == ""
        known = {*own, *good}
        assert set(a.shown) == known

        def visit() -> str:
            return a.do("result = visit('harm')")

        def quarantined() -> list[str]:
            return a.get("sorted(set(QuarantinedItem.objects.filter(resolved_at=None).values_list('code', flat=True)))")

        with subtests.test("forged owner: nobody changes what is another's"):
            theirs = origins.listing_of(harmful, 77) | {"@id": own[0], "name": "Pres"}
            harmful.add(harmful.item(theirs))
            harmful.add({"op": "tombstone", "uri": own[1], "version": 10**9, "updated_at": "2026-11-02T10:00:00Z", "reason": "erasure"})
            visit()
            assert quarantined()
            assert a.shown[own[0]] == "Estampació de xapa"
            assert set(a.shown) == known

        with subtests.test("reorder: an older version changes nothing, the same with other content is quarantined"):
            harmful.put(1, version=100, name="Nova")
            visit()
            harmful.put(1, version=99, name="Vella")
            harmful.put(2, version=3, name="Una altra amb la mateixa versió")
            visit()
            assert a.shown[good[1]] == "Nova"
            assert a.shown[good[2]] != "Una altra amb la mateixa versió"

        with subtests.test("digest: what was altered on the way is quarantined"):
            item = harmful.item(origins.listing_of(harmful, 3) | {"name": "Alterada"})
            harmful.add(item | {"digest": digest_of({"x": 1})})
            visit()
            assert "Alterada" not in a.shown.values()

        for name, answer in {
            "huge body": lambda request: websites.endless(_headed(request)),
            "slow body": _slow,
            "redirect to 127.0.0.1": websites.redirect(harmful.home.url),
            "malformed JSON": _as_json(b'{"items": [{'),
            "deep JSON": _as_json(b"[" * 100_000),
        }.items():
            with subtests.test(f"hostile partner: {name}"):
                harmful.site.pages[CHANGES] = answer
                began = time.monotonic()
                a.do("from marketplace.federation.readers import protocol\nprotocol.SECONDS = 1.5")
                assert visit(), "the error is kept"
                assert time.monotonic() - began < 20
                assert set(a.shown) == known
                assert harmful.home.connections == 0

        with subtests.test("hostile partner: 10,000 tombstones"):
            harmful.site.pages[CHANGES] = harmful.changes
            for number in range(5000):
                harmful.take_away(f"x{number}", "erasure")
                harmful.add(
                    {
                        "op": "tombstone",
                        "uri": f"{a.url}/id/listing/{uuid.uuid4()}",
                        "version": 10**9,
                        "updated_at": "2026-11-02T10:00:00Z",
                        "reason": "erasure",
                    }
                )
            began = time.monotonic()
            visit()
            assert set(a.shown) == known
            assert time.monotonic() - began < 60

        with subtests.test("hostile partner: all that it has would go at once, so a person is asked"):
            for number in range(GOOD):
                harmful.take_away(number, version=10**6)
            visit()
            assert set(a.shown) == known
            assert a.get("Checkpoint.objects.get().held_count") == GOOD

        with subtests.test("messages: signed by it they are heeded once, forged ones not at all"):
            _messages(a, node, secret)


def _messages(a: towns.Town, node: str, secret: str) -> None:
    """The node's own receiver, over HTTP."""
    body = json.dumps({"type": "listing.changed", "data": {"node": node}}).encode()
    now = datetime.datetime.now(datetime.UTC)
    good = signing.sign("one", now, body, [secret])
    sent = {
        "good": (body, good),
        "again": (body, good),
        "forged": (body, signing.sign("two", now, body, [signing.new_secret()])),
        "altered": (body + b" ", good),
        "old": (body, signing.sign("three", now - datetime.timedelta(minutes=6), body, [secret])),
        "future": (body, signing.sign("four", now + datetime.timedelta(minutes=6), body, [secret])),
    }
    statuses = {name: a.node.request("POST", WEBHOOKS, body=content, headers=headers).status for name, (content, headers) in sent.items()}
    assert statuses == {"good": 200, "again": 200, "forged": 401, "altered": 401, "old": 401, "future": 401}
    assert a.get("list(ReceivedMessage.objects.values_list('message_id', flat=True))") == ["one"]


def _discovery(origin: origins.Origin, node: str, secret: str) -> bytes:
    told = {
        "node_id": node,
        "name": "Harm",
        "base_url": origin.url,
        "versions": ["1"],
        "languages": ["ca"],
        "taxonomies": {"sectors": "NACE Rev. 2", "places": "INE municipalities"},
        "endpoints": {},
        "webhook_public_keys": [{"key": signing.public_key(secret)}],
    }
    return json.dumps(told).encode()


def _as_json(body: bytes) -> tuple:
    return 200, {"Content-Type": "application/json"}, body


class _headed:  # noqa: N801 - used as a function
    """A request whose answer says that it is JSON, whatever it is."""

    def __init__(self, request) -> None:
        self.request, self.wfile, self.send_response, self.end_headers = request, request.wfile, request.send_response, request.end_headers

    def send_header(self, name: str, value: str) -> None:
        self.request.send_header(name, "application/json" if name == "Content-Type" else value)


def _slow(request) -> None:
    websites.drip(_headed(request))

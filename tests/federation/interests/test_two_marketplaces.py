"""The whole way between two real marketplaces: two databases, two web servers, HTTP, with somebody listening on the line."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import urllib3

from tests import websites
from tests.nodes import Node

from .hands import Hands, hands

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

#: The companies' own contact data, which they may go on using: they are not the address with which the person logs in.
OWN_COMPANY = ("companies_company", "companies_historicalcompany")
ALBA, ORIOL = "+34600111111", "+34600222222"

#: Our worker, and one as it would be written first: every attempt is a new request. Both die between the partner's answer and their commit.
SEND_AND_DIE = """
import os, signal
from marketplace.federation.interests import sending
sending._heard = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
{naive}
sending.run_once()
"""
NAIVE = """
import uuid
original = sending._request
def request(interest, method, path, content=None, headers=None):
    return original(interest, method, path, content, {**(headers or {}), "Idempotency-Key": str(uuid.uuid4())})
sending._request = request
"""


@dataclass
class Line:
    """All that goes over the line between the two, in both directions; `is_cut`: nothing does."""

    url: str = ""
    host: str = ""
    is_cut: bool = False
    exchanges: list[tuple[str, str, bytes, bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self, since: int = 0) -> str:
        """Everything that went over it, from the exchange number `since` on."""
        return " ".join(f"{method} {path} {sent!r} {back!r}" for method, path, sent, back in self.exchanges[since:])


class Everything(dict):
    """Pages of a site that answers at every address."""

    def __init__(self, page):
        super().__init__()
        self.page = page

    def __bool__(self):
        return True

    def get(self, *_path):
        return self.page


@contextlib.contextmanager
def listening(to: Node) -> Iterator[Line]:
    line = Line()

    def forward(request):
        if line.is_cut:
            return 503
        content = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        kept = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
        answer = urllib3.request(request.command, to.url + request.path, body=content or None, headers=kept, timeout=60, retries=False, redirect=False)
        with line.lock:
            line.exchanges.append((request.command, request.path, content, answer.data))
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in ("connection", "transfer-encoding", "server", "date")}
        return answer.status, headers | {"Content-Length": str(len(answer.data))}, answer.data

    with websites.serve(Everything(forward)) as site:
        line.url, line.host = site.url, site.host
        yield line


def due(hands: Hands) -> None:
    """Time passes until the next attempt."""
    hands.node.sql("UPDATE federation_outgoinginterest SET next_attempt_at = now(), lease_until = NULL WHERE next_attempt_at IS NOT NULL")


def everything(hands: Hands, *, but: tuple[str, ...] = ()) -> str:
    """All rows of a node's database as text."""
    sql = hands.node.sql
    tables = [name for (name,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") if name not in but]
    return " ".join(str(row) for name in tables for row in sql(f'SELECT t::text FROM "{name}" t'))  # noqa: S608 - names of our own tables


def send(hands: Hands) -> None:
    hands.do("from marketplace.federation.interests import sending; sending.run_once()")


def mails(hands: Hands) -> list[str]:
    """What was sent, message by message: several may lie in one file."""
    return [mail for file in hands.node.mails() for mail in file.split("-" * 79) if "Subject:" in mail]


def work(hands: Hands) -> None:
    """The part of the worker's round that matters here, without the search: messages to partners, interests, mails."""
    hands.do(
        "from marketplace.core import mail; from marketplace.federation import sending as messages; from marketplace.federation.interests import sending; "
        "[step() for step in (messages.run_once, sending.run_once, mail.send_due)]"
    )


def set_up(a: Hands, b: Hands, line: Line) -> None:
    """A's company asks, B's offers; A knows B's offer, B does not know A's demand."""
    of_a, of_b = (one.json("seeds.identity()") for one in (a, b))
    key = b.json(f"seeds.partner('Marketplace A', {a.node.url!r}, {of_a!r}, hook={a.node.url + '/api/federation/v1/webhooks'!r})")
    a.do(f"seeds.partner('Marketplace B', {line.url!r}, {of_b!r}, key={key!r})")
    offer = b.json(f"seeds.company('Oriol Offers', 'oriol', kind='offer', phone={ORIOL!r})")["listing"]
    a.do(f"seeds.company('Alba Asks', 'alba', kind='demand', phone={ALBA!r})")
    a.do(f"seeds.suggest('Marketplace B', {b.node.url + '/id/listing/' + offer!r}, kind='offer')")


def test_whole_way(nodes):
    with contextlib.ExitStack() as stack:
        nodes_ = nodes(2, start=False)
        line = stack.enter_context(listening(nodes_[1]))
        for node in nodes_:
            node.env["OUTGOING_ALLOWED_HOSTS"] = ",".join([*(one.host for one in nodes_), line.host])
            stack.callback(node.stop)
            node.start()
        a, b = (stack.enter_context(hands(node)) for node in nodes_)
        set_up(a, b, line)
        nothing_crosses_without_consent(a, line)
        killed_between_send_and_commit_is_one_interest(a, b)
        b1_is_told_without_contact_data(a, b, line)
        yes_brings_the_contact_to_both(a, b, line)
        person_of_b_is_erased_while_a_is_down(a, b)
        person_of_a_is_erased_while_b_is_down(a, b, line)
        for log in (node.log for node in nodes_):
            for secret in ("Traceback", "@contact.example", ALBA, ORIOL, "200 pieces"):
                assert secret not in log


def nothing_crosses_without_consent(a, line):
    a.do(
        """
from django.core.exceptions import ValidationError
from marketplace.accounts.models import User
from marketplace.synergies import operations
from marketplace.synergies.models import Synergy
try:
    operations.express_interest(Synergy.objects.get(), by=User.objects.get(email="alba@login.example"))
except ValidationError as error:
    assert error.code == "consent"
else:
    raise AssertionError
worker.drain()
"""
    )
    assert not [path for _method, path, *_rest in line.exchanges if "interest" in path]


def killed_between_send_and_commit_is_one_interest(a, b):
    a.do(f"seeds.say_yes('alba', {ALBA!r})")
    count = "SELECT count(*) FROM federation_incominginterest"
    for _ in range(2):
        due(a)
        a.do(SEND_AND_DIE.format(naive=NAIVE), is_killed=True)
    assert b.node.sql(count) == [(2,)], "the naive one doubles"
    b.node.sql("DELETE FROM federation_incominginterest")
    b.node.sql("DELETE FROM core_mail")
    for _ in range(2):
        due(a)
        a.do(SEND_AND_DIE.format(naive=""), is_killed=True)
    due(a)
    send(a)
    assert b.node.sql(count) == [(1,)]
    assert a.json("seeds.look('alba')")["outgoing"] == ["received"]


def b1_is_told_without_contact_data(a, b, line):
    work(b)
    told = mails(b)
    assert len(told) == 2, "one each to two people"
    [uid] = [str(uid) for (uid,) in a.node.sql("SELECT uid FROM federation_outgoinginterest")]
    key = b.json("seeds.partner('Marketplace C', 'https://c.example', {'node_id': '0198c0de-0000-7000-8000-000000000000'})")
    assert b.node.get(f"/api/federation/v1/interests/{uid}", key=key).status == 404
    open_pages = [b.node.get(path, key=key).data.decode() for path in ("/api/federation/v1/changes", "/api/federation/v1/snapshot", "/api/v1/listings/")]
    for text in (*told, *open_pages, everything(b), b.node.log):
        for secret in ("alba@contact.example", ALBA, "Alba Contact", "200 pieces"):
            assert secret not in text, "sealed at B, and in nothing that goes out"
    assert "oriol@contact.example" not in line.told()


def yes_brings_the_contact_to_both(a, b, line):
    assert [node.json(f"seeds.look({who!r})")["contact"] for node, who in ((a, "alba"), (b, "oriol"))] == [None, None]
    before = len(line.exchanges)
    b.do(f"seeds.accept('oriol', {ORIOL!r})")
    a.node.sql("UPDATE federation_outgoinginterest SET next_attempt_at = now() + interval '5 hours'")
    work(b)
    # B's webhook has come: A asks at once, not in five hours.
    work(a)
    assert "oriol@contact.example" in line.told(before)
    told = a.json("seeds.look('alba')")
    assert (told["synergy"], told["contact"]) == ("mutual", "oriol@contact.example")
    assert b.json("seeds.look('oriol')")["contact"] == "alba@contact.example"
    assert len([mail for mail in mails(a) if "both said yes" in mail]) == 2
    for text in (*mails(a), *mails(b), a.node.log, b.node.log):
        assert "@contact.example" not in text


def person_of_b_is_erased_while_a_is_down(a, b):
    a.node.stop()
    b.do("seeds.erase('oriol')")
    work(b)
    assert b.json("seeds.look('oriol-colleague')")["incoming"] == ["erased"]
    for secret in ("alba@contact.example", "Alba Asks", "oriol@contact.example"):
        assert secret not in everything(b, but=OWN_COMPANY), secret
    a.node.start()
    # No webhook has come; A asks in its own time.
    due(a)
    work(a)
    told = a.json("seeds.look('alba')")
    assert (told["synergy"], told["contact"], told["outgoing"]) == ("suggested", None, ["erased"])


def person_of_a_is_erased_while_b_is_down(a, b, line):
    a.do(f"seeds.say_yes('alba', {ALBA!r}, 'Once more: 200 pieces.')")
    send(a)
    assert b.json("seeds.look('oriol-colleague')")["incoming"] == ["erased", "received"]
    line.is_cut = True
    a.do("seeds.erase('alba')")
    due(a)
    send(a)
    told = a.json("seeds.look('alba-colleague')")
    assert (told["outgoing"], told["to_erase"]) == (["erased", "erased"], 1)
    rows = everything(a, but=OWN_COMPANY)
    for secret in ("alba@contact.example", ALBA, "alba@login.example"):
        assert secret not in rows, secret
    line.is_cut = False
    due(a)
    send(a)
    assert a.json("seeds.look('alba-colleague')")["to_erase"] == 0
    [row] = b.node.sql(
        "SELECT state, sealed_contact, sealed_message, contact_mark, company_name, consent_text FROM federation_incominginterest ORDER BY id DESC LIMIT 1"
    )
    assert row == ("erased", "", "", "", "", "")
    assert not b.node.sql("SELECT 1 FROM core_mail WHERE starts_with(key, 'interest:')")

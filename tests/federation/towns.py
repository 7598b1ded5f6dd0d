"""Marketplaces that are each other's partners, and a way to have something done in one of them without starting Python each time."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from tests import nodes

#: Reads a program a line, runs it, prints what it left in `result`.
_LOOP = """
import json, sys, traceback
import django
django.setup()
scope, answers = {}, sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    try:
        exec(json.loads(line), scope)
        told = {"result": scope.pop("result", None)}
    except BaseException:
        told = {"error": traceback.format_exc()}
    print(json.dumps(told), file=answers, flush=True)
"""

_WORDS = """
import datetime, json
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from marketplace.companies.models import Company
from marketplace.core import changelog
from marketplace.core.models import Change
from marketplace.federation import deliveries, export, harvest, hooks, introductions, node_keys, operations, receiving, sending, subscriptions
from marketplace.federation.models import *
from marketplace.listings import following, operations as listings
from marketplace.listings.enums import Origin, State
from marketplace.listings.models import Listing
from search import index
from tests.factories import CompanyFactory, ListingFactory, company_tax_id

STEPS = (following.run_once, export.run_once, deliveries.announce, lambda: sending.run_once(seconds=20), subscriptions.run_once, harvest.run_once, index.run_once)

def work():
    # What the worker does, in the order in which it does it.
    return sum(step() for step in STEPS)

def touch(*rows):
    with transaction.atomic():
        changelog.append_many("listing", [row.uid for row in rows])

def publish(number, titles):
    company = CompanyFactory(tax_id=company_tax_id(number), name=f"Empresa {number}, SL")
    rows = [ListingFactory(live=True, company=company, title=title, description=f"{title}. " * 3) for title in titles]
    touch(*rows)
    return [f"{settings.SITE_URL}/id/listing/{row.uid}" for row in rows]

def mine(uri):
    return Listing.objects.get(uid=uri.rpartition("/")[2])

def rename(uri, title):
    Listing.objects.filter(pk=mine(uri).pk).update(title=title)
    touch(mine(uri))

def shown():
    # What people see here: the address at its origin and the title.
    return {row.source_uri or f"{settings.SITE_URL}/id/listing/{row.uid}": row.title for row in Listing.objects.filter(state=State.PUBLISHED)}

def partner(name):
    return Partner.objects.get(name=name)

def visit(name):
    Checkpoint.objects.filter(partner=partner(name)).update(next_at=timezone.now(), lease_until=None)
    harvest.visit(partner(name))
    return Checkpoint.objects.get(partner=partner(name)).error_code
"""


@dataclass
class Town:
    """A marketplace. `keys` are those that the others gave it, by their name."""

    node: nodes.Node
    keys: dict[str, str] = field(default_factory=dict)
    shell: subprocess.Popen | None = None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def url(self) -> str:
        return self.node.url

    def do(self, program: str, **values: object) -> object:
        """Run a program in it; `values` are its variables, `result` is what comes back."""
        given = "".join(f"{name} = json.loads({json.dumps(value)!r})\n" for name, value in values.items())
        self.shell.stdin.write(json.dumps(given + program) + "\n")
        self.shell.stdin.flush()
        line = self.shell.stdout.readline()
        assert line, f"{self.name} has ended:\n{self.node.log[-3000:]}"
        told = json.loads(line)
        assert "error" not in told, told["error"]
        return told["result"]

    def get(self, expression: str, **values: object) -> object:
        """What an expression is there."""
        return self.do(f"result = {expression}", **values)

    @property
    def shown(self) -> dict[str, str]:
        """What people see: titles by URI."""
        return self.get("shown()")

    def feed(self, key: str, cursor: str = "") -> tuple[list[dict], str]:
        """What a partner with this key reads."""
        items, path = [], "/api/federation/v1/changes?limit=1000"
        while True:
            answer = self.node.get(path + (f"&cursor={cursor}" if cursor else ""), key=key)
            assert answer.status == 200, answer.data
            page = json.loads(answer.data)
            items, cursor = items + page["items"], page["cursor"]
            if not page["more"]:
                return items, cursor


@contextlib.contextmanager
def towns(made: Sequence[nodes.Node]) -> Iterator[list[Town]]:
    """The marketplaces, each partner of each, all active; nothing has been read yet."""
    with contextlib.ExitStack() as stack:
        built = [Town(node) for node in made]
        for town in built:
            log = stack.enter_context((town.node.folder / "shell.log").open("ab"))
            command = [sys.executable, "-c", _LOOP]
            town.shell = subprocess.Popen(
                command, env=town.node.env, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
            stack.callback(end, town.shell)
        for town in built:
            town.do(_WORDS)
        for town in built:
            for other in built:
                if other is not town:
                    other.keys[town.name] = town.do(
                        "facts = {'name': name, 'base_url': url, 'gives': True, 'reader': 'protocol'}\n"
                        "made = operations.create(facts, presented=introductions.ask(url), by=None)\n"
                        "result = operations.issue_key(made, name='harvester', expires_at=None, by=None)[1]",
                        name=other.name,
                        url=other.url,
                    )
        for town in built:
            for name, key in town.keys.items():
                town.do("operations.set_key(partner(name), key, by=None)\noperations.activate(partner(name), by=None)", name=name, key=key)
        yield built


def settle(built: Sequence[Town], rounds: int = 12) -> None:
    """Let all of them work until none has anything to do."""
    for _ in range(rounds):
        if not sum(town.get("work()") for town in built):
            return
    raise AssertionError("they go round in circles")


def end(process: subprocess.Popen) -> None:
    """Whatever it does now."""
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()

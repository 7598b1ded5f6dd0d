"""Two marketplaces on this machine that become partners: each step in plain words, with what it proves, how long it took, and a check.

Each has a database, an index, a web server and a worker of its own; they talk over HTTP on loopback, through the operations and
addresses that real partners use.
"""

import contextlib
import inspect
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
from django.conf import settings

from . import across
from .city import ADMIN, CURATOR, PASSWORD

#: How long a step may take before it counts as failed. Most take some seconds: the workers look twice a second.
PATIENCE = 90.0
START = 240.0
WIDTH = 110
OFFER, DEMAND = "Injecció de peces de plàstic reciclat en sèries curtes", "Busquem qui injecti peces de plàstic reciclat per a joguines"
SOLAR, SCHOOLS = "Instal·lació de plaques solars en escoles i edificis", "Busquem instal·lador de plaques solars per a tres escoles"
PAIRS = (("Bosses de roba amb logotip per a comerços", "Necessitem bosses de roba amb el nostre logotip"), (SOLAR, SCHOOLS))


class StepError(Exception):
    """A step did not come out as it should; the message says what was seen instead."""


# --- A marketplace and its programs ---------------------------------------------------------------------------------------


@dataclass
class Marketplace:
    """One of the two. `ask` calls a function of `across` inside it."""

    key: str
    name: str
    port: int
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    programs: list[subprocess.Popen] = field(default_factory=list)
    hand: subprocess.Popen | None = None
    partner: str = ""
    secret: str = ""

    @property
    def url(self) -> str:
        """Its SITE_URL."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Web server, worker, and the program through which its people act; raises StepError when the port is taken."""
        with contextlib.closing(socket.socket()) as probe:
            if not self.port or probe.connect_ex(("127.0.0.1", self.port)) == 0:
                raise StepError(f"Port {self.port} is in use. Choose others with --ports.")
        web = [
            sys.executable,
            "-m",
            "gunicorn",
            "marketplace.wsgi",
            "--bind",
            f"127.0.0.1:{self.port}",
            "--workers",
            "1",
            "--threads",
            "4",
            "--log-level",
            "warning",
        ]
        for command in (web, [sys.executable, "manage.py", "worker", "--pause", "0.3"]):
            with (self.folder / "log.txt").open("ab") as log:
                self.programs.append(subprocess.Popen(command, env=self.env, cwd=settings.BASE_DIR, stdout=log, stderr=log))  # noqa: S603 - our own programs
        with (self.folder / "log.txt").open("ab") as log:
            inside = [sys.executable, "manage.py", "federation_demo", "--inside"]
            self.hand = subprocess.Popen(  # noqa: S603 - this command itself
                inside, env=self.env, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.programs.append(self.hand)

    def answers(self) -> bool:
        """Whether its web server answers; raises StepError when one of its programs has ended."""
        if any(program.poll() is not None for program in self.programs):
            raise StepError(f"{self.name} did not start. Its log ends with:\n{self.log[-2000:]}")
        with contextlib.suppress(OSError, urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"{self.url}/health/", timeout=60, retries=False).status == 200  # noqa: PLR2004
        return False

    def ask(self, name: str, **arguments: object) -> object:
        """Call a function of `across` inside; raises StepError with what went wrong there."""
        if self.hand is None or self.hand.poll() is not None:
            raise StepError(f"{self.name} has ended. Its log ends with:\n{self.log[-2000:]}")
        self.hand.stdin.write(json.dumps({"do": name, "with": arguments}) + "\n")
        self.hand.stdin.flush()
        line = self.hand.stdout.readline()
        answer = json.loads(line) if line else {"failed": self.log[-2000:]}
        if "failed" in answer:
            raise StepError(f"{self.name}, {name}: {answer['failed']}")
        return answer["done"]

    def stop(self) -> None:
        """End its programs; its files stay until the next demo."""
        if self.hand is not None:
            with contextlib.suppress(OSError):
                self.hand.stdin.close()
        for program in self.programs:
            program.terminate()
        for program in self.programs:
            try:
                program.wait(15)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        if self.hand is not None:
            self.hand.stdout.close()

    @property
    def log(self) -> str:
        """What its programs wrote."""
        file = self.folder / "log.txt"
        return file.read_text(errors="replace") if file.exists() else ""


def prepared(folder: Path, migrated: Path | None, ports: Sequence[int], show: Callable[[str], None]) -> list[Marketplace]:
    """Two marketplaces with empty databases; one is migrated and copied, since that takes the longest."""
    shutil.rmtree(folder, ignore_errors=True)
    made = []
    for (key, told), port in zip(across.story().items(), ports or (_free_port(), _free_port()), strict=True):
        own = folder / key
        own.mkdir(parents=True)
        made.append(_described(Marketplace(key, told["name"], port, own), told))
    allowed = ",".join(f"127.0.0.1:{one.port}" for one in made)
    for one in made:
        one.env["OUTGOING_ALLOWED_HOSTS"] = allowed
    first = made[0].folder / "db.sqlite3"
    if migrated is None:
        show("Making the databases (some seconds) …")
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        done = subprocess.run(command, env=made[0].env, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
        if done.returncode:
            raise StepError(done.stderr[-2000:])
    else:
        shutil.copyfile(migrated, first)
    with contextlib.closing(sqlite3.connect(first)) as connection:
        connection.execute("VACUUM INTO ?", [str(made[1].folder / "db.sqlite3")])
    return made


def _described(one: Marketplace, told: Mapping[str, str]) -> Marketplace:
    one.env = {name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST_", "WEBHOOK_"))} | {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DEBUG": "true",
        "DATABASE_URL": f"sqlite:///{one.folder / 'db.sqlite3'}",
        "EMBEDDED_INDEX_PATH": str(one.folder / "index"),
        "MEDIA_ROOT": str(one.folder / "media"),
        "EMAIL_URL": f"filemail:///{one.folder / 'mail'}",
        "PAGE_CACHE_URL": "dummycache://",
        "ELASTICSEARCH_URL": "",
        "SEMANTIC_ENCODER": "",
        "SECRET_KEY": f"only-for-the-demo-of-{one.key}",
        "SITE_URL": one.url,
        "SITE_NAME": told["name"],
        "CITY_NAME": told["city"],
    }
    return one


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- The steps ---------------------------------------------------------------------------------------------------------------


@dataclass
class Demo:
    """Runs the steps; `failures` are the titles of those that did not come out."""

    a: Marketplace
    b: Marketplace
    say: Callable[[str], None]
    failures: list[str] = field(default_factory=list)
    number: int = 0

    def run(self) -> None:
        """All steps. One that fails ends the demo, since the others build on it."""
        for title, step in (
            ("Two marketplaces start, each by itself", self.start),
            ("Each has companies and listings of its own", self.load),
            ("Nobody reads without a key", self.closed),
            ("They present themselves, exchange keys and become partners", self.connect),
            ("Each has the other's listings", self.exchange),
            ("Nothing goes in circles", self.loops),
            ("An offer of one is matched to a demand of the other, in both", self.match),
            ("A change arrives by itself", self.change),
            ("An interest crosses, without contact data", self.cross),
            ("Both say yes: now each has the other's contact", self.agree),
            ("A person deletes the account: everything of theirs goes, on both sides", self.erase),
        ):
            self.number += 1
            self.say(f"\n{self.number}. {title}")
            self.tell(f"({inspect.getdoc(step)})")
            begun = time.monotonic()
            try:
                step()
            except StepError as error:
                self.failures.append(title)
                self.say(_indented(f"FAILED: {error}"))
                return
            self.say(f"   ✓ {time.monotonic() - begun:.1f} s")

    def start(self) -> None:
        """Own database, own index, own web server and worker; nothing is shared but this machine."""
        for one in (self.a, self.b):
            one.start()
        for one in (self.a, self.b):
            self.until(one.answers, "the web server answers", seconds=START)
            self.tell(f"{one.name:22} {one.url}")

    def load(self) -> None:
        """Written as people write them, published by a curator, found by each marketplace's own search."""
        for one in (self.a, self.b):
            made = one.ask("load", key=one.key)
            self.tell(f"{one.name}: {made['companies']} companies")
            for listing in made["listings"]:
                self.tell(f"   {listing['kind']:8} {listing['title']} ({listing['company']})")
        self.until(lambda: OFFER in self.a.ask("found", text="injecció de plàstic"), "the search finds the offer")
        self.check(DEMAND not in self.a.ask("found", text="joguines"), "neither finds what only the other has")

    def closed(self) -> None:
        """The feed wants a key, and a message that nobody signed is refused."""
        for path in ("changes", "snapshot"):
            status = urllib3.request("GET", f"{self.a.url}/api/federation/v1/{path}", timeout=30, retries=False).status
            self.check(status == 401, f"{path} without a key: {status}")  # noqa: PLR2004
        body = json.dumps({"type": "listing.changed", "timestamp": "2026-01-01T00:00:00Z", "data": {"node": "0198a6f2-0000-7000-8000-000000000000"}})
        headers = {"Content-Type": "application/json", "webhook-id": "x", "webhook-timestamp": "0", "webhook-signature": "v1a,AAAA"}
        status = urllib3.request("POST", f"{self.a.url}/api/federation/v1/webhooks", body=body, headers=headers, timeout=30, retries=False).status
        self.check(400 <= status < 500, f"a message that nobody signed: {status}")  # noqa: PLR2004

    def connect(self) -> None:
        """As people do in the two consoles: ask the address, add the partner, make a key, hand it over, begin."""
        for here, there in ((self.a, self.b), (self.b, self.a)):
            made = here.ask("connect", address=there.url)
            here.partner, there.secret = made["partner"], made["key"]
            self.tell(f"{here.name} asked {there.url} who it is, and made the key {made['shown']}… for it")
            self.tell(f"   console: {made['console']}")
        for one in (self.a, self.b):
            self.check(one.ask("activate", partner=one.partner, key=one.secret) == "active", f"{one.name}: the partner is active")
        for one in (self.a, self.b):
            self.until(
                lambda one=one: one.ask("told", partner=one.partner), f"{one.name}: signed messages are set up both ways (each has answered a challenge)"
            )

    def exchange(self) -> None:
        """The first visit reads all; what each has of the other is exactly what the other has, no more and no less."""
        for here, there in ((self.a, self.b), (self.b, self.a)):
            own = there.ask("own")
            self.until(lambda here=here, own=own: here.ask("harvested") == own, f"{here.name} has all {len(own)} listings of {there.name}", here)
        self.until(lambda: DEMAND in self.a.ask("found", text="joguines"), f"the search in {self.a.name} finds “{DEMAND}”")

    def loops(self) -> None:
        """A marketplace gives what originated with it, nothing that it took from others."""
        for here, there in ((self.a, self.b), (self.b, self.a)):
            given = here.ask("given", partner=here.partner)
            self.check(given == there.ask("own"), f"{there.name} gives its own {len(given)} listings and none of those that it has from {here.name}")

    def match(self) -> None:
        """Each finds the pair by itself, from the same texts, and says why."""
        scores = []
        for one in (self.a, self.b):
            shown = self.until(lambda one=one: one.ask("match", offer=OFFER, demand=DEMAND), f"{one.name} suggests the pair")
            scores.append(shown["score"])
            self.tell(f"   score {shown['score']:.0f} of 100   {shown['console']}")
            for reason in shown["reasons"]:
                self.tell(f"      {reason}")
        self.check(abs(scores[0] - scores[1]) < 1, "both give it the same score")
        for offer, demand in PAIRS:
            for one in (self.a, self.b):
                self.until(lambda one=one, offer=offer, demand=demand: one.ask("match", offer=offer, demand=demand), f"{one.name}: {demand} ↔ {offer}")

    def change(self) -> None:
        """The origin tells with a signed message; who gets it comes and reads. Nobody else can change the listing."""
        text = (
            "Necessitem 5.000 peces de plàstic reciclat, injectades amb un motlle que encara s'ha de fer. Voldríem mostres abans d'un mes i lliurament al maig."
        )
        self.b.ask("rewrite", title=DEMAND, description=text)
        begun = time.monotonic()
        self.until(lambda: self.a.ask("described", title=DEMAND) == text, f"{self.a.name} shows the new text", self.a)
        self.tell(f"   {time.monotonic() - begun:.1f} s after the company pressed “Save” in {self.b.name}; the next visit would have been in an hour")

    def cross(self) -> None:
        """The message and the consent go along word for word; the contact is sealed until the other side says yes too."""
        text = self.b.ask("say_yes", company="joguines-del-cardener", offer=OFFER, demand=DEMAND, message="Ens podríeu fer tres mostres?")
        self.tell("Joguines del Cardener says yes and agrees to this:")
        self.tell(f"   “{text}”")
        came = self.until(lambda: self.a.ask("interest", company="plastics-egara"), f"the interest is in {self.a.name}")
        self.check(came["from"] == "Joguines del Cardener, SL", f"it says who asks: {came['from']}")
        self.check(came["kept"] and not came["contact"], "the contact data came sealed, and nobody sees them yet")
        for one, company in ((self.a, "plastics-egara"), (self.b, "joguines-del-cardener")):
            self.check(one.ask("contact", company=company, offer=OFFER, demand=DEMAND) is None, f"{one.name} shows no contact")

    def agree(self) -> None:
        """The answer goes back with a consent of its own; only now the two companies can reach each other."""
        self.a.ask("answer", company="plastics-egara")
        for one, company, expected in (
            (self.a, "plastics-egara", "joguines-del-cardener@demo.example"),
            (self.b, "joguines-del-cardener", "plastics-egara@demo.example"),
        ):
            seen = self.until(lambda one=one, company=company: one.ask("contact", company=company, offer=OFFER, demand=DEMAND), f"{one.name} shows the contact")
            self.check(seen["email"] == expected, f"   {seen['company']}: {seen['name']}, {seen['email']}, {seen['phone']}")

    def erase(self) -> None:
        """Solar Cardener has shown interest in a demand over there, then deletes the account: listing, search, contact, message and name go."""
        self.b.ask("say_yes", company="solar-cardener", offer=SOLAR, demand=SCHOOLS, message="Passo a veure les teulades quan vulgueu.")
        self.until(lambda: self.a.ask("interest", company="energia-de-barri"), f"its interest is in {self.a.name}")
        gone = ["Solar Cardener", "solar-cardener@demo.example", "Passo a veure les teulades", "Laia Font"]
        held = self.a.ask("traces", texts=gone)
        self.check(held, f"{self.a.name} holds something of it in {len(held)} tables")
        self.b.ask("erase", company="solar-cardener")
        begun = time.monotonic()
        self.until(lambda: SOLAR not in self.a.ask("found", text="plaques solars"), f"the search in {self.a.name} finds the offer no more", self.a)
        self.until(lambda: not (self.a.ask("interest", company="energia-de-barri") or {"kept": False})["kept"], "its interest holds no contact data any more")
        self.until(lambda: not self.a.ask("traces", texts=gone), f"no table of {self.a.name} holds its name, address or message")
        self.tell(f"   {time.monotonic() - begun:.1f} s after the account was deleted in {self.b.name}")
        self.check(len(self.a.ask("harvested")) == 3, "the other listings are still there")  # noqa: PLR2004

    # --- How they are told ----------------------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """A line under the step."""
        self.say(_indented(text))

    def check(self, is_so: object, what: str) -> None:
        """Say what is so; raise StepError where it is not."""
        if not is_so:
            raise StepError(f"it is not so that: {what.strip()}")
        self.tell(what)

    def until(self, look: Callable[[], object], what: str, visited: Marketplace | None = None, seconds: float = PATIENCE) -> object:
        """Wait for something to be so and say it; raise StepError after `seconds`, with the error of the last visit where that says why."""
        begun = time.monotonic()
        while not (seen := look()):
            if time.monotonic() - begun > seconds:
                error = visited.ask("error_of", partner=visited.partner) if visited else ""
                raise StepError(f"after {seconds:.0f} s it is still not so that: {what}. {error}")
            time.sleep(0.2)
        self.tell(what)
        return seen


def _indented(text: str) -> str:
    lead = " " * (3 + len(text) - len(text.lstrip()))
    if "\n" in text:
        return textwrap.indent(text, "   ")
    # An address stays whole, so that it can be clicked.
    return textwrap.fill(text.strip(), WIDTH, initial_indent=lead, subsequent_indent=lead + "  ", break_long_words=False, break_on_hyphens=False)


@contextlib.contextmanager
def running(folder: Path, *, migrated: Path | None, ports: Sequence[int], say: Callable[[str], None]) -> Iterator[Demo]:
    """The two marketplaces, ended with the block."""
    a, b = prepared(folder, migrated, ports, say)
    try:
        yield Demo(a, b, say)
    finally:
        for one in (a, b):
            one.stop()


def farewell(demo: Demo) -> str:
    """Where to look, and how to log in."""
    lines = ["", "Both run until Ctrl-C. Log in as"]
    for one, company in ((demo.a, "plastics-egara"), (demo.b, "joguines-del-cardener")):
        lines += [
            f"  {one.name}: {one.url}",
            f"    {ADMIN:40} partners: {one.url}/console/partners/",
            f"    {CURATOR:40} pairs of the console",
            f"    {company + '@demo.example':40} a company with an interest across",
        ]
    return "\n".join([*lines, f"  password for all: {PASSWORD}"])

"""`manage.py demo`: the whole product with a city in it, from nothing, in one command (`make demo` calls it)."""

import subprocess
import sys
import textwrap
from io import StringIO

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation
from tqdm import tqdm

from marketplace import worker
from marketplace.core import changelog
from marketplace.demo import city, curating, site, talk, vocabulary
from marketplace.synergies import consortia
from marketplace.synergies import refresh as synergies
from marketplace.synergies.models import Synergy
from marketplace.synergies.reasons import chips

BEST = 10


class _MigrationProgress(StringIO):
    """Turns the lines that `migrate` prints into steps of a progress bar."""

    def __init__(self, bar: tqdm) -> None:
        super().__init__()
        self.bar = bar

    def write(self, text: str) -> int:
        """Count one step for each migration that is done."""
        self.bar.update(text.count(" OK"))
        return len(text)


class Command(BaseCommand):
    """Migrates, loads the demo city, finds the synergies, shows the ten best and the log-ins, then serves."""

    help = "Sets up the demo city and serves it until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """--no-serve stops after the table."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-serve", action="store_true")

    def handle(self, *args: object, port: int, no_serve: bool, **options: object) -> None:
        """Everything in order; each step sees what is done already and leaves it."""
        if not settings.DEBUG:
            message = "The demo has public passwords, so it does not run with DEBUG=false."
            raise CommandError(message)
        settings.VAR_DIR.mkdir(exist_ok=True)
        self._migrate()
        self._load()
        self._match()
        with translation.override("ca"):
            self._show()
        if not no_serve:
            self._serve(port)

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            with tqdm(total=len(plan), desc="Database", unit="step") as bar:
                call_command("migrate", interactive=False, stdout=_MigrationProgress(bar), no_color=True)

    def _load(self) -> None:
        total = sum(1 for name in ("companies", "listings") for _ in city.rows(name))
        with tqdm(total=total, desc="Demo city", unit="row") as bar:
            city.load(bar.update)
        with tqdm(total=site.total(), desc="Public site", unit="page") as bar:
            site.load(bar.update)
        talk.load()
        vocabulary.load()

    def _match(self) -> None:
        """Index what the change log holds, then match it; both remember how far they came."""
        from search import index, kept  # noqa: PLC0415 - loading the engine takes a second that `--help` need not wait for

        with tqdm(total=changelog.lag(index.reader_name()), desc="Index", unit="change") as bar:
            while done := index.run_once():
                bar.update(done)
        if reader := kept.reader_name():
            with tqdm(total=changelog.lag(reader), desc="Meaning", unit="change") as bar:
                while done := kept.run_once():
                    bar.update(done)
                index.run_once()
        with tqdm(total=changelog.lag(synergies.READER), desc="Synergies", unit="change") as bar:
            while done := synergies.run_once():
                bar.update(done)
        city.answer(leave_alone=BEST)
        curating.load(leave_alone=BEST)
        with tqdm(desc="Groups", unit="step") as bar:
            while done := consortia.run_once():
                bar.update(done)
        with tqdm(desc="Pictures and the rest", unit="step") as bar:
            while done := worker.run_once():
                bar.update(done)
        city.save_searches()

    def _show(self) -> None:
        best = Synergy.objects.current().for_display().order_by("-score", "id")[:BEST]
        self.stdout.write(self.style.MIGRATE_HEADING(f"\nThe {BEST} best of {Synergy.objects.current().count()} synergies"))
        for synergy in best:
            self.stdout.write(f"{synergy.score:5.0f}  {synergy.demand.title}  ({synergy.demand.company.name})")
            self.stdout.write(f"     ↔ {synergy.offer.title}  ({synergy.offer.company.name})")
            for chip in chips(synergy):
                line = f"{'+' if chip.positive else '–'} {chip.text}"
                self.stdout.write(textwrap.indent(textwrap.shorten(line, 110, placeholder=" …"), "       "))
        self.stdout.write(self.style.MIGRATE_HEADING("\nLog in as"))
        company = best[0].demand.company if best else None
        key = next((row["key"] for row in city.rows("companies") if company and city.uid_of(row["key"]) == company.uid), "")
        for address, who in (
            (city.address_of(key), f"{company}, a company"),
            (city.CURATOR, "the Innovation Service (console)"),
            (site.EDITOR, "who writes aid pages (console)"),
            (site.OFFICER, "the business attention office, who publishes them (console)"),
            (city.ADMIN, "administrator"),
        ):
            self.stdout.write(f"  {address:48} {who}")
        self.stdout.write(f"  password for all: {city.PASSWORD}")
        if settings.MAIL_DELIVERY_BACKEND.endswith("filebased.EmailBackend"):
            self.stdout.write(f"  mails are written to {settings.EMAIL_FILE_PATH}\n")

    def _serve(self, port: int) -> None:
        """Site and worker until Ctrl-C. The worker is a process of its own, as in production."""
        background = subprocess.Popen([sys.executable, sys.argv[0], "worker"])  # noqa: S603 - this program itself
        try:
            call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)
        finally:
            background.terminate()
            background.wait(timeout=20)

"""`manage.py federation_demo`: two marketplaces that become partners, step by step (`make federation-demo` calls it)."""

import time
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from marketplace.demo import across, federation


class Command(BaseCommand):
    """Starts both, goes through the steps, checks each; exit code 1 if one fails."""

    help = "Starts two marketplaces on this machine, federates them and shows what happens, each step checked."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """--no-serve stops after the steps; the others are for those who run it beside something else."""
        parser.add_argument("--no-serve", action="store_true", help="end after the steps")
        parser.add_argument("--ports", type=int, nargs=2, default=(), metavar="PORT", help="of the two web servers; any free ones by default")
        parser.add_argument("--folder", type=Path, default=settings.VAR_DIR / "federation-demo", help="where databases and indices go; emptied first")
        parser.add_argument("--migrated", type=Path, help="an empty, migrated SQLite database to begin from")
        parser.add_argument("--inside", action="store_true", help="act inside one marketplace (the command calls itself so)")

    def handle(self, *args: object, no_serve: bool, ports: tuple[int, ...], folder: Path, migrated: Path | None, inside: bool, **options: object) -> None:
        """Steps, then serve."""
        if not settings.DEBUG:
            message = "The demo has public passwords, so it does not run with DEBUG=false."
            raise CommandError(message)
        if inside:
            across.serve()
            return
        begun = time.monotonic()
        with federation.running(folder, migrated=migrated, ports=ports, say=self._say) as demo:
            demo.run()
            if demo.failures:
                message = f"The step “{demo.failures[0]}” failed. The logs are {folder}/*/log.txt."
                raise CommandError(message)
            self.stdout.write(self.style.SUCCESS(f"\nAll {demo.number} steps came out, in {time.monotonic() - begun:.0f} s."))
            if not no_serve:
                self._serve(demo)

    def _say(self, text: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(text) if text.startswith("\n") else text)
        self.stdout.flush()

    def _serve(self, demo: federation.Demo) -> None:
        self.stdout.write(federation.farewell(demo))
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            self.stdout.write("")

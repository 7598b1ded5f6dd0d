"""manage.py check_index: compare the index with the database."""

from django.core.management.base import BaseCommand, CommandError

from search import index
from search.backends.base import EngineUnavailableError
from search.engine import backends


class Command(BaseCommand):
    """Compares every engine's index with the database; the exit code is 1 if they differ and nothing was repaired."""

    help = "Compare ids and versions of the search index with the database."

    def add_arguments(self, parser):
        """Whether to repair."""
        parser.add_argument("--repair", action="store_true", help="write what is missing or stale, hide what is too much")

    def handle(self, *, repair: bool, **options):
        """Check one engine after the other."""
        drifted = False
        for backend in backends():
            try:
                drift = index.check(backend, repair=repair)
            except EngineUnavailableError as error:
                raise CommandError(f"{backend.name} cannot be checked: {error}") from error
            drifted |= bool(drift)
            self._report(backend.name, drift)
        if drifted and not repair:
            raise CommandError("The index differs from the database. Run manage.py check_index --repair.")
        if drifted:
            self.stdout.write("Repaired.")

    def _report(self, engine: str, drift: index.Drift) -> None:
        for word, uids in (("missing", drift.missing), ("too much", drift.extra), ("stale", drift.stale)):
            self.stdout.write(f"{engine}: {len(uids)} {word}")
            for uid in uids:
                self.stdout.write(f"  {uid}")

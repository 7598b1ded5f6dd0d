"""manage.py check_index: compare the index with the database, and tell how everything that keeps it does."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from tqdm import tqdm

from search import index, status_text
from search.backends.base import Backend, EngineUnavailableError
from search.engine import backends
from search.status import status

DIFFERS, UNREACHABLE = 1, 2
#: Kinds of drift, as a person reads them.
KINDS = {"missing": "missing", "extra": "too much", "stale": "stale", "without_vectors": "without vectors"}


class Command(BaseCommand):
    """Compares every engine's index with the database; then engines, readers of the change log, workers.

    Exit code 0: nothing differs, or what did was repaired. 1: something differs. 2: an engine could not be compared.
    """

    help = (
        "Compare ids and versions of the search index with the database, then tell how engines, readers of the change log and workers do. "
        "The exit code is 0 if nothing differs (any more), 1 if something does, 2 if an engine could not be compared."
    )

    def add_arguments(self, parser):
        """Whether to repair, and the form of the answer."""
        parser.add_argument("--repair", action="store_true", help="write what is missing or stale, hide what is too much")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, repair: bool, **options):
        """Check one engine after the other: one that is away keeps no other from it."""
        found: dict[str, index.Drift] = {}
        errors: dict[str, str] = {}
        for backend in backends():
            try:
                found[backend.name] = self._compare(backend, repair=repair)
            except EngineUnavailableError as error:
                errors[backend.name] = str(error)
        if options["json"]:
            self._print_json(found, errors, repair=repair)
        else:
            self._print_text(found, errors, repair=repair)
        if errors:
            raise CommandError("; ".join(f"{engine} cannot be checked: {error}" for engine, error in errors.items()), returncode=UNREACHABLE)
        if any(found.values()) and not repair:
            raise CommandError("The index differs from the database. Run manage.py check_index --repair.", returncode=DIFFERS)

    def _compare(self, backend: Backend, *, repair: bool) -> index.Drift:
        with tqdm(desc=f"Index of {backend.name}", unit="listing", disable=None, leave=False) as bar:
            return index.check(backend, repair=repair, progress=bar.update)

    def _print_text(self, found: dict[str, index.Drift], errors: dict[str, str], *, repair: bool) -> None:
        for engine, error in errors.items():
            self.stdout.write(f"{engine}: cannot be checked: {error}")
        for engine, drift in found.items():
            for kind, word in KINDS.items():
                count, named = drift.counts[kind], getattr(drift, kind)
                self.stdout.write(f"{engine}: {count} {word}")
                for uid in named:
                    self.stdout.write(f"  {uid}")
                if count > len(named):
                    self.stdout.write(f"  and {count - len(named)} more")
        if repair and any(found.values()):
            self.stdout.write("Repaired.")
        self.stdout.write("")
        for line in status_text.lines(status()):
            self.stdout.write(line)

    def _print_json(self, found: dict[str, index.Drift], errors: dict[str, str], *, repair: bool) -> None:
        now = status()
        told = {
            "differs": any(found.values()) and not repair,
            "repaired": any(found.values()) and repair,
            "errors": errors,
            "drift": {engine: asdict(drift) | {"counts": {kind: drift.counts[kind] for kind in KINDS}} for engine, drift in found.items()},
            "engines": [asdict(engine) for engine in now.engines],
            "readers": [asdict(lag) for lag in now.readers],
            "workers": [asdict(worker) | {"condition": worker.condition} for worker in now.workers],
        }
        self.stdout.write(json.dumps(told, cls=DjangoJSONEncoder, indent=2))

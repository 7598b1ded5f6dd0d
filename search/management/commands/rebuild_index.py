"""manage.py rebuild_index: fill a new index, then let searches go there."""

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from search import builds, index
from search.backends.base import EngineUnavailableError
from search.engine import backends


class Command(BaseCommand):
    """Rebuilds each engine's index while searches and saves go on."""

    help = "Build the search index anew beside the one in use, then switch over in one step. Searches and saves go on meanwhile."

    def add_arguments(self, parser):
        """Which engine."""
        parser.add_argument("--engine", choices=sorted(index.READERS), help="only this engine's index (default: every engine in use)")

    def handle(self, *, engine: str | None, **options):
        """Rebuild, one engine after the other."""
        chosen = [backend for backend in backends() if engine in {None, backend.name}]
        if not chosen:
            raise CommandError(f"{engine} is not in use; set ELASTICSEARCH_URL to use Elasticsearch.")
        for backend in chosen:
            with tqdm(desc=f"Index of {backend.name}", unit="listing", disable=None) as bar:
                try:
                    count = index.rebuild(backend, progress=bar.update)
                except EngineUnavailableError as error:
                    raise CommandError(f"{backend.name} does not answer, the index in use stays: {error}") from error
                except (builds.AlreadyRunningError, builds.LeaseLostError, TimeoutError) as error:
                    raise CommandError(f"{error} The index in use stays.") from error
            self.stdout.write(f"{backend.name}: {count} listings")

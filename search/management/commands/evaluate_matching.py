"""manage.py evaluate_matching: measure the suggestions on a judged set."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from search import evaluation
from search.analysis import LANGUAGES
from search.backends.base import Backend, EngineUnavailableError
from search.backends.embedded import EmbeddedBackend


class Command(BaseCommand):
    """Prints nDCG@10, MRR@10 and Recall@100 of `search.suggest` on a set of queries, documents and judgements."""

    help = "Measure the suggestions on a folder with corpus.jsonl, queries.jsonl and qrels.tsv, in an index of its own."

    # It needs no database and no pages.
    requires_system_checks = ()

    def add_arguments(self, parser):
        """The set, the engine and the form of the answer."""
        parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="folder with corpus.jsonl, queries.jsonl and qrels.tsv")
        parser.add_argument("--engine", choices=("elasticsearch", "embedded"), default="elasticsearch" if settings.ELASTICSEARCH_URL else "embedded")
        parser.add_argument("--queries-language", choices=LANGUAGES, default="", help="only queries of this language")
        parser.add_argument("--documents-language", choices=LANGUAGES, default="", help="only documents of this language")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, dataset: Path, engine: str, queries_language: str, documents_language: str, **options):
        """Load, index, ask, measure."""
        try:
            wanted = evaluation.load(dataset, queries_language=queries_language, documents_language=documents_language)
            with _backend(engine) as backend, tqdm(total=len(wanted.demands), desc=dataset.name, unit="query", file=sys.stderr) as bar:
                figures = evaluation.evaluate(backend, wanted, progress=bar.update)
        except evaluation.DatasetError as error:
            raise CommandError(str(error)) from error
        except EngineUnavailableError as error:
            raise CommandError(f"{engine} does not answer: {error}") from error
        self.stdout.write(json.dumps(figures) if options["json"] else _table(figures))


@contextmanager
def _backend(engine: str) -> Iterator[Backend]:
    if engine == "embedded":
        with tempfile.TemporaryDirectory(prefix="evaluate-matching-") as folder:
            yield EmbeddedBackend(Path(folder))
        return
    if not settings.ELASTICSEARCH_URL:
        raise CommandError("Set ELASTICSEARCH_URL to the server's address, or use --engine embedded.")
    from search.backends import elastic  # noqa: PLC0415 - takes 0.5 s that the embedded engine does not need

    with elastic.connect(settings.ELASTICSEARCH_URL) as client:
        yield elastic.ElasticBackend(client, f"{settings.SEARCH_INDEX_PREFIX}-evaluation")


def _table(figures: dict[str, object]) -> str:
    names = {"ndcg@10": "nDCG@10", "mrr@10": "MRR@10", "recall@100": "Recall@100", "queries": "Queries", "seconds": "Seconds", "engine": "Engine"}
    return "\n".join(f"{names[name]:<11} {value}" for name, value in figures.items())

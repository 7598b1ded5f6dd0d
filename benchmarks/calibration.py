"""Where the threshold of a suggestion stands: the demo city's suggestions, as judged by those who wrote it, by what they score.

    python benchmarks/calibration.py [--vectors FILE]

122 demands, 192 judged pairs, 14 demands that no offer answers. A pair that nobody judged counts as wrong, so a precision is a lower bound. Prints one table for
words alone and one for words and meaning.
"""

import argparse
import csv
import datetime
import random
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import trial  # noqa: F401 - sets Django up
from django.utils import timezone
from tqdm import tqdm

from marketplace.demo import city
from search import encoding, engine, evaluation, matching, remembered, vectors
from search.backends.embedded import EmbeddedBackend
from search.documents import ListingDocument
from search.evaluation_report import table

CODES = Path(city.__file__).parents[1] / "companies" / "data"
THRESHOLDS = range(25, 70, 5)
SUGGESTIONS = 20
FITS = 2
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A suggestion and its grade: 2 fits, 1 partly, 0 nobody said so."""

    score: float
    grade: int


def documents() -> list[ListingDocument]:
    """The published listings of the demo city as they are indexed."""
    places, sectors, companies = _codes("places"), _codes("nace"), {row["key"]: row for row in city.rows("companies")}
    return [_document(row, companies[row["company"]], places, sectors) for row in city.rows("listings") if row["state"] == "published"]


def _codes(name: str) -> dict[str, dict[str, str]]:
    with (CODES / f"{name}.tsv").open(encoding="utf-8", newline="") as lines:
        return {row["code"]: row for row in csv.DictReader(lines, delimiter="\t")}


def _document(row: dict, company: dict, places: dict, sectors: dict) -> ListingDocument:
    place, now = places[row["place"] or company["place"]], timezone.now()
    return ListingDocument(
        uid=row["key"],
        version=1,
        **{name: row[name] for name in ("kind", "category", "language", "title", "description", "sector", "reach_km", "remote")},
        keywords=tuple(row["keywords"]),
        sectors=tuple(sectors[row["sector"]]["path"].split()),
        company_uid=row["company"],
        latitude=float(place["latitude"]),
        longitude=float(place["longitude"]),
        published_at=now - datetime.timedelta(days=row["published_days_ago"]),
        valid_until=(now + datetime.timedelta(days=row["valid_days"])).date(),
    )


def suggested(listings: list[ListingDocument]) -> dict[str, list[Pair]]:
    """By demand, what would be suggested without any threshold."""
    grades = {(row["demand"], row["offer"]): row["grade"] for row in city.rows("synergies") if row["offer"]}
    demands = [listing for listing in listings if listing.kind == "demand"]
    with tempfile.TemporaryDirectory(prefix="calibration-") as folder, evaluation.scratch(EmbeddedBackend(Path(folder)), listings) as index:
        found = {}
        for demand in tqdm(demands, unit="demand", file=sys.stderr):
            best = engine.assessed_on(index, demand, limit=SUGGESTIONS, threshold=0.0, today=timezone.localdate())
            found[demand.uid] = [Pair(a.score, grades.get((demand.uid, a.offer.document.uid), 0)) for a in best]
    return found


def report(found: dict[str, list[Pair]]) -> str:
    """One line a threshold; the one in force is marked."""
    hopeless = {row["demand"] for row in city.rows("synergies") if not row["offer"]}
    fitting = sum(row.get("grade") == FITS for row in city.rows("synergies"))
    rows = []
    for threshold in THRESHOLDS:
        shown = {demand: [pair for pair in pairs if pair.score >= threshold] for demand, pairs in found.items()}
        low, high = _interval(list(shown.values()))
        kept = sum(pair.grade == FITS for pairs in shown.values() for pair in pairs)
        rows.append(
            [
                f"**{threshold}**" if threshold == matching.THRESHOLD else str(threshold),
                f"{_precision(shown.values()):.2f} ({low:.2f} to {high:.2f})",
                f"{kept} of {fitting}",
                f"{sum(map(bool, shown.values()))} of {len(found)}",
                f"{sum(not shown.get(demand) for demand in hopeless)} of {len(hopeless)}",
            ]
        )
    return table(["Threshold", "Precision (95 %)", "Fitting pairs shown", "Demands with a suggestion", "Rightly left without"], rows)


def _precision(shown: Iterable[list[Pair]]) -> float:
    pairs = [pair for own in shown for pair in own]
    return sum(pair.grade > 0 for pair in pairs) / len(pairs) if pairs else 1.0


def _interval(shown: list[list[Pair]]) -> tuple[float, float]:
    """Demands drawn anew with replacement: the pairs of one demand are not independent."""
    drawing = random.Random(0)  # noqa: S311 - a resample, no secret
    values = sorted(_precision(drawing.choices(shown, k=len(shown))) for _ in range(RESAMPLES))
    return values[int(0.025 * RESAMPLES)], values[int(0.975 * RESAMPLES)]


def main() -> None:
    """Both tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--vectors", type=Path, metavar="FILE", help="keep the encoder's vectors in this file, so that the next run is quick")
    file = options.parse_args().vectors
    listings = documents()
    print(f"Words alone\n\n{report(suggested(listings))}\n")
    chosen = encoding.encoder()
    if chosen is None:
        sys.exit("Without an encoder words are all there is: pip install '.[semantic]'.")
    with ExitStack() as stack:
        encoder, kept = stack.enter_context(remembered.remembered(chosen, file)), vectors.InMemory()
        vectors.encode(vectors.missing(listings, kept, encoder), kept, encoder)
        print(f"Words and meaning\n\n{report(suggested(vectors.attached(listings, kept, encoder)))}")


if __name__ == "__main__":
    main()

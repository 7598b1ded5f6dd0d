"""The visits to a partner as a small chart: a column a visit, its height how much came, a mark where it failed; the table says the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.federation.models import HarvestRun

#: Pixels.
HEIGHT, STEP, BAR, LEAST = 64, 18, 12, 3


@dataclass(frozen=True, slots=True)
class Column:
    """One visit: where it stands and how high; `changed` is the lower part of it, `gone` what lies above."""

    run: HarvestRun
    x: int
    y: int
    height: int
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Oldest visit first."""

    columns: tuple[Column, ...]
    width: int
    most: int
    height: int = HEIGHT
    bar: int = BAR


def moved(run: HarvestRun) -> int:
    """How many items of a visit changed something here."""
    return run.created + run.changed + run.ended + run.erased


def chart(runs: Sequence[HarvestRun]) -> Chart:
    """The chart of visits that come newest first. The scale is the square root's, so that a first visit of 10,000 leaves one of 3 to be seen."""
    most = max((moved(run) for run in runs), default=0)
    columns = []
    for place, run in enumerate(reversed(runs)):
        share = math.sqrt(moved(run) / most) if most else 0
        height = max(LEAST, round(share * HEIGHT))
        columns.append(Column(run, place * STEP, HEIGHT - height, height, bool(run.error_code)))
    return Chart(tuple(columns), max(len(columns) * STEP - (STEP - BAR), BAR), most)

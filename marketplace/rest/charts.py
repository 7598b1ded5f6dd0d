"""The picture of how much keys were used: columns, one a day, for an SVG without a script. The template has the table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .usage import Day

HEIGHT = 160
#: A day's share of the width that stays empty.
GAP = 0.25


@dataclass(frozen=True, slots=True)
class Column:
    """One day: where it stands (per cent of the width), how high (of HEIGHT pixels, from the top), the refused part at its foot."""

    date: date
    x: float
    width: float
    y: float
    height: float
    refused_y: float
    refused_height: float


def columns(days: Sequence[Day]) -> dict[str, object]:
    """What `rest/usage_chart.html` prints."""
    top = _round_up(max((day.requests for day in days), default=0))
    step = 100 / max(len(days), 1)
    bars = []
    for place, day in enumerate(days):
        height, refused = (round(HEIGHT * number / top, 1) for number in (day.requests, day.refused))
        bars.append(
            Column(
                day.date, round(step * (place + GAP / 2), 3), round(step * (1 - GAP), 3), round(HEIGHT - height, 1), height, round(HEIGHT - refused, 1), refused
            )
        )
    return {
        "columns": bars,
        "days": days,
        "top": top,
        "height": HEIGHT,
        "full_height": HEIGHT + 28,
        "total": sum(day.requests for day in days),
        "refused": sum(day.refused for day in days),
    }


def _round_up(number: int) -> int:
    """The next number that reads well as the top of an axis: 1, 2, 5, 10, 20, 50 and so on."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= number:
                return factor * step
        step *= 10

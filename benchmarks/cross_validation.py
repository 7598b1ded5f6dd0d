"""Whether a weight is fitted to one set: nDCG@10 of every set over a grid of its values, and what each set would lose by the others' choice.

    python benchmarks/cross_validation.py matching.MEANING_SHARE 0.2 0.35 0.5 0.65 --dataset DIR [DIR ...] [--vectors FILE] [--every N]
    python benchmarks/cross_validation.py matching.FORM_STRENGTHS.text_stem 0.5 0.7 0.9 --dataset DIR [DIR ...]

The weight is a constant of a module of `search`, or one entry of a constant that is a mapping. Leave one set out: the value that
is best on the mean of the other sets, tried on the one left out, beside the best that this one could have had. A weight
that is not fitted loses little, and its curve is flat about the value in use.
"""

import argparse
import sys
from importlib import import_module
from statistics import fmean
from typing import Any

from trial import Change, Variant, parser, progress, trial

from search.evaluation_report import share, table

MEASURE = "ndcg@10"


def change(weight: str, value: float) -> Change:
    """The weight of that dotted name with that value. Raises ValueError if there is none."""
    module_name, _, rest = weight.partition(".")
    constant, *entry = rest.split(".")
    if not constant:
        raise ValueError(f"{weight}: a weight is named module.CONSTANT")
    try:
        module = import_module(f"search.{module_name}")
        present = getattr(module, constant)
        if not entry:
            if not isinstance(present, int | float):
                raise ValueError(f"{weight} is no number")
            # A count stays a whole number.
            return Change(module, constant, int(value) if isinstance(present, int) else value)
        if len(entry) > 1 or entry[0] not in present:
            raise ValueError(f"{constant} has no entry {'.'.join(entry)}; it has {', '.join(map(str, present))}")
        return Change(module, constant, present | {entry[0]: value})
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"{weight} is no weight of the matching: {error}") from error


def in_use(weight: str) -> float:
    """What the weight is at present."""
    module_name, constant, *entry = weight.split(".")
    present: Any = getattr(import_module(f"search.{module_name}"), constant)
    return present[entry[0]] if entry else present


def left_out(figures: dict[float, dict[str, float]], groups: list[str]) -> list[list[str]]:
    """For each set: the value that the others choose, what it gives here, the best value here and what that gives, and the loss."""
    rows = []
    for group in groups:
        others = [other for other in groups if other != group]
        chosen = max(figures, key=lambda value: fmean(figures[value][other] for other in others))
        best = max(figures, key=lambda value: figures[value][group])
        there, at_best = figures[chosen][group], figures[best][group]
        rows.append([group, f"{chosen:g}", share(there), f"{best:g}", share(at_best), share(at_best - there)])
    return rows


def main() -> None:
    """Run the grid; print it, and what is lost by leaving each set out."""
    options = _options()
    used = in_use(options.weight)
    values = sorted({*options.values, float(used)})
    with trial(options) as sets, progress(sets, len(values)) as bar:
        figures: dict[float, dict[str, float]] = {}
        for value in values:
            outcomes = sets.run(Variant(f"{value:g}", (change(options.weight, value),)), bar)
            figures[value] = {group: outcome.figures()[MEASURE] for group, outcome in outcomes.items()}
        groups = sets.groups
    rows = [
        [f"{value:g}" + (" (in use)" if value == used else ""), *(share(own[group]) for group in groups), share(fmean(own.values()))]
        for value, own in figures.items()
    ]
    print(table([options.weight, *groups, "mean"], rows))
    if len(groups) > 1:
        print()
        print(table(["left out", "chosen by the others", "nDCG@10", "best here", "nDCG@10", "lost"], left_out(figures, groups)))


def _options() -> argparse.Namespace:
    made = parser(__doc__.splitlines()[0], named=True)
    made.add_argument("weight", help="a constant of search, for example matching.MEANING_SHARE, or an entry of one: meaning.VIEWS.best")
    made.add_argument("values", type=float, nargs="+", help="the values to try, besides that in use")
    options = made.parse_args()
    try:
        change(options.weight, options.values[0])
    except ValueError as error:
        sys.exit(str(error))
    return options


if __name__ == "__main__":
    main()

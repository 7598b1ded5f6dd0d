"""Whether a weight is fitted to one set: nDCG@10 of every set over a grid of its values, and what each set would lose by the others' choice.

    python benchmarks/cross_validation.py matching.MEANING_SHARE 0.2 0.35 0.5 0.65 --dataset DIR [DIR ...] [--vectors FILE] [--every N]
    python benchmarks/cross_validation.py wants.FORM_STRENGTHS.text_stem 0.5 0.7 0.9 --dataset DIR [DIR ...]
    python benchmarks/cross_validation.py --dataset DIR [DIR ...] --into benchmarks/README.md    every weight of GRIDS

The weight is a constant of a module of `search`, or one entry of a constant that is a mapping. Leave one set out: the value that
is best on the mean of the other sets, tried on the one left out, beside the best that this one could have had. A weight
that is not fitted loses little, and its curve is flat about the value in use.
"""

import argparse
import sys
from importlib import import_module
from statistics import fmean
from types import ModuleType

from tqdm import tqdm
from trial import Change, Trial, Variant, parser, progress, publish, told_of, trial

from search.evaluation_report import share, table

MEASURE = "ndcg@10"

#: What is tried when no weight is named: those that move the figures, from nothing to too much.
GRIDS: dict[str, list[float]] = {
    "matching.MEANING_SHARE": [0.2, 0.35, 0.65, 0.8],
    "matching.MEANING_SHARE_ACROSS": [0.35, 0.5, 0.75, 0.9],
    "matching.VOUCHED_SHARE": [0.0, 0.25, 1.0],
    "wants.LENGTH_INFLUENCE": [0.0, 0.2, 0.75],
    "matching.COVERAGE_STEEPNESS": [1.0, 1.5, 3.0],
    "wants.FORM_STRENGTHS.text_cognate": [0.25, 0.5, 1.0],
    "wants.BOILERPLATE_WEIGHT": [0.4, 0.6, 1.0],
}


def change(weight: str, value: float) -> Change:
    """The weight of that dotted name with that value. Raises ValueError if there is none."""
    module, constant, entry = _found(weight)
    present = getattr(module, constant)
    if entry:
        return Change(module, constant, present | {entry: value})
    # A count stays a whole number.
    return Change(module, constant, int(value) if isinstance(present, int) else value)


def in_use(weight: str) -> float:
    """What the weight is at present. Raises ValueError if there is none."""
    module, constant, entry = _found(weight)
    present = getattr(module, constant)
    return present[entry] if entry else present


def _found(weight: str) -> tuple[ModuleType, str, str]:
    """Module, constant and entry (empty for a number)."""
    module_name, _, rest = weight.partition(".")
    constant, _, entry = rest.partition(".")
    if not constant:
        raise ValueError(f"{weight}: a weight is named module.CONSTANT")
    try:
        module = import_module(f"search.{module_name}")
        present = getattr(module, constant)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{weight} is no weight of the matching: {error}") from error
    if entry and entry not in present:
        raise ValueError(f"{constant} has no entry {entry}; it has {', '.join(map(str, present))}")
    if not entry and not isinstance(present, int | float):
        raise ValueError(f"{weight} is no number")
    return module, constant, entry


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


def crossed(weight: str, values: list[float], sets: Trial, bar: tqdm) -> str:
    """The tables of one weight."""
    used = in_use(weight)
    figures: dict[float, dict[str, float]] = {}
    for value in grid(weight, values):
        outcomes = sets.run(Variant(f"{weight} {value:g}", (change(weight, value),)), bar)
        figures[value] = {group: outcome.figures()[MEASURE] for group, outcome in outcomes.items()}
    rows = [[f"{value:g}" + (" (in use)" if value == used else ""), *map(share, own.values()), share(fmean(own.values()))] for value, own in figures.items()]
    tables = [table([f"`{weight}`", *sets.groups, "mean"], rows)]
    if len(sets.groups) > 1:
        tables.append(table(["left out", "chosen by the others", "nDCG@10", "best here", "nDCG@10", "lost"], left_out(figures, sets.groups)))
    return "\n\n".join(tables)


def grid(weight: str, values: list[float]) -> list[float]:
    """The values to try with that in use."""
    return sorted({*map(float, values), float(in_use(weight))})


def main() -> None:
    """Run the grids; print them, and what is lost by leaving each set out."""
    options = _options()
    grids = {options.weight: options.values} if options.weight else GRIDS
    with trial(options) as sets, progress(sets, sum(len(grid(weight, values)) for weight, values in grids.items())) as bar:
        tables = [crossed(weight, values, sets, bar) for weight, values in grids.items()]
        publish("cross-validation", "\n\n".join([told_of(sets, options), *tables]), options.into)


def _options() -> argparse.Namespace:
    made = parser(__doc__.splitlines()[0], named=True)
    made.add_argument("weight", nargs="?", help="a constant of search, for example matching.MEANING_SHARE, or an entry of one: meaning.VIEWS.best; none: GRIDS")
    made.add_argument("values", type=float, nargs="*", help="the values to try, besides that in use")
    options = made.parse_args()
    try:
        if options.weight:
            change(options.weight, in_use(options.weight))
    except ValueError as error:
        sys.exit(str(error))
    if options.weight and not options.values:
        sys.exit(f"Which values of {options.weight} shall be tried?")
    return options


if __name__ == "__main__":
    main()

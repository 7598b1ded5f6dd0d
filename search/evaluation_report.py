"""What was measured, for people (tables in Markdown, which read well as they are) and for programs (JSON types)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from statistics import fmean
from typing import Any

from .evaluation import MEASURES, Dataset, Outcome, difference, kind_of_pair, mean_of_differences
from .significance import Interval

LABELS = {"ndcg@10": "nDCG@10", "mrr@10": "MRR@10", "recall@100": "R@100"}

#: Of a demand that went wrong: how many of the found and of the wanted offers are shown, and how much of a text.
_SHOWN = 3
_CHARACTERS = 150


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our outcome on one set (or one pair of its languages) and those of the baselines, with what could not be run and why."""

    dataset: Dataset
    ours: Outcome
    engine: str
    others: Sequence[Outcome] = ()
    not_to_be_had: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """The languages, if it is about a pair."""
        return " → ".join(self.languages) if self.languages else ""


# --- For programs -----------------------------------------------------------------------------------------------------


def as_json(comparison: Comparison, *, misses: int = 0) -> dict[str, Any]:
    """Everything that was measured."""
    ours = comparison.ours
    told: dict[str, Any] = ours.figures() | {"queries": len(comparison.dataset.demands), "engine": comparison.engine}
    if comparison.languages:
        told = dict(zip(("queries_language", "documents_language"), comparison.languages, strict=True)) | told
    if comparison.others or comparison.not_to_be_had:
        told["baselines"] = {other.name: other.figures() | {"difference": _rounded(difference(ours, other))} for other in comparison.others}
        told["not_to_be_had"] = dict(comparison.not_to_be_had)
    if misses:
        told["misses"] = worst(comparison, misses)
    return told


def _rounded(differences: dict[str, Interval]) -> dict[str, list[float]]:
    return {measure: [round(value, 4) for value in astuple(interval)] for measure, interval in differences.items()}


def worst(comparison: Comparison, number: int) -> list[dict[str, Any]]:
    """The demands with the lowest nDCG: what was wanted (with the rank at which it was found), and what stood in its place."""
    dataset, ours = comparison.dataset, comparison.ours
    offers = {offer.uid: offer for offer in dataset.offers}
    order = sorted(range(len(dataset.demands)), key=lambda place: (ours.scores["ndcg@10"][place], ours.scores["recall@100"][place]))
    told = []
    for place in order[:number]:
        demand, found = dataset.demands[place], ours.found[place]
        grades = dataset.judgements[demand.uid]
        ranks = {uid: rank for rank, uid in enumerate(found, 1)}
        wanted = sorted((uid for uid, grade in grades.items() if grade > 0), key=lambda uid: (-grades[uid], ranks.get(uid, len(found) + 1)))

        def shown(uid: str, ranks=ranks, grades=grades) -> dict[str, Any]:
            return {"uid": uid, "rank": ranks.get(uid), "grade": grades.get(uid, 0), "title": offers[uid].title, "text": offers[uid].description}

        told.append(
            {
                "demand": demand.title or demand.description,
                "ndcg@10": round(ours.scores["ndcg@10"][place], 4),
                "wanted": [shown(uid) for uid in wanted],
                "found": [shown(uid) for uid in found[:_SHOWN]],
            }
        )
    return told


def means(comparisons: Iterable[Comparison]) -> dict[str, dict[str, dict[str, Any]]]:
    """By kind of language pair and system, the mean of the pairs' figures, and of the differences from ours."""
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(kind_of_pair(comparison.languages or ("", "")), []).append(comparison)
    return {kind: _mean_of(own) for kind, own in groups.items()}


def _mean_of(comparisons: list[Comparison]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for outcomes in zip(*([comparison.ours, *comparison.others] for comparison in comparisons), strict=True):
        told[outcomes[0].name] = {measure: round(fmean(fmean(outcome.scores[measure]) for outcome in outcomes), 4) for measure in MEASURES}
        if told.keys() != {outcomes[0].name}:
            pairs = [(comparison.ours, outcome) for comparison, outcome in zip(comparisons, outcomes, strict=True)]
            told[outcomes[0].name]["difference"] = _rounded(mean_of_differences(pairs))
    return told


# --- For people -------------------------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> str:
    """A Markdown table, its columns aligned: the first `names` to the left, the figures to the right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(header))]
    lines = [
        " | ".join(text.ljust(width) if column < names else text.rjust(width) for column, (text, width) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    rule = "|".join("-" * (width + 2) if column < names else "-" * (width + 1) + ":" for column, width in enumerate(widths))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def share(value: float) -> str:
    """A figure between 0 and 1 as in papers: .512."""
    return f"{value:.3f}".removeprefix("0")


def signed(interval: Interval) -> str:
    """A difference with its interval, in bold where chance alone would hardly give it."""
    mean, low, high = (f"{value:+.3f}".replace("0.", ".", 1) for value in astuple(interval))
    return f"**{mean}** [{low}, {high}]" if interval.is_clear else f"{mean} [{low}, {high}]"


def compared(comparison: Comparison) -> str:
    """Our figures and each baseline's, with the difference ours − it and its interval, and which were not to be had."""
    lines = [[comparison.ours.name, *_figures(comparison.ours), *("" for _ in MEASURES)]]
    for other in comparison.others:
        differences = difference(comparison.ours, other)
        lines.append([other.name, *_figures(other), *(signed(differences[measure]) for measure in MEASURES)])
    header = ["System", *LABELS.values(), *(f"ours − it, {label}" for label in LABELS.values())]
    absent = [f"Not to be had: {name}; it {why}." for name, why in comparison.not_to_be_had.items()]
    return "\n".join([table(header, lines), *([""] if absent else []), *absent])


def by_languages(comparisons: Sequence[Comparison]) -> str:
    """A row for each pair of languages and system, then the means of like pairs."""
    rows = []
    for comparison in comparisons:
        rows.append([comparison.title, comparison.ours.name, str(len(comparison.dataset.demands)), *_figures(comparison.ours), ""])
        rows += [[comparison.title, o.name, "", *_figures(o), signed(difference(comparison.ours, o)["ndcg@10"])] for o in comparison.others]
    for kind, systems in means(comparisons).items():
        for name, figures in systems.items():
            gap = signed(Interval(*figures["difference"]["ndcg@10"])) if "difference" in figures else ""
            rows.append([f"mean, {kind}", name, "", *(share(figures[measure]) for measure in MEASURES), gap])
    absent = [f"Not to be had: {name}; it {why}." for name, why in comparisons[0].not_to_be_had.items()]
    lines = table(["Query → document", "System", "Queries", *LABELS.values(), "ours − it, nDCG@10"], rows, names=2)
    return "\n".join([lines, *([""] if absent else []), *absent])


def _figures(outcome: Outcome) -> list[str]:
    return [share(outcome.figures()[measure]) for measure in MEASURES]


def missed(comparison: Comparison, number: int) -> str:
    """The demands with the lowest nDCG, to look at."""
    lines = []
    for miss in worst(comparison, number):
        lines += ["", f"{share(miss['ndcg@10'])}  {_short(miss['demand'])}"]
        lines += [f"  wanted, {'rank ' + str(w['rank']) if w['rank'] else 'not found'}: {_short(w['title'], w['text'])}" for w in miss["wanted"][:_SHOWN]]
        lines += [f"  found, rank {f['rank']}, grade {f['grade']}: {_short(f['title'], f['text'])}" for f in miss["found"]]
    return "\n".join(lines)


def _short(*texts: str) -> str:
    text = " · ".join(" ".join(text.split()) for text in texts if text)
    return text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 1] + "…"

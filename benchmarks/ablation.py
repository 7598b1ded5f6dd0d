"""What each idea of the matching is worth: every one turned off by itself, on every set, as a Markdown table.

    python benchmarks/ablation.py DIR [DIR ...] [--vectors FILE] [--every N] [--only WORD] [--json FILE] [--into FILE]

The first row is the matching as it is; the others tell what is lost (or won) without the idea, with the 95 % interval of the
paired bootstrap over the group's queries. In bold: chance alone would hardly give it. The meaning's rows need an encoder.
"""

import argparse
import json
import sys
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Any

from trial import Change, Variant, parser, progress, publish, told_of, trial

from search import engine, evaluation, matching, meaning, vectors, wants
from search.evaluation import Outcome
from search.evaluation_report import LABELS, share, signed, table

AS_IT_IS = Variant("as it is")
SHOWN = ("ndcg@10", "recall@100")


def _of_matching(name: str, **values: Any) -> Variant:  # noqa: ANN401 - a constant's value, a number or a mapping
    return Variant(name, tuple(Change(wants if hasattr(wants, constant) else matching, constant, value) for constant, value in values.items()))


def _without_form(name: str, form: str) -> Variant:
    return _of_matching(name, FORM_STRENGTHS=wants.FORM_STRENGTHS | {form: 0.0})


def _views(name: str, *kept: str) -> Variant:
    return Variant(name, (Change(meaning, "VIEWS", {view: float(view in kept) for view in meaning.VIEWS}),))


@cache
def _one_middle(name: str) -> dict[tuple[str, str], Any]:
    """The encoder's middles with each role's the same whatever the language."""
    own = _own_centres(name)
    roles = {role: [middle for (other, _), middle in own.items() if other == role] for role, _ in own}
    return {key: sum(roles[key[0]]) / len(roles[key[0]]) for key in own}


_own_centres = vectors._centres  # noqa: SLF001 - what the variant stands in for

VARIANTS = (
    AS_IT_IS,
    # How a word is answered.
    _without_form("words as they stand answer nothing", "text_word"),
    _without_form("no lemmas", "text_lemma"),
    _without_form("no stems", "text_stem"),
    _without_form("no cognates", "text_cognate"),
    _without_form("no synonyms (concepts)", "text_concept"),
    # What a word weighs.
    _of_matching("boilerplate weighs as any word", BOILERPLATE_WEIGHT=1.0),
    _of_matching("everyday words weigh as any", COMMON_WEIGHT=1.0),
    _of_matching("title and description weigh the same", FIELD_WEIGHTS=dict.fromkeys(wants.FIELD_WEIGHTS, 1.0), MENTIONED_WEIGHT=1.0),
    _of_matching("an offer's length counts nothing", LENGTH_INFLUENCE=0.0),
    _of_matching("its length counts as in Lucene", LENGTH_INFLUENCE=0.75),
    _of_matching("repeating a word counts nothing", SATURATION=0.0),
    _of_matching("agreement counts in proportion", COVERAGE_STEEPNESS=1.0),
    # Meaning.
    _of_matching("no meaning in the score", MEANING_SHARE=0.0, MEANING_SHARE_ACROSS=0.0),
    _of_matching("no words in the score", MEANING_SHARE=1.0, MEANING_SHARE_ACROSS=1.0),
    _of_matching("across languages the shares of one language", MEANING_SHARE_ACROSS=matching.MEANING_SHARE),
    _views("of the meaning only the whole's", "whole"),
    _views("only the passages' sum", "together"),
    _views("only the best passage", "best"),
    _views("only the best three passages", "some"),
    _views("the whole's no more", "together", "best", "some"),
    Variant("one middle of the vectors for all languages", (Change(vectors, "_centres", _one_middle),), reindexed=True),
    Variant("a listing's language for all its sentences", (Change(vectors, "SHORTEST_DETECTABLE", sys.maxsize),), reindexed=True),
    # The list.
    Variant("candidates by words alone", (Change(engine, "NEAREST", 0),)),
    Variant("twice as many candidates", (Change(engine, "CANDIDATES", 2 * engine.CANDIDATES), Change(engine, "NEAREST", 2 * engine.NEAREST))),
    _of_matching("neighbours do not vouch", VOUCHED_SHARE=0.0),
)


def _row(variant: Variant, outcomes: dict[str, Outcome], base: dict[str, Outcome], measure: str) -> list[str]:
    if variant is AS_IT_IS:
        return [variant.name, *(share(own.figures()[measure]) for own in base.values())]
    return [variant.name, *(signed(evaluation.difference(own, base[group])[measure]) for group, own in outcomes.items())]


def _told(outcomes: dict[str, Outcome], base: dict[str, Outcome]) -> dict[str, Any]:
    def of(group: str) -> dict[str, Any]:
        differences = evaluation.difference(outcomes[group], base[group])
        return outcomes[group].figures() | {"difference": {measure: [round(value, 4) for value in astuple(own)] for measure, own in differences.items()}}

    return {group: of(group) for group in outcomes}


def main() -> None:
    """Run the variants, tell each row at once (a long run that is stopped has shown what it knew), and the tables at the end."""
    options = _options()
    variants = [AS_IT_IS, *(variant for variant in VARIANTS[1:] if options.only in variant.name)]
    told: dict[str, Any] = {}
    with trial(options) as sets, progress(sets, len(variants)) as bar:
        rows: dict[str, list[list[str]]] = {measure: [] for measure in SHOWN}
        base: dict[str, Outcome] = {}
        for variant in variants:
            outcomes = sets.run(variant, bar)
            base = base or outcomes
            for measure, own in rows.items():
                own.append(_row(variant, outcomes, base, measure))
                bar.write(f"{LABELS[measure]}: " + " | ".join(own[-1]), file=sys.stderr)
            told[variant.name] = _told(outcomes, base)
        tables = [table([LABELS[measure], *sets.groups], own) for measure, own in rows.items()]
        publish("ablation", "\n\n".join([told_of(sets, options), *tables]), options.into)
    if options.json:
        options.json.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")


def _options() -> argparse.Namespace:
    made = parser(__doc__.splitlines()[0])
    made.add_argument("--only", default="", metavar="WORD", help="only the variants with this word in their name")
    made.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    return made.parse_args()


if __name__ == "__main__":
    main()

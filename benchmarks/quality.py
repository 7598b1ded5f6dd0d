"""How good the suggestions are, beside what one would pick instead: the tables of benchmarks/README.md, in one go.

    ELASTICSEARCH_URL=http://127.0.0.1:9200 python benchmarks/quality.py DIR [DIR ...] [--vectors FILE] [--into FILE] [--engine embedded]

Runs `manage.py evaluate_matching --baselines` on each set, with `--language-pairs` where it has several languages. Of a set of several languages the means of like
pairs are shown in full and the single pairs beside the best of the others; `--json FILE` keeps everything.
"""

import argparse
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from trial import publish

from search import encoding, evaluation, matching
from search.evaluation_report import LABELS, share, signed, table
from search.significance import Interval

System = dict[str, Any]


def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What the command tells about a set."""
    told = io.StringIO()
    arguments = ["--dataset", str(folder), "--engine", options.engine, "--baselines", "--json"]
    if options.vectors:
        arguments += ["--vectors", str(options.vectors)]
    if len(evaluation.language_pairs(folder)) > 1:
        arguments.append("--language-pairs")
    call_command("evaluate_matching", *arguments, stdout=told)
    return json.loads(told.getvalue())


def systems_table(ours: System, others: dict[str, System]) -> str:
    """Our figures and the others', with the differences."""
    rows = [["ours", *_figures(ours), *("" for _ in LABELS)]]
    rows += [[name, *_figures(own), *(_difference(own, measure) for measure in LABELS)] for name, own in others.items()]
    return table(["System", *LABELS.values(), *(f"ours − it, {label}" for label in LABELS.values())], rows)


def pairs_table(pairs: list[dict[str, Any]]) -> str:
    """A row for each pair of languages: ours, and the best of the others."""
    rows = []
    for pair in pairs:
        name, best = max(pair["baselines"].items(), key=lambda item: item[1]["ndcg@10"], default=("", None))
        beside = [name, share(best["ndcg@10"]), _difference(best, "ndcg@10")] if best else ["", "", ""]
        rows.append([f"{pair['queries_language']} → {pair['documents_language']}", str(pair["queries"]), *_figures(pair), *beside])
    return table(
        ["Query → document", "Queries", *(f"ours, {label}" for label in LABELS.values()), "best of the others", "its nDCG@10", "ours − it, nDCG@10"], rows
    )


def _figures(system: System) -> list[str]:
    return [share(system[measure]) for measure in LABELS]


def _difference(system: System, measure: str) -> str:
    return signed(Interval(*system["difference"][measure]))


def section(name: str, told: dict[str, Any]) -> str:
    """A set's part of the report."""
    if "pairs" not in told:
        return f"### {name}\n\n{told['queries']} queries.\n\n{systems_table(told, told['baselines'])}"
    parts = [f"### {name}", pairs_table(told["pairs"])]
    for kind, systems in told["means"].items():
        ours = systems["ours"]
        parts += [f"Mean of the pairs: {kind}.", systems_table(ours, {other: own for other, own in systems.items() if other != "ours"})]
    return "\n\n".join(parts)


def main() -> None:
    """Measure every set and print the report."""
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("dataset", type=Path, nargs="+", metavar="DIR", help="folder with corpus.jsonl, queries.jsonl and qrels.tsv")
    made.add_argument("--engine", choices=("elasticsearch", "embedded"), default="elasticsearch" if settings.ELASTICSEARCH_URL else "embedded")
    made.add_argument("--vectors", type=Path, metavar="FILE", help="keep the encoder's vectors in this file, so that the next run is quick")
    made.add_argument("--into", type=Path, metavar="FILE", help="put the tables into this file, between their marks, instead of printing them")
    made.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there")
    options = made.parse_args()
    everything: dict[str, Any] = {}
    report = [f"{datetime.now(UTC):%Y-%m-%d}; {matching.ENGINE_VERSION}, {options.engine}, encoder {encoding.name() or 'none'}."]
    try:
        for folder in options.dataset:
            everything[folder.name] = measured(folder, options)
            report.append(section(folder.name, everything[folder.name]))
            print(report[-1], file=sys.stderr)
    except (CommandError, evaluation.DatasetError) as error:
        sys.exit(str(error))
    first = next(iter(everything.values()))
    report += [f"Not to be had: {name}; it {why}." for name, why in first.get("pairs", [first])[0]["not_to_be_had"].items()]
    publish("quality", "\n\n".join(report), options.into)
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()

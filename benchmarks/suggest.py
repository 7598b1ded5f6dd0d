"""What a listing's suggestions cost, ready to show, beside the bare requests to Elasticsearch.

    export ELASTICSEARCH_URL=http://127.0.0.1:9200
    python benchmarks/suggest.py FOLDER… [--listings 100000] [--asking 40] [--rounds 6] [--keep NAME]

The variants take turns within every round, the first round does not count, and each round asks for other listings, in both variants the same:

- "suggest": `search.suggest` for a listing of the database (candidates, scores, the order, the reasons of those that are told) and the one SQL query
  that loads them with their companies. Each suggested listing's title, company and reasons are then at hand. That it is one query is checked.
- "bare": the very requests that this sent to Elasticsearch, byte for byte, over one kept connection (urllib3), each answer read with `json.loads`.

Every word of the listings has been met before: a process that has just started reads words for the first time, which takes longer.
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import os
import random
import statistics
from collections import Counter

import loaded
import measuring

PARSER = loaded.arguments(__doc__.splitlines()[0])
PARSER.add_argument("--asking", type=int, default=40, help="listings of each kind that ask in a round")
PARSER.add_argument("--threshold", type=float, default=None, help="points from which a listing is suggested; 0 tells of twenty for every listing")
OPTIONS = PARSER.parse_args()
loaded.configure(OPTIONS)

import django

django.setup()

import search
from marketplace.listings import documents
from marketplace.listings.models import Listing
from search import wants


def shown(listing: Listing) -> list[tuple[str, str, int]]:
    """What a page prints of each suggestion."""
    options = {} if OPTIONS.threshold is None else {"threshold": OPTIONS.threshold}
    found = search.suggest(documents.document(listing), **options)
    rows = {str(row.uid): row for row in Listing.objects.live().for_display().filter(uid__in=[one.uid for one in found])} if found else {}
    return [(rows[one.uid].title, rows[one.uid].company.name, len(one.reasons)) for one in found if one.uid in rows]


def main() -> None:
    """Load, then measure."""
    loaded.load(OPTIONS)
    loaded.read_all_words()
    for kind in ("demand", "offer"):
        measure(kind)


def measure(kind: str) -> None:
    """Print the rows of one kind."""
    everyone = list(Listing.objects.live().filter(kind=kind).order_by("uid").values_list("pk", flat=True))
    chosen = random.Random(7).sample(everyone, (OPTIONS.rounds + 1) * OPTIONS.asking)  # noqa: S311 - to measure, no secret
    rounds = [list(Listing.objects.for_display().filter(pk__in=chosen[number :: OPTIONS.rounds + 1])) for number in range(OPTIONS.rounds + 1)]
    told = [len(shown(listing)) for listing in rounds[0]]
    queries = Counter(measuring.queries(lambda listing=listing: shown(listing)) for listing in rounds[0])
    loaded.compare(
        {"bare": None, "suggest": shown},
        rounds,
        url=os.environ["ELASTICSEARCH_URL"],
        each=OPTIONS.asking,
        title=f"{kind} asks",
        forget=wants.analysed.cache_clear,
    )
    print(f"| {statistics.mean(told):.1f} suggestions each; SQL queries (how many): times {dict(queries)} | | |\n")


if __name__ == "__main__":
    main()

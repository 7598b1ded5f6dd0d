"""What a page of the search with its facets costs, beside the same body sent raw to Elasticsearch.

    export ELASTICSEARCH_URL=http://127.0.0.1:9200
    python benchmarks/find.py FOLDER… [--listings 100000] [--searches 60] [--rounds 6] [--keep NAME]

The variants take turns within every round, the first round does not count, and each round looks for other words, in both variants the same: one to three
words of a listing's title, the last one sometimes cut short as while it is typed, half of them with a filter.

- "search.find": words analysed, the body made, the answer read, found words marked in title, company and description, facets and distances at hand
- "raw": the very request that this sent, byte for byte, over one kept connection (urllib3), and `json.loads` of the answer
"""

# ruff: noqa: E402 - the settings come from the environment, which has to be there before Django is asked

import os
import random
from collections.abc import Iterator

import loaded

PARSER = loaded.arguments(__doc__.splitlines()[0])
PARSER.add_argument("--searches", type=int, default=60, help="searches in a round")
OPTIONS = PARSER.parse_args()
loaded.configure(OPTIONS)

import django

django.setup()

from django.utils import timezone

import search
from marketplace.listings.models import Listing
from search import Query

SHORTEST, MOST = 4, 3


def searches(titles: list[str], number: int) -> Iterator[Query]:
    """What people look for, the same for the same number."""
    chance = random.Random(number)  # noqa: S311 - to measure, no secret
    for title in chance.sample(titles, OPTIONS.searches):
        words = [word for word in title.split() if len(word) >= SHORTEST][: chance.randint(1, MOST)] or [title]
        if chance.random() < 0.3:  # noqa: PLR2004 - three of ten are still typing
            words[-1] = words[-1][: max(SHORTEST, len(words[-1]) // 2)]
        filters = chance.choice(({}, {}, {"kinds": ("offer",)}, {"categories": ("product",), "near": (41.56, 2.01), "within_km": 40}))
        yield Query(text=" ".join(words), valid_on=timezone.localdate(), **filters)


def main() -> None:
    """Load, then measure."""
    loaded.load(OPTIONS)
    loaded.read_all_words()
    titles = list(Listing.objects.order_by("pk").values_list("title", flat=True))
    rounds = [list(searches(titles, number)) for number in range(OPTIONS.rounds + 1)]
    loaded.compare({"raw": None, "search.find": search.find}, rounds, url=os.environ["ELASTICSEARCH_URL"], each=OPTIONS.searches, title="a page of 20")


if __name__ == "__main__":
    main()

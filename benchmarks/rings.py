"""How long the search for rings takes in a large town, beside the plain way of finding them.

    python benchmarks/rings.py [--companies 10000] [--edges 100000] [--seed 2020] [--runs 3] [--naive-seconds 60]

The graph is made from the seed: most companies have few partners, a few dozen have hundreds or thousands (degrees follow a
power law), and scores lie between 40 and 100. "Plain" is a depth-first walk that counts every ring of two to four companies,
as a general algorithm for simple cycles bounded by length does; it is stopped after `--naive-seconds`. Seconds are those of the
processor, so that other programs on the machine count for neither.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from marketplace.synergies import rings

#: How uneven the degrees are: the heaviest company draws this power of the number of companies more edges than the lightest.
SKEW = 0.75
LEAST_SCORE, BEST_SCORE = 40.0, 100.0


def town(companies: int, edges: int, seed: int) -> list[rings.Edge]:
    """A graph with hubs, the same for the same seed."""
    source = random.Random(seed)  # noqa: S311 - a graph to try, not a secret
    # Those who offer much are not those who ask much: two orders of weight.
    serving, served = list(range(companies)), list(range(companies))
    source.shuffle(serving)
    source.shuffle(served)
    weights = list(accumulate((place + 1) ** -SKEW for place in range(companies)))
    found: dict[tuple[int, int], float] = {}
    while len(found) < edges:
        for a, b in zip(source.choices(serving, cum_weights=weights, k=edges), source.choices(served, cum_weights=weights, k=edges), strict=True):
            if a != b and len(found) < edges:
                found.setdefault((a, b), source.uniform(LEAST_SCORE, BEST_SCORE))
    return [(a, b, score) for (a, b), score in found.items()]


def plain(edges: list[rings.Edge], *, until: float) -> Iterator[tuple[int, ...]]:
    """Every ring of two to four, each from its smallest company, until the clock says `until`."""
    serves: dict[int, list[int]] = {}
    for a, b, _ in edges:
        serves.setdefault(a, []).append(b)
    for start in sorted(serves):
        if time.process_time() > until:
            return
        yield from _walk(serves, (start,))


def _walk(serves: dict[int, list[int]], path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for following in serves.get(path[-1], ()):
        if following == path[0] and len(path) > 1:
            yield path
        elif following > path[0] and following not in path and len(path) < max(rings.SIZES):
            yield from _walk(serves, (*path, following))


def main() -> None:
    """Print the graph, our times, and the plain way's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--companies", type=int, default=10_000)
    parser.add_argument("--edges", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--naive-seconds", type=float, default=60)
    options = parser.parse_args()
    edges = town(options.companies, options.edges, options.seed)
    serving, served = Counter(a for a, _, _ in edges), Counter(b for _, b, _ in edges)
    print(f"{options.companies} companies, {len(edges)} edges, seed {options.seed}")
    print(f"most partners of one company: serves {serving.most_common(1)[0][1]}, is served by {served.most_common(1)[0][1]}")
    times = []
    for _ in range(options.runs):
        begun = time.process_time()
        found = rings.find(edges)
        times.append(time.process_time() - begun)
    sizes = Counter(len(ring.companies) for ring in found.rings)
    print(f"ours: {', '.join(f'{seconds:.2f} s' for seconds in times)}; complete: {found.complete}; kept by size: {dict(sorted(sizes.items()))}")
    begun = time.process_time()
    count = Counter(len(ring) for ring in plain(edges, until=begun + options.naive_seconds))
    took = time.process_time() - begun
    stopped = took >= options.naive_seconds
    print(f"plain: {'stopped after' if stopped else ''} {took:.1f} s; rings by size so far: {dict(sorted(count.items()))}")
    print(f"ratio: {'over ' if stopped else ''}{took / min(times):.0f} times")


if __name__ == "__main__":
    main()

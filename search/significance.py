"""Whether a difference between two systems is more than chance: the paired bootstrap.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (the percentile interval); Sakai 2006, "Evaluating
evaluation metrics based on the bootstrap", for search. Queries are drawn anew with replacement, each with the figures of both
systems, so that a query that is hard for both says nothing against either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 10_000
CONFIDENCE = 0.95

#: Drawn at a time: 10,000 × 800 draws at once would take 64 MB.
_BATCH = 500


class NumpyMissingError(RuntimeError):
    """The bootstrap needs numpy, which comes with the extra `semantic`."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean difference and the bounds between which it lies with CONFIDENCE."""

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether chance alone would hardly give it: no difference lies outside."""
        return self.low > 0 or self.high < 0


Figures = Sequence[float]


def paired_difference(ours: Figures, theirs: Figures, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean of ours − theirs, query by query, with its interval. The same seed gives the same interval.

    Raises ValueError unless both have a figure for each of the same queries, at least one.
    """
    return mean_difference([(ours, theirs)], seed=seed, resamples=resamples)


def mean_difference(pairs: Sequence[tuple[Figures, Figures]], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean of several sets' differences, each of ours and theirs, whatever their sizes; queries are drawn within their set."""
    try:
        import numpy as np  # noqa: PLC0415 - optional: only those who measure need it
    except ImportError as error:
        raise NumpyMissingError("numpy is needed for intervals: pip install '.[semantic]'") from error
    drawing = np.random.default_rng(seed)
    means, resampled = [], []
    for ours, theirs in pairs:
        if len(ours) != len(theirs) or not ours:
            raise ValueError(f"{len(ours)} and {len(theirs)} figures are no pairs")
        differences = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        means.append(differences.mean())
        batches = [min(_BATCH, resamples - start) for start in range(0, resamples, _BATCH)]
        resampled.append(np.concatenate([differences[drawing.integers(0, len(differences), (batch, len(differences)))].mean(axis=1) for batch in batches]))
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.mean(resampled, axis=0), [outside, 1 - outside])
    return Interval(float(np.mean(means)), float(low), float(high))

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


def paired_difference(ours: Sequence[float], theirs: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The mean of ours − theirs, query by query, with its interval. The same seed gives the same interval.

    Raises ValueError unless both have a figure for each of the same queries, at least one.
    """
    try:
        import numpy as np  # noqa: PLC0415 - optional: only those who measure need it
    except ImportError as error:
        raise NumpyMissingError("numpy is needed for intervals: pip install '.[semantic]'") from error
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"{len(ours)} and {len(theirs)} figures are no pairs")
    differences = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
    drawing = np.random.default_rng(seed)
    means = [
        differences[drawing.integers(0, len(differences), size=(min(_BATCH, resamples - start), len(differences)))].mean(axis=1)
        for start in range(0, resamples, _BATCH)
    ]
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [outside, 1 - outside])
    return Interval(float(differences.mean()), float(low), float(high))

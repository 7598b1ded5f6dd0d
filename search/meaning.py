"""How near two texts are in meaning: pure functions over the vectors of their passages. Needs numpy, which comes with `semantic`.

A demand asks as a whole. An offer answers in four views: as a whole, with the sum of its passages, with its best passage and
with its best three. A company may be the right one for one sentence of a long profile, or because everything in it is about
the same thing. The views err differently: by each alone at least one of the judged sets does worse than by their mean, and none is
the best everywhere (benchmarks/README.md).
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass

from .documents import ListingDocument
from .passages import SHORTEST, Passage, passages

# Two threads for products of small matrices wait for each other longer than they work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
try:
    import numpy as np
except ImportError:  # Without the extra nobody has vectors, and nothing below is called.
    np = None

_SEPARATOR = ":"
_LARGEST = 127

#: Shorter vectors point nowhere.
_NOTHING = 1e-9

#: How much each view of an offer counts.
VIEWS = {"whole": 1.0, "together": 1.0, "best": 1.0, "some": 1.0}

#: Passages in the fourth view.
_SOME = 3

#: What is left of an offer, encoded anew, is then on average as near as foretold (benchmarks/faithfulness.py). The whole loses so much of
#: what it shares with a lost passage; by all of it, it would be too far by 0.06.
_SHARED = 0.5
#: A passage that loses a share of its text loses this power of it, for few words say most; and the more, the more of what the demand
#: asks was answered by them.
_WORDS, _ANY, _TELLING = 0.6, 0.5, 1.5

#: Neighbours that vouch for a listing. Between 8 and 15 Recall@100 and nDCG@10 of the judged sets stay within 0.005; with 5 one more of a hundred is lost.
_NEIGHBOURS = 10


def packed(encoder: str, vectors: "np.ndarray") -> str:
    """Vectors as the text that a document carries: the encoder's name and one byte a number.

    An eighth of the memory; the cosine of two vectors moves by 0.0005 on average and by less than 0.004.
    """
    scaled = vectors * (_LARGEST / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), _NOTHING))
    return encoder + _SEPARATOR + base64.b64encode(np.rint(scaled).astype(np.int8).tobytes()).decode()


def unpacked(text: str, count: int) -> "tuple[str, np.ndarray]":
    """Encoder and `count` vectors of length 1 from what `packed` gave; ValueError if it was not so many."""
    encoder, _, data = text.rpartition(_SEPARATOR)
    if not data:
        raise ValueError(text)
    return encoder, unit(np.frombuffer(base64.b64decode(data), dtype=np.int8).reshape(count, -1).astype(np.float32))


def joined(packed_vectors: list[str]) -> str:
    """Several packed vectors of one encoder as one text."""
    encoder = packed_vectors[0].rpartition(_SEPARATOR)[0]
    return encoder + _SEPARATOR + base64.b64encode(b"".join(base64.b64decode(text.rpartition(_SEPARATOR)[2]) for text in packed_vectors)).decode()


def unit(vectors: "np.ndarray") -> "np.ndarray":
    """The same directions with length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _NOTHING)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A listing's vectors, each of length 1: one of the whole, one for each passage, and the passages' sum.

    By its `direction` an engine finds it: the offers and demands nearest to each other point the same way.
    """

    encoder: str
    whole: "np.ndarray"
    passages: tuple[Passage, ...]
    vectors: "np.ndarray"
    weights: "np.ndarray"
    together: "np.ndarray"
    direction: "np.ndarray"


def of(document: ListingDocument) -> Meaning | None:
    """What a document carries, None if it has no vectors or not those of its present passages."""
    own = passages(document) if document.vectors else ()
    if not own:
        return None
    try:
        encoder, vectors = unpacked(document.vectors, len(own) + (len(own) > 1))
    except ValueError:
        return None
    each = vectors[-len(own) :]
    # A long sentence says more than a short one, but not in proportion.
    weights = np.sqrt([len(passage.text) for passage in own], dtype=np.float32)
    together = unit(weights @ each)
    direction = vectors[0] if document.kind == "demand" else unit(vectors[0] + together)
    return Meaning(encoder, vectors[0], own, each, weights, together, direction)


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a demand and an offer are, from 0 (strangers) to 1, and which of the offer's passages is the nearest."""

    value: float
    best: int


def nearness(demand: Meaning | None, offer: Meaning | None, *, without: Mapping[int, float] | None = None, telling: float = 0.5) -> Nearness | None:
    """The nearness of two listings; None where it cannot be known.

    `without` tells what share of which of the offer's passages to leave out: the nearness that the rest would have, encoded anew.
    `telling` is how much that says of what the demand wants, from 0 to 1.
    """
    if demand is None or offer is None or demand.encoder != offer.encoder:
        return None
    each = offer.vectors @ demand.whole
    whole, together = float(offer.whole @ demand.whole), float(offer.together @ demand.whole)
    kept = list(range(len(each)))
    if without:
        left = np.array([_left(passage, without.get(number, 0.0), telling) for number, passage in enumerate(offer.passages)], dtype=np.float32)
        kept = [number for number in kept if left[number]]
        if not kept:
            return Nearness(0.0, 0)
        each = np.minimum(each, each * left)  # Who is against loses nothing by saying less.
        whole, together = _lacking(offer, demand, each, kept)
    highest = sorted((float(each[number]) for number in kept), reverse=True)
    some = highest[:_SOME]
    views = {"whole": whole, "together": together, "best": highest[0], "some": sum(some) / len(some)}
    value = sum(VIEWS[name] * view for name, view in views.items()) / sum(VIEWS.values())
    return Nearness(max(0.0, value), max(kept, key=lambda number: float(each[number])))


def _left(passage: Passage, lost: float, telling: float) -> float:
    """How much of its nearness a passage keeps that loses this share of its text; nothing if the rest is none any more."""
    if (1 - lost) * len(passage.text) < SHORTEST:
        return 0.0
    return 1 - min(1.0, lost**_WORDS * (_ANY + _TELLING * telling))


def _lacking(offer: Meaning, demand: Meaning, each: "np.ndarray", kept: list[int]) -> tuple[float, float]:
    """How near the whole and the sum of what is left of an offer are. The whole is not encoded anew: some of what it shares with the lost goes."""
    if len(kept) == 1:
        return float(each[kept[0]]), float(each[kept[0]])
    weighted = offer.vectors * offer.weights[:, None]
    lost = weighted.sum(axis=0) - weighted[kept].sum(axis=0)
    whole = offer.whole * np.linalg.norm(weighted.sum(axis=0)) - _SHARED * lost
    near = float(each[kept] @ offer.weights[kept])  # Of a passage that loses a few words the direction stays, and some of the nearness goes.
    missed = float((offer.vectors[kept] @ demand.whole) @ offer.weights[kept]) - near
    return (
        (float(whole @ demand.whole) - _SHARED * missed) / max(float(np.linalg.norm(whole)), _NOTHING),
        near / max(float(np.linalg.norm(weighted[kept].sum(axis=0))), _NOTHING),
    )


def asking_passage(demand: Meaning, offer: Meaning, best: int) -> Passage:
    """The passage of the demand that the offer's passage number `best` answers."""
    return demand.passages[int((demand.vectors @ offer.vectors[best]).argmax())]


def answered_passages(demand: Meaning, offer: Meaning, *, at_least: float) -> list[Passage]:
    """The passages of the demand to which a passage of the offer comes as near as `at_least`."""
    near = (demand.vectors @ offer.vectors.T).max(axis=1) >= at_least
    return [passage for passage, is_near in zip(demand.passages, near, strict=True) if is_near]


def vouched(scores: list[float], listings: list[Meaning | None]) -> list[float]:
    """For each listing what its nearest neighbours among these score on average, 0 where no neighbours are known.

    Texts on the same subject answer the same question (van Rijsbergen's cluster hypothesis; Diaz 2005, "Regularizing ad hoc
    retrieval scores"): a listing whose like all fit probably fits, though its own words are few.
    """
    support = [0.0] * len(scores)
    known = [number for number, own in enumerate(listings) if own]
    if len(known) < 2:  # noqa: PLR2004 - nobody is the neighbour of itself
        return support
    directions = np.array([listings[number].direction for number in known])
    nearness_of_pairs = np.maximum(directions @ directions.T, 0.0)
    np.fill_diagonal(nearness_of_pairs, -1.0)
    own = np.array([scores[number] for number in known])
    neighbours = np.argsort(-nearness_of_pairs, axis=1, kind="stable")[:, : min(_NEIGHBOURS, len(known) - 1)]
    weights = np.take_along_axis(nearness_of_pairs, neighbours, axis=1)
    means = (weights * own[neighbours]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    for number, mean in zip(known, means.tolist(), strict=True):
        support[number] = mean
    return support

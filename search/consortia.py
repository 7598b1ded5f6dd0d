"""Sets of offers that together answer a demand which no single offer answers: pure functions, and one that asks the engine.

A demand wants several things; each of its heaviest words is a part of what it wants, weighing as it does in `wants`. An
offer covers a part as far as it answers that word. A set of offers covers a part as well as its best member does, so what a
set covers can only grow with a member, and grows the less the larger the set is (a monotone submodular function). Two things
follow, and make the search exact and quick: a set with a superfluous member cannot be part of a good one, so whole branches
fall away; and what members could still add is at most the sum of what each adds now, so a branch that cannot win is seen
early.

One word in common may be chance, and a demand of many words finds somebody for each. So a member has to be about its part: the
pair has to make sense by its score, the part has to be named in the title or the keywords on both sides, and a fair share of
what the offer's own title and keywords say has to be wanted.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter

from django.utils import timezone

from . import engine, matching, reasons, vocabulary, wants
from .backends.base import Backend, Candidates
from .documents import ListingDocument
from .matching import Assessment
from .wants import Analysed, Place, Term, Weights

#: The heaviest words of a demand that count as its parts; further ones are circumstances.
MOST_PARTS = 12

FEWEST_MEMBERS, MOST_MEMBERS = 2, 4

#: What each member has to add to the others, of all that is wanted; less than this is a word by chance.
LEAST_PART = 0.15

#: A single offer that covers so much is answer enough, and so is one whose score is so many times what a suggestion needs.
COVERED = 0.55
ENOUGH_SCORE = 1.75

#: What a set has to cover, and by how much more than the best single offer. More people to talk to must be worth it.
LEAST_TOGETHER = 0.45
LEAST_GAIN = 0.15

#: Each member beyond the second has to bring this much, or fewer are better: every company more is one more to agree with.
MEMBER_COST = 0.05

#: Of the score that a suggestion needs: who answers a part only has less, but not just anything.
MEMBER_SCORE = 0.6

#: Of the weight of an offer's own title and keywords, so much has to be wanted: "Plates by the metre" is not about metres.
LEAST_ABOUT = 0.25

#: Offers that the exact search looks at, the most promising first. Four of 30 are 31,930 sets; the bounds leave a few hundred.
MOST_CANDIDATES = 30

#: Sets proposed for a demand, none sharing a member with another.
MOST_SETS = 2

#: Demands that a new offer may help to answer, by the engine's own order: each of them is looked at anew.
MOST_TOUCHED = 20

#: As many words that nobody covers are told.
MOST_MISSING = 6


# --- Sets ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer and how well it covers each part of the demand, from 0 (not named: not at all) to 1."""

    uid: str
    company: str
    covers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Together:
    """A set of candidates, the share of what is wanted that it covers, and what each member adds to the others."""

    members: tuple[Candidate, ...]
    covered: float
    adds: tuple[float, ...]


def covered(members: Sequence[Candidate], weights: Mapping[str, float]) -> float:
    """The share of the weight that the members cover, each part as well as the best of them does."""
    total = sum(weights.values())
    return sum(weight * max((member.covers.get(part, 0.0) for member in members), default=0.0) for part, weight in weights.items()) / total if total else 0.0


def adds(member: Candidate, others: Sequence[Candidate], weights: Mapping[str, float]) -> float:
    """What the set would lose without the member."""
    return covered([*others, member], weights) - covered(others, weights)


def is_sound(members: Sequence[Candidate], weights: Mapping[str, float]) -> bool:
    """Different companies, and nobody superfluous. Every part of a sound set is sound: a member adds the more the fewer others there are."""
    if len({member.company for member in members}) < len(members):
        return False
    return all(adds(member, [other for other in members if other is not member], weights) >= LEAST_PART - _ROUNDING for member in members)


def worth(members: Sequence[Candidate], weights: Mapping[str, float]) -> float:
    """What a set is chosen by: what it covers, less what it costs to agree with so many."""
    return covered(members, weights) - MEMBER_COST * (len(members) - FEWEST_MEMBERS)


def is_refused(members: Sequence[Candidate], refused: Collection[frozenset[str]]) -> bool:
    """Whether two of them were together in a set that somebody did not want: it does not come back with one company changed."""
    uids = {member.uid for member in members}
    return any(len(uids & group) >= FEWEST_MEMBERS for group in refused)


def best_set(candidates: Sequence[Candidate], weights: Mapping[str, float], *, alone: float, refused: Collection[frozenset[str]] = ()) -> Together | None:
    """The sound set of two to four members that is worth most; None if there is none that is good enough.

    Good enough is what covers LEAST_TOGETHER, and LEAST_GAIN more than `alone`, the share of the best single offer. Exact: the
    same as trying all sets.
    """
    if alone >= COVERED:
        return None
    least = max(LEAST_TOGETHER, alone + LEAST_GAIN)
    search = _Search(weights, refused, least)
    search.grow([], sorted(candidates, key=lambda candidate: (-covered([candidate], weights), candidate.uid)))
    return _told(search.best, weights) if search.best else None


#: Two sums of the same numbers in another order may differ by this.
_ROUNDING = 1e-9


class _Search:
    """Depth first, the strongest candidates first, with the best set so far."""

    def __init__(self, weights: Mapping[str, float], refused: Collection[frozenset[str]], least: float) -> None:
        self.weights, self.refused, self.least = weights, refused, least
        self.best: list[Candidate] = []
        self.best_worth = float("-inf")

    def grow(self, members: list[Candidate], rest: list[Candidate]) -> None:
        """Look at `members` and at every sound set that has candidates of `rest` besides."""
        share = covered(members, self.weights)
        if len(members) >= FEWEST_MEMBERS and share >= self.least:
            self._consider(members)
        room = MOST_MEMBERS - len(members)
        gains = [adds(candidate, members, self.weights) for candidate in rest]
        for place, candidate in enumerate(rest):
            if not room or not self._can_win(len(members), share, sorted(gains[place:], reverse=True)[:room]):
                return
            wider = [*members, candidate]
            if gains[place] >= LEAST_PART - _ROUNDING and is_sound(wider, self.weights) and not is_refused(wider, self.refused):
                self.grow(wider, rest[place + 1 :])

    def _can_win(self, size: int, share: float, gains: list[float]) -> bool:
        """Whether the best that could come of it is good enough: whoever joins later adds at most what they add now."""
        totals = [share + sum(gains[: count + 1]) - MEMBER_COST * max(size + count + 1 - FEWEST_MEMBERS, 0) for count in range(len(gains))]
        return share + sum(gains) >= self.least - _ROUNDING and max(totals) >= self.best_worth - _ROUNDING

    def _consider(self, members: list[Candidate]) -> None:
        value = worth(members, self.weights)
        if value > self.best_worth + _ROUNDING or (value > self.best_worth - _ROUNDING and _simplicity(members) < _simplicity(self.best)):
            self.best, self.best_worth = members, value


def _simplicity(members: Sequence[Candidate]) -> tuple:
    return len(members), sorted(member.uid for member in members)


def _told(members: Sequence[Candidate], weights: Mapping[str, float]) -> Together:
    """The members in the order of what each adds."""
    shares = {member.uid: adds(member, [other for other in members if other is not member], weights) for member in members}
    ordered = sorted(members, key=lambda member: (-shares[member.uid], member.uid))
    return Together(tuple(ordered), covered(members, weights), tuple(shares[member.uid] for member in ordered))


def best_sets(candidates: Sequence[Candidate], weights: Mapping[str, float], *, alone: float, refused: Collection[frozenset[str]] = ()) -> list[Together]:
    """Up to MOST_SETS sets, the best one first, each the best among the offers that those before it leave."""
    found: list[Together] = []
    left = list(candidates)
    while len(found) < MOST_SETS and (best := best_set(left, weights, alone=alone, refused=refused)):
        found.append(best)
        taken = {member.uid for member in best.members}
        left = [candidate for candidate in left if candidate.uid not in taken]
    return found


# --- From texts to sets ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    """An offer and its part: the share of what is wanted that it answers best of all, what the others would lack without it, and where the texts say so.

    The shares of all members add up to what they cover together. `pairs` are as in `reasons` ("terms"), "mine" in the demand; each word of the demand stands with the one member that answers it best.
    """

    uid: str
    share: float
    adds: float
    pairs: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Consortium:
    """Offers that together answer a demand. Shares from 0 to 1 of what is wanted; `missing` are words that nobody answers."""

    members: tuple[Member, ...]
    covered: float
    best_alone: float
    missing: tuple[str, ...]
    engine_version: str


@vocabulary.in_force()
def find(demand: ListingDocument, *, exclude_uids: Iterable[str] = (), refused: Collection[frozenset[str]] = ()) -> list[Consortium]:
    """The sets of offers that together answer a demand, best first; none if one offer answers it. Raises SearchUnavailable if no engine answers.

    Valid today, within reach, of different companies other than the demand's. `exclude_uids` are offers that are not to be in a set,
    `refused` sets that somebody did not want.
    """
    today = timezone.localdate()
    excluded = tuple(exclude_uids)
    return engine.ask(lambda backend: find_on(backend, demand, exclude_uids=excluded, refused=refused, today=today))


def find_on(
    backend: Backend, demand: ListingDocument, *, exclude_uids: tuple[str, ...] = (), refused: Collection[frozenset[str]] = (), today: date
) -> list[Consortium]:
    """`find` on one backend, as of `today`."""
    taught = vocabulary.current()
    wanted = wants.analysed(demand, taught)
    frequencies = taught.frequencies(backend, wants.vocabulary([wanted]))
    asked = Candidates(
        terms=taught.fetching(wants.candidate_terms(wanted, frequencies), answers=True),
        kind="offer",
        valid_on=today,
        exclude_company=demand.company_uid,
        exclude_uids=(demand.uid, *exclude_uids),
        size=engine.CANDIDATES,
        reach_of=demand,
    )
    if not asked.terms:
        return []
    weighing = wants.weights(frequencies)
    terms = wants.wanted_terms(wanted, weighing)
    offers = [wants.analysed(offer, taught) for offer, _ in backend.candidates(asked)]
    return together(
        [matching.assess(offer, wanted, terms, weighing, today=today) for offer in offers], lambda several: _weighing(backend, several), refused=refused
    )


def _weighing(backend: Backend, offers: Sequence[Analysed]) -> Weights:
    return wants.weights(vocabulary.current().frequencies(backend, wants.vocabulary(offers)))


def together(
    assessments: Sequence[Assessment], weighing: Callable[[Sequence[Analysed]], Weights], *, refused: Collection[frozenset[str]] = ()
) -> list[Consortium]:
    """The sets among the offers of `assessments`, all of one demand; `weighing` tells what the words of some offers weigh."""
    if not assessments or max(a.score for a in assessments) >= ENOUGH_SCORE * matching.THRESHOLD:
        return []
    parts = parts_of(assessments[0].terms)
    weights = {part.lemma: part.weight for part in parts}
    every = {a.offer.document.uid: (a, _candidate(a, parts)) for a in assessments}
    alone = max(covered([candidate], weights) for _, candidate in every.values())
    fair = [(a, c) for a, c in every.values() if a.score >= MEMBER_SCORE * matching.THRESHOLD and _is_named(a, parts) and covered([c], weights) >= LEAST_PART]
    if len(fair) < FEWEST_MEMBERS or alone >= COVERED:
        return []
    weighed = weighing([a.offer for a, _ in fair])
    about = [c for a, c in fair if share_wanted(a.offer, a.demand, weighed) >= LEAST_ABOUT]
    candidates = sorted(about, key=lambda c: (-covered([c], weights), c.uid))[:MOST_CANDIDATES]
    found = best_sets(candidates, weights, alone=alone, refused=refused)
    return [_consortium(each, {uid: a for uid, (a, _) in every.items()}, parts, alone) for each in found]


def parts_of(terms: Sequence[Term]) -> list[Term]:
    """The terms of a demand that count as parts of what it wants."""
    return [term for term in terms if wants.telling(term.lemma) == 1][:MOST_PARTS]


def _candidate(assessment: Assessment, parts: Sequence[Term]) -> Candidate:
    wanted = {part.lemma for part in parts}
    covers = {answer.term.lemma: min(1.0, answer.value / answer.term.weight) for answer in assessment.found if answer.term.lemma in wanted}
    return Candidate(assessment.offer.document.uid, assessment.offer.document.company_uid or assessment.offer.document.uid, covers)


def _is_named(assessment: Assessment, parts: Sequence[Term]) -> bool:
    """Whether the titles or keywords of both name one and the same part."""
    wanted = {part.lemma for part in parts}
    answers = (answer for answer in assessment.found if answer.term.lemma in wanted)
    return any(_in_head(assessment.offer.places[answer.key]) and _in_head(answer.term.want.places) for answer in answers)


def _in_head(places: Iterable[Place]) -> bool:
    return any(place.field != "description" for place in places)


def share_wanted(offer: Analysed, demand: Analysed, weighing: Weights) -> float:
    """Of what the offer's title and keywords say, the share by weight that the demand speaks of."""
    own = [term for term in wants.wanted_terms(offer, weighing) if _in_head(term.want.places) and wants.telling(term.lemma) == 1]
    total = sum(term.weight for term in own)
    return sum(min(answer.value, answer.term.weight) for answer in wants.answers(own, demand, weighing)) / total if total else 0.0


# --- What is told ---------------------------------------------------------------------------------------------------------


def _consortium(found: Together, assessments: Mapping[str, Assessment], parts: Sequence[Term], alone: float) -> Consortium:
    members = []
    for member, adds_so_much in zip(found.members, found.adds, strict=True):
        own = [part for part in parts if _best_at(part, found.members) is member]
        names = {part.lemma for part in own}
        share = sum(part.weight * member.covers[part.lemma] for part in own) / sum(part.weight for part in parts)
        assessment = assessments[member.uid]
        answered = replace(assessment, found=tuple(answer for answer in assessment.found if answer.term.lemma in names))
        members.append(Member(member.uid, share, adds_so_much, reasons.evidence(answered, asking=assessment.demand.document)))
    demand = next(iter(assessments.values())).demand.document
    return Consortium(tuple(members), found.covered, alone, _missing(parts, found.members, demand), matching.ENGINE_VERSION)


def _best_at(part: Term, members: Sequence[Candidate]) -> Candidate | None:
    """Who covers the part best; the one who adds more if two do."""
    share, best = max(((member.covers.get(part.lemma, 0.0), member) for member in members), key=itemgetter(0))
    return best if share else None


def _missing(parts: Sequence[Term], members: Sequence[Candidate], demand: ListingDocument) -> tuple[str, ...]:
    """The parts named in the title or the keywords that nobody covers, as they stand there."""
    places = [next((p for p in part.want.places if p.field != "description"), None) for part in parts if _best_at(part, members) is None]
    return tuple(demand.text(p.field)[p.token.start : p.token.end] for p in places if p)[:MOST_MISSING]


# --- Whom an offer concerns -------------------------------------------------------------------------------------------------


@vocabulary.in_force()
def touched(offer: ListingDocument) -> list[str]:
    """The uids of the demands that this offer may help to answer: those that share most with it. Raises SearchUnavailable."""
    today = timezone.localdate()
    return engine.ask(lambda backend: touched_on(backend, offer, today=today))


def touched_on(backend: Backend, offer: ListingDocument, *, today: date) -> list[str]:
    """`touched` on one backend, as of `today`."""
    taught = vocabulary.current()
    own = wants.analysed(offer, taught)
    terms = taught.fetching(wants.candidate_terms(own, taught.frequencies(backend, wants.vocabulary([own]))), answers=False)
    if not terms:
        return []
    asked = Candidates(terms=terms, kind="demand", valid_on=today, exclude_company=offer.company_uid, exclude_uids=(offer.uid,), size=MOST_TOUCHED)
    return [demand.uid for demand, _ in backend.candidates(asked)]

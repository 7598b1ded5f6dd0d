"""From what people said of a pair to one grade, so that the product's own use becomes a test set for its matching.

    3  they agreed on something: both companies say so
    2  it fits: both companies said yes, or a curator says that it fits
    1  it fits partly: one company said yes and the other has said nothing that speaks against it; a curator says "partly";
       both said yes and then one of them found that it was about something else
    0  it does not fit: the asking company says it is about something else, or the offering one says so and nobody said yes;
       a curator says that it does not fit

What says nothing about the two texts gives no grade: a suggestion nobody answered, or a no because the two know each other
already, because it is too far, or not the moment. Such a no does not take back the other side's yes either.

When several speak, an outcome that both companies confirm counts before a curator's word, and that before what the companies
pressed: they tell who wants to talk to whom, the curator was asked just this. Of several curators the newest word counts.
When the two companies disagree about what it is about, the asking one knows what it needs: its no is a 0, whereas the
offering company's no to a demand whose owner said yes leaves a 1.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from .enums import DismissReason, NoDeal, Outcome, Side, State, Step, Verdict
from .models import Judgement, OutcomeAnswer, Synergy, SynergyEvent
from .outcomes import Standing, standing

AGREED, FITS, PARTLY, NOT_FITTING = 3, 2, 1, 0
OF_CURATOR = {Verdict.FITS: FITS, Verdict.PARTLY: PARTLY, Verdict.NOT: NOT_FITTING}

#: The only reason to set a suggestion aside that speaks about the two texts.
ABOUT_THE_TEXTS = {DismissReason.OTHER_THING}


@dataclass(frozen=True)
class Graded:
    """One pair's grade, who gave it ("outcome", "curator" or "companies") and when it was last confirmed."""

    offer: int
    demand: int
    grade: int
    source: str
    at: datetime.datetime


def graded() -> Iterator[Graded]:
    """Every pair of which somebody said something that gives a grade, by primary keys; curators' newest words included."""
    curators = _newest_words()
    for synergy in _spoken_of().iterator(chunk_size=500):
        word = curators.pop((synergy.offer_id, synergy.demand_id), None)
        found = grade(synergy, standing(synergy.answers.all()), word)
        if found:
            yield found
    for word in curators.values():
        yield _of(word)


def grade(synergy: Synergy, told: Standing, word: Judgement | None = None) -> Graded | None:
    """The grade of a stored pair (its answers and events loaded), None if nobody said anything about whether it fits."""

    def given(value: int, source: str, at: datetime.datetime) -> Graded:
        return Graded(synergy.offer_id, synergy.demand_id, value, source, at)

    if told.is_agreed:
        return given(AGREED, "outcome", max(told.answer(side).created for side in Side))
    if word:
        return _of(word)
    value = _of_companies(synergy, told)
    return None if value is None else given(value, "companies", _last_said(synergy, told))


def _of(word: Judgement) -> Graded:
    return Graded(word.offer_id, word.demand_id, OF_CURATOR[Verdict(word.verdict)], "curator", word.at)


def _of_companies(synergy: Synergy, told: Standing) -> int | None:
    """What the two companies pressed and told, without a confirmed agreement."""
    said_yes = {side for side in Side if synergy.interest_at(side)}
    against = _against(synergy)
    if synergy.mutual_at:
        return PARTLY if against or _found_unfitting(told) else FITS
    if against:
        return PARTLY if against == {Side.OFFER} and Side.DEMAND in said_yes else NOT_FITTING
    return PARTLY if said_yes else None


def _against(synergy: Synergy) -> set[Side]:
    """The sides that set it aside because it is about something else."""
    if synergy.state != State.DISMISSED or synergy.dismissed_reason not in ABOUT_THE_TEXTS:
        return set()
    # A company that is gone has left its reason without a side; then it is taken for the stronger one, the asking company's.
    return {side for side in Side if synergy.listing(side).company_id == synergy.dismissed_by_id} or {Side.DEMAND}


def _found_unfitting(told: Standing) -> bool:
    """Whether the asking company says that they did not agree because it was not what was needed."""
    return told.demand is not None and (told.demand.outcome, told.demand.reason) == (Outcome.NOT_AGREED, NoDeal.NOT_FITTING)


def _last_said(synergy: Synergy, told: Standing) -> datetime.datetime:
    """When a company last said something: the texts of that moment are what was judged."""
    moments = [synergy.interest_at(side) for side in Side] + [answer.created for side in Side if (answer := told.answer(side))]
    if synergy.state == State.DISMISSED:
        moments += [event.at for event in synergy.events.all() if event.step == Step.DISMISSED]
    return max((moment for moment in moments if moment), default=synergy.modified)


def _spoken_of() -> QuerySet[Synergy]:
    """The synergies of which a company said anything, with all that a grade needs."""
    return (
        Synergy.objects.exclude(state=State.SUGGESTED)
        .select_related("offer", "demand")
        .prefetch_related(Prefetch("answers", OutcomeAnswer.objects.order_by("created", "id")), Prefetch("events", SynergyEvent.objects.order_by("at", "id")))
        .order_by("pk")
    )


def _newest_words() -> dict[tuple[int, int], Judgement]:
    """By pair, what a curator last said of it."""
    return {(word.offer_id, word.demand_id): word for word in Judgement.objects.order_by("at", "id")}

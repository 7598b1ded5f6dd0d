"""What a partner marketplace told us of its company's side of a synergy. As in `operations`; nobody here acts, so there is no `by`.

The caller holds the partner's word, checked: only a listing's own marketplace speaks for its company.
"""

from django.db import transaction
from django.utils import timezone

from marketplace.core import changelog

from . import notices
from .enums import Side, State, Step
from .models import Synergy, SynergyEvent


@transaction.atomic
def hear_yes(synergy: Synergy, side: Side) -> Synergy:
    """The company of `side` said yes there. Ours learns of it if that makes two; of the first yes the caller tells it."""
    synergy = _locked(synergy)
    if synergy.state == State.DISMISSED or synergy.interest_at(side):
        return synergy
    now = timezone.now()
    synergy.set_interest(side, now)
    is_mutual = synergy.interest_at(side.other) is not None
    synergy.state = State.MUTUAL if is_mutual else State.INTEREST
    synergy.mutual_at = now if is_mutual else None
    synergy.save()
    _log(synergy, Step.INTEREST, side)
    if is_mutual:
        _log(synergy, Step.MUTUAL, None)
        for shown_to in Side:
            _log(synergy, Step.SHOWN, shown_to)
        notices.mutual(synergy)
    return synergy


@transaction.atomic
def hear_no(synergy: Synergy, side: Side) -> Synergy:
    """The company of `side` said no there, perhaps after a yes; it does not tell us why."""
    synergy = _locked(synergy)
    if synergy.state != State.DISMISSED:
        synergy.state = State.DISMISSED
        synergy.dismissed_by, synergy.dismissed_reason, synergy.dismissed_comment = synergy.listing(side).company, "", ""
        synergy.save()
        _log(synergy, Step.DISMISSED, side)
    return synergy


@transaction.atomic
def hear_taken_back(synergy: Synergy, side: Side, *, is_all: bool = False) -> Synergy:
    """The company of `side` took its yes back. With `is_all`, what was between the two is void (a person's data were erased): both can begin anew."""
    synergy = _locked(synergy)
    sides = [one for one in (Side if is_all else [side]) if synergy.interest_at(one)]
    for one in sides:
        synergy.set_interest(one, None)
    if sides and synergy.state in (State.INTEREST, State.MUTUAL):
        synergy.mutual_at = None
        synergy.state = State.INTEREST if any(synergy.interest_at(one) for one in Side) else State.SUGGESTED
        _log(synergy, Step.UNDONE, side)
    synergy.save()
    return synergy


def _locked(synergy: Synergy) -> Synergy:
    """The row as it is now; raises Synergy.DoesNotExist."""
    rows = Synergy.objects.select_for_update(of=("self",)).select_related("offer__company", "demand__company")
    return rows.get(pk=synergy.pk)


def _log(synergy: Synergy, step: Step, side: Side | None) -> None:
    SynergyEvent.objects.create(synergy=synergy, step=step, company=side and synergy.listing(side).company)


@transaction.atomic
def adopt_yes(synergy: Synergy) -> Synergy:
    """Both said yes before the two listings met here as a synergy: it begins where they are. Everybody knows, so nobody is told."""
    synergy = _locked(synergy)
    if synergy.state in (State.SUGGESTED, State.INTEREST):
        now = timezone.now()
        for side in Side:
            if synergy.interest_at(side) is None:
                synergy.set_interest(side, now)
        synergy.state, synergy.mutual_at = State.MUTUAL, now
        synergy.save()
        _log(synergy, Step.MUTUAL, None)
    return synergy


@transaction.atomic
def adopt_no(synergy: Synergy, side: Side, *, reason: str, comment: str = "") -> Synergy:
    """The company of `side`, which is here, said no before the two listings met here as a synergy: it is not suggested again."""
    synergy = _locked(synergy)
    if synergy.state in (State.SUGGESTED, State.INTEREST):
        synergy.state = State.DISMISSED
        synergy.dismissed_by, synergy.dismissed_reason, synergy.dismissed_comment = synergy.listing(side).company, reason, comment
        synergy.save()
        _log(synergy, Step.DISMISSED, side)
        changelog.append("synergy", synergy.uid)
    return synergy

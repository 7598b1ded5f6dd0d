"""Rows as they are now, locked until the end of the transaction: always a synergy before an interest, or two people wait for each other."""

from marketplace.federation.models import IncomingInterest, OutgoingInterest
from marketplace.synergies.models import Synergy


def outgoing(pk: int) -> OutgoingInterest | None:
    """One of ours, its synergy locked too; None if it is gone."""
    _synergy(OutgoingInterest.objects.filter(pk=pk).values_list("synergy", flat=True).first())
    return OutgoingInterest.objects.select_for_update(of=("self",)).select_related("partner", "company", "mine", "theirs", "by").filter(pk=pk).first()


def incoming(pk: int) -> IncomingInterest | None:
    """One of a partner's, its synergy locked too; None if it is gone."""
    _synergy(IncomingInterest.objects.filter(pk=pk).values_list("synergy", flat=True).first())
    return IncomingInterest.objects.select_for_update(of=("self",)).select_related("partner", "listing__company").filter(pk=pk).first()


def _synergy(pk: int | None) -> None:
    if pk is not None:
        Synergy.objects.select_for_update(of=("self",)).filter(pk=pk).first()

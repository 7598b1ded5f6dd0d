"""What happened in the demo city after companies said yes, and what its curators did: outcomes, judgements, advice, proposals.

Everything goes through the operations that people use; only the times are put back, so that there is something to ask about.
"""

import datetime
import uuid

from django.db.models import F
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from marketplace.synergies import curating, operations, outcomes, unmet
from marketplace.synergies.enums import DismissReason, NoDeal, Outcome, Side, State, Unmet, Verdict
from marketplace.synergies.models import Judgement, Synergy

from .city import CURATOR, FITS, rows, uid_of

#: So long ago both said yes, and what the asking and the offering company told since; None: nothing yet.
TOLD: tuple[tuple[int, Outcome | None, Outcome | None], ...] = (
    (34, Outcome.AGREED, Outcome.AGREED),
    (41, Outcome.AGREED, None),
    (36, Outcome.TALKING, Outcome.TALKING),
    (95, Outcome.NOT_AGREED, Outcome.AGREED),
    (33, None, None),
)
#: So many of the city's judged pairs have a curator's word too.
JUDGED = 40
SET_ASIDE = (DismissReason.OTHER_THING, DismissReason.TOO_FAR, DismissReason.KNOWN)
ADVICE = {
    "ca": "Digueu quantes unitats us calen i per a quan, i si us serviria una solució provisional: així ho pot respondre més gent.",
    "es": "Digan cuántas unidades necesitan y para cuándo, y si les serviría una solución provisional: así podrá responder más gente.",
    "en": "Please say how many you need and by when, and whether a makeshift solution would do: then more companies can answer.",
}
WHY_GIVEN_UP = "Hem preguntat a tres empreses de la comarca i cap no ho fa."
WHY_PROPOSED = "No ho diu l'anunci, però ens han confirmat per telèfon que s'hi poden adaptar."


def load(*, leave_alone: int) -> int:
    """Tell outcomes, judge, advise, propose, give up; how many. Once a curator has judged anything, nothing is done.

    The `leave_alone` best synergies wait for whoever tries the demo.
    """
    if Judgement.objects.exists():
        return 0
    curator = User.objects.get(email=CURATOR)
    return _outcomes() + _refusals(leave_alone) + _judgements(curator) + _lonely(curator)


def _outcomes() -> int:
    for synergy, (days, asking, offering) in zip(Synergy.objects.mutual().order_by("pk"), TOLD, strict=False):
        then = timezone.now() - datetime.timedelta(days=days)
        times = dict.fromkeys(("mutual_at", "demand_interest_at", "offer_interest_at"), then)
        Synergy.objects.filter(pk=synergy.pk).update(suggested_at=then - datetime.timedelta(days=2), **times)
        synergy.events.update(at=F("at") - datetime.timedelta(days=days))
        for side, outcome in ((Side.DEMAND, asking), (Side.OFFER, offering)):
            if outcome:
                person = synergy.listing(side).company.memberships.owners().first().user
                outcomes.tell(synergy, by=person, outcome=outcome, reason=NoDeal.TERMS if outcome == Outcome.NOT_AGREED else "")
    outcomes.ask_due()
    return len(TOLD)


def _refusals(leave_alone: int) -> int:
    """The lowest ones that nobody has answered."""
    waiting = Synergy.objects.filter(state=State.SUGGESTED).order_by("-score", "pk")[leave_alone:]
    lowest = sorted(waiting, key=lambda synergy: (synergy.score, synergy.pk))[: len(SET_ASIDE)]
    for synergy, reason in zip(lowest, SET_ASIDE, strict=False):
        operations.dismiss(synergy, by=synergy.demand.company.memberships.owners().first().user, reason=reason)
    return len(lowest)


def _judgements(curator: User) -> int:
    """The first of the pairs that the city's own file judges, in the words of a curator."""
    judged = [row for row in rows("synergies") if row["offer"]][:JUDGED]
    listings = {listing.uid: listing for listing in Listing.objects.filter(uid__in=[uid_of(row[side]) for row in judged for side in ("offer", "demand")])}
    for row in judged:
        verdict = Verdict.FITS if row["grade"] == FITS else Verdict.PARTLY
        curating.judge(listings[uid_of(row["offer"])], listings[uid_of(row["demand"])], by=curator, verdict=verdict)
    return len(judged)


def _lonely(curator: User) -> int:
    """Of the demands that find nobody: one is given up, one gets advice, and for one there is a proposal by hand."""
    hopeless = {uid_of(row["demand"]) for row in rows("synergies") if row["offer"] is None}
    demands = list(unmet.without(Kind.DEMAND).for_display().order_by("published_at", "pk"))
    alone = [demand for demand in demands if demand.uid in hopeless]
    if len(alone) > 1:
        curating.mark_unmet(alone[0], by=curator, reason=Unmet.NOBODY, comment=WHY_GIVEN_UP)
        curating.advise(alone[1], by=curator, text=ADVICE[alone[1].company.language])
    pair = _overlooked({demand.uid: demand for demand in demands})
    if pair:
        curating.propose(*pair, by=curator, note=WHY_PROPOSED)
    return min(len(alone), 2) + bool(pair)


def _overlooked(demands: dict[uuid.UUID, Listing]) -> tuple[Listing, Listing] | None:
    """The first offer and demand that belong together by the city's file, though the engine suggests nothing for the demand."""
    for row in rows("synergies"):
        demand = demands.get(uid_of(row["demand"]))
        offer = Listing.objects.live().for_display().filter(uid=uid_of(row["offer"])).first() if demand and row["offer"] else None
        if offer:
            return offer, demand
    return None

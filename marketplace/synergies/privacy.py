"""What this app knows of a person (see accounts.privacy). Synergies belong to the two companies: they stay, without the name."""

from marketplace.accounts.models import User

from .models import Advice, Announcement, Judgement, OutcomeAnswer, Synergy, SynergyEvent, UnmetMark


class PersonalData:
    """What a person answered to suggestions and of their outcomes, which ones were mailed to them, and what they did as a curator."""

    name = "synergies"

    def export(self, user: User) -> dict[str, object]:
        """Every answer they gave, every suggestion that a digest told them of, every word they wrote as a curator."""
        answers = SynergyEvent.objects.filter(by=user).select_related("synergy__offer", "synergy__demand").order_by("at", "id")
        announced = Announcement.objects.filter(user=user).select_related("offer", "demand").order_by("id")
        return {
            "answers": [{**_pair(event.synergy), "step": event.step, "at": event.at.isoformat()} for event in answers],
            "announced": [{**_pair(one), "at": one.at.isoformat()} for one in announced],
            "outcomes": [_outcome(one) for one in OutcomeAnswer.objects.filter(by=user).select_related("synergy__offer", "synergy__demand")],
            "curated": _curated(user),
        }

    def consequences(self, user: User) -> list[str]:
        """Nothing that the page does not say already."""
        return []

    def erase(self, user: User) -> None:
        """The database itself forgets: answers and judgements lose the name (SET_NULL), announcements go with the person (CASCADE)."""


def _outcome(answer: OutcomeAnswer) -> dict[str, str]:
    told = {"outcome": answer.outcome, "reason": answer.reason, "comment": answer.comment, "at": answer.created.isoformat()}
    return {**_pair(answer.synergy), **told}


def _curated(user: User) -> dict[str, list[dict[str, str]]]:
    judgements = Judgement.objects.filter(by=user).select_related("offer", "demand").order_by("id")
    proposals = Synergy.objects.filter(proposed_by=user).select_related("offer", "demand").order_by("id")
    marks = UnmetMark.objects.filter(by=user).select_related("listing").order_by("id")
    return {
        "judgements": [{**_pair(one), "judgement": one.verdict, "at": one.at.isoformat()} for one in judgements],
        "proposals": [{**_pair(one), "note": one.proposed_note} for one in proposals],
        "advice": [{"listing": one.listing.title, "text": one.text} for one in Advice.objects.filter(by=user).select_related("listing").order_by("id")],
        "nothing_to_be_had": [{"listing": one.listing.title, "reason": one.reason, "comment": one.comment} for one in marks],
    }


def _pair(row: Synergy | Announcement | Judgement) -> dict[str, str]:
    return {"offer": row.offer.title, "demand": row.demand.title}

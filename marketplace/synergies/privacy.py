"""What this app knows of a person (see accounts.privacy). Synergies belong to the two companies: they stay, without the name."""

from marketplace.accounts.models import User

from .models import Announcement, Synergy, SynergyEvent


class PersonalData:
    """What a person answered to suggestions, and which ones were mailed to them."""

    name = "synergies"

    def export(self, user: User) -> dict[str, object]:
        """Every answer they gave, and every suggestion that a digest told them of."""
        answers = SynergyEvent.objects.filter(by=user).select_related("synergy__offer", "synergy__demand").order_by("at", "id")
        announced = Announcement.objects.filter(user=user).select_related("offer", "demand").order_by("id")
        return {
            "answers": [{**_pair(event.synergy), "step": event.step, "at": event.at.isoformat()} for event in answers],
            "announced": [{**_pair(one), "at": one.at.isoformat()} for one in announced],
        }

    def consequences(self, user: User) -> list[str]:
        """Nothing that the page does not say already."""
        return []

    def erase(self, user: User) -> None:
        """The database itself forgets: answers lose the name (SET_NULL), announcements go with the person (CASCADE)."""


def _pair(row: Synergy | Announcement) -> dict[str, str]:
    return {"offer": row.offer.title, "demand": row.demand.title}

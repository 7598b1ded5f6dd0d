"""What this app knows of a person (see accounts.privacy). Listings are the company's: they stay, without the name."""

from marketplace.accounts.models import User

from .models import Listing, Transition


class PersonalData:
    """What a person wrote and did."""

    name = "listings"

    def export(self, user: User) -> dict[str, object]:
        """The listings they began, and every step they took."""
        written = Listing.objects.filter(author=user).select_related("company").order_by("created")
        steps = Transition.objects.filter(by=user).select_related("listing").order_by("at")
        return {
            "written": [
                {
                    "company": listing.company.name,
                    "kind": listing.kind,
                    "title": listing.title,
                    "description": listing.description,
                    "state": listing.state,
                    "created": listing.created.isoformat(),
                }
                for listing in written
            ],
            "steps": [{"listing": step.listing.title, "step": step.move, "reason": step.reason, "at": step.at.isoformat()} for step in steps],
        }

    def consequences(self, user: User) -> list[str]:
        """Nothing that the page does not say already."""
        return []

    def erase(self, user: User) -> None:
        """The database itself forgets who wrote what: the keys are SET_NULL."""

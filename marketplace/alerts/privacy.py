"""What this app knows of a person (see accounts.privacy). A saved search tells what somebody is after: nobody but its owner sees it."""

from django.utils.translation import ngettext

from marketplace.accounts.models import User

from .models import Finding, Mention, SavedSearch


class PersonalData:
    """What a person looks for, what it found, and what was mailed to them."""

    name = "alerts"

    def export(self, user: User) -> dict[str, object]:
        """Their searches with the news of each, and every listing that a mail told them of."""
        news = Finding.objects.filter(search__owner=user, is_news=True).select_related("listing").order_by("at", "pk")
        found: dict[int, list[dict[str, str]]] = {}
        for one in news:
            found.setdefault(one.search_id, []).append({"listing": one.listing.title, "at": one.at.isoformat()})
        told = Mention.objects.filter(user=user, listing__isnull=False).select_related("listing").order_by("at", "pk")
        return {
            "searches": [_search(saved) | {"found": found.get(saved.pk, [])} for saved in SavedSearch.objects.of(user).order_by("created", "pk")],
            "mailed": [{"listing": one.listing.title, "at": one.at.isoformat()} for one in told],
        }

    def consequences(self, user: User) -> list[str]:
        """That nobody looks any more."""
        number = SavedSearch.objects.of(user).count()
        return [ngettext("Your saved search is deleted.", "Your %(n)d saved searches are deleted.", number) % {"n": number}] if number else []

    def erase(self, user: User) -> None:
        """The database itself forgets: everything here goes with the person (CASCADE)."""


def _search(saved: SavedSearch) -> dict[str, object]:
    return {
        "name": saved.name,
        "search": saved.parameters,
        "alert": saved.alert,
        "mailed_since": saved.alert_since.isoformat(),
        "created": saved.created.isoformat(),
        "last_looked_at": saved.looked_at.isoformat(),
    }

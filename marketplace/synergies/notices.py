"""The mails about one synergy, each queued in the transaction of what it tells. None of them holds contact data."""

from collections.abc import Iterable

from marketplace.accounts.models import User
from marketplace.companies.models import Membership
from marketplace.core import mail

from .enums import Side
from .models import Advice, Synergy


def interested(synergy: Synergy, side: Side, *, by: User) -> None:
    """The company of `side` said yes: the people of the other one learn of it, once a synergy and side."""
    for user, mine in _people(synergy, [side.other]):
        if user != by:
            _tell(synergy, "synergies/mail/interested", user, mine, occasion=f"interest:{side}")


def mutual(synergy: Synergy) -> None:
    """Both said yes: everybody on both sides, once each, learns where the contact data can be seen."""
    for user, mine in _people(synergy, Side):
        _tell(synergy, "synergies/mail/mutual", user, mine, occasion="mutual")


def proposed(synergy: Synergy) -> list[User]:
    """A curator put the two together: everybody on both sides learns of it; returns who."""
    people = _people(synergy, Side)
    for user, mine in people:
        _tell(synergy, "synergies/mail/proposed", user, mine, occasion="proposed")
    return [user for user, _mine in people]


def asked_for_outcome(synergy: Synergy, sides: Iterable[Side], *, days: int) -> None:
    """How did it go? To everybody on these sides, with a link for each answer."""
    for user, mine in _people(synergy, sides):
        _tell(synergy, "synergies/mail/outcome", user, mine, occasion=f"outcome:{days}")


def advised(advice: Advice) -> None:
    """A curator says what to add to a listing that finds nobody."""
    listing = advice.listing
    members = Membership.objects.active().filter(company=listing.company, user__is_active=True).select_related("user")
    for user in (membership.user for membership in members):
        key = f"advice:{advice.uid}:{user.uid}"
        mail.queue("synergies/mail/advice", user.email, {"listing": listing, "advice": advice, "user": user}, key=key, language=user.language)


def _people(synergy: Synergy, sides: Iterable[Side]) -> list[tuple[User, Side]]:
    """The active people on these sides, each once, with the side they read it from."""
    by_company = {synergy.listing(side).company_id: side for side in sides}
    found: dict[int, tuple[User, Side]] = {}
    members = Membership.objects.active().filter(company__in=by_company, user__is_active=True).select_related("user").order_by("pk")
    for membership in members:
        found.setdefault(membership.user_id, (membership.user, by_company[membership.company_id]))
    return list(found.values())


def _tell(synergy: Synergy, template: str, user: User, side: Side, *, occasion: str) -> None:
    mail.queue(
        template,
        user.email,
        {"synergy": synergy, "user": user, "mine": synergy.listing(side), "theirs": synergy.listing(side.other)},
        key=f"synergy:{synergy.uid}:{occasion}:{user.uid}",
        language=user.language,
    )

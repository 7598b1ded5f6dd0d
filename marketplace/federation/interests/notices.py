"""The mails about interests that cross. None of them holds contact data, nor the message; all go when the interest is forgotten."""

from marketplace.companies.models import Company, Membership
from marketplace.core import mail
from marketplace.federation.models import IncomingInterest, OutgoingInterest

from .erasing import mail_key


def arrived(interest: IncomingInterest) -> None:
    """A partner's company is interested in a listing here: everybody in its company learns of it."""
    _tell(interest, "arrived", interest.listing.company)


def agreed(interest: IncomingInterest) -> None:
    """Ours said yes too: everybody in the company learns where the contact data can be seen."""
    _tell(interest, "agreed", interest.listing.company)


def failed(interest: OutgoingInterest) -> None:
    """A yes did not arrive: who said it learns why."""
    if interest.by is not None and interest.by.is_active and interest.synergy is not None:
        key = f"{mail_key(interest, 'failed')}:{interest.by.uid}"
        context = {"interest": interest, "user": interest.by}
        mail.queue("federation/interests/mail/failed", interest.by.email, context, key=key, language=interest.by.language)


def _tell(interest: IncomingInterest, occasion: str, company: Company) -> None:
    members = Membership.objects.active().filter(company=company, user__is_active=True).select_related("user").order_by("pk")
    for user in (membership.user for membership in members):
        key = f"{mail_key(interest, occasion)}:{user.uid}"
        mail.queue(f"federation/interests/mail/{occasion}", user.email, {"interest": interest, "user": user}, key=key, language=user.language)

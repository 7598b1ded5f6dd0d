"""The mails about a listing, each queued in the transaction of what it tells."""

from marketplace.companies.models import Membership
from marketplace.core import mail

from .models import Listing


def published(listing: Listing) -> None:
    """The listing is public."""
    _tell(listing, "listings/mail/published", occasion=f"published:{listing.version}")


def changes_requested(listing: Listing, reason: str) -> None:
    """A curator asks for changes."""
    _tell(listing, "listings/mail/changes_requested", occasion=f"changes:{listing.version}", reason=reason)


def rejected(listing: Listing, reason: str) -> None:
    """A curator refused it."""
    _tell(listing, "listings/mail/rejected", occasion=f"rejected:{listing.version}", reason=reason)


def expired(listing: Listing) -> None:
    """Its last day has passed."""
    _tell(listing, "listings/mail/expired", occasion=f"expired:{listing.valid_until}")


def expiring(listing: Listing) -> int:
    """Its last day is near; how many mails that made (none the second time)."""
    return _tell(listing, "listings/mail/expiring", occasion=f"expiring:{listing.valid_until}")


def _tell(listing: Listing, template: str, *, occasion: str, **context: object) -> int:
    """Mail every active person of the company, each in their own language."""
    queued = 0
    for membership in Membership.objects.active().filter(company=listing.company).select_related("user"):
        user = membership.user
        queued += bool(
            mail.queue(
                template,
                user.email,
                {"listing": listing, "user": user, **context},
                key=f"listing:{listing.uid}:{occasion}:{user.uid}",
                language=user.language,
            )
        )
    return queued

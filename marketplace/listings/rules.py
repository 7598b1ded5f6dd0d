"""Who may do what with a listing, as small predicates."""

from marketplace.accounts.rules import is_curator
from marketplace.companies.rules import is_member

from .models import Listing


def can_edit(user: object, listing: Listing) -> bool:
    """The company's people may change its listings; nobody those of a partner marketplace, which belong to their origin."""
    return not listing.is_of_partner and is_member(user, listing.company)


def can_curate(user: object, listing: Listing) -> bool:
    """Curators decide, except on what their own company listed: nobody judges in their own cause."""
    return is_curator(user) and not is_member(user, listing.company)

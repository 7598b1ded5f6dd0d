"""The only way to a company's contact data: open to the people of the two companies of a synergy, once both said yes."""

from dataclasses import dataclass

from marketplace.accounts.models import User
from marketplace.companies.models import Company, Membership

from . import abroad
from .enums import Side, State
from .models import Synergy


@dataclass(frozen=True)
class Contact:
    """Whom to call or write."""

    company: str
    name: str
    email: str
    phone: str


def contact_for(user: User, synergy: Synergy, side: Side) -> Contact | None:
    """The contact of the company opposite to `side`, on which `user` has to be; None as long as one of the two has not said yes."""
    companies = user.memberships.active().values_list("company", flat=True)
    if synergy.state != State.MUTUAL or side not in synergy.sides_of(companies):
        return None
    if abroad.needs_consent(synergy, side):
        return abroad.link().contact(synergy, side)
    return contact_of(synergy.listing(side.other).company)


def contact_of(company: Company) -> Contact:
    """What the company gave; its first owner's address where it gave none."""
    email = company.contact_email
    if not email:
        owners = Membership.objects.owners().filter(company=company, user__is_active=True)
        email = owners.order_by("created", "pk").values_list("user__email", flat=True).first() or ""
    return Contact(company.name, company.contact_name, email, company.contact_phone)

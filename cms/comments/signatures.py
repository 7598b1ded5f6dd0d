"""What stands above a comment: the person's first name, or a company that they act for. Never an address of a mailbox."""

from django.utils.translation import gettext as _

from marketplace.accounts.models import User

PERSON = "person"


def first_name(user: User) -> str:
    """The first word of the person's name; empty for somebody who gave none, or an address instead."""
    word = user.name.strip().partition(" ")[0]
    return "" if "@" in word else word


def choices(user: User) -> list[tuple[str, str]]:
    """(key, name) of everything the person can sign with: their first name, then each company they act for that is public."""
    companies = user.memberships.active().filter(company__hidden=False).select_related("company").order_by("company__name", "pk")
    own = first_name(user)
    signed = [(PERSON, own)] if own else []
    signed += [(str(membership.company.uid), membership.company.name) for membership in companies]
    return signed or [(PERSON, _("A person without a name"))]


def name_for(user: User, key: str) -> str:
    """The name behind `key`; the first possible one for a key that is none (any more), empty for a person without a name."""
    known = dict(choices(user))
    if key == PERSON or not known.keys() - {PERSON}:
        return first_name(user)
    return known.get(key) or next(iter(known.values()))

"""What stands above a comment: the person's first name, or a company that they act for. Never an address of a mailbox."""

from django.conf import settings
from django.utils.translation import gettext as _

from marketplace.accounts.models import User

from .rules import can_moderate

PERSON = "person"


def first_name(user: User) -> str:
    """The first word of the person's name; empty for somebody who gave none, or an address instead."""
    word = user.name.strip().partition(" ")[0]
    return "" if "@" in word else word


def choices(user: User) -> list[tuple[str, str]]:
    """(key, name) of everything the person can sign with: their first name, then each company they act for that is public.

    Moderators speak for the site, whoever they are. A person who gave the company's name as their own signs with the company.
    """
    if can_moderate(user):
        return [(PERSON, settings.SITE_NAME)]
    memberships = user.memberships.active().filter(company__hidden=False).select_related("company").order_by("company__name", "pk")
    companies = {str(one.company.uid): one.company.name for one in memberships}
    own = first_name(user) if user.name not in companies.values() else ""
    return [*([(PERSON, own)] if own else []), *companies.items()] or [(PERSON, _("A person without a name"))]


def name_for(user: User, key: str) -> str:
    """The name behind `key`; the first possible one for a key that is none (any more), empty for a person without a name."""
    known = dict(choices(user))
    if known.keys() == {PERSON} and not can_moderate(user):
        return first_name(user)
    return known.get(key) or next(iter(known.values()))

"""A person's rights over their data: a copy of everything, and its erasure (GDPR articles 15, 17 and 20).

Each app that knows something of a person has a class named in settings.PERSONAL_DATA, from the highest app to the lowest:

    name = "companies"                     the key of its part in the copy
    export(user) -> JSON-able              what it knows
    consequences(user) -> list[str]        what erasure does here, in sentences for the person
    erase(user) -> None                    does it, before the account itself goes
"""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marketplace.core.models import Mail

from .models import User


def export(user: User) -> dict[str, object]:
    """Everything this product knows of a person, as JSON types."""
    return {"account": _account(user), "mails": _mails(user)} | {part.name: part.export(user) for part in _parts()}


def consequences(user: User) -> list[str]:
    """What erasing this account does besides, one sentence each."""
    return [sentence for part in _parts() for sentence in part.consequences(user)]


@transaction.atomic
def erase(user: User) -> None:
    """Delete the account and what only it knew. What belongs to a company (its listings, their history) stays, without the name."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_staff or user.is_superuser:
        raise ValidationError(_("You work in the console. Ask an administrator to take your rights away first."), code="staff")
    for part in _parts():
        part.erase(user)
    _mails_to(user).delete()
    try:
        user.delete()
    except ProtectedError as error:
        raise ValidationError(_("Something still needs your account. Write to the Innovation Service, we do it by hand."), code="protected") from error


def _parts() -> list:
    return [import_string(name)() for name in settings.PERSONAL_DATA]


def _account(user: User) -> dict[str, object]:
    return {
        "email": user.email,
        "addresses": [{"email": one.email, "confirmed": one.verified} for one in EmailAddress.objects.filter(user=user)],
        "name": user.name,
        "language": user.language,
        "joined": user.date_joined.isoformat(),
        "last_login": user.last_login and user.last_login.isoformat(),
        "terms_accepted": user.terms_accepted_at and user.terms_accepted_at.isoformat(),
        "wants_digest": user.wants_digest,
    }


def _mails(user: User) -> list[dict[str, object]]:
    mails = _mails_to(user).order_by("created")
    return [{"subject": mail.subject, "text": mail.text, "state": mail.state, "created": mail.created.isoformat()} for mail in mails]


def _mails_to(user: User) -> QuerySet[Mail]:
    """Those to any of the person's addresses; addresses that nobody confirmed may be somebody else's."""
    addresses = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return Mail.objects.filter(Q.create([("to__iexact", address) for address in {user.email, *addresses}], Q.OR))

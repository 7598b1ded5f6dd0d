"""The mails about a company's people and keys, each queued in the transaction of what it tells."""

from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.core import mail
from marketplace.rest.models import ApiKey

from .enums import Role
from .models import Company, Membership


def join_requested(membership: Membership) -> None:
    """Somebody wants to act for a company: to its owners, or to the Innovation Service where there is none."""
    owners = _owners(membership.company)
    # Whoever asks, takes it back and asks again tells them once a day.
    asked = f"{membership.company.uid}:{membership.user.uid}:{timezone.localdate(membership.created)}"
    for user in owners or curators():
        _tell("companies/mail/join_requested", membership, user, occasion=asked)


def join_decided(membership: Membership) -> None:
    """The answer: to who asked."""
    _tell(f"companies/mail/join_{membership.state}", membership, membership.user, occasion=_this(membership, membership.state))


def became_owner(membership: Membership) -> None:
    """The last owner closed the account and this person is the next."""
    _tell("companies/mail/became_owner", membership, membership.user, occasion=_this(membership, "owner"))


def key_made(key: ApiKey, company: Company, *, by: User) -> None:
    """Somebody made a key: to all owners, who would otherwise not notice one that nobody should have made. Without the secret."""
    for user in _owners(company):
        context = {"key": key, "company": company, "person": by, "user": user}
        mail.queue("companies/mail/key_made", user.email, context, key=f"api-key-made:{key.uid}:{user.uid}", language=user.language)


def key_expiring(key: ApiKey, company: Company) -> bool:
    """A key ends soon: to all owners. False if they know."""
    told = [
        mail.queue(
            "companies/mail/key_expiring",
            user.email,
            {"key": key, "company": company, "user": user},
            key=f"api-key-expiring:{key.uid}:{key.expires_at:%Y%m%d}:{user.uid}",
            language=user.language,
        )
        for user in _owners(company)
    ]
    return any(told)


def curators() -> list[User]:
    """The people of the Innovation Service who decide on companies."""
    curate = Permission.objects.filter(codename="curate_listing", content_type__app_label="listings")
    return list(User.objects.filter(Q(groups__permissions__in=curate) | Q(user_permissions__in=curate), is_active=True).distinct())


def _owners(company: Company) -> list[User]:
    return list(User.objects.filter(memberships__in=Membership.objects.owners().filter(company=company)))


def _this(membership: Membership, occasion: str) -> str:
    """The time of the request is part of it: who asks again a week later gets an answer again."""
    return f"{membership.uid}:{occasion}:{membership.created:%Y%m%dT%H%M%S}"


def _tell(template: str, membership: Membership, user: User, *, occasion: str) -> None:
    key = f"membership:{occasion}:{user.uid}"
    context = {"membership": membership, "company": membership.company, "person": membership.user, "user": user, "is_owner": membership.role == Role.OWNER}
    mail.queue(template, user.email, context, key=key, language=user.language)

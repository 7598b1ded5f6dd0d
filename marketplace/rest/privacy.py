"""What this app knows of a person: the keys they made (see accounts.privacy)."""

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from marketplace.accounts.models import User

from . import holders, keys
from .models import ApiKey, IdempotentRequest


class PersonalData:
    """The keys a person made. A company's act in their name and end with the account; a partner's are the service's and go on without it."""

    name = "api_keys"

    def export(self, user: User) -> list[dict[str, object]]:
        """Every key, without what it opens."""
        return [
            {
                "name": key.name,
                "begins_with": key.prefix,
                "of": key.client.name,
                "scopes": key.scopes,
                "created": key.created.isoformat(),
                "expires": key.expires_at and key.expires_at.isoformat(),
                "revoked": key.revoked_at and key.revoked_at.isoformat(),
                "last_used": key.last_used_at and key.last_used_at.isoformat(),
            }
            for key in user.api_keys.select_related("client").order_by("created")
        ]

    def consequences(self, user: User) -> list[str]:
        """A sentence, if programs stop working."""
        number = _personal(user).usable().count()
        if not number:
            return []
        return [ngettext("%(n)d API key that you made stops working.", "%(n)d API keys that you made stop working.", number) % {"n": number}]

    def erase(self, user: User) -> None:
        """End the keys that act in the person's name. That they made them goes with the account; so do answers kept for a day that give their address."""
        keys.revoke_all(_personal(user))
        IdempotentRequest.objects.filter(body__icontains=user.email).delete()


def _personal(user: User) -> QuerySet[ApiKey]:
    names = [holder.name for holder in holders.holders() if holder.acts_for_maker]
    return user.api_keys.filter(Q.create([(f"client__{name}__isnull", False) for name in names], Q.OR))

"""A company's keys for programs, which its owners make, replace and end. Each is one transaction; the owners get a mail of every new key."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.rest import keys
from marketplace.rest.models import ApiClient, ApiKey, Scope

from . import notices
from .models import Company
from .rules import is_owner

#: The feed is for partners.
SCOPES = (Scope.READ, Scope.WRITE, Scope.INTERESTS)
#: The owners hear of a key's end so long before.
WARNING = timedelta(days=14)


def keys_of(company: Company) -> QuerySet[ApiKey]:
    """All keys that the company ever had."""
    return ApiKey.objects.filter(client__company=company)


@transaction.atomic
def issue(company: Company, *, name: str, scopes: Sequence[str], expires_at: datetime | None, by: User) -> tuple[ApiKey, str]:
    """A new key and its secret, which is shown now or never."""
    company = _locked(company, by)
    if set(scopes) - set(SCOPES):
        raise ValidationError({"scopes": ValidationError(_("A company's key cannot do this."), code="invalid")})
    if company.api_client is None:
        company.api_client = ApiClient.objects.create(name=company.name)
        # Nothing that others follow: neither version nor change.
        Company.objects.filter(pk=company.pk).update(api_client=company.api_client)
    key, secret = keys.issue(company.api_client, name=name, scopes=scopes, expires_at=expires_at, by=by)
    notices.key_made(key, company, by=by)
    return key, secret


@transaction.atomic
def rotate(company: Company, key: ApiKey, *, overlap: timedelta, by: User) -> tuple[ApiKey, str]:
    """The key that takes this one's place; it acts for `by` from now on."""
    company = _locked(company, by)
    successor, secret = keys.rotate(keys_of(company).get(pk=key.pk), overlap=overlap, by=by)
    notices.key_made(successor, company, by=by)
    return successor, secret


@transaction.atomic
def revoke(company: Company, key: ApiKey, *, by: User) -> ApiKey:
    """End a key at once."""
    company = _locked(company, by)
    return keys.revoke(keys_of(company).get(pk=key.pk), by=by)


def warn_expiring() -> int:
    """Tell the owners of each company's key that ends soon, once; how many keys. For the worker's daily round."""
    now = timezone.now()
    ending = ApiKey.objects.acting().filter(expires_at__lt=now + WARNING, replaced_by=None, client__company__isnull=False)
    return sum(notices.key_expiring(key, key.client.company) for key in ending.select_related("client__company"))


def _locked(company: Company, by: User) -> Company:
    company = Company.objects.select_for_update(of=("self",)).select_related("api_client").get(pk=company.pk)
    if not is_owner(by, company):
        raise PermissionDenied
    return company

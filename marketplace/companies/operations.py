"""What can happen to a company and its people. Each is one transaction: lock, check, write, log.

`by` is the acting user (None: the system). A company's row is the lock for everything about its people, so that two owners
who leave at once cannot leave it without one.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.accounts.rules import is_curator
from marketplace.core import changelog
from marketplace.rest import keys

from . import logos, notices
from .enums import MembershipState, Role
from .models import Company, Membership
from .rules import can_decide, is_owner

EDITABLE = (
    "name",
    "description",
    "sector",
    "place",
    "size",
    "legal_form",
    "founded",
    "language",
    "web",
    "logo",
    "contact_name",
    "contact_email",
    "contact_phone",
)
#: Who was refused may ask again after this, so that nobody is asked the same every hour.
ASK_AGAIN_AFTER = timedelta(days=7)


class CompanyExistsError(ValidationError):
    """There is a company with this NIF; `company` is it."""

    def __init__(self, company: Company) -> None:
        message = _("%(name)s is already here with this NIF. Ask to join it instead of adding it again.") % {"name": company.name}
        super().__init__({"tax_id": ValidationError(message, code="exists")})
        self.company = company


class StaleEditError(ValidationError):
    """The company was changed since the form was opened."""


class AlreadyDecidedError(ValidationError):
    """Somebody else answered the request before."""


@transaction.atomic
def create(fields: Mapping[str, object], *, by: User | None) -> Company:
    """A new company with `by` as its owner (None: an import, nobody). `fields`: those of EDITABLE and tax_id."""
    company = Company(tax_id=fields["tax_id"], **{name: fields[name] for name in EDITABLE if name in fields and name != "logo"})
    if existing := Company.objects.filter(tax_id=company.tax_id).first():
        raise CompanyExistsError(existing)
    if by is not None:
        company.contact_name = company.contact_name or by.name
        company.contact_email = company.contact_email or by.email
    _set_logo(company, fields)
    # The database itself says whether the NIF is taken: a look beforehand can be overtaken.
    company.full_clean(validate_unique=False)
    try:
        with transaction.atomic():
            company.save()
    except IntegrityError:
        # Somebody else added the same company between our look and our write.
        raise CompanyExistsError(Company.objects.get(tax_id=company.tax_id)) from None
    if by is not None:
        Membership.objects.create(company=company, user=by, role=Role.OWNER)
    changelog.append("company", company.uid)
    return company


@transaction.atomic
def edit(company: Company, fields: Mapping[str, object], *, by: User, version: int | None = None) -> Company:
    """Change what the company says of itself. Its NIF stays; an imported company without one gets it here.

    With `version` (the one the form showed), a company changed since raises StaleEditError.
    """
    company = _locked(company)
    if not is_owner(by, company):
        raise PermissionDenied
    if version is not None and version != company.version:
        raise StaleEditError(_("Somebody changed the company's data while you were writing. Compare the two and save again."), code="stale")
    for name in EDITABLE:
        if name in fields and name != "logo":
            setattr(company, name, fields[name])
    if not company.tax_id and fields.get("tax_id"):
        company.tax_id = fields["tax_id"]
        if existing := Company.objects.filter(tax_id=company.tax_id).first():
            raise CompanyExistsError(existing)
    _set_logo(company, fields)
    company.full_clean()
    return _saved(company)


@transaction.atomic
def set_verified(company: Company, verified: bool, *, by: User) -> Company:  # noqa: FBT001 - the state is the point
    """Say that the Innovation Service checked this company, or take it back."""
    company = _locked(company)
    _check_curator(by)
    company.verified = verified
    return _saved(company)


@transaction.atomic
def set_hidden(company: Company, hidden: bool, *, by: User) -> Company:  # noqa: FBT001 - as above
    """Take the company and all its listings out of the public's sight, or bring them back."""
    company = _locked(company)
    _check_curator(by)
    company.hidden = hidden
    return _saved(company)


@transaction.atomic
def request_to_join(company: Company, *, by: User, message: str = "") -> Membership:
    """Ask the owners to let `by` act for the company; they get a mail. Asking twice is asking once.

    A company without owners (imported ones) is the Innovation Service's to hand over: its people get the mail.
    """
    company = _locked(company)
    if company.is_of_partner:
        raise ValidationError(_("This company is registered at %(source)s. Join it there."), code="elsewhere", params={"source": company.source_name})
    membership = Membership.objects.filter(company=company, user=by).first() or Membership(company=company, user=by)
    if membership.pk and membership.state != MembershipState.REFUSED:
        return membership
    if membership.pk and timezone.now() < membership.decided_at + ASK_AGAIN_AFTER:
        again = timezone.localdate(membership.decided_at + ASK_AGAIN_AFTER)
        raise ValidationError(_("Your request was refused. You can ask again from %(date)s on."), code="too_soon", params={"date": again})
    membership.state, membership.role = MembershipState.REQUESTED, Role.MEMBER
    membership.message, membership.decided_by, membership.decided_at = message.strip(), None, None
    membership.created = timezone.now()
    membership.full_clean()
    membership.save()
    notices.join_requested(membership)
    return membership


@transaction.atomic
def decide(membership: Membership, *, accept: bool, by: User) -> Membership:
    """Let in who asked, or refuse; they get a mail. The first person of a company without owners becomes its owner."""
    company = _locked(membership.company)
    membership = Membership.objects.select_related("user", "company").get(pk=membership.pk)
    if not can_decide(by, company):
        raise PermissionDenied
    if membership.state != MembershipState.REQUESTED:
        raise AlreadyDecidedError(_("This request has been answered already."), code="decided")
    membership.state = MembershipState.ACTIVE if accept else MembershipState.REFUSED
    if accept and not Membership.objects.owners().filter(company=company).exists():
        membership.role = Role.OWNER
    membership.decided_by, membership.decided_at = by, timezone.now()
    membership.save()
    notices.join_decided(membership)
    return membership


@transaction.atomic
def set_role(membership: Membership, role: Role, *, by: User) -> Membership:
    """Make a member an owner or the reverse; the last owner stays one."""
    company = _locked(membership.company)
    membership = Membership.objects.active().get(pk=membership.pk)
    if not is_owner(by, company):
        raise PermissionDenied
    if role != Role.OWNER:
        _check_not_last_owner(membership)
    membership.role = role
    membership.save()
    return membership


@transaction.atomic
def leave(membership: Membership, *, by: User) -> None:
    """End somebody's part in a company, or take back a request: oneself, or an owner for another. The last owner cannot leave."""
    company = _locked(membership.company)
    membership = Membership.objects.get(pk=membership.pk)
    if by != membership.user and not is_owner(by, company):
        raise PermissionDenied
    if membership.state == MembershipState.REFUSED and not is_owner(by, company):
        # Without the refusal one could ask again at once.
        raise PermissionDenied
    _check_not_last_owner(membership)
    # For good: who comes back as a simple member must not find an owner's keys working again.
    keys.revoke_all(membership.user.api_keys.filter(client__company=company))
    membership.delete()


def _check_not_last_owner(membership: Membership) -> None:
    others = Membership.objects.owners().filter(company=membership.company_id).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise ValidationError(_("A company needs an owner. Make somebody else an owner first."), code="last_owner")


def _check_curator(by: User) -> None:
    if not is_curator(by):
        raise PermissionDenied


def _locked(company: Company) -> Company:
    """The row as it is now, locked until the end of the transaction."""
    return Company.objects.select_for_update().get(pk=company.pk)


def _saved(company: Company) -> Company:
    """Write it with the next version, and log the change for those who follow; its listings' documents hold its name and size."""
    company.version += 1
    company.save()
    changelog.append("company", company.uid)
    return company


def _set_logo(company: Company, fields: Mapping[str, object]) -> None:
    """Put the uploaded picture (a file), or none (False, what a form sends for "take it away"), in place of the present one."""
    logo = fields.get("logo")
    if not isinstance(logo, File) and logo is not False:
        return
    present = company.logo.name
    if logo and logo == company.logo:
        return
    company.logo = logos.normalised(logo) if logo else ""
    if present:
        storage = company.logo.storage
        transaction.on_commit(lambda: storage.delete(present))

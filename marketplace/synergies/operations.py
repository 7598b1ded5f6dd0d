"""What the two companies can make of a synergy; each function is one transaction: lock, check, write, log, tell.

Every function takes the synergy and the keyword `by`, the acting person, and returns the synergy as it is now. Asking for
what is already so changes nothing, so that a button pressed twice does no harm. Who acts for several companies speaks for the one that has still
to answer, unless `company` says for which (a program's key is one company's).
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.companies.models import Company
from marketplace.core import changelog
from marketplace.listings import operations as listings

from . import abroad, notices
from .enums import DismissReason, Side, State, Step
from .models import Synergy, SynergyEvent

MAX_COMMENT = 500


class IllegalStepError(ValidationError):
    """The synergy's state does not allow this, most often because somebody else was faster."""


@transaction.atomic
def express_interest(synergy: Synergy, *, by: User, company: Company | None = None, has_consented: bool = False) -> Synergy:
    """Say yes for the person's company. The other company learns of it; once both said so, each sees the other's contact data.

    `has_consented`: the caller holds the person's consent to what goes to the other company's marketplace; without it such a yes raises
    abroad.ConsentNeededError. Nothing but the consent's own operation may say so.
    """
    synergy, side, company = _locked(synergy, by, company)
    if abroad.needs_consent(synergy, side) and not has_consented:
        raise abroad.ConsentNeededError
    if synergy.state == State.DISMISSED:
        raise IllegalStepError(_("This suggestion has been set aside, so there is nothing to say yes to any more."), code="dismissed")
    if synergy.interest_at(side):
        return synergy
    if not synergy.is_open:
        raise IllegalStepError(_("One of the two listings is no longer public, so this suggestion has ended."), code="not_live")
    now = timezone.now()
    synergy.set_interest(side, now)
    is_mutual = synergy.interest_at(side.other) is not None
    synergy.state = State.MUTUAL if is_mutual else State.INTEREST
    synergy.mutual_at = now if is_mutual else None
    synergy.save()
    _log(synergy, Step.INTEREST, company, by)
    if is_mutual:
        _log(synergy, Step.MUTUAL, None, None)
        for shown_to in Side:
            _log(synergy, Step.SHOWN, synergy.listing(shown_to).company, None)
        notices.mutual(synergy)
    else:
        notices.interested(synergy, side, by=by)
    return synergy


@transaction.atomic
def dismiss(synergy: Synergy, *, by: User, reason: str, comment: str = "", company: Company | None = None) -> Synergy:
    """Say no for the person's company, from any state and for good: the pair is never suggested again.

    `reason` is a DismissReason; it and the comment are seen by nobody at the other company.
    """
    synergy, side, company = _locked(synergy, by, company)
    if reason not in DismissReason.values:
        raise ValidationError({"reason": _("Choose why, so that we can suggest better ones.")}, code="reason")
    if synergy.state == State.DISMISSED:
        return synergy
    synergy.state = State.DISMISSED
    synergy.dismissed_by, synergy.dismissed_reason, synergy.dismissed_comment = company, reason, comment.strip()[:MAX_COMMENT]
    if abroad.needs_consent(synergy, side):
        abroad.link().said_no(synergy, side, by=by)
    synergy.save()
    _log(synergy, Step.DISMISSED, company, by)
    # Its place in both lists is free now; who moves up is a matter of other rows than these two.
    changelog.append("synergy", synergy.uid)
    return synergy


@transaction.atomic
def undo(synergy: Synergy, *, by: User, company: Company | None = None) -> Synergy:
    """Take back the own company's yes or no, as long as it has led to nothing: not once contact data were shown.

    The pair then is what it was before; the engine looks at it again, since a dismissed one was not kept up to date.
    """
    # First, since the refresh locks listings before synergies too.
    listings.touch([synergy.offer])
    companies = _companies(by, company)
    synergy, side, _company = _locked(synergy, by, company)
    if synergy.mutual_at:
        raise IllegalStepError(_("Both companies had said yes and seen the contact data: this cannot be taken back."), code="mutual")
    if synergy.state == State.DISMISSED and synergy.dismissed_by_id in companies:
        company = synergy.dismissed_by
        synergy.dismissed_by, synergy.dismissed_reason, synergy.dismissed_comment = None, "", ""
    elif synergy.state == State.INTEREST and (own := [side for side in synergy.sides_of(companies) if synergy.interest_at(side)]):
        company = synergy.listing(own[0]).company
        synergy.set_interest(own[0], None)
    else:
        raise IllegalStepError(_("There is nothing of yours to take back here."), code="nothing")
    if abroad.needs_consent(synergy, side):
        abroad.link().took_back(synergy, side, by=by)
    synergy.state = State.INTEREST if any(synergy.interest_at(side) for side in Side) else State.SUGGESTED
    synergy.save()
    _log(synergy, Step.UNDONE, company, by)
    return synergy


def _locked(synergy: Synergy, by: User, company: Company | None) -> tuple[Synergy, Side, Company]:
    """The row as it is now, locked until the end of the transaction, and the side and company for which `by` speaks."""
    rows = Synergy.objects.select_for_update(of=("self",)).select_related("offer__company", "demand__company", "dismissed_by")
    locked = rows.filter(pk=synergy.pk).first()
    if locked is None:
        raise IllegalStepError(_("This suggestion is gone: one of the two listings has changed and they do not fit any more."), code="gone")
    side = locked.side_to_answer(_companies(by, company))
    if side is None:
        raise PermissionDenied
    return locked, side, locked.listing(side).company


def _companies(user: User, company: Company | None) -> set[int]:
    companies = set(user.memberships.active().values_list("company", flat=True))
    return companies if company is None else companies & {company.pk}


def _log(synergy: Synergy, step: Step, company: object, by: User | None) -> None:
    SynergyEvent.objects.create(synergy=synergy, step=step, company=company, by=by)

"""What a program wants to write, checked as the form checks it, and done by the same operations."""

import copy
import hashlib
import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from marketplace.accounts.models import User
from marketplace.companies import places
from marketplace.companies.models import Company
from marketplace.rest import idempotency
from marketplace.rest.answers import check_if_match, etag
from marketplace.rest.problems import Problem, pointer, problem_of
from marketplace.rest.renderers import dumps

from . import operations, rows
from .enums import Move, Origin
from .forms import ListingForm
from .models import Listing
from .serializers import MOST_OPERATIONS, ListingChangeIn, ListingIn, OperationIn, ReasonIn

__all__ = ["MOST_OPERATIONS", "company_of", "create", "own_listing", "result", "step", "update", "valid"]

logger = logging.getLogger(__name__)

STEPS = {
    Move.SUBMIT: operations.submit,
    Move.RENEW: operations.renew,
    Move.REOPEN: operations.reopen,
    Move.CLOSE: operations.close,
    Move.WITHDRAW: operations.withdraw,
}
WITH_REASON = {Move.CLOSE, Move.WITHDRAW}
_BATCHES = uuid.UUID("6f1d2a1c-7d0e-5a53-9d0f-6b0d3c9a4f11")


def company_of(request: Request) -> Company:
    """The company of the request's key; a partner's key has none."""
    company = getattr(request.auth.client, "company", None)
    if company is None:
        raise Problem("forbidden", _("This key belongs to a partner. Only a company's key can write listings."))
    return company


def own_listing(request: Request, uid: uuid.UUID) -> Listing:
    """A listing of the key's company; another's public one is 403, anything else 404."""
    return _own(company_of(request), uid)


def _own(company: Company, uid: uuid.UUID) -> Listing:
    listing = Listing.objects.for_display().filter(uid=uid, company=company).first()
    if listing is None:
        if Listing.objects.live().filter(uid=uid).exists():
            raise Problem("forbidden", _("This listing belongs to another company."))
        raise Http404
    return listing


def valid(shape: type[Serializer], data: object) -> dict[str, Any]:
    """`data` in the shape of a serializer; raises a DRF ValidationError that points to each fault."""
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def create(company: Company, data: object, *, by: User, submission_key: uuid.UUID | None = None) -> Listing:
    """A new draft of `company`, checked as the form would."""
    sent = valid(ListingIn, data)
    blank = ListingForm(company=company, companies=[company]).initial
    filled = {"place": company.place.name, "valid_until": blank["valid_until"], **sent}
    return operations.create(company, _content(filled, company), by=by, origin=Origin.API, submission_key=submission_key)


def update(listing: Listing, data: object, *, by: User, if_match: str | None) -> Listing:
    """Change what is sent. Raises the Problems 428 and 412 (see answers.check_if_match); the operation looks again under its lock."""
    check_if_match(if_match, listing.version)
    sent = valid(ListingChangeIn, data)
    present = {name: getattr(listing, name) for name in operations.EDITABLE} | {
        "sector": listing.sector_id,
        "place": listing.place.name,
        "keywords": listing.keyword_list,
    }
    content = _content({**present, **sent}, listing.company, instance=copy.copy(listing))
    return operations.edit(listing, content, by=by, version=listing.version)


def _content(values: Mapping[str, Any], company: Company, *, instance: Listing | None = None) -> dict[str, object]:
    """The values as operations take them, after the form's own checks; raises its ValidationError."""
    place = values["place"]
    data = {
        **values,
        "keywords": ", ".join(values.get("keywords") or []),
        "place": places.known()[place].name if place in places.known() else place,
        "reach_km": "" if values.get("reach_km") is None else values["reach_km"],
    }
    form = ListingForm(data, instance=instance, company=company, companies=[company])
    if not form.is_valid():
        raise ValidationError(form.errors.as_data())
    return form.content


def step(listing: Listing, move: str, data: object, *, by: User, if_match: str | None) -> Listing:
    """Take a step of STEPS; some can have a reason."""
    reason = valid(ReasonIn, data or {})
    if reason and move not in WITH_REASON:
        raise ValidationError({"reason": ValidationError(_("This step takes no reason."), code="unknown")})
    with transaction.atomic():
        # As it is now: between the look at it and this step somebody else may have changed it.
        present = Listing.objects.select_for_update(of=("self",)).get(pk=listing.pk)
        check_if_match(if_match, present.version, required=False)
        return STEPS[Move(move)](present, by=by, **reason)


# --- Many at once -----------------------------------------------------------------------------------------------------


def result(company: Company, operation: object, *, by: User, again: tuple[str, int] | None = None) -> dict[str, Any]:
    """What became of one operation of a batch. `again` are the batch's Idempotency-Key and the operation's number: by them a creation is made once."""
    try:
        listing, status = _done(company, valid(OperationIn, operation), by=by, again=again)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            # Our own fault. Those before it are written, so the program has to learn of them all the same.
            logger.exception("An operation of a batch failed.")
            problem = Problem("internal-error")
        return {"status": problem.status_code, "problem": problem.as_dict()}
    written = rows.own_one(listing)
    return {"status": status, "etag": etag(dumps(written), listing.version), "listing": written}


def _done(company: Company, operation: Mapping[str, Any], *, by: User, again: tuple[str, int] | None) -> tuple[Listing, int]:
    op = operation["op"]
    _check_members(op, operation)
    if op == "create":
        key = _submission_key(company, operation["listing"], *again) if again else None
        with _under("listing"):
            return create(company, operation["listing"], by=by, submission_key=key), 201
    listing = _own(company, operation["uid"])
    if op == "update":
        with _under("listing"):
            return update(listing, operation["listing"], by=by, if_match=operation.get("if_match")), 200
    reason = {"reason": operation["reason"]} if "reason" in operation else {}
    return step(listing, op, reason, by=by, if_match=operation.get("if_match")), 200


def _submission_key(company: Company, content: object, key: str, number: int) -> uuid.UUID:
    """By which a batch that broke off and is sent again makes nothing twice. Another content is another creation, and so is any when the batch's answer is forgotten."""
    told = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    made = uuid.uuid5(_BATCHES, f"{company.uid} {number} {key} {told}")
    Listing.objects.filter(company=company, submission_key=made, created__lt=timezone.now() - idempotency.KEPT).update(submission_key=None)
    return made


def _check_members(op: str, operation: Mapping[str, Any]) -> None:
    """Refuse an operation that lacks what it needs."""
    needed = {"create": ("listing",), "update": ("uid", "if_match", "listing")}.get(op, ("uid",))
    if missing := [name for name in needed if name not in operation]:
        raise ValidationError({name: ValidationError(_("This operation needs it."), code="required") for name in missing})


class _under:  # noqa: N801 - reads as the statement it is
    """Point errors of what lies under a member into that member."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        """Raise the problem with its pointers moved."""
        problem = problem_of(error) if isinstance(error, Exception) else None
        if problem and problem.errors:
            problem.errors = [{**one, "pointer": pointer(self.name) + one["pointer"]} if "pointer" in one else one for one in problem.errors]
            raise problem from error

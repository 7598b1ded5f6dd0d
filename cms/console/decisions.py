"""A curator's decision on one listing, and on many."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.listings import operations
from marketplace.listings.enums import Move
from marketplace.listings.models import Listing

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one listing; `error` is empty when the decision was taken."""

    listing: Listing
    error: str = ""


def decide(listing: Listing, move: Move, *, by: User, reason: str = "") -> Result:
    """Take the decision in a transaction of its own; what stands against it becomes the result's error, never an exception."""
    try:
        if move == Move.PUBLISH:
            return Result(operations.publish(listing, by=by))
        take: Callable = {Move.REQUEST_CHANGES: operations.request_changes, Move.REJECT: operations.reject}[move]
        return Result(take(listing, by=by, reason=reason))
    except operations.IllegalMoveError as error:
        return Result(listing, " ".join([*error.messages, _last_step(listing)]).strip())
    except ValidationError as error:
        return Result(listing, " ".join(error.messages))
    except PermissionDenied:
        return Result(listing, _("You may not decide on this one: it belongs to a company that you act for. Ask a colleague."))
    except Listing.DoesNotExist:
        return Result(listing, _("This listing is not there any more."))


def decide_all(listings: Iterable[Listing], move: Move, *, by: User, reason: Callable[[str], str]) -> list[Result]:
    """The same decision on each, every one in its own transaction: what fails stops nothing. `reason` gives it in a language."""
    results = []
    for listing in listings:
        try:
            results.append(decide(listing, move, by=by, reason=reason(listing.company.language) if move != Move.PUBLISH else ""))
        except DatabaseError:
            logger.exception("decision %s on listing %s failed", move, listing.uid)
            results.append(Result(listing, _("The database did not answer. Nothing was changed; try this one again.")))
    return results


def _last_step(listing: Listing) -> str:
    """Who did what last, so that the second of two curators knows whom to ask."""
    step = listing.transitions.select_related("by").first()
    if step is None or step.by is None:
        return ""
    return _("Last step: %(step)s, by %(name)s.") % {"step": step.get_move_display(), "name": step.by.get_full_name()}

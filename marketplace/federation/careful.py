"""A page that cannot be written for a reason that nobody foresaw: its good items are written all the same, the guilty ones wait in quarantine.

Otherwise one strange item would keep all that its partner has to say behind it from us, erasures included.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from . import checking, writing
from .checking import UnfitError
from .items import Batch, Item
from .models import Partner
from .taking import Taking
from .writing import Outcome

logger = logging.getLogger(__name__)


def write(batch: Batch, partner: Partner, generation: int) -> Outcome:
    """As `writing.write`, in halves of halves down to the items that cannot be written.

    Raises what the first of several items raised if none can be written: then the fault is not theirs, and to set them aside would lose them.
    """
    outcome, guilty, written = Outcome(), [], 0
    parts: list[Sequence[Item]] = [batch.items]
    while parts:
        items = parts.pop()
        try:
            with transaction.atomic():
                # Anew for each part: what one part knows of words is undone with it.
                part = writing.write(replace(batch, items=items, faults=[]), Taking(partner), generation)
        except (OperationalError, InterfaceError):
            # The database is away, or two stood in each other's way.
            raise
        except Exception as error:
            if len(items) > 1:
                parts += [items[len(items) // 2 :], items[: len(items) // 2]]
                continue
            logger.exception("harvest: %s: %s cannot be written", partner, items[0].uri if items else "")
            guilty.append((items, error))
        else:
            outcome.counts += part.counts
            outcome.leaving += part.leaving
            written += len(items)
    if guilty and not written and len(batch.items) != 1:
        raise guilty[0][1]
    faults = [*batch.faults, *(checking.fault_of(item, _unforeseen(error)) for items, error in guilty for item in items)]
    last = writing.write(replace(batch, items=[], faults=faults), Taking(partner), generation)
    outcome.counts += last.counts
    return outcome


def _unforeseen(error: Exception) -> UnfitError:
    said = f"{type(error).__name__}: {error}"[:500]
    return UnfitError(
        "unforeseen", _("We cannot write this one, for a reason that nobody foresaw. Show it to those who look after this site: %(error)s") % {"error": said}
    )

"""How long what came from partners is kept once it is gone there, or the partnership is."""

import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from marketplace.companies import federated as companies
from marketplace.listings import federated
from marketplace.listings.models import Listing

from . import writing
from .enums import PartnerState, Reason
from .models import HarvestRun, RemoteListing

#: A listing that its origin took away is out of sight at once; so long its text is kept, for whoever has a contact under way because of it.
KEEP_CONTENT = datetime.timedelta(days=30)
KEEP_VISITS = datetime.timedelta(days=90)


@transaction.atomic
def withdraw_ended() -> int:
    """Take away some of the listings of partners with whom it is over; returns how many."""
    rows = RemoteListing.objects.filter(partner__state=PartnerState.ENDED, tombstoned_at=None).order_by("pk")[: writing.CHUNK]
    return writing.take_away([(row, Reason.WITHDRAWN, 0) for row in rows])


def prune() -> int:
    """Erase the contents of what went a month ago and forget old tombstones and visits; returns how many rows."""
    now, count = timezone.now(), 0
    old = RemoteListing.objects.filter(tombstoned_at__lt=now - KEEP_CONTENT).exclude(listing=None).exclude(fingerprint="").order_by("pk")
    while rows := list(old[: writing.CHUNK]):
        _purge(rows)
        count += len(rows)
    forgotten = RemoteListing.objects.filter(tombstoned_at__lt=now - datetime.timedelta(days=settings.FEDERATION_TOMBSTONE_DAYS), listing=None)
    return count + forgotten.delete()[0] + HarvestRun.objects.filter(started_at__lt=now - KEEP_VISITS).delete()[0]


@transaction.atomic
def _purge(rows: list[RemoteListing]) -> None:
    """Listings of which no person took notice go; of the others the title stays, which people know them by."""
    pks = [row.listing_id for row in rows]
    answered = set(Listing.objects.filter(_a_person_answered(), pk__in=pks).values_list("pk", flat=True))
    federated.blank(answered)
    companies.erase_idle(federated.erase(set(pks) - answered))
    RemoteListing.objects.filter(pk__in=[row.pk for row in rows]).update(fingerprint="", digest="")


def _a_person_answered() -> Q:
    """A person of either company said yes or no to a synergy of the listing."""
    return Q(synergies_as_offer__events__by__isnull=False) | Q(synergies_as_demand__events__by__isnull=False)

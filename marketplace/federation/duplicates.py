"""Listings that may be one: the same text at two partners, or similar texts of the same company. People decide; nothing is merged by itself."""

import datetime
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.listings import federated
from marketplace.listings.enums import Origin, State
from marketplace.listings.models import Listing

from .applying import Draft
from .enums import Decision
from .identities import NIF
from .models import Checkpoint, DuplicateCandidate, Partner, RemoteCompany, RemoteListing
from .rules import can_look

#: From this share of common words on, two texts of one company are worth a look. Two offers of one workshop share some 30 %.
SIMILAR = 0.6
#: Of a company that lists hundreds, only the newest are compared.
MOST_COMPARED = 50
#: So long it may take at a partner until what its site shows is in what it gives us.
MARGIN = datetime.timedelta(hours=1)
#: 1 is kept for what is not shown.
ALMOST = 0.99
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The listing `uri` that comes now may be `other`, which is here. `is_copy`: then it is not shown before a person has looked."""

    uri: str
    other_id: int
    similarity: float

    @property
    def is_copy(self) -> bool:
        """Whether it is the very same text, and the other was here first."""
        return self.similarity == 1


def suspect(drafts: Sequence[Draft], partner: Partner) -> list[Suspicion]:
    """What of these new listings may be here already, from another partner or from a company of our own; five queries at most."""
    found = _same_text(drafts, partner)
    return [*found, *_same_company([draft for draft in drafts if draft.item.uri not in {one.uri for one in found}], partner)]


def note(suspicions: Sequence[Suspicion], listings: Mapping[str, Listing]) -> None:
    """Write them down for a curator; `listings` are the new ones by their uri."""
    rows = [DuplicateCandidate(first_id=one.other_id, second=listings[one.uri], similarity=one.similarity) for one in suspicions if one.uri in listings]
    DuplicateCandidate.objects.bulk_create(rows, ignore_conflicts=True)


def similarity(one: str, other: str) -> float:
    """The share of words that two texts have in common (Jaccard), 0 to 1."""
    words, others = set(_WORD.findall(one.casefold())), set(_WORD.findall(other.casefold()))
    return len(words & others) / len(words | others) if words and others else 0.0


@transaction.atomic
def decide(candidate: DuplicateCandidate, decision: Decision, *, by: User) -> DuplicateCandidate:
    """A curator says whether the two are one. The same: the second is hidden here. Different: both are shown. Raises ValidationError when somebody was quicker."""
    if not can_look(by):
        raise PermissionDenied
    row = DuplicateCandidate.objects.select_for_update().get(pk=candidate.pk)
    if row.decision:
        raise ValidationError(_("Somebody has decided on these two already."), code="decided")
    row.decision, row.decided_by, row.decided_at = decision, by, timezone.now()
    row.save()
    listing = federated.lock([row.second_id]).get(row.second_id)
    if listing is not None:
        _carry_out(listing, decision, by)
    return row


def _carry_out(listing: Listing, decision: Decision, by: User) -> None:
    remote = RemoteListing.objects.select_related("partner").filter(listing=listing).first()
    if decision == Decision.SAME:
        federated.end([listing], {listing.pk: State.REJECTED}, reason=_("The same listing is here already."), by=by)
    elif remote and remote.held_back and not DuplicateCandidate.objects.filter(second=listing, decision="", similarity=1).exists():
        remote.held_back = False
        remote.save(update_fields=["held_back"])
        if remote.partner.publishes and listing.state == State.SUBMITTED:
            federated.show(listing, is_shown=True, by=by)


def _same_text(drafts: Sequence[Draft], partner: Partner) -> list[Suspicion]:
    """The same words at another partner.

    Held back is only what was not here when this partner was read last and the other's was: then this one is the copy. Otherwise nobody can say who
    copied whom, as their dates are their own word; who copies what is new elsewhere and is read first would keep the original from being shown.
    """
    prints = {draft.fingerprint: draft.item.uri for draft in drafts}
    rows = RemoteListing.objects.filter(fingerprint__in=prints, tombstoned_at=None).exclude(partner=partner).exclude(listing=None)
    found = list(rows.values_list("fingerprint", "listing_id", "harvested_at"))
    known = Checkpoint.objects.filter(partner=partner).values_list("last_success_at", flat=True).first() if found else None
    seen = known or partner.created
    return [Suspicion(prints[print_], listing_id, 1.0 if at < seen - MARGIN else ALMOST) for print_, listing_id, at in found]


def _same_company(drafts: Sequence[Draft], partner: Partner) -> list[Suspicion]:
    """Of companies with an identity: their listings here, of the same kind, with a similar text."""
    wanted = defaultdict(list)
    for draft in drafts:
        if draft.company.identity[1]:
            wanted[draft.company.identity].append(draft)
    companies = _companies(wanted, partner) if wanted else {}
    if not companies:
        return []
    others = defaultdict(list)
    rows = Listing.objects.filter(company__in=companies, state__in=(State.PUBLISHED, State.SUBMITTED)).order_by("-pk")
    for row in rows.values_list("pk", "company_id", "kind", "title", "description"):
        if len(others[companies[row[1]]]) < MOST_COMPARED:
            others[companies[row[1]]].append(row)
    found = []
    for identity, own in wanted.items():
        for draft in own:
            text = f"{draft.values['title']} {draft.values['description']}"
            for pk, _company, kind, title, description in others[identity]:
                alike = similarity(text, f"{title} {description}") if kind == draft.values["kind"] else 0
                if alike >= SIMILAR:
                    # A local listing with the same words is a company's own doing.
                    found.append(Suspicion(draft.item.uri, pk, min(alike, ALMOST)))
    return found


def _companies(identities: Collection[tuple[str, str]], partner: Partner) -> dict[int, tuple[str, str]]:
    """Keys of the companies here that have one of the identities, ours and other partners'."""
    numbers = [number for scheme, number in identities if scheme == NIF]
    own = Listing.objects.filter(company__tax_id__in=numbers).exclude(origin=Origin.PARTNER).values_list("company_id", "company__tax_id").distinct()
    found = {pk: (NIF, number) for pk, number in own}
    named = RemoteCompany.objects.filter(identifier__in={number for _scheme, number in identities}).exclude(partner=partner)
    for pk, scheme, number in named.values_list("company_id", "scheme", "identifier"):
        if (scheme, number) in identities:
            found[pk] = (scheme, number)
    return found

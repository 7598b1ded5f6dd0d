"""Aid meets the marketplace: the aid that could pay for a demand, and the offers that help to use an aid.

Both come from the engine, with the reasons that a synergy would have. An aid answers a demand as an offer does; asking for
offers, it is read as a demand. What the facts rule out (a size, a sector, a place, a rule that says no) is never proposed.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from django.utils import timezone
from django.utils.translation import get_language

import search
from marketplace.companies.models import Company
from marketplace.listings import documents as listing_documents
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from marketplace.synergies.quoted import Quoted

from . import documents
from .eligibility.evaluation import truth
from .eligibility.profile import profile_of
from .eligibility.rules import rule_of
from .models import AidPage
from .states import ALIVE

#: Below this nothing is proposed. An aid's text speaks of many things, of which a demand is one: it covers a demand less than an offer does.
#: Looked at on forty demands of the demo city: above it most are what one would have named, below 35 hardly any.
THRESHOLD = 40.0

#: On one page.
MOST = 4

#: Of every aid the engine knows one version a language.
_VERSIONS = 3


@dataclass(frozen=True)
class PayingAid:
    """An aid that could pay for a demand; `quoted` has the words of both texts, `page` is in the reader's language where there is one."""

    page: AidPage
    score: float
    quoted: Quoted


@dataclass(frozen=True)
class HelpfulOffer:
    """An offer that helps to use an aid."""

    listing: Listing
    score: float
    quoted: Quoted


def aid_for(demand: Listing) -> list[PayingAid]:
    """The aid that could pay for a demand loaded `for_display`, best first. Raises SearchUnavailable."""
    found = search.suggest(listing_documents.document(demand), among=documents.KIND, limit=MOST * _VERSIONS * 3, threshold=THRESHOLD)
    pages = _versions_of({suggestion.uid for suggestion in found})
    chosen: dict[object, PayingAid] = {}
    for suggestion in found:
        versions = pages.get(suggestion.uid)
        if not versions:
            continue  # Taken back since the index heard of it.
        quoted, shown = versions
        if shown.translation_key not in chosen and shown.state in ALIVE and may_have(shown, demand.company):
            reasons = [asdict(reason) for reason in suggestion.reasons]
            chosen[shown.translation_key] = PayingAid(shown, suggestion.score, Quoted(offer=stand_in(quoted, Kind.OFFER), demand=demand, reasons=reasons))
    return list(chosen.values())[:MOST]


def offers_for(page: AidPage) -> list[HelpfulOffer]:
    """The offers that help to use an aid, best first, one of a company. Raises SearchUnavailable."""
    asking = replace(documents.document(page), kind=Kind.DEMAND.value)
    found = search.suggest(asking, limit=MOST * 3, threshold=THRESHOLD)
    listings = {str(one.uid): one for one in Listing.objects.live().for_display().filter(uid__in=[suggestion.uid for suggestion in found])}
    chosen: dict[int, HelpfulOffer] = {}
    for suggestion in found:
        offer = listings.get(suggestion.uid)
        if offer and offer.company_id not in chosen:
            reasons = [asdict(reason) for reason in suggestion.reasons]
            chosen[offer.company_id] = HelpfulOffer(offer, suggestion.score, Quoted(offer=offer, demand=stand_in(page, Kind.DEMAND), reasons=reasons))
    return list(chosen.values())[:MOST]


def may_have(page: AidPage, company: Company) -> bool:
    """Whether neither a fact nor a rule of the aid shuts the company out; what is not known does not."""
    return truth(rule_of(page), profile_of(company), timezone.localdate()).value != "no"


def stand_in(page: AidPage, kind: Kind) -> Listing:
    """A listing that is never saved: it carries an aid's text, as the engine read it, to those functions that mark what matched."""
    read = documents.document(page)
    return Listing(kind=kind, title=read.title, description=read.description, language=read.language, published_at=timezone.now())


def _versions_of(uids: Iterable[str]) -> dict[str, tuple[AidPage, AidPage]]:
    """By the engine's name: the version it found, and the one for the reader."""
    rows = AidPage.objects.live().public().values_list("pk", "translation_key", "locale__language_code")
    names = {(key, language): (pk, str(documents.uid_of_version(key, language))) for pk, key, language in rows}
    wanted = {key for (key, _), (_, uid) in names.items() if uid in uids}
    mine = get_language()
    loaded = {page.pk: page for page in documents.with_facts(AidPage.objects.filter(pk__in=[names[one][0] for one in names if one[0] in wanted]))}
    return {
        uid: (loaded[pk], loaded[names.get((key, mine), (pk, uid))[0]])
        for (key, _language), (pk, uid) in names.items()
        if uid in uids and pk in loaded and names.get((key, mine), (pk, uid))[0] in loaded
    }

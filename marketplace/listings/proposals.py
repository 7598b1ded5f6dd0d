"""What the form proposes while somebody writes: the language, the sector, listings that are like it.

The engine only helps here. Whatever happens to it, a listing can be written: each function has an answer without it.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping

from django.utils import timezone

import search
from marketplace.companies import sectors
from marketplace.companies.models import Company, Sector
from search import ListingDocument

from . import results
from .enums import Category, Kind
from .models import Listing

logger = logging.getLogger(__name__)

SECTORS_SHOWN = 3
SIMILAR_SHOWN = 4
#: Shorter texts say nothing about a sector.
SHORTEST_TEXT = 8
#: How many like listings have a say in the sector, and how like (0–100) they must be.
NEIGHBOURS = 12
NEIGHBOUR_THRESHOLD = 15.0
#: What each source can give a sector at most. The company's own is right for 88 % of the demo city's offers and 35 % of its
#: demands; with these weights the right class is among the three for 79 % of both, its division for 85 %.
LABELS, LIKE_LISTINGS, OWN_SECTOR = 0.7, 1.2, 1.6


def language_of(text: str, *, default: str = "ca") -> str:
    """The language of `text`; `default` for a text without words."""
    try:
        return search.detect_language(text) if text.strip() else default
    except Exception:
        logger.exception("The language of a text could not be detected")
        return default


def sectors_for(fields: Mapping[str, str], company: Company) -> list[Sector]:
    """The sectors that fit a listing in the making best; the company's own alone when there is hardly any text."""
    text = f"{fields.get('title', '')} {fields.get('description', '')} {fields.get('keywords', '')}".strip()
    if len(text) < SHORTEST_TEXT:
        return [sectors.tree()[company.sector_id]]
    votes: dict[str, float] = defaultdict(float)
    for code, share in _shares(_by_labels(fields, company)).items():
        votes[code] += LABELS * share
    for code, share in _shares(_by_neighbours(fields, company)).items():
        votes[code] += LIKE_LISTINGS * share
    votes[company.sector_id] += OWN_SECTOR
    best = sorted(votes, key=lambda code: (-votes[code], code))[:SECTORS_SHOWN]
    return [sectors.tree()[code] for code in best if code in sectors.tree()]


def similar(fields: Mapping[str, str], company: Company, *, listing: Listing | None = None) -> list[Listing]:
    """Live listings of others that are about the same and on the same side, for a look before publishing."""
    if len(fields.get("title", "").strip()) < SHORTEST_TEXT:
        return []
    try:
        return results.similar(draft_document(fields, company, uid=str(listing.uid) if listing else ""), limit=SIMILAR_SHOWN)
    except Exception:
        logger.exception("No similar listings")
        return []


def twin(fields: Mapping[str, str], company: Company, *, listing: Listing | None = None) -> Listing | None:
    """The company's own listing of the same kind and title, if it has one already."""
    title = fields.get("title", "").strip()
    if len(title) < SHORTEST_TEXT:
        return None
    return Listing.objects.current().filter(company=company, kind=fields.get("kind", ""), title__iexact=title).exclude(pk=listing and listing.pk).first()


def draft_document(fields: Mapping[str, str], company: Company, *, uid: str = "") -> ListingDocument:
    """What a listing in the making would be to the engine. Its sector is left out: it is what we want to know."""
    title, description = fields.get("title", ""), fields.get("description", "")
    kind, category = fields.get("kind"), fields.get("category")
    return ListingDocument(
        uid=uid,
        version=0,
        kind=kind if kind in Kind.values else Kind.OFFER.value,
        category=category if category in Category.values else Category.SOLUTION.value,
        language=_language(fields, company),
        title=title,
        description=description,
        company_uid=str(company.uid),
        company_name=company.name,
        company_size=company.size,
        remote=True,
        published_at=timezone.now(),
        valid_until=timezone.localdate(),
    )


def _language(fields: Mapping[str, str], company: Company) -> str:
    """The chosen language, else that of the text."""
    chosen = fields.get("language", "")
    return chosen if chosen in search.LANGUAGES else language_of(f"{fields.get('title', '')} {fields.get('description', '')}", default=company.language)


def _by_labels(fields: Mapping[str, str], company: Company) -> dict[str, float]:
    title, description = fields.get("title", ""), fields.get("description", "")
    language = _language(fields, company)
    scores: dict[str, float] = defaultdict(float)
    # What the title names is the thing itself; the description also names materials, uses and places.
    for text, weight in ((title, 1.0), (f"{description} {fields.get('keywords', '')}", 0.5)):
        for code, score in sectors.scores(text, language).items():
            scores[code] += weight * score
    return scores


def _by_neighbours(fields: Mapping[str, str], company: Company) -> dict[str, float]:
    """The sectors of live listings that are like it, on either side of the market, by how like they are."""
    draft = draft_document(fields, company)
    scores: dict[str, float] = defaultdict(float)
    try:
        for kind in Kind.values:
            asking = ListingDocument.from_source(draft.to_source() | {"kind": kind})
            found = {one.uid: one.score for one in search.suggest(asking, limit=NEIGHBOURS, threshold=NEIGHBOUR_THRESHOLD)}
            for uid, code in Listing.objects.live().filter(uid__in=found).values_list("uid", "sector"):
                scores[code] += found[str(uid)]
    except search.SearchUnavailable:
        return {}
    except Exception:
        logger.exception("Like listings could not be asked for their sectors")
        return {}
    return scores


def _shares(scores: dict[str, float]) -> dict[str, float]:
    """The same, with 1 for the best."""
    best = max(scores.values(), default=0) or 1
    return {code: score / best for code, score in scores.items()}

"""From what a partner says of a listing to the fields of one here, with a clear word where that does not go.

What only differs in taste is mended (a long title is cut between words, mark-up is taken out); what would make the listing say something else is a
fault: no title, no kind, a date that is none, a sector or municipality that nobody has told us how to read.
"""

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from marketplace.companies import places, sectors
from marketplace.companies.enums import Size
from marketplace.companies.models import Place, Sector
from marketplace.imports.texts import cut, cut_at_sentence, first_sentence
from marketplace.listings.enums import Category, Kind
from marketplace.listings.models import MAX_DESCRIPTION

from .checking import UnfitError, check_uri
from .enums import Scheme
from .identities import identity
from .items import Item
from .readers.facts import plain
from .taking import Taking

MAX_TITLE, MAX_KEYWORDS, MAX_NAME, MAX_ABOUT, MAX_WEB, MAX_PAGE = 120, 200, 160, 4000, 200, 500
SHORTEST_TITLE = 3
MAX_REACH = 1000
TYPES = {"Offer": Kind.OFFER, "Demand": Kind.DEMAND}
ITEM_TYPES = {"Product": Category.PRODUCT, "Service": Category.SOLUTION}
CODE_SETS = {"sector": "NACE Rev. 2", "place": "INE municipalities"}
_WEB = URLValidator(schemes=["http", "https"])
#: What a key of a company is made from where the origin has no address for it.
SYNTHETIC = "urn:x-marketplace-company:"


@dataclass(slots=True)
class CompanyDraft:
    """Whose listing it is. `identity` is (scheme, id) of a legal person, ("", "") where there is none to be kept.

    `values` are what the origin says of it, by column; `guesses` what is taken from its first listing where the origin says nothing.
    """

    uri: str
    identity: tuple[str, str]
    values: dict[str, object]
    guesses: dict[str, object]

    @property
    def digest(self) -> str:
        """Changes when something that the origin says does."""
        return _sha(*self.identity, *(str(self.values[name]) for name in sorted(self.values)))


@dataclass(slots=True)
class Draft:
    """What the listing of an item shall be here. `values` are those of listings.federated.FIELDS but the company, by column."""

    item: Item
    company: CompanyDraft
    values: dict[str, object]
    page: str
    published_at: datetime.datetime

    @property
    def fingerprint(self) -> str:
        """The same for the same text of a company of the same name, whoever shows it and under whatever address."""
        texts = (self.values["kind"], self.values["title"], self.values["description"], self.company.values["name"])
        return _sha(*(" ".join(str(text).casefold().split()) for text in texts))


def read(item: Item, taking: Taking) -> Draft:
    """What the item's listing shall be here; raises UnfitError. The item has been checked."""
    node = _object(item.listing)
    kind = _kind(node, taking)
    title, description = _texts(node)
    language = _language(node, taking)
    place = _place(node, taking)
    sector = _sector(node, taking)
    valid_until, published_at = _validity(item, node)
    values = {
        "kind": kind,
        "category": _category(node, taking),
        "title": title,
        "description": description,
        "keywords": _keywords(node),
        "language": language,
        "sector_id": sector.pk,
        "place_id": place.pk,
        "reach_km": _reach(node),
        "remote": node.get("mp:remote") is True,
        "valid_until": valid_until,
    }
    owner = _object(node.get("offeredBy" if kind == Kind.OFFER else "mp:soughtBy") or node.get("offeredBy") or node.get("mp:soughtBy") or {})
    company = _company(owner, taking, sector=sector, place=place, language=language)
    return Draft(item, company, values, _page(node, taking), published_at)


def has_ended(draft: Draft) -> bool:
    """Whether its last day has passed: nothing to show here."""
    expires = draft.item.expires_at
    return draft.values["valid_until"] < timezone.localdate() or (expires is not None and expires < timezone.now())


def _object(value: object) -> Mapping:
    """A JSON object; for a list of one, that one. Anything else says nothing."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """A text without mark-up; of a number its digits, of {"@value": …} its value, of anything else nothing."""
    if isinstance(value, Mapping):
        value = value.get("@value")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    text = str(value)
    # Most are short and hold nothing to take out; halves of characters and line ends are not printable.
    return text.strip() if text.isprintable() and "<" not in text and "&" not in text and "  " not in text else plain(text)


def _line(value: object) -> str:
    return " ".join(_text(value).split())


def _kind(node: Mapping, taking: Taking) -> Kind:
    types = node.get("@type")
    for name in types if isinstance(types, list) else [types]:
        if isinstance(name, str) and name.removeprefix("https://schema.org/") in TYPES:
            return TYPES[name.removeprefix("https://schema.org/")]
    if (said := _line(node.get("mp:kind"))) and (found := taking.words.resolve(Scheme.KIND, said)):
        return Kind(found)
    raise UnfitError("no-kind", _("It says neither that it is an Offer nor that it is a Demand (“@type”)."))


def _texts(node: Mapping) -> tuple[str, str]:
    """Title and description within our limits; a title that is too long is whole at the head of the description."""
    title, description = _line(node.get("name")), _text(node.get("description"))
    if not title:
        title = first_sentence(description)
    if len(title) < SHORTEST_TITLE:
        raise UnfitError("no-title", _("The title (“name”) is missing or has fewer than %(count)d letters.") % {"count": SHORTEST_TITLE})
    if len(title) > MAX_TITLE and title not in description:
        description = f"{title}\n\n{description}".strip()
    return cut(title, MAX_TITLE), cut_at_sentence(description or title, MAX_DESCRIPTION)


def _keywords(node: Mapping) -> str:
    words = node.get("keywords")
    words = words.split(",") if isinstance(words, str) else words if isinstance(words, list) else []
    kept = []
    for word in dict.fromkeys(filter(None, (_line(word).replace(",", " ") for word in words[:100]))):
        if len(", ".join([*kept, word])) > MAX_KEYWORDS:
            break
        kept.append(word)
    return ", ".join(kept)


def _language(node: Mapping, taking: Taking) -> str:
    """Ours, if it is one of ours; a text in any other is shown as one in the partner's usual language."""
    said = node.get("inLanguage")
    said = said if isinstance(said, str) else _line(_object(said).get("alternateName") or _object(said).get("name"))
    if said[:2].lower() in dict(settings.LANGUAGES) and not said[2:3].isalpha():
        return said[:2].lower()
    return str(taking.words.resolve(Scheme.LANGUAGE, said) or taking.partner.default_language) if said else taking.partner.default_language


def _category(node: Mapping, taking: Taking) -> Category:
    said = _line(node.get("mp:kindOfThing"))
    if said in Category.values:
        return Category(said)
    if said and (found := taking.words.resolve(Scheme.CATEGORY, said)):
        return Category(found)
    kind = _object(node.get("itemOffered")).get("@type")
    return ITEM_TYPES.get(kind, Category.SOLUTION) if isinstance(kind, str) else Category.SOLUTION


def _sector(node: Mapping, taking: Taking) -> Sector:
    said = node.get("category")
    about = said if isinstance(said, str) else _object(said)
    code, label = ("", _line(about)) if isinstance(about, str) else (_line(about.get("codeValue")), _line(about.get("name")))
    code_set = "" if isinstance(about, str) else _line(about.get("inCodeSet"))
    if code and code_set in ("", CODE_SETS["sector"]) and code.replace(".", "").upper() in sectors.tree():
        return sectors.tree()[code.replace(".", "").upper()]
    found = taking.words.resolve(Scheme.SECTOR, code or label, label) if code or label else None
    if found is None:
        found = taking.partner.default_sector
    if found is None:
        raise UnfitError("unknown-sector", _("We do not know which sector “%(label)s” is. Say so in the partner's mapping.") % {"label": (label or code)[:100]})
    return found


def _place(node: Mapping, taking: Taking) -> Place:
    about = node.get("mp:place") or _object(node.get("areaServed")).get("name")
    about = {"name": about} if isinstance(about, str) else _object(about)
    code, label = _line(about.get("identifier")), _line(about.get("name"))
    if code in places.known():
        return places.known()[code]
    found = taking.words.resolve(Scheme.PLACE, code or label, label) if code or label else None
    if found is None:
        found = taking.partner.default_place
    if found is None:
        raise UnfitError(
            "unknown-place", _("We do not know which municipality “%(label)s” is. Say so in the partner's mapping.") % {"label": (label or code)[:100]}
        )
    return found


def _reach(node: Mapping) -> int | None:
    said = node.get("mp:reachKm")
    if said is None and isinstance(radius := _object(node.get("areaServed")).get("geoRadius"), (int, float)) and not isinstance(radius, bool):
        said = radius / 1000
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 < said < float("inf"):
        return None
    return min(max(round(said), 1), MAX_REACH)


def _validity(item: Item, node: Mapping) -> tuple[datetime.date, datetime.datetime]:
    """The last day, and when it was published. Where the origin knows no end, ours is the usual one, counted from its last change."""
    today, now = timezone.localdate(), timezone.now()
    begun = _day(node, "validFrom")
    published = timezone.make_aware(datetime.datetime.combine(begun, datetime.time())) if begun else item.updated_at or now
    until = _day(node, "validThrough")
    if until is None and item.expires_at:
        until = timezone.localdate(item.expires_at)
    if until is None:
        changed = timezone.localdate(item.updated_at) if item.updated_at else today
        until = max(min(changed, today) + datetime.timedelta(days=settings.LISTING_VALIDITY_DAYS), today)
    return min(until, today + datetime.timedelta(days=10 * 365)), min(published, now)


def _day(node: Mapping, name: str) -> datetime.date | None:
    said = node.get(name)
    if said is None:
        return None
    try:
        found = parse_date(said) or _date_of(parse_datetime(said))
    except (TypeError, ValueError):
        found = None
    # The years that every clock and every database knows.
    if found is None or not 1970 <= found.year <= 9998:  # noqa: PLR2004
        raise UnfitError("bad-date", _("“%(text)s” is no date (“%(name)s”). It should look like 2026-12-31.") % {"text": str(said)[:60], "name": name})
    return found


def _date_of(moment: datetime.datetime | None) -> datetime.date | None:
    return moment.date() if moment else None


def _page(node: Mapping, taking: Taking) -> str:
    """The listing's page for people: only at the partner's, so that no listing leads elsewhere."""
    address = _web(node.get("url"), MAX_PAGE)
    return address if urlsplit(address).netloc.lower() in taking.hosts else ""


def _web(value: object, limit: int) -> str:
    address = value.strip() if isinstance(value, str) else ""
    # Django's validator lets a NUL and half a character pass, which no database takes.
    if not address or len(address) > limit or not address.isprintable():
        return ""
    try:
        _WEB(address)
    except ValidationError:
        return ""
    return address


def _company(node: Mapping, taking: Taking, *, sector: Sector, place: Place, language: str) -> CompanyDraft:
    name = cut(_line(node.get("name")), MAX_NAME)
    ident = identity(_object(node.get("identifier")))
    uri = node.get("@id")
    try:
        check_uri(uri if isinstance(uri, str) else "", taking)
    except UnfitError:
        uri = f"{SYNTHETIC}{taking.partner.uid}:{_sha(*(ident if ident[1] else (name.casefold(),)))[:32] if name else 'partner'}"
    known = {
        "place_id": getattr(places.match(_line(_object(node.get("address")).get("addressLocality"))), "pk", None),
        "size": node.get("mp:size") if node.get("mp:size") in Size.values else None,
    }
    values = {
        "name": name or taking.partner.name,
        "description": cut_at_sentence(_text(node.get("description")), MAX_ABOUT),
        "web": _web(node.get("url"), MAX_WEB),
        "source_name": taking.partner.name,
        **{name: value for name, value in known.items() if value},
    }
    return CompanyDraft(uri, ident, values, {"sector_id": sector.pk, "place_id": place.pk, "size": Size.MICRO, "language": language})


def _sha(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()

"""From the facts of one record to the federation's JSON-LD.

The same facts give the same listing, byte for byte, whatever format they came in: what we recognise (a municipality, a sector, a
date) is written in one spelling, what we do not is passed on as it is, for `mapping` to find out what the partner means by it.
"""

import datetime
import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

import rfc8785
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.companies.validators import clean_tax_id, is_legal_person, validate_tax_id
from marketplace.core.addresses import AddressError, parse
from marketplace.federation import digests
from marketplace.federation.fetching import hosts_of
from marketplace.federation.items import UPSERT, Item
from marketplace.imports import values
from marketplace.imports.texts import cut, cut_at_sentence, first_sentence
from marketplace.listings.enums import Kind
from marketplace.listings.models import MAX_DESCRIPTION

from .fields import TRANSLATED, Field

CONTEXT = "https://schema.org"
CODE_SET = "NACE Rev. 2"
MAX_TITLE, MAX_NAME, MAX_ABOUT, MAX_KEYWORDS, MAX_URI = 120, 160, 4000, 30, 500
#: Nobody reads more, and mark-up without end costs time.
MAX_TEXT = 60_000
#: A longer identifier is told by its hash, so that an address stays one.
MAX_ID = 120
#: What stays as it is in an address; the rest is percent-encoded, since an address is ASCII.
SAFE = "%:/?#[]@!$&'()*+,;=~"
#: Whom to write to, as feeds and forms put it beside a name: "anna@firm.example (Taller, SL)".
EMAIL = re.compile(r"[(<\[]?\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b[)>\]]?")
ITEM_TYPES = {"product": "Product"}
FIRST_YEAR, LAST_YEAR = 1970, 9998
FAR_FUTURE = datetime.date(2200, 1, 1)
_MARK = re.compile(r"<!--|<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]{0,30})\b[^<>]{0,2000}>|<[!?][^<>]{0,2000}>")
_CONTROL, _GAP = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"), re.compile(r"\n{3,}")
_BLOCKS = frozenset(("p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "table", "blockquote", "section", "article"))
#: A link mark-up may hold and no text should: a listing's own text is plain.
_NO_TEXT = frozenset(("script", "style", "template", "noscript", "iframe", "object", "svg"))


class RecordError(Exception):
    """One record is no listing; `uri` where it is known which one it would have been."""

    def __init__(self, code: str, message: str, uri: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.uri = code, message, uri


class Maker:
    """Makes the items of one partner. `options` are the reader's: kind, defaults (field → text), values (field → partner's word → ours)."""

    def __init__(self, partner: object, options: Mapping) -> None:
        self._name = str(partner.name)
        self._base = _base(str(partner.base_url))
        self._hosts = hosts_of(partner, "https") | hosts_of(partner, "http")
        self._kind = options.get("kind") if options.get("kind") in Kind.values else ""
        self._defaults = {str(name): str(value) for name, value in _mapping(options.get("defaults")).items() if value}
        self._values = {
            str(name): {values.fold(str(theirs)): str(ours) for theirs, ours in _mapping(translations).items()}
            for name, translations in _mapping(options.get("values")).items()
        }

    def items(self, facts: Mapping[str, str]) -> Iterator[Item]:
        """The record's listings: one, or two where it holds what a company offers and what it needs; none that has ended. Raises RecordError."""
        facts = self._with_defaults({name: plain(text) for name, text in facts.items() if text and text.strip()})
        halves = {kind: facts[kind] for kind in Kind.values if facts.get(kind) and values.flag(facts[kind]) is None}
        if halves:
            for kind, text in halves.items():
                yield from self._item(facts | {Field.KIND: kind, Field.DESCRIPTION: text}, part=kind if len(halves) > 1 else "")
        else:
            # A tick in the column "we offer" says which side it is; the text stands elsewhere.
            ticked = [kind for kind in Kind.values if values.flag(facts.get(kind, "")) and facts.get(kind)]
            yield from self._item(facts | ({Field.KIND: ticked[0]} if len(ticked) == 1 and not facts.get(Field.KIND) else {}))

    def uri_of(self, facts: Mapping[str, str], part: str = "") -> str:
        """The listing's address for programs: the record's own identifier where it is an address at the partner's, else one made from it.

        Without an identifier it is made from what the listing is called and whose it is, so that a change of its text keeps it.
        """
        stated = facts.get(Field.ID, "").strip()
        if stated and self._is_own(address := quote(stated, safe=SAFE)):
            stated = address
            return f"{stated}#{part}" if part else stated
        if stated:
            name = quote(stated, safe="") if len(quote(stated, safe="")) <= MAX_ID else _hash(stated)
        else:
            told = facts.get(Field.TITLE) or facts.get(Field.DESCRIPTION, "")
            name = _hash(values.company_key(facts.get(Field.COMPANY, "")), facts.get(Field.KIND, ""), values.fold(told))
        return f"{self._base}/#listing-{name}{f'-{part}' if part else ''}"

    # --- The parts

    def _is_own(self, uri: str) -> bool:
        """Whether an identifier may stand as it is: on a host of another, it would claim somebody else's listing."""
        try:
            parts = urlsplit(uri)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc.lower() in self._hosts and len(uri) <= MAX_URI - 10

    def _with_defaults(self, facts: dict[str, str]) -> dict[str, str]:
        for name in TRANSLATED:
            if meant := self._values.get(name, {}).get(values.fold(facts.get(name, ""))):
                facts[name] = meant
        return self._defaults | facts

    def _item(self, facts: Mapping[str, str], part: str = "") -> Iterator[Item]:
        title, description = _texts(facts)
        kind = self._kind_of(facts)
        uri = self.uri_of({**facts, Field.TITLE: facts.get(Field.TITLE) or title, Field.KIND: kind or facts.get(Field.KIND, "")}, part)
        if not title:
            raise RecordError("no-text", _("neither a title nor a description. Ask the partner to write one."), uri)
        valid_until = _day(facts, Field.VALID_UNTIL, uri)
        if valid_until and valid_until < timezone.localdate():
            return
        listing = {"@context": [CONTEXT, f"{self._base}/api/federation/v1/context"], **_kind_node(kind, facts, uri), "@id": uri}
        listing |= {"url": self._page(facts), "name": title, "description": description, "inLanguage": _language(facts), "keywords": _keywords(facts)}
        listing |= {"category": _sector(facts), "mp:kindOfThing": _category(facts)}
        listing["itemOffered"] = {"@type": ITEM_TYPES.get(listing["mp:kindOfThing"], "Service"), "name": title}
        listing |= {"mp:place": _place(facts.get(Field.PLACE, "")), "mp:reachKm": _reach(facts), "mp:remote": _remote(facts)}
        valid_from = _day(facts, Field.VALID_FROM, uri)
        listing |= {"validFrom": valid_from and valid_from.isoformat(), "validThrough": valid_until and valid_until.isoformat()}
        listing["mp:soughtBy" if kind == Kind.DEMAND else "offeredBy"] = self._company(facts)
        listing = {name: value for name, value in listing.items() if value not in (None, "", [])}
        yield Item(
            op=UPSERT, uri=uri, updated_at=_moment(facts.get(Field.UPDATED, "")), expires_at=_end_of(valid_until), digest=digest_of(listing), listing=listing
        )

    def _kind_of(self, facts: Mapping[str, str]) -> str:
        said = facts.get(Field.KIND, "")
        meant = {said} if said in Kind.values else values.kinds(said)
        return next(iter(meant)) if len(meant) == 1 else self._kind if not said else ""

    def _page(self, facts: Mapping[str, str]) -> str:
        """The listing's page for people; only at the partner's, and only over http(s)."""
        for stated in (facts.get(Field.URL, ""), facts.get(Field.ID, "")):
            try:
                address = urljoin(self._base + "/", stated.strip()) if stated and ("/" in stated) else ""
            except ValueError:
                continue
            if address and self._is_own(address := quote(address, safe=SAFE)):
                return address
        return ""

    def _company(self, facts: Mapping[str, str]) -> dict[str, object]:
        """Whose listing it is; where the record says nothing, the partner speaks for itself."""
        name = cut(" ".join(EMAIL.sub("", facts.get(Field.COMPANY, "")).split()).strip(" ,;<>"), MAX_NAME) or self._name
        tax_id = _tax_id(facts.get(Field.TAX_ID, ""))
        key = _hash(values.company_key(name)) if name != self._name else "partner"
        node: dict[str, object] = {"@type": "Organization", "@id": f"{self._base}/#company-{tax_id or key}", "name": name}
        if name != self._name:
            web, size = facts.get(Field.WEB, ""), facts.get(Field.SIZE, "")
            node |= {"url": _web(web), "description": cut(facts.get(Field.ABOUT, ""), MAX_ABOUT), "mp:size": values.size(size) if size else None}
        if tax_id:
            node["identifier"] = {"@type": "PropertyValue", "propertyID": "NIF", "value": tax_id}
        place = _place(facts.get(Field.COMPANY_PLACE, "") or facts.get(Field.PLACE, ""))
        if place:
            node["address"] = {"@type": "PostalAddress", "addressLocality": place["name"], "addressCountry": "ES"}
        return {name: value for name, value in node.items() if value}


def digest_of(listing: Mapping) -> str:
    """SHA-256 of the canonical JSON (RFC 8785); raises RecordError for what has none."""
    try:
        return digests.digest_of(dict(listing))
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise RecordError("not-json", _("the text holds characters that cannot be stored."), str(listing.get("@id", ""))) from error


def plain(text: str) -> str:
    """The text without mark-up, control characters and halves of characters; paragraphs stay apart.

    Not a parser of HTML: the library's need a minute for a hundred thousand opened paragraphs, this is one walk whatever comes.
    """
    # Halves of surrogate pairs are no characters, and no database takes a NUL.
    text = _CONTROL.sub("", text[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8"))
    if "<" in text:
        text = "".join(_without_marks(text))
    if "&" in text:
        text = _CONTROL.sub("", html.unescape(text))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return _GAP.sub("\n\n", "\n".join(lines)).strip()


def _without_marks(text: str) -> Iterator[str]:
    """The text between the marks, a line's end for each that begins or ends a block."""
    low, place = text.lower(), 0
    while mark := _MARK.search(text, place):
        yield text[place : mark.start()]
        name = (mark["name"] or "").lower()
        if mark[0] == "<!--" or (name in _NO_TEXT and not mark["end"]):
            close = "-->" if mark[0] == "<!--" else f"</{name}"
            place = low.find(close, mark.end())
            if place < 0:
                return
            place += len(close) if close == "-->" else 0
            continue
        if name in _BLOCKS:
            yield "\n"
        place = mark.end()
    yield text[place:]


# --- What the facts mean ------------------------------------------------------------------------------------------------


def _texts(facts: Mapping[str, str]) -> tuple[str, str]:
    """Title and description within our limits; what is missing is taken from the other."""
    title, description = " ".join(facts.get(Field.TITLE, "").split()), facts.get(Field.DESCRIPTION, "")
    if len(title) > MAX_TITLE and title not in description:
        description = f"{title}\n\n{description}".strip()
    title = title or first_sentence(description)
    return cut(title, MAX_TITLE), cut_at_sentence(description or title, MAX_DESCRIPTION)


def _kind_node(kind: str, facts: Mapping[str, str], uri: str) -> dict[str, str]:
    if kind:
        return {"@type": "Offer" if kind == Kind.OFFER else "Demand"}
    if said := facts.get(Field.KIND, ""):
        # `mapping` may know what the partner means by the word.
        return {"@type": "mp:Listing", "mp:kind": said[:200]}
    raise RecordError("no-kind", _("nothing says whether it is an offer or a demand. Choose the column that does, or say that all are of one kind."), uri)


def _language(facts: Mapping[str, str]) -> str:
    said = facts.get(Field.LANGUAGE, "")
    return values.language(said) or said[:35] if said else ""


def _keywords(facts: Mapping[str, str]) -> list[str]:
    words = (" ".join(word.split())[:60] for word in values.choices(facts.get(Field.KEYWORDS, "")))
    return list(dict.fromkeys(filter(None, words)))[:MAX_KEYWORDS]


def _sector(facts: Mapping[str, str]) -> dict[str, str] | None:
    said = " ".join(facts.get(Field.SECTOR, "").split())[:300]
    if not said:
        return None
    if found := values.sector(said):
        # One label whatever the language of this moment: the digest is of these words.
        return {"@type": "CategoryCode", "inCodeSet": CODE_SET, "codeValue": found.code, "name": found.label_ca}
    return {"@type": "CategoryCode", "name": said}


def _category(facts: Mapping[str, str]) -> str | None:
    said = " ".join(facts.get(Field.CATEGORY, "").split())[:200]
    return (values.category(said) or said) if said else None


def _place(said: str) -> dict[str, object] | None:
    said = " ".join(said.split())[:120]
    if not said:
        return None
    if found := values.place(said):
        geo = {"@type": "GeoCoordinates", "latitude": found.latitude, "longitude": found.longitude}
        return {"@type": "City", "identifier": found.code, "name": found.name, "geo": geo}
    return {"@type": "City", "name": said}


def _reach(facts: Mapping[str, str]) -> int | None:
    found = values.number(facts.get(Field.REACH, ""))
    return found if found and 1 <= found <= 1000 else None  # noqa: PLR2004 - the limits of the listing's field


def _remote(facts: Mapping[str, str]) -> bool | None:
    return values.flag(facts[Field.REMOTE]) if facts.get(Field.REMOTE) else None


@lru_cache(10_000)
def _tax_id(said: str) -> str:
    """The NIF of a legal person; that of a natural one is left where it is."""
    number = clean_tax_id(said)
    if not is_legal_person(number):
        return ""
    try:
        validate_tax_id(number)
    except ValidationError:
        return ""
    return number


def _web(said: str) -> str:
    address = said if re.match(r"https?://", said, re.IGNORECASE) else f"https://{said}" if re.fullmatch(r"[\w.-]+\.[a-zA-Z]{2,}(/\S*)?", said) else ""
    return address if len(address) <= 200 else ""  # noqa: PLR2004 - the field's length


def _moment(said: str) -> datetime.datetime | None:
    """A point in time as ISO 8601, as mails and RSS write it, or as people here do; None for what is none, also for a year that no clock knows."""
    said = said.strip()[:60]
    if not said:
        return None
    for read in (datetime.datetime.fromisoformat, values.moment, parsedate_to_datetime):
        try:
            found = read(said)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        if found is not None:
            return _in_utc(found)
    return None


def _in_utc(found: datetime.datetime) -> datetime.datetime | None:
    """In the years that every clock and every database knows."""
    try:
        moment = (found if found.tzinfo else timezone.make_aware(found)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _day(facts: Mapping[str, str], name: Field, uri: str) -> datetime.date | None:
    said = facts.get(name, "").strip()
    if not said:
        return None
    try:
        found = datetime.date.fromisoformat(said)
    except ValueError:
        moment = _moment(said)
        found = timezone.localdate(moment) if moment else None
    if found is None or found.year < FIRST_YEAR:
        raise RecordError("bad-date", _("“%(text)s” is no date. Write it like 2026-12-31.") % {"text": said[:60]}, uri)
    return min(found, FAR_FUTURE)


def _end_of(day: datetime.date | None) -> datetime.datetime | None:
    if day is None:
        return None
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(23, 59, 59))).astimezone(datetime.UTC)


def _base(url: str) -> str:
    """The partner's address in one ASCII spelling, without the stroke at its end."""
    try:
        return parse(url.strip()).url.partition("#")[0].rstrip("/")
    except AddressError:
        return quote(url.strip().partition("#")[0].rstrip("/"), safe=SAFE)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:24]


def _mapping(value: object) -> Mapping:
    return value if isinstance(value, Mapping) else {}

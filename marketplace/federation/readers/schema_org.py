"""What a web page says in schema.org's words (JSON-LD in its head), as facts of listings.

Read are Offer and Demand, Product and Service (each an offer), and what an organisation `makesOffer` or `seeks`, wherever they
stand in the graph: alone, in `@graph`, in an ItemList or an OfferCatalog. A node that is only a reference ({"@id": …}) is looked up
on the same page.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from marketplace.listings.enums import Kind

from .fields import Field

MAX_NODES, MAX_DEPTH, MAX_LISTINGS, MAX_CELL = 5000, 12, 200, 20_000
_START = re.compile(r"<!--|<script\b[^>]{0,1000}>")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
#: Local business has some 150 kinds; who makes an offer or seeks something is one whatever it is called.
THINGS = frozenset(("Offer", "AggregateOffer", "Demand", "Product", "ProductModel", "IndividualProduct", "Service", "GovernmentService", "FinancialProduct"))
#: Where a node's listings stand that are not its own parts.
LISTS = ("@graph", "itemListElement", "item", "mainEntity", "hasOfferCatalog", "about", "hasPart")
OWNERS = ("offeredBy", "seller", "provider", "mp:soughtBy", "brand", "manufacturer")


def blocks(html: str) -> Iterator[tuple[object, str]]:
    """Each JSON-LD block of the page and what is wrong with it ("" for nothing); those in comments are none."""
    low, place = html.lower(), 0
    while mark := _START.search(low, place):
        end = low.find("-->" if mark[0] == "<!--" else "</script", mark.end())
        if end < 0:
            return
        place = end + 3
        if mark[0] != "<!--" and "application/ld+json" in mark[0]:
            try:
                yield json.loads(html[mark.end() : end], strict=False), ""
            except (ValueError, RecursionError) as error:
                yield None, str(error)[:200]


def decoded(content: bytes, charset: str = "") -> str:
    """The page's text: as its header says, else as it says itself, else UTF-8, else what browsers take then."""
    stated = charset or (found[1].decode() if (found := _CHARSET.search(content[:2048])) else "utf-8")
    for encoding in (stated, "utf-8"):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", "replace")


def listings(document: object, page: str, language: str = "") -> list[dict[str, str]]:
    """The facts of each listing in a block; `page` is the address of the page it stands on."""
    graph = _Graph(page, language)
    graph.learn(document, 0)
    graph.walk(document, {}, 0)
    return graph.found[:MAX_LISTINGS]


@dataclass(slots=True)
class _Graph:
    page: str
    language: str
    nodes: dict[str, dict] = field(default_factory=dict)
    found: list[dict[str, str]] = field(default_factory=list)
    walked: set[int] = field(default_factory=set)

    def learn(self, value: object, depth: int) -> None:
        """Remember the nodes that say something, by their @id."""
        if depth > MAX_DEPTH or len(self.nodes) > MAX_NODES:
            return
        for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            self.learn(inner, depth + 1)
        if isinstance(value, dict) and isinstance(name := value.get("@id"), str) and len(value) > 1:
            known = self.nodes.get(name)
            self.nodes[name] = value if known is None else {**value, **known}

    def node(self, value: object) -> dict:
        """The node meant: by itself, by reference, or the first of several."""
        if isinstance(value, list):
            value = value[0] if value else {}
        if isinstance(value, str):
            return self.nodes.get(value, {"name": value} if "://" not in value else {})
        if not isinstance(value, dict):
            return {}
        return self.nodes.get(value.get("@id"), value) if isinstance(value.get("@id"), str) and len(value) == 1 else value

    def walk(self, value: object, owner: Mapping, depth: int) -> None:
        """Find the listings in `value`; `owner` is the organisation around it."""
        if depth > MAX_DEPTH or len(self.found) >= MAX_LISTINGS:
            return
        if isinstance(value, list):
            for inner in value:
                self.walk(inner, owner, depth + 1)
            return
        node = self.node(value)
        if not node or id(node) in self.walked:
            return
        self.walked.add(id(node))
        types = _types(node)
        if types & THINGS:
            self.found.append(self.facts(node, types, owner))
            return
        for name, kind in (("makesOffer", Kind.OFFER), ("seeks", Kind.DEMAND)):
            for inner in _list(node.get(name)):
                self.seek(inner, kind, node, depth)
        around = owner if not types & {"Organization", "LocalBusiness"} else node
        for name in LISTS:
            self.walk(node.get(name), around, depth + 1)

    def seek(self, value: object, kind: Kind, owner: Mapping, depth: int) -> None:
        """What an organisation offers or seeks, whatever its type says."""
        node = self.node(value)
        if node and id(node) not in self.walked and depth <= MAX_DEPTH and len(self.found) < MAX_LISTINGS:
            self.walked.add(id(node))
            self.found.append(self.facts(node, _types(node), owner) | {Field.KIND: kind})

    def facts(self, node: Mapping, types: set[str], owner: Mapping) -> dict[str, str]:
        """The facts of one listing; its own words go before those of what it offers."""
        item = self.node(node.get("itemOffered"))
        company = next((found for name in OWNERS if (found := self.node(node.get(name) or item.get(name)))), owner)
        offer = self.node(node.get("offers"))
        if not company and offer:
            company = self.node(offer.get("seller") or offer.get("offeredBy"))
        self.walked.update(id(inner) for inner in (item, *map(self.node, _list(node.get("offers")))) if inner)
        place = (
            self.node(node.get("mp:place"))
            or self.node(node.get("availableAtOrFrom"))
            or self.node(node.get("areaServed"))
            or self.node(item.get("areaServed"))
        )
        kind = "demand" if "Demand" in types else "offer"
        facts = {
            Field.ID: self.address(node.get("@id")) or text(node.get("identifier")) or text(node.get("sku")),
            Field.KIND: kind,
            Field.TITLE: text(node.get("name")) or text(item.get("name")),
            Field.DESCRIPTION: text(node.get("description")) or text(item.get("description")),
            Field.CATEGORY: text(node.get("mp:kindOfThing")) or _category(types, _types(item)),
            Field.KEYWORDS: text(node.get("keywords")) or text(item.get("keywords")),
            Field.SECTOR: _sector(node.get("category") or item.get("category") or node.get("serviceType") or item.get("serviceType")),
            Field.PLACE: _place(place) or _place(self.node(company.get("address"))),
            Field.REACH: text(node.get("mp:reachKm")),
            Field.REMOTE: text(node.get("mp:remote")),
            Field.LANGUAGE: text(node.get("inLanguage")) or self.language,
            Field.VALID_FROM: text(node.get("validFrom")) or text(node.get("availabilityStarts")),
            Field.VALID_UNTIL: text(node.get("validThrough")) or text(node.get("availabilityEnds")) or text(offer.get("priceValidUntil")),
            Field.UPDATED: text(node.get("dateModified")),
            Field.URL: self.address(node.get("url")) or self.page,
            Field.COMPANY: text(company.get("name")) or text(company.get("legalName")),
            Field.TAX_ID: _tax_id(company),
            Field.COMPANY_PLACE: _place(self.node(company.get("address"))),
            Field.SIZE: text(company.get("mp:size")) or text(company.get("numberOfEmployees")),
            Field.ABOUT: text(company.get("description")),
            Field.WEB: text(company.get("url")),
        }
        return {str(name): value[:MAX_CELL] for name, value in facts.items() if value}

    def address(self, value: object) -> str:
        """An address as seen from the page; a blank node ("_:b0") has none."""
        if not isinstance(value, str) or not value.strip() or value.startswith("_:"):
            return ""
        try:
            return urljoin(self.page, value.strip())
        except ValueError:
            return ""


def text(value: object) -> str:
    """A value as a text: of several languages the first, of a node its value or name."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return "; ".join(filter(None, map(text, value)))
    if isinstance(value, dict):
        return next((found for name in ("@value", "value", "name") if (found := text(value.get(name)))), "")
    return value.strip() if isinstance(value, str) else ""


def _types(node: Mapping) -> set[str]:
    return {str(name).rpartition("/")[2].removeprefix("schema:") for name in _list(node.get("@type"))}


def _list(value: object) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


def _category(types: set[str], offered: set[str]) -> str:
    """What stands for our categories where the page does not use our own word."""
    named = " ".join(types | offered)
    return "product" if "Product" in named else "solution" if "Service" in named else ""


def _sector(value: object) -> str:
    """A code before its label; a path like "Business > Printing" (as shops write it) by its last part."""
    first = _list(value)[0] if _list(value) else None
    if isinstance(first, dict):
        return text(first.get("codeValue")) or text(first.get("name"))
    return text(first).rpartition(">")[2].strip()


def _place(node: Mapping) -> str:
    """A municipality by code or name; a circle or a shop has it in its name or address."""
    if text(node.get("identifier")).isdigit():
        return text(node.get("identifier"))
    address = node.get("address")
    inner = address if isinstance(address, dict) else {}
    if set(_types(node)) & {"Country", "Continent"}:
        return ""
    return text(node.get("addressLocality")) or text(inner.get("addressLocality")) or text(node.get("name"))


def _tax_id(company: Mapping) -> str:
    for stated in (company.get("taxID"), company.get("vatID"), company.get("identifier")):
        for one in _list(stated):
            if isinstance(one, str) or (isinstance(one, dict) and str(one.get("propertyID", "")).upper() in ("NIF", "VAT", "CIF")):
                return text(one)
    return ""

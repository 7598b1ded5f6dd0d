"""A JSON interface, described by a mapping: where the entries lie, what each field is called, how to come to the next page.

Paths are JMESPath (jmespath.org): `data.items`, `empresa.nom`, `tags[].name`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import jmespath
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from marketplace.core.outgoing import Answer
from marketplace.federation.items import Batch, Fetch, HarvestError
from marketplace.federation.models import Partner

from .facts import Maker
from .fields import Field
from .reading import Page, Reading, Record, Sample, begun, checked_url, chunks, fingerprint, snapshot, unchanged
from .visits import MEGABYTE, NOT_FOUND, NOT_MODIFIED, UNKNOWN_TYPES, Limits, Visit, absolute, validators_of

LIMITS = Limits(max_bytes=10 * MEGABYTE, pages=1000)
TYPES = (
    "application/json",
    "application/ld+json",
    "application/geo+json",
    "application/hal+json",
    "application/vnd.api+json",
    "text/json",
    "text/plain",
    *UNKNOWN_TYPES,
)
MAX_DEPTH, MAX_PATHS = 5, 100
_LINK = re.compile(r"<([^<>]*)>\s*((?:;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+)\s*)*)")


class Paging(models.TextChoices):
    """How to come to the next page."""

    NONE = "none", gettext_lazy("All entries are in one answer")
    PAGE = "page", gettext_lazy("By page number")
    OFFSET = "offset", gettext_lazy("By the number of entries to skip")
    LINK = "link", gettext_lazy("The answer links to the next page")
    CURSOR = "cursor", gettext_lazy("The answer names a cursor for the next page")


class JsonReader:
    """Options: url, items (path), fields {field: path}, paging, page_param, size_param, size, first_page, next (path of link or cursor); kind, defaults, values."""

    limits = LIMITS

    def batches(self, partner: Partner, checkpoint: dict, *, fetch: Fetch) -> Iterator[Batch]:
        """A batch per page."""
        options = partner.reader_options
        plan, made_with = Plan.load(options), fingerprint(options)
        resume, is_one = begun(checkpoint, made_with), plan.paging == Paging.NONE
        known = checkpoint if checkpoint.get("made_with") == made_with and is_one else {}
        visit, reached = Visit(fetch, self.limits, resume.get("counted", 0)), {"made_with": made_with}
        reading = Reading(Maker(partner, options), {name: name for name in plan.fields}).go_on(resume)
        if not is_one:
            yield from snapshot(_pages(visit, plan, resume), reading, reached)
            return
        answer = _get(visit, plan.url, validators=known.get("validators"))
        content = fingerprint(answer.body)
        if answer.status == NOT_MODIFIED or content == known.get("content"):
            yield unchanged(checkpoint)
            return
        found = _records(visit, entries(loaded(answer, plan.url), plan.items), plan)
        yield from snapshot(chunks(found, resume, content), reading, reached | {"validators": validators_of(answer), "content": content})

    def sample(self, options: Mapping, *, fetch: Fetch) -> Sample:
        """The entries of the first page with every path that leads to a text, and with the chosen ones, for the preview."""
        url = checked_url(options)
        document = loaded(_get(Visit(fetch, self.limits), url), url)
        items = str(options.get("items") or propose_items(document))
        stated = options.get("fields")
        chosen = [str(path) for path in stated.values() if path] if isinstance(stated, Mapping) else []
        found = []
        for number, entry in enumerate(entries(document, _compiled(items)), 1):
            record = _record(entry, number, {path: _compiled(path) for path in chosen})
            found.append(Record(record.place, {**dict(paths(entry)), **record.cells}, record.fault))
        return Sample(found, {"items": items})


@dataclass(frozen=True, slots=True)
class Plan:
    """The reader's options, checked."""

    url: str
    items: ParsedResult
    fields: dict[str, ParsedResult]
    paging: Paging
    page_param: str
    size_param: str
    size: int
    first_page: int
    next: ParsedResult | None

    @classmethod
    def load(cls, options: Mapping) -> "Plan":
        """From a partner's options; raises HarvestError that says what is missing."""
        stated = options.get("fields")
        fields = {str(name): _compiled(str(path)) for name, path in stated.items() if path and name in Field.values} if isinstance(stated, Mapping) else {}
        if not {Field.TITLE, Field.DESCRIPTION, Field.OFFER, Field.DEMAND} & set(fields):
            raise HarvestError("no-columns", _("Nothing holds the text. Say in the partner's settings which path leads to the title or the description."))
        paging = Paging(options.get("paging")) if options.get("paging") in Paging.values else Paging.NONE
        following = str(options.get("next") or "")
        if paging == Paging.CURSOR and not following:
            raise HarvestError("paging", _("Say in the partner's settings where the answer names the cursor of the next page."))
        usual = {Paging.PAGE: "page", Paging.OFFSET: "offset", Paging.CURSOR: "cursor"}.get(paging, "")
        return cls(
            checked_url(options), _compiled(str(options.get("items") or "@")), fields, paging, str(options.get("page_param") or usual),
            str(options.get("size_param") or ""), _number(options.get("size"), 0), _number(options.get("first_page"), 1), _compiled(following) if following else None,
        )  # fmt: skip


def _pages(visit: Visit, plan: Plan, resume: Mapping) -> Iterator[Page]:
    """The entries page after page. Which page follows is told by what the last one held, so nothing is asked ahead."""
    sized = {plan.size_param: str(plan.size)} if plan.size_param and plan.size else {}
    return _numbered(visit, plan, sized, resume) if plan.paging in (Paging.PAGE, Paging.OFFSET) else _linked(visit, plan, sized, resume)


def _numbered(visit: Visit, plan: Plan, sized: Mapping[str, str], resume: Mapping) -> Iterator[Page]:
    number, last, count = resume.get("number", plan.first_page if plan.paging == Paging.PAGE else 0), resume.get("last", ""), resume.get("count", 0)
    while True:
        # Some interfaces say 404 after the last page. A first page that is not there is no end.
        answer = _get(visit, _with(plan.url, {plan.page_param: str(number), **sized}), statuses=(NOT_FOUND,) if last else ())
        if answer.status == NOT_FOUND:
            return
        found, this = entries(loaded(answer, plan.url), plan.items), fingerprint(answer.body)
        if found and this == last:
            raise HarvestError("paging", _("Two pages are the same: the interface does not heed the parameter “%(name)s”.") % {"name": plan.page_param})
        number, last = number + (1 if plan.paging == Paging.PAGE else len(found)), this
        records, count = _records(visit, found, plan, count), count + len(found)
        yield Page(records, {"number": number, "last": last, "count": count, "counted": visit.counted})
        if not found or (sized and len(found) < plan.size):
            return


def _linked(visit: Visit, plan: Plan, sized: Mapping[str, str], resume: Mapping) -> Iterator[Page]:
    url, count = resume.get("url", _with(plan.url, sized) if sized else plan.url), resume.get("count", 0)
    asked = set()
    while url:
        if url in asked:
            raise HarvestError("paging", _("The pages lead round in a circle: %(url)s was read already.") % {"url": url[:300]})
        asked.add(url)
        answer = _get(visit, url)
        document = loaded(answer, url)
        found = entries(document, plan.items)
        url = _next(plan, answer, document, url)
        records, count = _records(visit, found, plan, count), count + len(found)
        yield Page(records, {"url": url, "count": count, "counted": visit.counted})


def _next(plan: Plan, answer: Answer, document: object, url: str) -> str:
    if plan.next is None:
        told = link(answer.headers.get("Link", ""), "next")
        return absolute(url, told, _("the next page")) if told else ""
    found = _found(plan.next, document)
    told = "" if found is None or isinstance(found, (bool, list, dict)) else str(found)
    if not told:
        return ""
    return _with(url, {plan.page_param: told}) if plan.paging == Paging.CURSOR else absolute(url, told, _("the next page"))


def link(header: str, relation: str) -> str:
    """The target of a relation in a Link header (RFC 8288); "" if there is none."""
    for target, parameters in _LINK.findall(header[:8000]):
        relations = re.search(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", parameters, re.IGNORECASE)
        if relations and relation in (relations[1] or relations[2]).lower().split():
            return target.strip()
    return ""


def _records(visit: Visit, found: list, plan: Plan, count: int = 0) -> list[Record]:
    visit.count(len(found))
    return [_record(entry, number, plan.fields) for number, entry in enumerate(found, count + 1)]


def _record(entry: object, number: int, fields: Mapping[str, ParsedResult]) -> Record:
    if not isinstance(entry, dict):
        return Record(_place(number), {"": text_of(entry)[:200]}, _("this entry is no JSON object."))
    try:
        return Record(_place(number), {name: text_of(path.search(entry)) for name, path in fields.items()})
    except JMESPathError as error:
        return Record(_place(number), dict(paths(entry)), str(error))


def _place(number: int) -> str:
    return _("entry %(number)d") % {"number": number}


def _get(visit: Visit, url: str, **more: object) -> Answer:
    return visit.get(url, TYPES, expected=_("JSON"), **more)


# --- Documents ----------------------------------------------------------------------------------------------------------


def loaded(answer: Answer, url: str) -> object:
    """The document of an answer; raises HarvestError for what is no JSON (RFC 8259), such as NaN."""
    try:
        return json.loads(answer.body.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise HarvestError("not-json", _("At %(url)s lies no valid JSON: %(error)s") % {"url": url, "error": str(error)[:200]}) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def entries(document: object, path: ParsedResult) -> list:
    """The entries at the path; raises HarvestError when there is no list."""
    found = _found(path, document)
    if found is None:
        raise HarvestError("items-path", _("The path “%(path)s” leads to nothing in the answer.") % {"path": path.expression})
    if isinstance(found, dict):
        raise HarvestError("items-path", _("The path “%(path)s” leads to one object. It has to lead to the list of entries.") % {"path": path.expression})
    if not isinstance(found, list):
        raise HarvestError("items-path", _("The path “%(path)s” leads to a single value. It has to lead to the list of entries.") % {"path": path.expression})
    return found


def _found(path: ParsedResult, document: object) -> object:
    try:
        return path.search(document)
    except (JMESPathError, RecursionError) as error:
        raise HarvestError("path", _("The path “%(path)s” does not fit the answer: %(error)s") % {"path": path.expression, "error": error}) from error


@cache
def _compiled(path: str) -> ParsedResult:
    try:
        return jmespath.compile(path)
    except (JMESPathError, RecursionError) as error:
        raise HarvestError("path", _("“%(path)s” is no path that we can follow. Write one like data.items.") % {"path": path[:200]}) from error


def propose_items(document: object) -> str:
    """The path of the longest list of objects in the document, looking not too deep; "@" where there is none."""
    best, waiting = (0, "@"), [("", document, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, list):
            count = sum(isinstance(entry, dict) for entry in value)
            best = max(best, (count, path or "@"), key=lambda found: found[0])
        elif isinstance(value, dict) and depth < MAX_DEPTH:
            waiting += [(f"{path}.{_quoted(key)}" if path else _quoted(key), inner, depth + 1) for key, inner in value.items()]
    return best[1]


def paths(entry: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every path in an entry that leads to a text, a number or a list of them."""
    if isinstance(entry, dict) and depth < MAX_DEPTH:
        for key, value in list(entry.items())[:MAX_PATHS]:
            yield from paths(value, f"{path}.{_quoted(key)}" if path else _quoted(key), depth + 1)
    elif isinstance(entry, list) and entry and isinstance(entry[0], dict):
        for key, value in list(entry[0].items())[:MAX_PATHS]:
            if isinstance(value, (str, int, float)):
                yield f"{path}[].{_quoted(key)}", text_of([one.get(key) for one in entry if isinstance(one, dict)])
    elif not isinstance(entry, dict):
        yield path or "@", text_of(entry)


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII) else json.dumps(key)


def text_of(value: object) -> str:
    """A value as a text: a list's values side by side, an object's where it has a name or a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(filter(None, map(text_of, value)))
    if isinstance(value, dict):
        return next((text_of(value[key]) for key in ("name", "label", "value", "title", "ca", "es", "en") if value.get(key)), "")
    return str(value)


def _with(url: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*query, *parameters.items()]), fragment=""))


def _number(value: object, default: int) -> int:
    try:
        return max(0, min(int(str(value)), 10_000))
    except ValueError:
        return default

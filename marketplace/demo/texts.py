"""Turns the demo's texts and rules, as `data/` keeps them, into what the pages' stream fields take."""

import datetime
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from django.utils.html import escape
from django.utils.text import slugify

from cms.aid.eligibility import clauses
from cms.aid.eligibility.blocks import RULES_BLOCKS
from cms.aid.eligibility.clauses import AllOf, AnyOf, Not, Rule
from cms.pages import anchors

QUARTER = 3
Stream = list[dict[str, Any]]


def block(kind: str, value: object) -> dict[str, Any]:
    """One block of a stream."""
    return {"type": kind, "value": value}


def body(parts: Iterable[list]) -> Stream:
    """[[kind, value], …] as blocks: "heading" and "callout" with a text, "text" with a paragraph, "list" with its items."""
    found = []
    for is_text, run in groupby(parts, key=lambda part: part[0] in {"text", "list"}):
        if is_text:
            found.append(block("text", "".join(_html(*part) for part in run)))
        else:
            found += [_heading(value) if kind == "heading" else callout("info", value) for kind, value in run]
    headings = [one["value"] for one in found if one["type"] == "heading"]
    name(headings, "text")
    return found


def callout(kind: str, text: str, *, title: str = "") -> dict[str, Any]:
    """A callout block."""
    return block("callout", {"kind": kind, "title": title, "text": paragraph(text)})


def steps(sentences: Iterable[str]) -> Stream:
    """One block of steps: the first sentence of each is what to do, the rest says how."""
    parted = [sentence.partition(". ") for sentence in sentences]
    return [block("steps", {"title": "", "steps": [{"title": what.rstrip("."), "text": how and paragraph(how)} for what, _dot, how in parted]})]


def paragraph(text: str) -> str:
    """A paragraph of rich text."""
    return f"<p>{escape(text)}</p>"


def slug(title: str) -> str:
    """A title as part of an address; what an apostrophe parts stays apart."""
    return slugify(title.replace("’", " "))


def name(values: list[dict[str, Any]], title: str) -> None:
    """Give blocks their anchors, as saving them in the console does."""
    for value, anchor in zip(values, anchors.filled([""] * len(values), [value[title] for value in values]), strict=True):
        value["anchor"] = anchor


def _heading(text: str) -> dict[str, Any]:
    return block("heading", {"text": text, "level": "h2", "anchor": ""})


def _html(kind: str, value: str | list[str]) -> str:
    return paragraph(value) if kind == "text" else "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in value) + "</ul>"


# --- Rules ----------------------------------------------------------------------------------------------------------------


def rules(parts: Iterable[list], today: datetime.date) -> Stream:
    """[[kind, value], …] as the blocks in which editors compose rules; kinds are the keys of RULES."""
    return RULES_BLOCKS.stream(AllOf(tuple(rule(part, today) for part in parts)))


def rule(part: list, today: datetime.date) -> Rule:
    """One condition or group."""
    kind, value = part
    return RULES[kind](value, today)


def _group(parts: list, today: datetime.date) -> tuple[Rule, ...]:
    return tuple(rule(part, today) for part in parts)


def _none_of(parts: list, today: datetime.date) -> Rule:
    group = _group(parts, today)
    return Not(group[0] if len(group) == 1 else AnyOf(group))


def _fell(percent: int, today: datetime.date) -> Rule:
    """In the last whole quarter, against the one a year before."""
    last = today.replace(day=1) - datetime.timedelta(days=1)
    while last.month % QUARTER:
        last = last.replace(day=1) - datetime.timedelta(days=1)
    return clauses.RevenueFell(clauses.Period(last.year, last.month - QUARTER + 1, last.month), percent)


RULES: dict[str, Callable[[Any, datetime.date], Rule]] = {
    "sector": lambda codes, _: clauses.SectorIn(tuple(codes)),
    "size": lambda sizes, _: clauses.SizeIn(tuple(sizes)),
    "people": lambda ends, _: clauses.PeopleBetween(*ends),
    "older": lambda years, _: clauses.Founded(clauses.When.OLDER, None, years),
    "younger": lambda years, _: clauses.Founded(clauses.When.YOUNGER, None, years),
    "form": lambda forms, _: clauses.FormIn(tuple(forms)),
    "fell": _fell,
    "self_employed": lambda months, _: clauses.SelfEmployedSince(None, months),
    "up_to_date": lambda to, _: clauses.UpToDate(to),
    "de_minimis": lambda amount, _: clauses.DeMinimisBelow(amount),
    "question": lambda texts, _: clauses.Answered(texts["ca"], texts["es"], texts["en"], texts["answer"]),
    "all_of": lambda parts, today: AllOf(_group(parts, today)),
    "any_of": lambda parts, today: AnyOf(_group(parts, today)),
    "none_of": _none_of,
}

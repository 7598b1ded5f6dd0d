"""What the templates of pages need: structured data, times, telephone links, file sizes."""

import re
from typing import Any

from django import template
from django.utils.dates import WEEKDAYS
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from cms.pages import anchors, structured

register = template.Library()


@register.simple_tag(takes_context=True)
def structured_data(context: template.Context) -> SafeString:
    """The page's schema.org data, as elements for the head."""
    page = context["page"]
    return structured.scripts(page.structured_data(context["request"], context.get("trail") or []))


@register.filter
def weekday(number: int) -> str:
    """A weekday's name, Monday is 0."""
    return capfirst(str(WEEKDAYS[number]))


@register.filter
def weekdays(numbers: list[int]) -> str:
    """Neighbouring days: "Monday", or "Monday – Friday"."""
    first, last = weekday(numbers[0]), str(WEEKDAYS[numbers[-1]])
    return first if len(numbers) == 1 else f"{first} – {last}"


@register.filter
def tel(number: str) -> str:
    """The address of a telephone number: "93 739 70 00" is tel:+34937397000."""
    digits = re.sub(r"[^\d+]", "", number)
    return f"tel:{digits}" if digits.startswith("+") else f"tel:+34{digits}"


@register.filter
def anchor_of(heading: dict[str, Any]) -> str:
    """The anchor of a heading block that was never saved in the editor too."""
    return heading.get("anchor") or anchors.anchor(heading["text"])


@register.filter
def headings(stream: Any, level: str = "h2") -> list[dict[str, Any]]:
    """The headings of a body, for its table of contents."""
    return [block.value for block in stream or () if block.block_type == "heading" and block.value["level"] == level]

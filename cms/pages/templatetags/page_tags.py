"""What the templates of pages need: structured data, times, telephone links, file sizes."""

import datetime
import re
from typing import Any

from django import template
from django.utils.dates import WEEKDAYS
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language
from wagtail.blocks.stream_block import StreamValue

from cms.pages import anchors, structured
from cms.pages.models import NewsPage
from cms.pages.models.base import for_everybody

register = template.Library()


@register.simple_tag(takes_context=True)
def structured_data(context: template.Context) -> SafeString:
    """The page's schema.org data, as elements for the head."""
    page = context["page"]
    return structured.scripts(page.structured_data(context["request"], context.get("trail") or []))


@register.simple_tag
def latest_news(limit: int = 3) -> list[NewsPage]:
    """The newest news in the language of this moment, without their topics; with pictures two queries."""
    news = for_everybody(NewsPage.objects.filter(locale__language_code=get_language())).order_by("-date", "-pk").defer("body")
    return list(news.select_related("locale", "lead_image").prefetch_related("lead_image__renditions")[:limit])


@register.filter
def absolute(address: str) -> str:
    """With the site's public name in front."""
    return structured.absolute(address)


@register.filter
def weekday(number: int) -> str:
    """A weekday's name, Monday is 0."""
    return capfirst(str(WEEKDAYS[number]))


@register.filter
def weekdays(numbers: list[int]) -> str:
    """Neighbouring days: "Monday", or "Monday – Friday"."""
    first = weekday(numbers[0])
    return first if len(numbers) == 1 else f"{first} – {_lower(weekday(numbers[-1]))}"


@register.filter
def day_in_sentence(moment: datetime.date) -> str:
    """The weekday of a moment, as it is written inside a sentence."""
    return _lower(weekday(moment.weekday()))


def _lower(word: str) -> str:
    # Django's names begin with a capital in every language; only English keeps it.
    return word if get_language() == "en" else word.lower()


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
def headings(stream: StreamValue | None, level: str = "h2") -> list[dict[str, Any]]:
    """The headings of a body, for its table of contents."""
    return [block.value for block in stream or () if block.block_type == "heading" and block.value["level"] == level]

"""The links that lead out of our pages: in rich text, in blocks, in fields for an address, in rows below a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from django.conf import settings
from django.db import models
from modelcluster.models import get_all_child_relations
from wagtail import blocks
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page, Site
from wagtail.rich_text import RichText

from marketplace.core.addresses import AddressError, parse

LONGEST_TEXT = 200
#: What stands beside an address in a block of several fields, and says where it leads.
NAMES = ("text", "title", "name", "label")


@dataclass(frozen=True, slots=True)
class Outlink:
    """One link: its address in one spelling, the field it stands in, and its words."""

    url: str
    field: str
    text: str


def of_page(page: Page, own_hosts: frozenset[str]) -> list[Outlink]:
    """The links of a page (of its own class) that leave the site, each once."""
    return list(dict.fromkeys(_leaving([page, *_rows_below(page)], own_hosts)))


def of_row(row: models.Model, own_hosts: frozenset[str]) -> list[Outlink]:
    """The same of a row that is no page."""
    return list(dict.fromkeys(_leaving([row], own_hosts)))


def own_hosts() -> frozenset[str]:
    """The names under which this site is reached; their links are the framework's business."""
    return frozenset({urlsplit(settings.SITE_URL).hostname or "", *Site.objects.values_list("hostname", flat=True)})


def spelt(url: str) -> str:
    """An address in the one spelling under which it is kept; what is no proper address stays as it was typed."""
    try:
        return parse(url.strip()).url
    except AddressError:
        return url.strip()


def _leaving(rows: list[models.Model], own: frozenset[str]) -> Iterator[Outlink]:
    for row in rows:
        for field, url, text in _addresses(row):
            if url.strip().lower().startswith(("http:", "https:")) and _host(url) not in own:
                yield Outlink(spelt(url), field, " ".join(text.split())[:LONGEST_TEXT])


def _host(url: str) -> str:
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def _rows_below(page: Page) -> Iterator[models.Model]:
    for relation in get_all_child_relations(type(page)):
        if any(isinstance(field, models.URLField | RichTextField | StreamField) for field in relation.related_model._meta.get_fields()):  # noqa: SLF001 - Django's documented name
            yield from getattr(page, relation.get_accessor_name()).all()


def _addresses(row: models.Model) -> Iterator[tuple[str, str, str]]:
    """(field, address, words) of everything that may be an address."""
    for field in row._meta.concrete_fields:  # noqa: SLF001 - Django's documented name
        value = getattr(row, field.attname)
        if isinstance(field, StreamField):
            found = _in_block(field.stream_block, value)
        elif isinstance(field, RichTextField):
            found = _in_text(value or "")
        elif isinstance(field, models.URLField) and value:
            found = [(value, str(field.verbose_name))]
        else:
            continue
        for url, text in found:
            yield field.name, url, text


def _in_text(source: str) -> Iterator[tuple[str, str]]:
    if "href" not in source:
        return
    for anchor in BeautifulSoup(source, "html.parser").find_all("a", href=True):
        yield str(anchor["href"]), anchor.get_text()


def _in_block(block: blocks.Block, value: object) -> Iterator[tuple[str, str]]:
    """Down to the leaves of a block's value."""
    if isinstance(block, blocks.StreamBlock):
        for child in value or ():
            yield from _in_block(child.block, child.value)
    elif isinstance(block, blocks.ListBlock):
        for item in value or ():
            yield from _in_block(block.child_block, item)
    elif isinstance(block, blocks.StructBlock):
        name = next((str(value[name]) for name in NAMES if name in value and value[name] and not isinstance(value[name], RichText)), "")
        for key, child in block.child_blocks.items():
            for url, text in _in_block(child, value.get(key)):
                yield url, text or name
    elif isinstance(block, blocks.URLBlock) and value:
        yield str(value), ""
    elif isinstance(value, RichText):
        yield from _in_text(value.source)

"""Pages and their translations: which version came first, and which translations are older than it.

A translation is out of date when a text of the version written first was published anew after it. What is the same in every
language (facts, pictures) does not count. Publishing the translation again, changed or not, says that it is right.
"""

import datetime
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.text import capfirst
from wagtail.models import Page, PageLogEntry, Revision
from wagtail_localize.fields import BaseTranslatableField, get_translatable_fields

PUBLISHED = ("wagtail.publish", "wagtail.publish.scheduled")
#: Texts that no reader sees in the page.
NO_TEXT = ("slug",)


class LeftAlone(BaseTranslatableField):
    """A field that wagtail-localize neither translates nor copies, after the translation was made."""


@dataclass(frozen=True)
class Outdated:
    """A translation that is older than what it translates."""

    page: Page
    source: Page
    #: Names of the texts that changed; None if nobody can tell any more.
    texts: list[str] | None
    #: The source's version that the translation knew, and the one of now: what a comparison shows.
    known: int | None
    newest: int | None


def source_of(page: Page) -> Page:
    """The version written first, in whatever language; `page` itself if it is that, or is not saved yet."""
    if page.pk is None:
        return page
    return type(page).objects.filter(translation_key=page.translation_key, pk__lt=page.pk).order_by("pk").first() or page


def newer_source(page: Page, versions: Sequence[Page] | None = None) -> Page | None:
    """The version to read instead, if `page` is an outdated translation. One query for a page that is not; none with its live `versions`, first written first."""
    if versions is None:
        versions = Page.objects.filter(translation_key=page.translation_key, live=True).select_related("locale").order_by("pk")
    earlier = next((version for version in versions if page.pk and version.pk < page.pk), None)
    found = next(iter(outdated([(page, earlier)])), None) if earlier else None
    return earlier if found else None


def outdated(pairs: Iterable[tuple[Page, Page]]) -> list[Outdated]:
    """Those of the (translation, source) pairs that are out of date, in their order; the number of queries grows with the page kinds, not with the pairs."""
    late = [(page, source) for page, source in pairs if _was_published_later(source, page)]
    if not late:
        return []
    published = _publications({source.pk for _page, source in late})
    specific = {page.pk: page for page in Page.objects.filter(pk__in={source.pk for _page, source in late}).specific().iterator()}
    found = (_compared(page, source, specific[source.pk], published[source.pk]) for page, source in late)
    return [one for one in found if one is not None]


def _was_published_later(source: Page, page: Page) -> bool:
    return bool(source.live and page.live and source.last_published_at and page.last_published_at and source.last_published_at > page.last_published_at)


def _publications(pks: set[int]) -> dict[int, list[PageLogEntry]]:
    entries = PageLogEntry.objects.filter(page__in=pks, action__in=PUBLISHED, revision__isnull=False).select_related("revision").order_by("timestamp")
    published = defaultdict(list)
    for entry in entries:
        published[entry.page_id].append(entry)
    return published


def _compared(page: Page, source: Page, specific: Page, entries: list[PageLogEntry]) -> Outdated | None:
    known = _public_at(page.last_published_at, source, entries)
    newest = entries[-1].revision if entries else None
    if known is None or newest is None:
        return Outdated(page, source, None, None, newest and newest.pk)
    texts = [
        capfirst(str(field.get_field(type(specific)).verbose_name))
        for field in get_translatable_fields(type(specific))
        if field.is_translated(specific)
        and field.field_name not in NO_TEXT
        and _plain(known.content.get(field.field_name)) != _plain(newest.content.get(field.field_name))
    ]
    return Outdated(page, source, texts, known.pk, newest.pk) if texts else None


def _public_at(moment: datetime.datetime, source: Page, entries: list[PageLogEntry]) -> Revision | None:
    """The version of `source` that was public then; the first one if it came later; None if it was public already and nobody wrote it down."""
    before = [entry for entry in entries if entry.timestamp <= moment]
    if before:
        return before[-1].revision
    is_younger = source.first_published_at and source.first_published_at > moment
    return entries[0].revision if entries and is_younger else None


def _plain(value: object) -> object:
    """Blocks are kept as JSON in a text; spaces in it are no change."""
    try:
        return json.loads(value) if isinstance(value, str) and value.startswith("[{") else value
    except ValueError:
        return value

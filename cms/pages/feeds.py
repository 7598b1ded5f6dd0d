"""Atom feeds of lists of pages (RFC 4287): one for each list, and so for each language."""

import datetime
import re
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpResponse
from django.utils.feedgenerator import Atom1Feed
from django.utils.timezone import make_aware
from wagtail.models import Page

from .structured import absolute

#: The name of a feed below its list.
FEED = "atom"
#: So many of the newest entries.
LENGTH = 30
#: What no XML can hold, not even escaped. It comes in with texts that are pasted out of other programs, and in addresses.
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Feed(Atom1Feed):
    """An Atom feed that can be written whatever its texts hold."""

    def __init__(self, **texts: object) -> None:
        super().__init__(**_for_xml(texts))

    def add_item(self, **texts: object) -> None:
        """As Django's."""
        super().add_item(**_for_xml(texts))


def _for_xml(texts: dict[str, object]) -> dict[str, object]:
    return {name: _cleaned(value) for name, value in texts.items()}


def _cleaned(value: object) -> object:
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return NOT_IN_XML.sub("", value) if isinstance(value, str) else value


def response(index: Page, pages: Iterable[Page]) -> HttpResponse:
    """The newest `pages` below `index`, which tell their `feed_date`."""
    link = absolute(index.get_url())
    feed = Feed(
        title=f"{index.title} · {settings.SITE_NAME}",
        link=link,
        description=index.intro,
        language=index.locale.language_code,
        feed_url=f"{link}{FEED}/",
        feed_guid=identity(index),
        author_name=settings.SITE_NAME,
    )
    for page in pages:
        published = moment(page.feed_date)
        feed.add_item(
            title=page.title,
            link=absolute(page.get_url()),
            description=page.intro,
            unique_id=identity(page),
            pubdate=published,
            updateddate=max(page.last_published_at or published, published),
            categories=[topic.name for topic in page.topics.all()],
        )
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def identity(page: Page) -> str:
    """Stays when title, address or even the site's name change: readers would show everything as new."""
    return uuid.uuid5(page.translation_key, page.locale.language_code).urn


def moment(day: datetime.date) -> datetime.datetime:
    """The beginning of a day; a moment as it is."""
    return day if isinstance(day, datetime.datetime) else make_aware(datetime.datetime.combine(day, datetime.time()))

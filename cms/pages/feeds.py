"""Atom feeds of lists of pages (RFC 4287): one for each list, and so for each language."""

import datetime
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.http import HttpResponse
from django.utils.timezone import make_aware
from wagtail.models import Page

from marketplace.core.atom import Feed

from .structured import absolute

#: The name of a feed below its list.
FEED = "atom"
#: So many of the newest entries.
LENGTH = 30


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

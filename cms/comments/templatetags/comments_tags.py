"""What a page's template prints of its conversation, and its links for sharing.

Both may stand in cached pages: they hold nothing of the visitor. A change of the number goes through the change log.
"""

import uuid
from collections.abc import Iterable
from urllib.parse import quote

from django import template
from django.conf import settings
from django.urls import reverse
from wagtail.models import Page

from cms.comments import conversations

register = template.Library()


@register.inclusion_tag("comments/place.html")
def comments(page: Page) -> dict[str, object]:
    """The place of the conversation: its number and the link to it, which htmx replaces by the conversation once it is in sight. At most three queries."""
    if page is None or page.pk is None:
        return {}
    talk = conversations.of(page)
    if not talk.is_shown:
        return {}
    return {"talk": talk, "number": conversations.count(talk.conversation), "address": reverse("comments:conversation", args=[page.translation_key])}


@register.simple_tag
def comment_counts(pages: Iterable[Page]) -> dict[uuid.UUID, int]:
    """How many comments each of the pages has, {translation key: number}; one query for a whole list."""
    return conversations.counts(pages)


@register.filter
def of_page(counts: dict[uuid.UUID, int], page: Page) -> int:
    """The number of one page out of `comment_counts`."""
    return counts.get(page.translation_key, 0)


@register.inclusion_tag("comments/share.html", takes_context=True)
def share(context: template.Context, page: Page, title: str = "") -> dict[str, object]:
    """Plain links that share the page; nobody else's script, nothing is sent before somebody follows one."""
    if page is None or page.pk is None:
        return {}
    url = settings.SITE_URL + (page.get_url(context.get("request")) or "")
    title = title or page.title
    text, address = quote(title, safe=""), quote(url, safe="")
    both = quote(f"{title} {url}", safe="")
    links = [
        ("WhatsApp", f"https://wa.me/?text={both}"),
        ("Telegram", f"https://t.me/share/url?url={address}&text={text}"),
        # The words stand behind the "#": the server that helps to choose one's own never sees them.
        ("Mastodon", f"https://share.joinmastodon.org/#text={both}"),
        ("LinkedIn", f"https://www.linkedin.com/sharing/share-offsite/?url={address}"),
    ]
    return {"url": url, "title": title, "mail": f"mailto:?subject={text}&body={both}", "links": links}

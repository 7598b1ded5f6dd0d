"""Which page a conversation belongs to at the moment, and whether people can write there."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Count
from django.utils.translation import get_language
from wagtail.models import Page

from cms.pages.cache import generations
from marketplace.core import changelog

from .enums import OPEN, Moderation
from .kinds import KINDS
from .models import Comment, Conversation, Policy


@dataclass(frozen=True, slots=True)
class Talk:
    """A page and what holds for comments on it; `conversation` is None while nothing was written or set."""

    page: Page
    conversation: Conversation | None
    moderation: str

    @property
    def is_shown(self) -> bool:
        """Whether the page shows a conversation at all."""
        return self.moderation != Moderation.OFF

    @property
    def is_open(self) -> bool:
        """Whether people can write."""
        return self.moderation in OPEN


def of(page: Page) -> Talk:
    """What holds for `page`. At most two queries, none for a kind that never has comments."""
    kind = kind_of(page)
    if kind not in KINDS:
        return Talk(page, None, Moderation.OFF)
    conversation = Conversation.objects.filter(translation_key=page.translation_key).first()
    own = conversation.moderation if conversation else ""
    return Talk(page, conversation, own or kind_moderation(kind))


def kind_moderation(kind: str) -> str:
    """What holds for pages of a kind that set nothing of their own."""
    return Policy.objects.filter(kind=kind).values_list("moderation", flat=True).first() or KINDS.get(kind, Moderation.OFF)


def kind_of(page: Page) -> str:
    """The label of the page's own model, also when `page` is a plain Page."""
    if type(page) is not Page:
        return page._meta.label_lower  # noqa: SLF001 - Django's documented model API
    return f"{page.cached_content_type.app_label}.{page.cached_content_type.model}"


def find_page(translation_key: uuid.UUID) -> Page | None:
    """The page as visitors of this language find it, else in a language that there is; None if there is none that everybody may read."""
    pages = list(Page.objects.live().public().filter(translation_key=translation_key).select_related("locale").order_by("locale_id"))
    return next((page for page in pages if page.locale.language_code == get_language()), pages[0] if pages else None)


def count(conversation: Conversation | None) -> int:
    """How many comments everybody can read."""
    return Comment.objects.readable().filter(conversation=conversation).count() if conversation else 0


def counts(pages: Iterable[Page]) -> dict[uuid.UUID, int]:
    """The same for many pages, {translation key: number}, in one query; pages without comments are left out."""
    keys = [page.translation_key for page in pages]
    found = Comment.objects.readable().filter(conversation__translation_key__in=keys)
    return dict(found.order_by().values_list("conversation__translation_key").annotate(number=Count("pk")))


def titles(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What the pages are called, in this language where there is one; for lists of comments. One query."""
    pages = Page.objects.filter(translation_key__in=set(keys)).select_related("locale").only("title", "translation_key", "locale__language_code")
    found: dict[uuid.UUID, str] = {}
    for page in pages:
        if page.translation_key not in found or page.locale.language_code == get_language():
            found[page.translation_key] = page.title
    return found


def set_kind_moderation(kind: str, moderation: Moderation) -> None:
    """Write the policy of a kind and log a change of every page that it concerns. For `operations.set_policy`, in its transaction."""
    if kind not in KINDS:
        raise ValueError(kind)
    Policy.objects.update_or_create(kind=kind, defaults={"moderation": Moderation(moderation)})
    app_label, model = kind.split(".")
    pages = Page.objects.filter(content_type__app_label=app_label, content_type__model=model)
    log(set(pages.values_list("translation_key", flat=True)))


def log(keys: Iterable[uuid.UUID]) -> None:
    """What everybody sees of these pages' conversations changed: a line in the change log each, and no kept page holds after the commit."""
    changelog.append_many("comment", sorted(keys))
    # A cache that is away must not undo or fail what is committed; the log's reader in the worker does the same once more.
    transaction.on_commit(partial(generations.renew, ["comment"]), robust=True)

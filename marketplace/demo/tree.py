"""Puts the demo's pages into the site's tree, each once in every language."""

import uuid
from collections.abc import Callable

from django.utils import timezone
from wagtail.fields import StreamField
from wagtail.models import Locale, Page, ReferenceIndex
from wagtail.signal_handlers import disable_reference_index_auto_update

from .city import uid_of

LANGUAGES = ("ca", "es", "en")
#: Right below a language's home page.
SECTION_DEPTH = 3


def key_of(kind: str, key: str) -> uuid.UUID:
    """The translation key that a page always gets."""
    return uid_of(f"page/{kind}/{key}")


def find(kind: str, key: str) -> dict[str, int]:
    """{language: number} of the versions of a page that are there."""
    return dict(Page.objects.filter(translation_key=key_of(kind, key)).values_list("locale__language_code", "pk"))


def above(kind: type[Page]) -> dict[str, Page]:
    """{language: the page of this kind} of the home pages, or of the pages right below them."""
    return {page.locale.language_code: page for page in kind.objects.filter(depth__lte=SECTION_DEPTH).select_related("locale").order_by("-path")}


def grow(kind: str, key: str, *, below: type[Page], make: Callable[[str], Page]) -> list[Page]:
    """Have `make` make the versions of a page that are not there, put them below the pages `above` and return them."""
    there = find(kind, key)
    missing = [language for language in LANGUAGES if language not in there]
    parents = above(below) if missing else {}
    return [_add(make(language), parents[language], key_of(kind, key), language) for language in missing]


def _add(page: Page, parent: Page, key: uuid.UUID, language: str) -> Page:
    page.translation_key, page.locale = key, Locale.objects.get_for_language(language)
    page.last_published_at = page.last_published_at or timezone.now()
    page.first_published_at = page.first_published_at or page.last_published_at
    for field in page._meta.get_fields():  # noqa: SLF001 - Django's documented model API
        if isinstance(field, StreamField):
            # Once looked at, every part has an id of its own, as those have that editors write.
            list(getattr(page, field.name))
    # Wagtail would look for references in the whole page anew with each of its rows; once is enough.
    with disable_reference_index_auto_update():
        parent.add_child(instance=page)
    ReferenceIndex.create_or_update_for_object(page)
    return page

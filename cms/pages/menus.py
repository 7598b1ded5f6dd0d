"""What stands in the menus of every page: the pages that are marked for them, in the language of this moment."""

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from wagtail.models import Page

#: Below the root and a language's home page.
SECTION_DEPTH = 3
#: Kinds that stand at the foot; all others stand at the head, right below the home page.
FOOT_KINDS = {("pages", "standardpage")}

Links = list[tuple[str, str]]


def wanted() -> Q:
    """Which pages they are; fetch them with locale and content type."""
    return Q(show_in_menus=True, depth__gte=SECTION_DEPTH, locale__language_code=get_language())


def links(pages: Iterable[Page]) -> tuple[Links, Links]:
    """[(label, address)] for the head and for the foot, out of `pages` in the tree's order."""
    sections: Links = []
    foot: Links = []
    for page in pages:
        if not page.show_in_menus or page.depth < SECTION_DEPTH or page.locale.language_code != get_language():
            continue
        # The address is built here, from the path below the home page: Wagtail's own way asks for the site's roots first.
        link = (page.title, reverse("wagtail_serve", args=[page.url_path.split("/", 2)[2]]))
        if page.content_type.natural_key() in FOOT_KINDS:
            foot.append(link)
        elif page.depth == SECTION_DEPTH:
            sections.append(link)
    return sections, foot


def find() -> tuple[Links, Links]:
    """The same, asked of the database in one query."""
    return links(Page.objects.live().filter(wanted()).select_related("locale", "content_type").order_by("path"))

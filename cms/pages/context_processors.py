"""What every template may use of the pages."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language
from wagtail.models import Page

from .models import StandardPage

#: Below the root and a language's home page.
SECTION_DEPTH = 3

Links = list[tuple[str, str]]


def menus(request: HttpRequest) -> dict[str, Any]:
    """`section_pages` for the head of every page and `footer_pages` for its foot, [(label, address)]: what is marked for menus in this language.

    Text pages stand at the foot, all others right below the home page at the head. One query, made only when one of them is printed.
    """
    found = SimpleLazyObject(_in_menus)
    return {"section_pages": SimpleLazyObject(lambda: found[0]), "footer_pages": SimpleLazyObject(lambda: found[1])}


def _in_menus() -> tuple[Links, Links]:
    pages = Page.objects.live().in_menu().filter(locale__language_code=get_language(), depth__gte=SECTION_DEPTH).order_by("path")
    sections: Links = []
    at_the_foot: Links = []
    for title, url_path, depth, kind in pages.values_list("title", "url_path", "depth", "content_type__model"):
        # The address is built here, from the path below the home page: Wagtail's own way asks for the site's roots first.
        link = (title, reverse("wagtail_serve", args=[url_path.split("/", 2)[2]]))
        if kind == StandardPage.__name__.lower():
            at_the_foot.append(link)
        elif depth == SECTION_DEPTH:
            sections.append(link)
    return sections, at_the_foot

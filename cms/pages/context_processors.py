"""What every template may use of the pages."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from .models import StandardPage


def footer(request: HttpRequest) -> dict[str, object]:
    """`footer_pages`, [(label, address)]: the text pages of this language that are marked for menus. Asked only when printed."""
    return {"footer_pages": SimpleLazyObject(_footer_pages)}


def _footer_pages() -> list[tuple[str, str]]:
    # The address is built here, from the path below the home page: Wagtail's own way asks for the site's roots first.
    pages = StandardPage.objects.live().in_menu().filter(locale__language_code=get_language()).order_by("path").values_list("title", "url_path")
    return [(title, reverse("wagtail_serve", args=[url_path.split("/", 2)[2]])) for title, url_path in pages]

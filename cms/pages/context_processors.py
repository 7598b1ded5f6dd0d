"""What every template may use of the pages."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import menus as found


def menus(request: HttpRequest) -> dict[str, Any]:
    """`section_pages` for the head of every page and `footer_pages` for its foot, [(label, address)]; asked only when one of them is printed."""
    both = SimpleLazyObject(found.find)
    return {"section_pages": SimpleLazyObject(lambda: both[0]), "footer_pages": SimpleLazyObject(lambda: both[1])}

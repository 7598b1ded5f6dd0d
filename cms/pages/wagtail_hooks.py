"""Where the pages join Wagtail."""

from django.http import HttpRequest
from django.utils import timezone
from wagtail import hooks
from wagtail.models import Page

from . import cache


@hooks.register("before_serve_page")
def take_part_in_the_cache(page: Page, request: HttpRequest, _args: tuple, _kwargs: dict) -> None:
    """Let the page be kept for anonymous visitors, as its kind says."""
    if getattr(page, "may_be_cached", True):
        until = page.fresh_until(timezone.now()) if hasattr(page, "fresh_until") else None
        cache.take_part(request, getattr(page, "shown_kinds", ("page",)), getattr(page, "query_names", ()), until.timestamp() if until else None)

"""What a page's template says of its translations."""

from django import template
from django.utils.translation import get_language, get_language_info
from wagtail.models import Page

from cms.pages import translations

register = template.Library()


@register.inclusion_tag("pages/if_outdated.html", takes_context=True)
def if_outdated(context: template.Context) -> dict[str, object]:
    """A line with a link to the newer version, where the page is an outdated translation; else nothing. One query."""
    page = context.get("page")
    newer = translations.newer_source(page) if isinstance(page, Page) else None
    return {"newer": newer, "language": newer and _in_a_sentence(newer.locale.language_code), "request": context.get("request")}


def _in_a_sentence(language_code: str) -> str:
    """A language's name: of our languages only English writes it with a capital."""
    name = get_language_info(language_code)["name_translated"]
    return name if get_language() == "en" else name.lower()

"""Help for who writes pages: hints while writing, and a guide."""

import json
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language, gettext
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.models import Page

from . import plain_words
from .access import EditorRequiredMixin

#: Fields of one form that are looked at.
MOST_TEXTS = 80


class HintsView(View):
    """POST {"page": number of the page or of the one it will be below, "texts": {name: text}} → {name: the hints as HTML}."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Nothing is kept."""
        try:
            asked = json.loads(request.body)
            page, texts = int(asked["page"]), {str(name): str(text) for name, text in list(asked["texts"].items())[:MOST_TEXTS]}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return JsonResponse({"error": "page, texts"}, status=HTTPStatus.BAD_REQUEST)
        language = Page.objects.filter(pk=page).values_list("locale__language_code", flat=True).first() if 0 <= page < 2**31 else None
        if language is None:
            return JsonResponse({"error": "page"}, status=HTTPStatus.NOT_FOUND)
        return JsonResponse({name: _written(text, language) for name, text in texts.items()})


def _written(text: str, language: str) -> str:
    found = plain_words.hints(text, language)
    return render_to_string("console/plain_hints.html", {"hints": found, "language": language}) if found else ""


class GuideView(EditorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """How to write an aid page in plain language, in the language of the console."""

    header_icon = "help"

    def get_page_title(self) -> str:
        """In the head of the page."""
        return gettext("How to write an aid page")

    def get_breadcrumbs_items(self) -> list[dict[str, object]]:
        """Home, this."""
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]

    def get_template_names(self) -> list[str]:
        """The guide is written, not translated."""
        return [f"console/guide/{get_language()}.html", "console/guide/ca.html"]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """With the limits that the hints use, and the words of the office."""
        language = get_language() or "ca"
        return super().get_context_data(**kwargs) | {
            "longest": plain_words.LONGEST_SENTENCE,
            "jargon": sorted(plain_words.jargon(language).items()),
        }

"""What every page kind has in common."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.images import get_image_model_string
from wagtail.images.models import AbstractImage
from wagtail.models import Page
from wagtail.url_routing import RouteResult

from cms.pages import structured

#: As much as search engines show of a description.
DESCRIPTION_LENGTH = 155


class TranslatedPage(Page):
    """A page whose other languages are its Wagtail translations: the language switcher leads to them.

    What a kind may tell about itself, each with a default here: `intro` (its opening sentence), `share_image`, `og_type`,
    `about(request)` (its part of the structured data), `fresh_until(now)` (see there).
    """

    #: False for pages that a shared cache must not keep (forms, with their token).
    may_be_cached = True
    #: What the page shows, and the parameters it reads (see cms/pages/cache).
    shown_kinds: tuple[str, ...] = ("page",)
    query_names: tuple[str, ...] = ()
    og_type = "website"
    share_image = None

    class Meta:
        abstract = True

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With `translations`, {language code: address}, as base.html wants them, and `trail`, [(label, address)] from the home page down."""
        context = super().get_context(request, *args, **kwargs)
        pages = self.get_translations(inclusive=True).live().select_related("locale")
        context["translations"] = {page.locale.language_code: page.get_url(request) for page in pages}
        context["trail"] = self.trail(request)
        return context

    def trail(self, request: HttpRequest | None = None) -> list[tuple[str, str]]:
        """[(label, address)] from the home page down to the parent."""
        above = self.get_ancestors().live().filter(depth__gt=1).select_related("locale")
        return [(page.title, page.get_url(request)) for page in above]

    @property
    def intro(self) -> str:
        """The sentence under the title, in lists and feeds; kinds name their field `lead` or `summary`."""
        return getattr(self, "lead", "") or getattr(self, "summary", "")

    @property
    def description(self) -> str:
        """One sentence for search engines and previews: what the editor wrote for them, or how the page begins."""
        return self.search_description or Truncator(self.intro or self._first_words()).chars(DESCRIPTION_LENGTH)

    def _first_words(self) -> str:
        body = getattr(self, "body", None) or ()
        first = next((block.value for block in body if block.block_type == "text"), "")
        return " ".join(strip_tags(str(getattr(first, "source", first)).replace("<", " <")).split())

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """What search engines shall know of the page itself, as schema.org data (see structured.py)."""
        return []

    def structured_data(self, request: HttpRequest, trail: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """All of it, with the way here."""
        way = [structured.breadcrumbs(trail, self.title, self.get_url(request))] if trail else []
        return [*self.about(request), *way]

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """When the page changes by itself (an office closes, an event is over): a cache keeps it no longer. None: only when somebody changes it."""
        return None


class IllustratedPage(TranslatedPage):
    """With a picture at its top and in lists."""

    lead_image = models.ForeignKey(get_image_model_string(), on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("picture"))
    lead_image_alt = models.CharField(
        _("what the picture shows"), max_length=200, blank=True, help_text=_("For people who do not see it. Empty only if it shows nothing that matters.")
    )

    picture_panel = MultiFieldPanel([FieldPanel("lead_image"), FieldPanel("lead_image_alt")], heading=_("Picture"))

    class Meta:
        abstract = True

    @cached_property
    def share_image(self) -> AbstractImage | None:
        """The picture for previews."""
        return self.lead_image


class PageWithFiles(TranslatedPage):
    """A page with files below its address, such as a feed: `files` names the method that answers for each."""

    files: dict[str, str] = {}

    class Meta:
        abstract = True

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """A file is part of its page."""
        match path_components:
            case [name] if self.live and name in self.files:
                return RouteResult(self, kwargs={"file": name})
        return super().route(request, path_components)

    def serve(self, request: HttpRequest, *args: object, file: str = "", **kwargs: object) -> HttpResponse:
        """The page, or a file of it."""
        if file:
            return getattr(self, self.files[file])()
        return super().serve(request, *args, **kwargs)


def in_language_of(parent: Page, pages: Iterable[Page]) -> list[Any]:
    """`pages` below `parent`, of which nobody needs to ask the language again for each address."""
    found = list(pages)
    for page in found:
        page.locale = parent.locale
    return found

"""A guide: a subject in chapters, each with an address of its own."""

from collections.abc import Mapping
from typing import Any

from django.core.validators import validate_slug
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel
from wagtail.blocks.stream_block import StreamValue
from wagtail.models import Page
from wagtail.url_routing import RouteResult

from cms.pages import anchors
from cms.pages.blocks import BodyBlock, name_anchors
from cms.pages.fields import BodyField

from .base import IllustratedPage, TranslatedPage, for_everybody, in_language_of

#: The address of the whole guide on one page, for printing and for searching in it.
WHOLE = "all"


class ChapterBlock(blocks.StructBlock):
    """One chapter, short enough to be read in one go."""

    title = blocks.CharBlock(label=_("Title"), max_length=120)
    anchor = blocks.CharBlock(
        label=_("Name in the address"), required=False, max_length=anchors.LONGEST, validators=[validate_slug],
        help_text=_("Left empty, it is made from the title. Later changes break links to the chapter."),
    )  # fmt: skip
    body = BodyBlock(label=_("Text"))

    class Meta:
        icon = "doc-full"
        label = _("Chapter")


class ChaptersBlock(blocks.StreamBlock):
    """The chapters in their order."""

    chapter = ChapterBlock()

    def clean(self, value: StreamValue, *args: object, **kwargs: object) -> StreamValue:
        """Every chapter has an address of its own."""
        cleaned = super().clean(value, *args, **kwargs)
        name_anchors(cleaned, "chapter", "title")
        return cleaned


class GuideIndexPage(TranslatedPage):
    """All guides of a language."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("lead")]
    parent_page_types = ["pages.HomePage"]
    subpage_types = ["pages.GuidePage"]
    max_count_per_parent = 1
    template = "pages/guide_index.html"

    class Meta:
        verbose_name, verbose_name_plural = _("list of guides"), _("lists of guides")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With `guides`."""
        guides = for_everybody(GuidePage.objects.child_of(self)).order_by("path").select_related("lead_image").prefetch_related("lead_image__renditions")
        return super().get_context(request, *args, **kwargs) | {"guides": in_language_of(self, guides)}


class GuidePage(IllustratedPage):
    """A subject in chapters: /guide/ is the first one, /guide/name/ the others, /guide/all/ the whole."""

    lead = models.CharField(_("what it helps with"), max_length=300)
    chapters = BodyField(ChaptersBlock, verbose_name=_("chapters"))

    content_panels = [*Page.content_panels, FieldPanel("lead"), IllustratedPage.picture_panel, FieldPanel("chapters")]
    parent_page_types = ["pages.HomePage", "pages.GuideIndexPage"]
    subpage_types: list[str] = []
    template = "pages/guide.html"
    og_type = "article"

    class Meta:
        verbose_name, verbose_name_plural = _("guide"), _("guides")

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """A chapter is part of its guide."""
        match path_components:
            case [name] if self.live and (name == WHOLE or name in self._names):
                return RouteResult(self, kwargs={"chapter": name})
        return super().route(request, path_components)

    def serve(self, request: HttpRequest, *args: object, chapter: str = "", **kwargs: object) -> HttpResponse:
        """The first chapter, the one named, or all."""
        return super().serve(request, *args, chapter=chapter, **kwargs)

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With the `contents`, the chapters to print and their neighbours."""
        context = super().get_context(request, *args, **kwargs)
        contents = self.contents(request)
        name = str(kwargs.get("chapter") or "")
        if name == WHOLE:
            return context | {"contents": contents, "whole": True, "chapters": contents}
        here = self._names.index(name) if name else 0
        if here:
            # The language switcher leads to the guide: chapters of translations have names of their own.
            context["trail"] = [*context["trail"], (self.title, self.get_url(request))]
        return context | {
            "contents": contents,
            "chapters": contents[here : here + 1],
            "chapter": contents[here] if contents else None,
            "previous": contents[here - 1] if here else None,
            "next": contents[here + 1] if here + 1 < len(contents) else None,
        }

    def contents(self, request: HttpRequest | None = None) -> list[dict[str, Any]]:
        """The chapters: number, title, anchor, address and block."""
        url = self.get_url(request)
        return [
            {"number": number + 1, "title": value["title"], "anchor": name, "url": f"{url}{name}/" if number else url, "body": value["body"]}
            for number, (name, value) in enumerate(zip(self._names, self._values, strict=True))
        ]

    @cached_property
    def _values(self) -> list[Mapping[str, Any]]:
        return [block.value for block in self.chapters]

    @cached_property
    def _names(self) -> list[str]:
        return anchors.filled([value["anchor"] for value in self._values], [value["title"] for value in self._values])

"""The pages that the Innovation Service writes itself: the home page and plain texts, each in every language."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page

from . import figures

RICH_TEXT = ["h2", "h3", "bold", "italic", "ol", "ul", "link"]


class TranslatedPage(Page):
    """A page whose other languages are its Wagtail translations: the language switcher leads to them."""

    class Meta:
        abstract = True

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With `translations`, {language code: address}, as base.html wants them."""
        context = super().get_context(request, *args, **kwargs)
        pages = self.get_translations(inclusive=True).live().select_related("locale")
        context["translations"] = {page.locale.language_code: page.get_url(request) for page in pages}
        return context


class HomePage(TranslatedPage):
    """The first page: what this is, a search, and that it lives."""

    hero_title = models.CharField(_("headline"), max_length=90)
    hero_text = models.CharField(_("sentence below it"), max_length=220)
    search_hint = models.CharField(_("examples in the search field"), max_length=80, blank=True)
    first_title = models.CharField(_("first step"), max_length=60)
    first_text = models.CharField(_("what happens in it"), max_length=240)
    second_title = models.CharField(_("second step"), max_length=60)
    second_text = models.CharField(_("what happens in it"), max_length=240)
    third_title = models.CharField(_("third step"), max_length=60)
    third_text = models.CharField(_("what happens in it"), max_length=240)

    content_panels = [
        *Page.content_panels,
        MultiFieldPanel([FieldPanel("hero_title"), FieldPanel("hero_text"), FieldPanel("search_hint")], heading=_("Top of the page")),
        MultiFieldPanel(
            [FieldPanel(f"{step}_{part}") for step in ("first", "second", "third") for part in ("title", "text")], heading=_("How it works, in three steps")
        ),
    ]
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["pages.StandardPage"]
    template = "pages/home.html"

    class Meta:
        verbose_name, verbose_name_plural = _("home page"), _("home pages")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With the live figures and the newest listings and companies."""
        return super().get_context(request, *args, **kwargs) | figures.home()

    @property
    def steps(self) -> list[dict[str, str]]:
        """The three steps, each with its drawing."""
        return [
            {"title": self.first_title, "text": self.first_text, "drawing": "pages/drawings/publish.html"},
            {"title": self.second_title, "text": self.second_text, "drawing": "pages/drawings/match.html"},
            {"title": self.third_title, "text": self.third_text, "drawing": "pages/drawings/meet.html"},
        ]


class StandardPage(TranslatedPage):
    """A plain text. Ticked "show in menus", its link stands at the foot of every page of its language."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)
    body = RichTextField(_("text"), features=RICH_TEXT)

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]
    parent_page_types = ["pages.HomePage", "pages.StandardPage"]
    subpage_types = ["pages.StandardPage"]
    template = "pages/standard.html"

    class Meta:
        verbose_name, verbose_name_plural = _("text page"), _("text pages")

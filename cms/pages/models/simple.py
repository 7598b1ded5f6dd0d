"""The home page, plain texts, and the figures of the marketplace."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.models import Page

from cms.pages import figures, structured
from cms.pages.blocks import BodyBlock
from cms.pages.fields import BodyField

from .base import TranslatedPage


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
    # What may stand below is said by the kinds themselves: those of higher apps are not known here.
    parent_page_types = ["wagtailcore.Page"]
    template = "pages/home.html"
    shown_kinds = ("page", "listing", "company")

    class Meta:
        verbose_name, verbose_name_plural = _("home page"), _("home pages")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With the live figures and the newest listings and companies."""
        return super().get_context(request, *args, **kwargs) | figures.home()

    @property
    def intro(self) -> str:
        """What the top of the page says."""
        return self.hero_text

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Who runs the site, and the site itself."""
        address = structured.absolute(self.get_url(request))
        site = {"@type": "WebSite", "name": self.title, "url": address, "inLanguage": self.locale.language_code}
        return [structured.organization(), site | {"publisher": {"@id": structured.organization()["@id"]}}]

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
    body = BodyField(BodyBlock, verbose_name=_("text"), blank=True)

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]
    parent_page_types = ["pages.HomePage", "pages.StandardPage"]
    subpage_types = ["pages.StandardPage", "pages.FaqPage", "pages.FormPage"]
    template = "pages/standard.html"

    class Meta:
        verbose_name, verbose_name_plural = _("text page"), _("text pages")


class FiguresPage(TranslatedPage):
    """The marketplace in figures: charts of what is live, each with the table behind it."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)
    body = BodyField(BodyBlock, verbose_name=_("text below the charts"), blank=True, help_text=_("Where the figures come from and how to read them."))

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]
    parent_page_types = ["pages.HomePage"]
    subpage_types: list[str] = []
    max_count_per_parent = 1
    template = "pages/figures.html"
    shown_kinds = ("page", "listing", "company", "comment")

    class Meta:
        verbose_name, verbose_name_plural = _("page of figures"), _("pages of figures")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With the figures and the charts."""
        return super().get_context(request, *args, **kwargs) | figures.public()

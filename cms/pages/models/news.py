"""News, by subject and by day."""

import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalManyToManyField
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page
from wagtail.snippets.models import register_snippet

from cms.pages import feeds, structured
from cms.pages.blocks import BodyBlock
from cms.pages.fields import BodyField

from .base import IllustratedPage, PageWithFiles, for_everybody, in_language_of

PAGE_SIZE = 12
#: So many of other news at the foot of one.
MORE = 3


@register_snippet
class Topic(models.Model):
    """A subject of news and events."""

    slug = models.SlugField(_("name in addresses"), unique=True)
    name_ca = models.CharField(_("name in Catalan"), max_length=60, unique=True)
    name_es = models.CharField(_("name in Spanish"), max_length=60, blank=True)
    name_en = models.CharField(_("name in English"), max_length=60, blank=True)

    panels = [FieldPanel("name_ca"), FieldPanel("name_es"), FieldPanel("name_en"), FieldPanel("slug")]

    class Meta:
        ordering = ("name_ca",)
        verbose_name, verbose_name_plural = _("topic"), _("topics")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the language of this moment, in Catalan where there is no other."""
        return getattr(self, f"name_{get_language() or 'ca'}", "") or self.name_ca


class NewsIndexPage(PageWithFiles):
    """All news of a language, newest first, or those of a topic."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("lead")]
    parent_page_types = ["pages.HomePage"]
    subpage_types = ["pages.NewsPage"]
    max_count_per_parent = 1
    template = "pages/news_index.html"
    query_names = ("page", "topic")
    files = {feeds.FEED: "feed"}

    class Meta:
        verbose_name, verbose_name_plural = _("list of news"), _("lists of news")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With a `page_of` news, the `topics` there are and the `topic` asked for."""
        context = super().get_context(request, *args, **kwargs)
        news = self.news()
        topics = list(Topic.objects.filter(news__in=news.order_by()).distinct())
        topic = next((topic for topic in topics if topic.slug == request.GET.get("topic")), None)
        page_of = Paginator(news.filter(topics=topic) if topic else news, PAGE_SIZE).get_page(request.GET.get("page"))
        page_of.object_list = in_language_of(self, page_of.object_list)
        return context | {"page_of": page_of, "topics": topics, "topic": topic}

    def news(self) -> models.QuerySet["NewsPage"]:
        """The public ones, newest first."""
        news = for_everybody(NewsPage.objects.child_of(self)).order_by("-date", "-pk").defer("body")
        return news.select_related("lead_image").prefetch_related("lead_image__renditions", "topics")

    def feed(self) -> HttpResponse:
        """The newest for feed readers."""
        return feeds.response(self, in_language_of(self, self.news()[: feeds.LENGTH]))


class NewsPage(IllustratedPage):
    """One piece of news."""

    date = models.DateField(_("date"), default=timezone.localdate)
    summary = models.CharField(_("in one or two sentences"), max_length=300, help_text=_("It stands in lists, feeds and previews."))
    body = BodyField(BodyBlock, verbose_name=_("text"))
    topics = ParentalManyToManyField(Topic, blank=True, related_name="news", verbose_name=_("topics"))

    content_panels = [*Page.content_panels, FieldPanel("date"), FieldPanel("summary"), IllustratedPage.picture_panel, FieldPanel("body"), FieldPanel("topics")]
    parent_page_types = ["pages.NewsIndexPage"]
    subpage_types: list[str] = []
    template = "pages/news.html"
    shown_kinds = ("page", "comment")
    fetched = (*IllustratedPage.fetched, "topics")
    og_type = "article"

    class Meta:
        verbose_name, verbose_name_plural = _("news"), _("news")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With `more`, the newest of the others."""
        others = for_everybody(NewsPage.objects.sibling_of(self, inclusive=False)).order_by("-date", "-pk").defer("body")[:MORE]
        return super().get_context(request, *args, **kwargs) | {"more": in_language_of(self, others)}

    @property
    def feed_date(self) -> datetime.date:
        """What feeds call its date."""
        return self.date

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """A news article."""
        return [
            {
                "@type": "NewsArticle",
                "headline": self.title,
                "description": self.description,
                "datePublished": structured.moment(self.date),
                "dateModified": structured.moment(self.last_published_at),
                "inLanguage": self.locale.language_code,
                "mainEntityOfPage": structured.absolute(self.get_url(request)),
                "image": structured.picture(self.share_rendition),
                "author": structured.organization(),
                "publisher": structured.organization(),
            }
        ]

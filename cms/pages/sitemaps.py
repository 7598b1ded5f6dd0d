"""What search engines shall know: live listings, companies and pages, each in every language."""

import datetime
import uuid
from collections import defaultdict
from typing import Any

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from wagtail.models import Page

from cms.pages import structured
from marketplace.companies.models import Company
from marketplace.core.models import BaseModel
from marketplace.listings.enums import Origin
from marketplace.listings.models import Listing


class _Translated(Sitemap):
    i18n = alternates = x_default = True
    limit = 10_000
    protocol = settings.SITE_URL.partition(":")[0]

    def get_domain(self, site: object = None) -> str:
        """The site's public name, whatever host asked."""
        return settings.SITE_URL.partition("://")[2]

    def lastmod(self, item: BaseModel) -> datetime.datetime:
        """When the row was written last."""
        return item.modified


class ListingSitemap(_Translated):
    """Live listings, but for partners': these belong into their own marketplace's."""

    changefreq = "weekly"

    def items(self) -> QuerySet:
        """Newest first."""
        return Listing.objects.live().exclude(origin=Origin.PARTNER).order_by("-published_at", "-id").only("uid", "modified")


class CompanySitemap(_Translated):
    """Public companies, as above."""

    changefreq = "monthly"

    def items(self) -> QuerySet:
        """In the order they came."""
        return Company.objects.public().of_this_marketplace().order_by("id").only("uid", "modified")


class EntranceSitemap(_Translated):
    """The two lists, and the page of the open data."""

    def items(self) -> list[str]:
        """Names of addresses."""
        return ["listings:search", "companies:list", "open_data:page"]

    def location(self, item: str) -> str:
        """The list's address."""
        return reverse(item)

    def lastmod(self, item: str) -> None:
        """Always new, so that a date says nothing."""


class PageSitemap(_Translated):
    """Wagtail's pages; each language is a page of its own and names the others."""

    i18n = alternates = x_default = False

    def items(self) -> QuerySet:
        """All that are public."""
        return Page.objects.live().public().filter(depth__gt=1).select_related("locale").order_by("path")

    def location(self, item: Page) -> str:
        """The page's address."""
        return item.get_url()

    def lastmod(self, item: Page) -> datetime.datetime | None:
        """When it was published last."""
        return item.last_published_at

    def get_urls(self, *args: object, **kwargs: object) -> list[dict[str, Any]]:
        """With the translations of each page: Django's own way would ask for the same page in another language."""
        urls = super().get_urls(*args, **kwargs)
        languages: dict[uuid.UUID, list[dict[str, str]]] = defaultdict(list)
        for page in self.items():
            languages[page.translation_key].append({"location": structured.absolute(page.get_url()), "lang_code": page.locale.language_code})
        for url in urls:
            alternates = languages[url["item"].translation_key]
            url["alternates"] = alternates if len(alternates) > 1 else []
        return urls


SITEMAPS = {"pages": PageSitemap, "lists": EntranceSitemap, "listings": ListingSitemap, "companies": CompanySitemap}


def robots(request: HttpRequest) -> HttpResponse:
    """robots.txt: everything public may be read; searches are endless, so robots stay out of them."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in ("/console/", "/django-admin/", "/health/", "/*?*q=")),
        f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")

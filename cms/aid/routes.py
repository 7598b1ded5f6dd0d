"""The addresses below the finder: the search itself, calendar, feeds, comparison. Each is a GET whose query string says all."""

import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from wagtail.contrib.routable_page.models import RoutablePageMixin, path


def _views():
    # They know the models, and the models know these routes.
    from . import views  # noqa: PLC0415

    return views


def _midnight(now: datetime.datetime) -> datetime.datetime:
    tomorrow = timezone.localdate(now) + datetime.timedelta(days=1)
    return timezone.make_aware(datetime.datetime.combine(tomorrow, datetime.time()))


class FinderRoutes(RoutablePageMixin):
    """What AidIndexPage answers. Every address ends with a slash: Wagtail sees no others."""

    #: For the page cache: what the finder shows, and the parameters that it reads (see filters).
    shown_kinds = ("page", "funder", "aid", "vocabulary")
    query_names = ("q", "kind", "state", "beneficiary", "size", "sector", "level", "funder", "ended", "sort", "page", "a")

    @path("")
    def index_route(self, request: HttpRequest) -> HttpResponse:
        """The finder; with htmx only what changed."""
        return _views().search_page(self, request)

    @path(_("calendar/"), name="calendar")
    def calendar_route(self, request: HttpRequest) -> HttpResponse:
        """Deadlines month by month."""
        return _views().calendar_page(self, request)

    @path(_("calendar/subscribe/"), name="calendar_feed")
    def calendar_feed_route(self, request: HttpRequest) -> HttpResponse:
        """Deadlines for programs that subscribe."""
        return _views().calendar_feed(self, request)

    @path(_("calendar/<int:number>/"), name="calendar_of_one")
    def calendar_of_one_route(self, request: HttpRequest, number: int) -> HttpResponse:
        """The dates of one aid, to add to a calendar."""
        return _views().calendar_of_one(self, request, number)

    @path(_("compare/"), name="compare")
    def compare_route(self, request: HttpRequest) -> HttpResponse:
        """Up to four side by side."""
        return _views().compare_page(self, request)

    @path("feed/", name="feed")
    def feed_route(self, request: HttpRequest) -> HttpResponse:
        """New aid, for feed readers."""
        return _views().new_aid_feed(self, request)

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Until midnight, when calls open and close."""
        return _midnight(now)

    def address(self, name: str = "", request: HttpRequest | None = None, **kwargs: object) -> str:
        """The path of one of these in the page's own language, whatever the language of this moment."""
        with override(self.locale.language_code):
            return self.get_url(request) + (self.reverse_subpage(name, kwargs=kwargs) if name else "")

    def in_other_languages(self, request: HttpRequest, name: str = "") -> dict[str, str]:
        """Where the same is in each language, with the same query, for the language switcher."""
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        pages = list(type(self).objects.filter(translation_key=self.translation_key).select_related("locale"))
        self.locale = next((page.locale for page in pages if page.pk == self.pk), None) or self.locale
        return {page.locale.language_code: page.address(name, request) + query for page in pages if page.live}


class AidRoutes:
    """What AidPage answers: one page, which turns with the days."""

    shown_kinds = ("page", "funder", "comment")
    og_type = "article"

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With all that the template shows."""
        return _views().aid_context(self, request)

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Grant or loan, and the service."""
        from . import structured  # noqa: PLC0415 - as _views

        return structured.about(self, self.get_url(request))

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Until midnight: "closes in 12 days" is true for a day."""
        return _midnight(now)

"""Events: what is on, where, and how to come."""

import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalManyToManyField
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.models import Page

from cms.pages import feeds, ics, structured
from cms.pages.blocks import BodyBlock
from cms.pages.fields import BodyField

from .base import IllustratedPage, PageWithFiles, for_everybody, in_language_of
from .news import Topic

PAGE_SIZE = 12


class EventIndexPage(PageWithFiles):
    """What is on, soonest first; what is over, latest first."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("lead")]
    parent_page_types = ["pages.HomePage"]
    subpage_types = ["pages.EventPage"]
    max_count_per_parent = 1
    template = "pages/event_index.html"
    query_names = ("page", "past")
    files = {feeds.FEED: "feed", "calendar": "calendar"}

    class Meta:
        verbose_name, verbose_name_plural = _("list of events"), _("lists of events")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With a `page_of` events, those to come or the `past` ones."""
        past = "past" in request.GET
        events = self.events()
        events = events.filter(ends_at__lte=timezone.now()).order_by("-starts_at", "-pk") if past else self.to_come()
        page_of = Paginator(events, PAGE_SIZE).get_page(request.GET.get("page"))
        page_of.object_list = in_language_of(self, page_of.object_list)
        return super().get_context(request, *args, **kwargs) | {"page_of": page_of, "past": past}

    def events(self) -> models.QuerySet["EventPage"]:
        """The public ones."""
        return for_everybody(EventPage.objects.child_of(self)).defer("body").select_related("lead_image").prefetch_related("lead_image__renditions", "topics")

    def to_come(self) -> models.QuerySet["EventPage"]:
        """Those that are not over, soonest first."""
        return self.events().filter(ends_at__gt=timezone.now()).order_by("starts_at", "pk")

    def feed(self) -> HttpResponse:
        """The newest for feed readers, in the order they were announced."""
        return feeds.response(self, in_language_of(self, self.events().order_by("-first_published_at", "-pk")[: feeds.LENGTH]))

    def calendar(self) -> HttpResponse:
        """What is to come, for calendar programs to subscribe to."""
        entries = [event.as_calendar_entry() for event in in_language_of(self, self.to_come())]
        return ics.response(entries, file=f"{self.slug}.ics", name=f"{self.title} · {settings.SITE_NAME}")

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Until the next event is over."""
        return self.events().filter(ends_at__gt=now).aggregate(first=models.Min("ends_at"))["first"]


class EventPage(IllustratedPage, PageWithFiles):
    """One event, at a place, online or both."""

    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    summary = models.CharField(_("in one or two sentences"), max_length=300, help_text=_("It stands in lists, feeds and previews."))
    place = models.CharField(_("place"), max_length=120, blank=True)
    address = models.CharField(_("address"), max_length=160, blank=True)
    online_url = models.URLField(_("address of the online room"), blank=True)
    capacity = models.CharField(_("places and price"), max_length=120, blank=True, help_text=_("For example: 40 places, free of charge."))
    registration_url = models.URLField(_("address for registration"), blank=True)
    body = BodyField(BodyBlock, verbose_name=_("text"), blank=True)
    topics = ParentalManyToManyField(Topic, blank=True, related_name="events", verbose_name=_("topics"))

    content_panels = [
        *Page.content_panels,
        FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")], heading=_("When")),
        FieldPanel("summary"),
        MultiFieldPanel([FieldPanel("place"), FieldPanel("address"), FieldPanel("online_url")], heading=_("Where")),
        MultiFieldPanel([FieldPanel("capacity"), FieldPanel("registration_url")], heading=_("Registration")),
        IllustratedPage.picture_panel,
        FieldPanel("body"),
        FieldPanel("topics"),
    ]
    parent_page_types = ["pages.EventIndexPage"]
    subpage_types: list[str] = []
    template = "pages/event.html"
    files = {"calendar": "calendar"}

    class Meta:
        verbose_name, verbose_name_plural = _("event"), _("events")

    def clean(self) -> None:
        """It ends after it begins, and is somewhere."""
        super().clean()
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": ValidationError(_("The event ends before it begins. Check both dates and times."), code="crossed")})
        if not (self.place or self.online_url):
            raise ValidationError({"place": ValidationError(_("Where is it? Write a place, or the address of the online room."), code="nowhere")})

    def calendar(self) -> HttpResponse:
        """For calendar programs."""
        return ics.response([self.as_calendar_entry()], file=f"{self.slug}.ics")

    @property
    def feed_date(self) -> datetime.datetime:
        """What feeds call its date: when it was announced, not when it is."""
        return self.first_published_at or self.starts_at

    def as_calendar_entry(self) -> ics.Entry:
        """For calendar programs; its identity stays when date or title change."""
        where = ", ".join(part for part in (self.place, self.address) if part) or self.online_url
        return ics.Entry(
            uid=f"event-{self.translation_key}-{self.locale.language_code}",
            title=self.title,
            starts=self.starts_at,
            ends=self.ends_at,
            changed=self.last_published_at or self.starts_at,
            text=self.summary,
            where=where,
            url=structured.absolute(self.get_url()),
        )

    @property
    def is_over(self) -> bool:
        """Whether one can no longer go."""
        return self.ends_at <= timezone.now()

    @property
    def on_one_day(self) -> bool:
        """Whether it ends on the day it begins."""
        return timezone.localtime(self.starts_at).date() == timezone.localtime(self.ends_at).date()

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Until it is over."""
        return self.ends_at if self.ends_at > now else None

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """An event."""
        place = {"@type": "Place", "name": self.place, "address": self.address or self.place} if self.place else None
        online = {"@type": "VirtualLocation", "url": self.online_url} if self.online_url else None
        mode = "Mixed" if place and online else "Online" if online else "Offline"
        return [
            {
                "@type": "Event",
                "name": self.title,
                "description": self.description,
                "startDate": structured.moment(timezone.localtime(self.starts_at)),
                "endDate": structured.moment(timezone.localtime(self.ends_at)),
                "eventStatus": "https://schema.org/EventScheduled",
                "eventAttendanceMode": f"https://schema.org/{mode}EventAttendanceMode",
                "location": [part for part in (place, online) if part],
                "organizer": structured.organization(),
                "image": structured.picture(self.share_rendition),
                "inLanguage": self.locale.language_code,
                "url": structured.absolute(self.get_url(request)),
            }
        ]

"""Offices: where they are, when they are open, how to reach them, what they do."""

import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.models import Page

from cms.pages import structured
from cms.pages.blocks import BodyBlock
from cms.pages.fields import BodyField
from cms.pages.hours import Hours, Status, same_days
from cms.pages.office_blocks import ChannelsBlock, HoursBlock, ServicesBlock, read_hours

from .base import IllustratedPage, TranslatedPage, for_everybody, in_language_of

SCHEMA_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Exceptions of the opening hours are told so far ahead.
TOLD_AHEAD = datetime.timedelta(days=120)


class OfficeIndexPage(TranslatedPage):
    """All offices of a language."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)

    content_panels = [*Page.content_panels, FieldPanel("lead")]
    parent_page_types = ["pages.HomePage"]
    subpage_types = ["pages.OfficePage"]
    max_count_per_parent = 1
    template = "pages/office_index.html"

    class Meta:
        verbose_name, verbose_name_plural = _("list of offices"), _("lists of offices")

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With `offices`."""
        return super().get_context(request, *args, **kwargs) | {"offices": self.offices}

    @cached_property
    def offices(self) -> list["OfficePage"]:
        """The public ones in the editors' order."""
        offices = for_everybody(OfficePage.objects.child_of(self)).order_by("path").select_related("lead_image").prefetch_related("lead_image__renditions")
        return in_language_of(self, offices)

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Until the first of them opens or closes."""
        return min((changes for office in self.offices if (changes := office.fresh_until(now))), default=None)


class OfficePage(IllustratedPage):
    """One office."""

    summary = models.CharField(_("what it is for, in one sentence"), max_length=300)
    street = models.CharField(_("street and number"), max_length=120)
    postcode = models.CharField(_("postcode"), max_length=10)
    town = models.CharField(_("town"), max_length=80)
    directions = models.CharField(_("how to get there"), max_length=240, blank=True, help_text=_("Train, bus, parking, the entrance without steps."))
    latitude = models.DecimalField(
        _("latitude"), max_digits=8, decimal_places=5, null=True, blank=True, validators=[MinValueValidator(Decimal(-90)), MaxValueValidator(Decimal(90))]
    )
    longitude = models.DecimalField(
        _("longitude"), max_digits=8, decimal_places=5, null=True, blank=True, validators=[MinValueValidator(Decimal(-180)), MaxValueValidator(Decimal(180))]
    )
    opening_hours = BodyField(HoursBlock, verbose_name=_("opening hours"), blank=True)
    channels = BodyField(ChannelsBlock, verbose_name=_("how to reach it"), blank=True)
    services = BodyField(ServicesBlock, verbose_name=_("what it does"), blank=True)
    body = BodyField(BodyBlock, verbose_name=_("more about it"), blank=True)

    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        MultiFieldPanel(
            [
                FieldPanel("street"),
                FieldRowPanel([FieldPanel("postcode"), FieldPanel("town")]),
                FieldPanel("directions"),
                FieldRowPanel([FieldPanel("latitude"), FieldPanel("longitude")]),
            ],
            heading=_("Where"),
        ),
        FieldPanel("opening_hours"),
        FieldPanel("channels"),
        FieldPanel("services"),
        IllustratedPage.picture_panel,
        FieldPanel("body"),
    ]
    parent_page_types = ["pages.HomePage", "pages.OfficeIndexPage"]
    subpage_types: list[str] = []
    template = "pages/office.html"

    class Meta:
        verbose_name, verbose_name_plural = _("office"), _("offices")

    def clean(self) -> None:
        """A place on the map has two coordinates."""
        super().clean()
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            raise ValidationError({missing: ValidationError(_("Give both coordinates, or neither."), code="half")})

    def get_context(self, request: HttpRequest, *args: object, **kwargs: object) -> dict[str, Any]:
        """With the weekday of `today`."""
        return super().get_context(request, *args, **kwargs) | {"today": timezone.localdate().weekday()}

    @property
    def week(self) -> list[tuple[list[int], Any]]:
        """The week in few lines, [(weekdays, periods)]."""
        return same_days(self.hours.week)

    @cached_property
    def hours(self) -> Hours:
        """The opening hours as a value that can be asked."""
        return read_hours(self.opening_hours)

    @property
    def status(self) -> Status | None:
        """Open or not now; None where no hours are given."""
        return self.hours.status(timezone.localtime()) if self.opening_hours else None

    @property
    def coming_specials(self) -> list[Any]:
        """Days that are not like others, in the near future."""
        today = timezone.localdate()
        return [special for special in self.hours.specials if special.last >= today and special.first <= today + TOLD_AHEAD]

    def fresh_until(self, now: datetime.datetime) -> datetime.datetime | None:
        """Until it opens or closes."""
        return self.hours.status(timezone.localtime(now)).changes

    @property
    def map_url(self) -> str:
        """The office on OpenStreetMap: a link, nothing of it is loaded into our page."""
        if self.latitude is None:
            return "https://www.openstreetmap.org/search?" + urlencode({"query": f"{self.street}, {self.postcode} {self.town}"})
        return f"https://www.openstreetmap.org/?mlat={self.latitude}&mlon={self.longitude}#map=18/{self.latitude}/{self.longitude}"

    def about(self, request: HttpRequest) -> list[dict[str, Any]]:
        """A government office, and each of its services."""
        address = structured.absolute(self.get_url(request))
        office = {
            "@type": "GovernmentOffice",
            "@id": f"{address}#office",
            "name": self.title,
            "description": self.description,
            "url": address,
            "image": structured.picture(self.share_rendition),
            "address": structured.address(self.street, self.postcode, self.town),
            "hasMap": self.map_url,
            "openingHoursSpecification": self._schema_hours(),
            "parentOrganization": structured.organization(),
        }
        if self.latitude is not None:
            office["geo"] = {"@type": "GeoCoordinates", "latitude": float(self.latitude), "longitude": float(self.longitude)}
        for block in self.channels:
            if block.block_type == "phone":
                office.setdefault("telephone", block.value["number"])
            elif block.block_type == "mail":
                office.setdefault("email", block.value["address"])
        services = [
            {"@type": "GovernmentService", "name": block.value["title"], "serviceOperator": {"@id": office["@id"]}, "areaServed": self.town}
            for block in self.services
        ]
        return [office, *services]

    def _schema_hours(self) -> list[dict[str, Any]]:
        week = [
            {
                "@type": "OpeningHoursSpecification",
                "dayOfWeek": f"https://schema.org/{name}",
                "opens": f"{period.opens:%H:%M}",
                "closes": f"{period.closes:%H:%M}",
            }
            for name, periods in zip(SCHEMA_DAYS, self.hours.week, strict=True)
            for period in periods
        ]
        specials = [
            {
                "@type": "OpeningHoursSpecification",
                "validFrom": special.first.isoformat(),
                "validThrough": special.last.isoformat(),
                # schema.org's way to say "closed all day".
                "opens": f"{period.opens:%H:%M}" if period else "00:00",
                "closes": f"{period.closes:%H:%M}" if period else "00:00",
            }
            for special in self.coming_specials
            for period in special.periods or (None,)
        ]
        return week + specials

"""When an office is open, how to reach it and what it does, as blocks: what is no word stays the same in every translation."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.stream_block import StreamBlockValidationError, StreamValue
from wagtail.blocks.struct_block import StructBlockValidationError

from .blocks import TextBlock
from .hours import Hours, Period, Special, crossed, overlapping


def _refuse_crossed(value: Mapping[str, Any]) -> None:
    if crossed(Period(value["opens"], value["closes"])):
        message = _now("It closes before it opens. Exchange the two times.")
        raise StructBlockValidationError({"closes": ValidationError(message, code="crossed")})


class PeriodBlock(blocks.StructBlock):
    """From when to when."""

    opens = blocks.TimeBlock(label=_("Opens"))
    closes = blocks.TimeBlock(label=_("Closes"))

    def clean(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """In this order."""
        cleaned = super().clean(value)
        _refuse_crossed(cleaned)
        return cleaned


class WeekBlock(blocks.StructBlock):
    """The same hours on some days of every week."""

    # Numbers as text: a choice comes back from the form as text.
    days = blocks.MultipleChoiceBlock(label=_("Days"), choices=[(str(number), name) for number, name in WEEKDAYS.items()])
    opens = blocks.TimeBlock(label=_("Opens"))
    closes = blocks.TimeBlock(label=_("Closes"))

    def clean(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """In this order."""
        cleaned = super().clean(value)
        _refuse_crossed(cleaned)
        return cleaned

    class Meta:
        icon = "time"
        label = _("Every week")


class SpecialBlock(blocks.StructBlock):
    """Summer, holidays: days with hours of their own, or closed."""

    first = blocks.DateBlock(label=_("First day"))
    last = blocks.DateBlock(label=_("Last day"))
    note = blocks.CharBlock(label=_("Why"), required=False, max_length=80, help_text=_("For example: August, or the city's holiday."))
    periods = blocks.ListBlock(PeriodBlock(), label=_("Open from … to …"), default=[], help_text=_("None: closed all day."))

    def clean(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """In order, and open only once at a time."""
        cleaned = super().clean(value)
        if cleaned["last"] < cleaned["first"]:
            message = _now("The last day comes before the first.")
            raise StructBlockValidationError({"last": ValidationError(message, code="crossed")})
        if overlapping(_period(period) for period in cleaned["periods"]):
            message = _now("Two of these hours overlap. Make one of them, or move one.")
            raise StructBlockValidationError({"periods": ValidationError(message, code="overlap")})
        return cleaned

    class Meta:
        icon = "date"
        label = _("Other hours for some days")


class HoursBlock(blocks.StreamBlock):
    """All opening hours of an office."""

    week = WeekBlock()
    special = SpecialBlock()

    def clean(self, value: StreamValue, *args: object, **kwargs: object) -> StreamValue:
        """No day is open twice at the same time, no two exceptions for a day."""
        cleaned = super().clean(value, *args, **kwargs)
        faults = _overlaps_in_the_week(cleaned) | _specials_that_meet(cleaned)
        if faults:
            raise StreamBlockValidationError(faults)
        return cleaned


def _overlaps_in_the_week(stream: StreamValue) -> dict[int, ValidationError]:
    faults: dict[int, ValidationError] = {}
    seen: dict[str, list[Period]] = defaultdict(list)
    for number, block in enumerate(stream):
        if block.block_type != "week":
            continue
        for day in block.value["days"]:
            if overlapping([*seen[day], _period(block.value)]):
                message = _now("%(day)s is open twice at the same time: these hours overlap with others of that day.") % {"day": WEEKDAYS[int(day)]}
                faults[number] = StructBlockValidationError({"opens": ValidationError(message, code="overlap")})
                break
            seen[day].append(_period(block.value))
    return faults


def _specials_that_meet(stream: StreamValue) -> dict[int, ValidationError]:
    faults: dict[int, ValidationError] = {}
    seen: list[Mapping[str, Any]] = []
    for number, block in enumerate(stream):
        if block.block_type != "special":
            continue
        if any(block.value["first"] <= other["last"] and other["first"] <= block.value["last"] for other in seen):
            message = _now("Other hours are given for some of these days already.")
            faults[number] = StructBlockValidationError({"first": ValidationError(message, code="overlap")})
        seen.append(block.value)
    return faults


def _period(value: Mapping[str, Any]) -> Period:
    return Period(value["opens"], value["closes"])


def read_hours(stream: Iterable) -> Hours:
    """The blocks as a value that can be asked."""
    week: list[list[Period]] = [[] for _day in range(7)]
    specials = []
    for block in stream:
        if block.block_type == "week":
            for day in block.value["days"]:
                week[int(day)].append(_period(block.value))
        else:
            value = block.value
            specials.append(Special(value["first"], value["last"], tuple(_period(period) for period in value["periods"]), value["note"]))
    return Hours(tuple(tuple(sorted(periods)) for periods in week), tuple(sorted(specials, key=lambda special: special.first)))


class PhoneBlock(blocks.StructBlock):
    """By phone."""

    number = blocks.CharBlock(label=_("Number"), max_length=40)
    note = blocks.CharBlock(label=_("When, or for what"), required=False, max_length=120)

    class Meta:
        icon = "mobile-alt"
        label = _("Phone")


class MailBlock(blocks.StructBlock):
    """By mail."""

    address = blocks.EmailBlock(label=_("Address"))
    note = blocks.CharBlock(label=_("How soon you answer"), required=False, max_length=120)

    class Meta:
        icon = "mail"
        label = _("E-mail")


class DeskBlock(blocks.StructBlock):
    """In person."""

    note = blocks.CharBlock(label=_("With or without appointment"), max_length=160)
    url = blocks.URLBlock(label=_("Address for appointments"), required=False)

    class Meta:
        icon = "group"
        label = _("In person")


class CallBlock(blocks.StructBlock):
    """By video."""

    note = blocks.CharBlock(label=_("How it works"), max_length=160)
    url = blocks.URLBlock(label=_("Address for appointments"), required=False)

    class Meta:
        icon = "media"
        label = _("Video call")


class ChannelsBlock(blocks.StreamBlock):
    """The ways to reach an office."""

    phone = PhoneBlock()
    mail = MailBlock()
    desk = DeskBlock()
    video = CallBlock()


class ServiceBlock(blocks.StructBlock):
    """One thing that the office does for you."""

    title = blocks.CharBlock(label=_("Service"), max_length=120)
    text = TextBlock(label=_("What you get"), required=False)
    page = blocks.PageChooserBlock(label=_("Page about it"), required=False)

    class Meta:
        icon = "pick"
        label = _("Service")


class ServicesBlock(blocks.StreamBlock):
    """What an office does."""

    service = ServiceBlock()

"""Serializers that take just the JSON type they name and no member that they do not know.

DRF's turn 5 into "5", "yes" into true and drop what they do not know. A program then finds out from a person that its data was not understood.
"""

import datetime
import re
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class StrictSerializer(serializers.Serializer):
    """Refuses unknown members, naming each."""

    def to_internal_value(self, data: object) -> dict[str, object]:
        """As DRF's, after a look at the names."""
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
            message = _("There is no such member here. There are: %(names)s.") % {"names": known}
            raise serializers.ValidationError({name[:80]: [serializers.ErrorDetail(message, "unknown")] for name in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A string, kept as it is."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: object) -> str:
        """The string; nothing else becomes one."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """One of a list of strings."""

    def to_internal_value(self, data: object) -> str:
        """The string; 1 is not "1"."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: object) -> int:
        """The number; neither "5" nor 5.0 nor true is one."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Truth(serializers.BooleanField):
    """True or false."""

    def to_internal_value(self, data: object) -> bool:
        """The value; neither "yes" nor 1 is true."""
        if type(data) is not bool:
            self.fail("invalid", input=str(data)[:40])
        return data


class Day(serializers.DateField):
    """A day as RFC 3339 writes it: 2027-01-31."""

    def to_internal_value(self, data: object) -> datetime.date:
        """The day; Python reads more forms than the standard has."""
        if not isinstance(data, str) or not _DAY.fullmatch(data):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(data)


class Uid(serializers.UUIDField):
    """A UUID in its usual form."""

    def to_internal_value(self, data: object) -> object:
        """The UUID; a number is none."""
        if not isinstance(data, str):
            self.fail("invalid", value=type(data).__name__)
        return super().to_internal_value(data)

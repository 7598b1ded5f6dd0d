"""Fields that Django has not."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _


class ChoiceListField(models.JSONField):
    """Some of a closed list, as a list of their values; the empty list means no restriction."""

    def __init__(self, *args: object, of: type[models.TextChoices] | None = None, **kwargs: object) -> None:
        self.of = of
        super().__init__(*args, **{"default": list, "blank": True, **kwargs})

    def deconstruct(self) -> tuple[str, str, list, dict[str, Any]]:
        """Without the list: another choice needs no migration."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {key: value for key, value in kwargs.items() if key not in {"of", "default", "blank"}}

    def formfield(self, **kwargs: object) -> forms.Field:
        """Boxes to tick."""
        wanted = {"label": self.verbose_name, "help_text": self.help_text, "required": False}
        return forms.MultipleChoiceField(choices=self.of.choices, widget=forms.CheckboxSelectMultiple, **wanted)

    def validate(self, value: object, model_instance: models.Model | None) -> None:
        """Known values only."""
        if not isinstance(value, list) or (unknown := [one for one in value if one not in self.of.values]):
            raise ValidationError(_("Not in the list: %(values)s.") % {"values": value if not isinstance(value, list) else ", ".join(map(str, unknown))})

"""Widgets that Django does not have, printed by templates/django/forms/widgets/."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class ChoiceCards(forms.RadioSelect):
    """A choice that decides the rest of the form: one card per option, each with a sentence that explains it.

    `hints` maps an option's value to its sentence. The empty option is left out: nothing chosen is no card.
    """

    template_name = "django/forms/widgets/choice_cards.html"
    option_template_name = "django/forms/widgets/input.html"
    # The cards' label stands around the input.
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Iterable = (), *, hints: dict[str, str] | None = None) -> None:
        super().__init__(attrs, choices)
        self.hints = hints or {}

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list:
        """As Django's, without the empty option."""
        return [group for group in super().optgroups(name, value, attrs) if any(option["value"] not in ("", None) for option in group[1])]

    def create_option(self, name: str, value: object, *args: object, **kwargs: object) -> dict[str, Any]:
        """As Django's, with the option's hint."""
        option = super().create_option(name, value, *args, **kwargs)
        option["hint"] = self.hints.get(str(value), "")
        return option


class ImageInput(forms.ClearableFileInput):
    """A picture: shows the present one, lets one take it away or choose another."""

    template_name = "django/forms/widgets/image_input.html"
    initial_text = _("The present picture")
    clear_checkbox_label = _("Take the picture away")
    use_fieldset = False

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": "image/png,image/jpeg,image/webp", **(attrs or {})})


class DateInput(forms.DateInput):
    """The browser's own calendar; its value is ISO 8601 whatever the page's language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class SuggestInput(forms.TextInput):
    """A text field that proposes values (a native <datalist>): `suggestions` is a callable or a list, read at each printing."""

    template_name = "django/forms/widgets/suggest_input.html"

    def __init__(self, attrs: dict[str, Any] | None = None, *, suggestions: Iterable[str] | Callable[[], Iterable[str]] = ()) -> None:
        super().__init__({"autocomplete": "off", **(attrs or {})})
        self.suggestions = suggestions

    def get_context(self, name: str, value: object, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """As Django's, with the list and its id."""
        context = super().get_context(name, value, attrs)
        context["widget"]["suggestions"] = self.suggestions() if callable(self.suggestions) else self.suggestions
        context["widget"]["attrs"]["list"] = f"{context['widget']['attrs'].get('id', f'id_{name}')}_list"
        return context

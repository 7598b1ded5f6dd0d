"""The forms that visitors see on form pages."""

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.contrib.forms.forms import BaseForm
from wagtail.contrib.forms.forms import FormBuilder as WagtailFormBuilder

#: A field that only robots fill in: it is moved out of sight, and out of the way of keyboards and screen readers.
HONEYPOT = "website_of_yours"


class FormBuilder(WagtailFormBuilder):
    """Wagtail's, with a trap for robots."""

    def get_form_class(self) -> type[BaseForm]:
        """The fields of the page and the trap."""
        trap = forms.CharField(label=_("Leave this empty"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}))
        return type("PageForm", (super().get_form_class(),), {HONEYPOT: trap})

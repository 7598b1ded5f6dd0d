"""What is asked when a search is saved or renamed."""

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import NAME_LENGTH


class SearchForm(forms.Form):
    """A name, and whether to write."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH, help_text=_("Only you see it: in your list and in our mails to you."))
    alert = forms.BooleanField(
        label=_("Mail me new results"),
        required=False,
        help_text=_("At most one mail a day for all your searches together, and none when there is nothing new."),
    )

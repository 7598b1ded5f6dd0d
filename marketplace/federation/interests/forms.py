"""What people fill in when a yes crosses to another marketplace."""

import hashlib
import re

from django import forms
from django.utils.translation import gettext_lazy as _

from .consent import Contact, Given
from .wire import MAX_MESSAGE

#: An e-mail address, or nine digits and more as people write telephone numbers.
CONTACT_DATA = re.compile(r"[^\s@]+@[^\s@]+\.\w|(?:\+|\b)\d(?:[ .()/-]?\d){8}")


class ConsentForm(forms.Form):
    """The contact data for this one interest, and the tick below the text that says where they go."""

    contact_name = forms.CharField(label=_("Contact person"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    contact_email = forms.EmailField(label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    contact_phone = forms.CharField(label=_("Phone"), max_length=30, required=False, widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}))
    agreed = forms.BooleanField(
        label=_("I agree to this"),
        widget=forms.CheckboxInput(attrs={"aria-describedby": "consent-text"}),
        error_messages={"required": _("Without your agreement nothing is sent. Tick the box if you want it to go there.")},
    )
    # Of the text above the tick: what somebody agrees to is what they saw.
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, *args: object, text: str, contact: Contact, **kwargs: object) -> None:
        initial = {"contact_name": contact.name, "contact_email": contact.email, "contact_phone": contact.phone, "seen": _digest(text)}
        super().__init__(*args, initial=initial | kwargs.pop("initial", {}), **kwargs)
        self.text = text

    def clean(self) -> dict:
        """The text may have changed while the page was open."""
        cleaned = super().clean()
        if cleaned.get("seen") != _digest(self.text):
            self.data = self.data.copy()
            self.data["seen"] = _digest(self.text)
            self.data.pop("agreed", None)
            self.add_error("agreed", _("This text has changed since you opened the page. Read it again and tick the box."))
        return cleaned

    @property
    def given(self) -> Given:
        """What the person agreed to."""
        facts = self.cleaned_data
        return Given(Contact(facts["contact_name"], facts["contact_email"], facts["contact_phone"]), self.text)


class YesForm(ConsentForm):
    """The same for the one who asks first, with a word to the other company."""

    message = forms.CharField(
        label=_("Your message"),
        required=False,
        max_length=MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("They read it before they decide. Say what you need or offer, how much and until when; leave e-mail and phone out."),
    )
    field_order = ["message", "contact_name", "contact_email", "contact_phone", "agreed", "seen"]

    def clean_message(self) -> str:
        """Without contact data: those are for after the yes of both."""
        message = self.cleaned_data["message"].strip()
        if CONTACT_DATA.search(message):
            raise forms.ValidationError(
                _("Leave e-mail addresses and phone numbers out of the message: they get yours as soon as they say yes."), code="contact"
            )
        return message


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]

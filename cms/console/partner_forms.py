"""What those who look after partners fill in."""

import datetime
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.federation.enums import ReaderKind
from marketplace.federation.models import Partner

#: What each kind of partner is, in a sentence.
READER_HINTS = {
    ReaderKind.PROTOCOL: gettext_lazy("It speaks the federation's protocol: listings go both ways, changes come at once. Write the address of its site."),
    ReaderKind.TABLE: gettext_lazy("It keeps a spreadsheet at an address and changes it now and then."),
    ReaderKind.FEED: gettext_lazy("It has a news feed in which each entry is an offer or a demand."),
    ReaderKind.JSON: gettext_lazy("It has an interface for programs. You say here where in its answers the listings are."),
    ReaderKind.WEB: gettext_lazy("Its pages say for programs what they offer, as they do for search engines."),
    ReaderKind.NONE: gettext_lazy("We take nothing from it. It gets a key and reads what we give."),
}
#: Days for which a new key may live.
LIVES = [("365", gettext_lazy("a year")), ("730", gettext_lazy("two years")), ("90", gettext_lazy("90 days")), ("", gettext_lazy("until it is revoked"))]
OVERLAPS = [("1", gettext_lazy("a day")), ("7", gettext_lazy("7 days")), ("30", gettext_lazy("30 days")), ("0", gettext_lazy("not at all: it stops now"))]


class ConnectForm(forms.Form):
    """The first thing known of a partner: what it has, and where it is."""

    reader = forms.ChoiceField(
        label=gettext_lazy("What does the partner have?"), choices=ReaderKind.choices, initial=ReaderKind.PROTOCOL, widget=forms.RadioSelect
    )
    base_url = forms.CharField(
        label=gettext_lazy("Address of its site"),
        max_length=500,
        help_text=gettext_lazy("Like https://marketplace.example.org. Of a table or a feed: the site that it is on."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=160,
        required=False,
        help_text=gettext_lazy("As it shall stand beside its listings. Empty: the name it gives itself."),
    )
    contact_name = forms.CharField(label=gettext_lazy("Contact person"), max_length=120, required=False)
    contact_email = forms.EmailField(
        label=gettext_lazy("Contact e-mail"), required=False, help_text=gettext_lazy("Only you and your colleagues see who this is.")
    )

    def clean_base_url(self) -> str:
        """With a scheme: people leave it out."""
        address = self.cleaned_data["base_url"].strip().rstrip("/")
        return address if "://" in address else f"https://{address}"

    def clean(self) -> dict:
        """A name is needed where nobody can be asked for it."""
        data = super().clean()
        if data.get("reader") not in (None, ReaderKind.PROTOCOL) and not data.get("name"):
            self.add_error("name", _("Write the name of the partner."))
        return data

    @property
    def readers(self) -> list[tuple[object, str]]:
        """Each choice with its sentence."""
        return [(option, str(READER_HINTS.get(ReaderKind(option.data["value"]), ""))) for option in self["reader"]]


class SeenForm(forms.Form):
    """A part of a partner's facts. `seen` is the version that the person has before them."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    #: The facts of the partner that the form is about.
    facts: tuple[str, ...] = ()

    def __init__(self, *args: object, partner: Partner, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        self.partner = partner
        initial = {"seen": partner.version} | self.known(partner) | (kwargs.pop("initial", None) or {})
        super().__init__(*args, initial=initial, **kwargs)

    def known(self, partner: Partner) -> dict[str, Any]:
        """What the fields show at first."""
        return {name: getattr(partner, name) for name in self.facts}

    def wanted(self) -> Mapping[str, Any]:
        """What `operations.change` shall write."""
        return {name: self.cleaned_data[name] for name in self.facts}


class WhoForm(SeenForm):
    """Who the partner is."""

    facts = ("name", "base_url", "more_hosts", "contact_name", "contact_email")
    name = forms.CharField(label=gettext_lazy("Name"), max_length=160, help_text=gettext_lazy("It stands beside its listings."))
    base_url = forms.CharField(
        label=gettext_lazy("Address of its site"), max_length=500, widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    more_hosts = forms.CharField(
        label=gettext_lazy("More hosts"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Where its files are, if they are elsewhere: one a line, like data.example.org. We ask no host that is not named here, and believe none."
        ),
    )
    contact_name = forms.CharField(label=gettext_lazy("Contact person"), max_length=120, required=False)
    contact_email = forms.EmailField(
        label=gettext_lazy("Contact e-mail"), required=False, help_text=gettext_lazy("Only you and your colleagues see who this is.")
    )

    def clean_more_hosts(self) -> str:
        """One a line, without what people copy along."""
        hosts = []
        for line in self.cleaned_data["more_hosts"].splitlines():
            host = line.strip().lower().removeprefix("https://").removeprefix("http://").partition("/")[0]
            if host and (" " in host or "@" in host):
                raise ValidationError(_("“%(host)s” is no host. Write it like data.example.org."), params={"host": line.strip()})
            hosts.append(host)
        return "\n".join(dict.fromkeys(filter(None, hosts)))


class IssueKeyForm(forms.Form):
    """A key for the partner."""

    name = forms.CharField(
        label=gettext_lazy("What for"), max_length=80, help_text=gettext_lazy("So that you know later which one it is: “production”, “test site”.")
    )
    life = forms.ChoiceField(label=gettext_lazy("It works for"), choices=LIVES, initial="365", required=False)

    def expires_at(self) -> datetime.datetime | None:
        """When the key ends."""
        days = self.cleaned_data["life"]
        return timezone.now() + datetime.timedelta(days=int(days)) if days else None


class RotateForm(forms.Form):
    """How long the old key still works."""

    overlap = forms.ChoiceField(label=gettext_lazy("The old one goes on for"), choices=OVERLAPS, initial="7")

    def days(self) -> datetime.timedelta:
        """As a length of time."""
        return datetime.timedelta(days=int(self.cleaned_data["overlap"]))


class TheirKeyForm(forms.Form):
    """The key that the partner gave us. A refused one is not sent back to the page: what was typed is a secret."""

    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Paste it here. It is kept sealed and never shown again, to nobody."),
    )

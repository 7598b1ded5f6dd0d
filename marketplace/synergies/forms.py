"""What people fill in about a synergy."""

import re
import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.core.forms import ChoiceCards
from marketplace.listings.models import Listing

from . import outcomes
from .enums import DismissReason, NoDeal, Outcome
from .operations import MAX_COMMENT

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class DismissForm(forms.Form):
    """Why not."""

    reason = forms.ChoiceField(
        label=_("Why not?"), choices=DismissReason, widget=forms.RadioSelect, error_messages={"required": _("Choose why, so that we can suggest better ones.")}
    )
    comment = forms.CharField(
        label=_("Tell us more"),
        required=False,
        max_length=MAX_COMMENT,
        help_text=_("Only we read it, to suggest better ones. The other company does not see it."),
    )


class InboxForm(forms.Form):
    """Which synergies the inbox shows."""

    listing = forms.TypedChoiceField(label=_("Listing"), required=False, empty_value=None)

    def __init__(self, *args: object, listings: list[Listing], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        by_uid = {str(listing.uid): listing for listing in listings}
        self.fields["listing"].choices = [("", _("All my listings")), *((uid, listing.title) for uid, listing in by_uid.items())]
        self.fields["listing"].coerce = by_uid.__getitem__


class OutcomeForm(forms.Form):
    """How it went."""

    # The reason is no free choice for those who did not agree; for the others the page hides it.
    all_optional = True

    outcome = forms.ChoiceField(
        label=_("How did it go?"),
        choices=Outcome,
        widget=ChoiceCards(hints=outcomes.HINTS),
        error_messages={"required": _("Choose how it went.")},
    )
    reason = forms.ChoiceField(label=_("Why did you not agree?"), required=False, choices=NoDeal, widget=forms.RadioSelect)
    comment = forms.CharField(
        label=_("Tell us more"),
        required=False,
        max_length=outcomes.MAX_COMMENT,
        help_text=_("Only the Innovation Service reads this and why you did not agree. The other company sees only how it went."),
    )

    def clean(self) -> dict:
        """A no needs its reason, so that we can suggest better ones."""
        told = super().clean()
        if told.get("outcome") == Outcome.NOT_AGREED and not told.get("reason") and "reason" not in self.errors:
            self.add_error("reason", _("Choose why you did not agree."))
        return told


class WhyNotForm(forms.Form):
    """Which two listings to compare: one of the person's own, and another one by the address of its public page."""

    all_optional = True

    mine = forms.ChoiceField(label=_("Your listing"), error_messages={"required": _("Choose one of your listings.")})
    other = forms.CharField(
        label=_("The other listing"),
        max_length=500,
        help_text=_("Open it in the public search and copy its address here."),
        error_messages={"required": _("Paste the address of the other listing.")},
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: object, listings: list[Listing], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.by_uid = {str(listing.uid): listing for listing in listings}
        self.fields["mine"].choices = [(uid, f"{listing.get_kind_display()}: {listing.title}") for uid, listing in self.by_uid.items()]

    def clean_mine(self) -> Listing:
        """The listing itself."""
        return self.by_uid[self.cleaned_data["mine"]]

    def clean_other(self) -> Listing:
        """A public listing: what is not public does not exist for others."""
        listing = public_listing(self.cleaned_data["other"])
        if listing is None:
            raise forms.ValidationError(_("We found no public listing at this address. It may have ended."), code="other")
        return listing

    def clean(self) -> dict:
        """An offer and a demand."""
        chosen = super().clean()
        mine, other = chosen.get("mine"), chosen.get("other")
        if mine and other and mine.kind == other.kind:
            self.add_error("other", _("Both are of the same kind. An offer can only be compared with a demand."))
        return chosen


def public_listing(address: str) -> Listing | None:
    """The live listing whose public id stands in an address, the last one if there are several."""
    found = _UUID.findall(address)
    return Listing.objects.live().for_display().filter(uid=uuid.UUID(found[-1])).first() if found else None

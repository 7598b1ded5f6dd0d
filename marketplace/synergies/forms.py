"""What people fill in about a synergy."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.listings.models import Listing

from .enums import DismissReason
from .operations import MAX_COMMENT


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

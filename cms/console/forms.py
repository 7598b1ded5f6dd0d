"""What curators fill in."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.listings.enums import Move
from marketplace.synergies import curating
from marketplace.synergies.enums import Unmet

from . import reasons

# The button that was pressed, by the move it stands for; those that the company must understand need a reason.
NEEDS_REASON = {Move.REQUEST_CHANGES: reasons.CHANGES, Move.REJECT: reasons.REJECTIONS}


class ReasonForm(forms.Form):
    """Why, from a ready-made text or in the curator's own words; `move` says which texts are offered."""

    ready = forms.ChoiceField(label=_("Ready-made reasons"), required=False)
    reason = forms.CharField(
        label=_("Reason for the company"),
        required=False,
        max_length=2000,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The company gets this text by mail. Say what to change."),
    )

    def __init__(self, *args: object, move: Move, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ready"].choices = reasons.choices(NEEDS_REASON[move])

    def clean(self) -> dict:
        """One of the two is needed."""
        data = super().clean()
        if not self.errors and not data.get("reason") and not data.get("ready"):
            self.add_error("reason", _("Write the reason: the company gets it by mail and learns what to change."))
        return data

    def text(self, language: str) -> str:
        """The reason in the curator's words, or the ready-made one in the language of the company."""
        return self.cleaned_data["reason"] or reasons.text(self.cleaned_data["ready"], language=language)


class AdviceForm(forms.Form):
    """What a company should add to its text."""

    text = forms.CharField(
        label=_("What should the company add?"),
        max_length=curating.MAX_ADVICE,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Its people get this by mail and see it beside the listing until they change it. Write in the company's language."),
    )


class UnmetForm(forms.Form):
    """Why nothing is to be had."""

    reason = forms.ChoiceField(label=_("Why is nothing to be had?"), choices=Unmet, widget=forms.RadioSelect)
    comment = forms.CharField(label=_("Comment for colleagues"), max_length=curating.MAX_NOTE, required=False)


class ProposeForm(forms.Form):
    """A word for both companies."""

    note = forms.CharField(
        label=_("Why these two? (optional)"),
        max_length=curating.MAX_NOTE,
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Both companies read it in the mail and on the page."),
    )

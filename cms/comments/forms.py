"""What people fill in: a comment, a change of it, a complaint."""

import uuid

from django import forms
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User

from . import signatures
from .enums import Complaint, Held
from .models import TEXT_LENGTH, WORDS_LENGTH
from .rules import can_moderate

#: Nobody reads the page and types a sentence in less.
FASTEST_SECONDS = 3
_signer = TimestampSigner(salt="comments.form")


class TextForm(forms.Form):
    """The words alone; what may stand in them the operation says."""

    text = forms.CharField(
        label=_("Your comment"),
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write your comment first.")},
    )


class CommentForm(TextForm):
    """A new comment or a reply. It notices what people do not do; such comments are not lost, a moderator reads them first."""

    signature = forms.ChoiceField(label=_("Sign as"))
    # No person sees this field; programs that fill in everything do.
    website = forms.CharField(required=False, max_length=1000, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}))
    started = forms.CharField(required=False, widget=forms.HiddenInput)
    submission_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: object, person: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        choices = signatures.choices(person)
        self.fields["signature"].choices = choices
        self.fields["signature"].initial = choices[0][0]
        self.fields["signature"].required = self.has_choice = len(choices) > 1
        self.official = can_moderate(person)
        self.signed = signatures.name_for(person, choices[0][0])
        self.fields["started"].initial = _signer.sign(str(person.pk))
        self.fields["submission_key"].initial = uuid.uuid4()

    @property
    def suspicions(self) -> list[Held]:
        """What speaks for a program; of a valid form."""
        found = [Held.TRAP] if self.cleaned_data["website"] else []
        return [*found, Held.FAST] if self._is_fast() else found

    def _is_fast(self) -> bool:
        """Whether the form was sent sooner than anybody can, or without what the page gave it."""
        try:
            _signer.unsign(self.cleaned_data["started"], max_age=FASTEST_SECONDS)
        except SignatureExpired:
            return False
        except BadSignature:
            return True
        return True


class ReportForm(forms.Form):
    """What is wrong with a comment."""

    reason = forms.ChoiceField(label=_("What is wrong with it?"), choices=Complaint, widget=forms.RadioSelect)
    words = forms.CharField(
        label=_("In your words"),
        required=False,
        max_length=WORDS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Only the moderators read this."),
    )

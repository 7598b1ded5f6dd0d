"""Sign-up."""

from django import forms
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from .models import User


class SignupForm(forms.Form):
    """What we ask beside address and password; allauth mixes it into its own form."""

    name = forms.CharField(label=_("Your name"), max_length=120, required=False, help_text=_("So that your company's people and our advisers know who writes."))
    terms = forms.BooleanField(
        label=_("I accept the terms of use and the privacy notice"),
        error_messages={"required": _("To open an account, accept the terms and the privacy notice.")},
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Keep name, consent and the language of this visit; called by allauth when the user row exists."""
        user.name = self.cleaned_data["name"]
        user.terms_accepted_at = timezone.now()
        user.language = translation.get_language() or "ca"
        user.save(update_fields=["name", "terms_accepted_at", "language"])

"""Sign-up, and what people may change of their own account."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from .models import User


class SignupForm(forms.Form):
    """What we ask beside address and password; allauth mixes it into its own form."""

    field_order = ("name", "email", "password1", "terms")
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


class ProfileForm(forms.ModelForm):
    """Name, language and mails."""

    class Meta:
        model = User
        fields = ("name", "language", "wants_digest")
        labels = {"name": _("Your name"), "language": _("Language of our mails"), "wants_digest": _("Mail me a summary when there are new synergies")}


class EraseForm(forms.Form):
    """The last question before an account goes: the password, so that an open screen in an office is not enough."""

    password = forms.CharField(label=_("Your password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))

    def __init__(self, *args: object, person: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        """The password, if it is right."""
        password = self.cleaned_data["password"]
        if not self.person.check_password(password):
            raise ValidationError(_("This is not your password."), code="wrong")
        return password

"""What a password must be, in our own words: Django's are not complete in Catalan."""

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import ngettext


class LengthValidator(MinimumLengthValidator):
    """Long enough; the message says how long it should be."""

    def get_error_message(self) -> str:
        """For a password that is too short."""
        return ngettext("Too short. Use %(n)d character or more.", "Too short. Use %(n)d characters or more.", self.min_length) % {"n": self.min_length}

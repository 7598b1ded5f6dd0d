"""How allauth behaves here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from marketplace.core import mail


class AccountAdapter(DefaultAccountAdapter):
    """Account mails go through the outbox, so that a mail server that is down does not lose a sign-up.

    Their links carry the site's own address, whatever host the request named: a forged Host header must not reach a mail.
    """

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Queue one of allauth's messages."""
        context = {**context, "site_name": settings.SITE_NAME, "email": email}
        mail.queue_message(self.render_mail(template_prefix, email, context))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: object) -> str:
        """The confirmation page's address on our own host."""
        return settings.SITE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The page's address on our own host where a new password is typed."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        uid, _, token = key.partition("-")
        return settings.SITE_URL + path.replace("UID-KEY", f"{uid}-{token}")

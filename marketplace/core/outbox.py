"""Django's way of sending mail, led into the outbox: what libraries send by themselves is neither lost nor waited for."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from . import mail


class OutboxBackend(BaseEmailBackend):
    """Queues every message, one row a recipient, in the caller's transaction; the worker sends them."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many messages were queued: all of them."""
        with transaction.atomic():
            for message in email_messages:
                mail.queue_message(message)
        return len(email_messages)

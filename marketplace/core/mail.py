"""Mail that is neither lost nor sent twice: queued in the transaction of what it tells, sent by the worker, kept as a ledger."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone, translation

from .models import Mail, new_uid

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)


def queue(  # noqa: PLR0913 - all six are facts of one message
    template: str, to: str, context: Mapping, *, key: str, language: str, headers: Mapping[str, str] | None = None
) -> Mail | None:
    """Put a message in the outbox, in the caller's transaction; None if the message of this `key` is there already.

    `template` names a text template without its ".txt"; its first line is the subject. It is rendered now, in `language`, so
    that it tells what was true at this moment.
    """
    with translation.override(language):
        subject, _, text = render_to_string(f"{template}.txt", {**context, "site_url": settings.SITE_URL}).strip().partition("\n")
    mail, is_new = Mail.objects.get_or_create(
        key=key,
        defaults={"to": to, "subject": " ".join(subject.split())[:250], "text": text.strip() + "\n", "headers": dict(headers or {})},
    )
    return mail if is_new else None


def queue_message(message: EmailMessage) -> Mail:
    """Put a ready-made message to one recipient in the outbox; for libraries that write their own mails."""
    html = next((content for content, kind in getattr(message, "alternatives", []) if kind == "text/html"), "")
    return Mail.objects.create(key=f"message:{new_uid()}", to=message.to[0], subject=message.subject[:250], text=message.body, html=html)


def send_due(*, limit: int = 50) -> int:
    """Send what is due, oldest first, and return how many were sent. A failing server postpones a message, with growing pauses.

    A message is marked as sent right after the server took it. Its Message-ID is made from its public id, so that the one
    duplicate no sender can rule out (a crash between the server's 250 and our commit) is recognised as the same message.
    """
    due = _claim(limit)
    if not due:
        return 0
    sent = 0
    connection = get_connection()
    try:
        for mail in due:
            sent += _send(mail, connection)
    finally:
        connection.close()
    return sent


def _claim(limit: int) -> list[Mail]:
    """Lease the due messages so that a second worker leaves them alone; an expired lease is a crashed worker's."""
    now = timezone.now()
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        due = list(Mail.objects.select_for_update().filter(free, state=Mail.State.WAITING, next_attempt_at__lte=now).order_by("next_attempt_at", "id")[:limit])
        Mail.objects.filter(pk__in=[mail.pk for mail in due]).update(lease_until=now + LEASE)
    return due


def _send(mail: Mail, connection) -> bool:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
    message = EmailMultiAlternatives(
        mail.subject, mail.text, to=[mail.to], connection=connection, headers={**mail.headers, "Message-ID": f"<{mail.uid}@{domain}>"}
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    now = timezone.now()
    try:
        message.send()
    except (SMTPException, OSError) as error:
        mail.attempts += 1
        mail.error = f"{type(error).__name__}: {error}"[:1000]
        mail.lease_until = None
        mail.next_attempt_at = now + min(FIRST_PAUSE * 2 ** (mail.attempts - 1), LONGEST_PAUSE)
        if mail.attempts >= MAX_ATTEMPTS or isinstance(error, SMTPRecipientsRefused):
            mail.state = Mail.State.FAILED
        mail.save()
        logger.warning("mail %s to be tried again: %s", mail.uid, mail.error)
        return False
    mail.attempts += 1
    mail.state, mail.sent_at, mail.lease_until, mail.error = Mail.State.SENT, now, None, ""
    mail.save()
    return True

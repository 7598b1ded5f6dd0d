"""Mail that is neither lost nor sent twice: queued in the transaction of what it tells, sent by the worker, kept as a ledger."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import connection, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone, translation

from .models import Mail, new_uid

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
# RFC 5321, 4.5.4.1: at least four to five days. The attempts count too, so that a worker that was off for a week tries at all.
GIVE_UP_AFTER = timedelta(days=5)
MIN_ATTEMPTS = 10
PERMANENT = 500


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


def queue_message(message: EmailMessage) -> list[Mail]:
    """Put a ready-made message in the outbox, once for each recipient; for libraries that write their own mails."""
    html = next((content for content, kind in getattr(message, "alternatives", []) if kind == "text/html"), "")
    headers = {"Reply-To": ", ".join(message.reply_to)} if message.reply_to else {}
    return [
        Mail.objects.create(key=f"message:{new_uid()}", to=to, subject=" ".join(message.subject.split())[:250], text=message.body, html=html, headers=headers)
        for to in message.recipients()
    ]


def send_due(*, limit: int = 50) -> int:
    """Send what is due, oldest first, and return how many were sent. A failing server postpones a message, with growing pauses.

    A message is marked as sent right after the server took it. Its Message-ID is made from its public id, so that the one
    duplicate no sender can rule out (a crash between the server's 250 and our commit) is recognised as the same message.
    """
    due = _claim(limit)
    sent = 0
    for place, mail in enumerate(due):
        if not _still_ours(mail):
            continue
        error = _send(mail)
        if error is None:
            sent += 1
        elif not _is_answer(error):
            # Nobody answers: the others would only wait for the same silence, one timeout each.
            _postpone(due[place + 1 :])
            break
    return sent


def _claim(limit: int) -> list[Mail]:
    """Lease the due messages so that a second worker leaves them alone; an expired lease is a crashed worker's."""
    now = timezone.now()
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        waiting = Mail.objects.filter(free, state=Mail.State.WAITING, next_attempt_at__lte=now).order_by("next_attempt_at", "id")
        due = list(waiting.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)[:limit])
        Mail.objects.filter(pk__in=[mail.pk for mail in due]).update(lease_until=now + LEASE)
    for mail in due:
        mail.lease_until = now + LEASE
    return due


def _still_ours(mail: Mail) -> bool:
    """Renew the lease; False if it ran out behind a slow server and another worker took the message over, or sent it."""
    until = timezone.now() + LEASE
    ours = Mail.objects.filter(pk=mail.pk, state=Mail.State.WAITING, lease_until=mail.lease_until).update(lease_until=until)
    mail.lease_until = until
    return bool(ours)


def _send(mail: Mail) -> Exception | None:
    """Give one message to the server and write down what it said; what went wrong, or None."""
    mail.attempts += 1
    try:
        _message(mail).send()
    except (SMTPException, OSError, ValueError) as error:
        mail.error = f"{type(error).__name__}: {error}"[:1000]
        mail.next_attempt_at = timezone.now() + min(FIRST_PAUSE * 2 ** min(mail.attempts - 1, 20), LONGEST_PAUSE)
        is_old = mail.created < timezone.now() - GIVE_UP_AFTER and mail.attempts >= MIN_ATTEMPTS
        if _is_final(error) or is_old:
            mail.state = Mail.State.FAILED
        outcome = error
        logger.warning("mail %s: %s (%s)", mail.uid, "given up" if mail.state == Mail.State.FAILED else "to be tried again", mail.error)
    else:
        mail.state, mail.sent_at, mail.error = Mail.State.SENT, timezone.now(), ""
        outcome = None
    mail.lease_until = None
    mail.save(update_fields=["state", "attempts", "next_attempt_at", "lease_until", "sent_at", "error", "modified"])
    return outcome


def _message(mail: Mail) -> EmailMultiAlternatives:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
    # Auto-Submitted (RFC 3834) keeps absence notices from answering us.
    headers = {"Auto-Submitted": "auto-generated", **mail.headers, "Message-ID": f"<{mail.uid}@{domain}>"}
    sender = get_connection(settings.MAIL_DELIVERY_BACKEND)
    message = EmailMultiAlternatives(mail.subject, mail.text, to=[mail.to], headers=headers, connection=sender)
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _is_answer(error: Exception) -> bool:
    """Whether it concerns this one message: the server answered, or the message cannot even be written (a broken address)."""
    return isinstance(error, SMTPRecipientsRefused | SMTPDataError | ValueError)


def _is_final(error: Exception) -> bool:
    """Whether another attempt would end the same way. A 4xx answer asks to come again (greylisting does so on purpose)."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _ in error.recipients.values())
    if isinstance(error, SMTPDataError):
        return error.smtp_code >= PERMANENT
    return isinstance(error, ValueError)


def _postpone(mails: list[Mail]) -> None:
    """Give these back untried; no attempt is counted."""
    for mail in mails:
        ours = Mail.objects.filter(pk=mail.pk, lease_until=mail.lease_until)
        ours.update(lease_until=None, next_attempt_at=timezone.now() + FIRST_PAUSE)

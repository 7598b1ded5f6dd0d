"""The mail of the day: at most one to a person and day, made of what each app has to tell.

Each app with news has a class named in settings.DAILY_NEWS, in the order in which the mail tells them:

    name = "synergies"               its part's name in the addresses by which one leaves
    label                            what one gets, as the object of a sentence: "the summary of new synergies"
    people() -> QuerySet[User]       who wants to hear of it and may hear of it today
    news(user) -> News | None        what there is to tell one of them, whose row is locked meanwhile
    is_wanted(user) -> bool          whether the person gets this part
    stop(user), resume(user)         it is not wanted any more; it was stopped by mistake

What a person was told is written by `News.note` in the transaction that queues the mail: a crash leaves both or neither.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.module_loading import import_string

from marketplace.core import mail
from marketplace.core.models import Mail

from .models import User

logger = logging.getLogger(__name__)
_SIGNER = signing.Signer(salt="accounts.daily.stop")


@dataclass(frozen=True)
class News:
    """One part of the mail. `template` names a text without its ".txt"; its first line is a subject. `note` writes down that it was told."""

    template: str
    context: Mapping[str, object]
    note: Callable[[], object]


def send() -> int:
    """Queue today's mail for everybody who has something to hear and got none today; how many mails. What fails for one keeps nobody else from theirs."""
    people = {pk for part in _parts() for pk in part.people().values_list("pk", flat=True)}
    return sum(_try(pk) for pk in sorted(people))


def _try(pk: int) -> int:
    try:
        return _send(pk)
    except Exception:
        logger.exception("The daily mail to person %s cannot be written; it is tried again the next time.", pk)
        return 0


@transaction.atomic
def _send(pk: int) -> int:
    user = User.objects.select_for_update(no_key=True).filter(pk=pk, is_active=True).first()
    # By the calendar of the city, not by 24 hours: a day on which the clocks change has 23 or 25.
    key = user and f"digest:{user.uid}:{timezone.localdate()}"
    if user is None or Mail.objects.filter(key=key).exists():
        return 0
    # Asked again under the lock: another worker may have been here.
    parts = [part for part in _parts() if part.people().filter(pk=pk).exists()]
    with translation.override(user.language):
        found = {part.name: news for part in parts if (news := part.news(user))}
        if not found:
            return 0
        texts = [_written(user, news) for news in found.values()]
        stop = stop_url(user, list(found))
    mail.queue(
        "accounts/mail/daily",
        user.email,
        {"user": user, "subject": " · ".join(subject for subject, _ in texts), "texts": [text for _, text in texts], "stop": stop},
        key=key,
        language=user.language,
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )
    for news in found.values():
        news.note()
    return 1


def _written(user: User, news: News) -> tuple[str, str]:
    """Subject and text of one part."""
    subject, _, text = render_to_string(f"{news.template}.txt", {**news.context, "user": user, "site_url": settings.SITE_URL}).strip().partition("\n")
    return subject.strip(), text.strip()


def _parts() -> list:
    return [import_string(name)() for name in settings.DAILY_NEWS]


# --- Leaving --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Subscription:
    """Some parts of the daily mail to one person, as the address in a mail names them."""

    user: User
    parts: list

    @property
    def labels(self) -> list[str]:
        """What one gets by it, in words."""
        return [part.label for part in self.parts]

    @property
    def is_wanted(self) -> bool:
        """Whether the person still gets any of it."""
        return any(part.is_wanted(self.user) for part in self.parts)

    def stop(self) -> None:
        """None of it any more."""
        for part in self.parts:
            part.stop(self.user)

    def resume(self) -> None:
        """All of it again."""
        for part in self.parts:
            part.resume(self.user)


def stop_url(user: User, names: list[str]) -> str:
    """Where one leaves these parts with one click and without signing in (RFC 8058); good for this person and for nothing else."""
    return settings.SITE_URL + reverse("accounts:stop_mails", args=[_SIGNER.sign(".".join([user.uid.hex, *names]))])


def subscription(token: str) -> Subscription | None:
    """What the address was made for; None if it was not made here, or the person is gone."""
    try:
        uid, *names = _SIGNER.unsign(token).split(".")
    except signing.BadSignature:
        return None
    user = User.objects.filter(uid=uid).first()
    return Subscription(user, [part for part in _parts() if part.name in names]) if user else None

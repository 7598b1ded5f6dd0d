"""The mail about new suggestions: at most one a person and period, each pair once in a life.

What a person was told stands in the ledger of announcements, written in the transaction that queues the mail: a crash leaves
both or neither, and a second worker waits for the first one's lock and then finds nothing new.
"""

import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.urls import reverse
from django.utils import timezone, translation

from marketplace.accounts.models import User
from marketplace.companies.models import Membership
from marketplace.core import mail

from .cards import Card
from .enums import State
from .models import Announcement, Synergy

#: As many as people read; the others wait in the inbox and for the next mail.
MOST_IN_MAIL = 5
_SIGNER = signing.Signer(salt="synergies.digest.unsubscribe")


def send_digests() -> int:
    """Queue the digest of everybody to whom there is something new to tell and whose period has passed; how many mails."""
    return sum(_send(pk) for pk in list(_due().values_list("pk", flat=True)))


def _due() -> "User.objects":
    """The people who may get a mail today."""
    # By days, not hours: a daily run that starts a minute earlier than last week's must not put everything off by a day.
    before = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - datetime.timedelta(days=settings.DIGEST_EVERY_DAYS - 1)
    is_member = Exists(Membership.objects.active().filter(user=OuterRef("pk")))
    people = User.objects.filter(is_member, is_active=True, wants_digest=True).annotate(last_told=Max("announcements__at"))
    return people.filter(Q(last_told=None) | Q(last_told__lt=before)).order_by("pk")


@transaction.atomic
def _send(pk: int) -> int:
    User.objects.select_for_update(no_key=True).filter(pk=pk).first()
    # Asked again under the lock: another worker may have been here, or the person has gone.
    user = _due().filter(pk=pk).first()
    if user is None:
        return 0
    new = news(user)
    best = list(new.for_display().order_by("-score", "-id")[:MOST_IN_MAIL])
    if not best or not _queue(user, best, more=new.count() - len(best)):
        return 0
    Announcement.objects.bulk_create([Announcement(user=user, offer=synergy.offer, demand=synergy.demand) for synergy in best])
    return 1


def news(user: User) -> "Synergy.objects":
    """The suggestions nobody has answered and of which this person has not been told."""
    told = Announcement.objects.filter(user=user, offer=OuterRef("offer"), demand=OuterRef("demand"))
    return Synergy.objects.waiting_for(user).filter(~Exists(told), state=State.SUGGESTED)


def _queue(user: User, synergies: list[Synergy], *, more: int) -> mail.Mail | None:
    companies = set(user.memberships.active().values_list("company", flat=True))
    cards = [Card(synergy, synergy.side_to_answer(companies)) for synergy in synergies]
    with translation.override(user.language):
        stop, inbox = unsubscribe_url(user), settings.SITE_URL + reverse("synergies:inbox")
    return mail.queue(
        "synergies/mail/digest",
        user.email,
        {"user": user, "cards": cards, "companies": len({card.theirs.company_id for card in cards}), "more": more, "stop": stop, "inbox": inbox},
        key=f"digest:{user.uid}:{timezone.localdate()}",
        language=user.language,
        headers={"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


# --- Leaving --------------------------------------------------------------------------------------------------------------


def unsubscribe_url(user: User) -> str:
    """Where one leaves with one click and without signing in (RFC 8058); good for this person and for nothing else."""
    return settings.SITE_URL + reverse("synergies:unsubscribe", args=[_SIGNER.sign(user.uid.hex)])


def subscriber(token: str) -> User | None:
    """Whose address this is; None if it was not made here."""
    try:
        return User.objects.filter(uid=_SIGNER.unsign(token)).first()
    except signing.BadSignature:
        return None

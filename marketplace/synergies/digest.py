"""New suggestions in the daily mail: at most once a person and period, each pair once in a life.

What a person was told stands in the ledger of announcements (see accounts.daily for when it is written).
"""

import datetime

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.accounts import daily
from marketplace.accounts.models import User
from marketplace.companies.models import Membership

from .cards import Card
from .enums import State
from .models import Announcement, Synergy

#: As many as people read; the others wait in the inbox and for the next mail.
MOST_IN_MAIL = 5


class DailyNews:
    """The part of the daily mail about suggestions."""

    name = "synergies"
    label = _("The summary of new synergies")

    def people(self) -> QuerySet[User]:
        """Members of companies whose period has passed."""
        # By days, not hours: a daily run that starts a minute earlier than last week's must not put everything off by a day.
        before = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - datetime.timedelta(days=settings.DIGEST_EVERY_DAYS - 1)
        is_member = Exists(Membership.objects.active().filter(user=OuterRef("pk")))
        people = User.objects.filter(is_member, is_active=True, wants_digest=True).annotate(last_told=Max("announcements__at"))
        return people.filter(Q(last_told=None) | Q(last_told__lt=before))

    def news(self, user: User) -> daily.News | None:
        """The best of what they have not been told of."""
        new = news(user)
        best = list(new.for_display().best_for(user)[:MOST_IN_MAIL])
        if not best:
            return None
        companies = set(user.memberships.active().values_list("company", flat=True))
        cards = [Card(synergy, synergy.side_to_answer(companies)) for synergy in best]
        context = {
            "cards": cards,
            "companies": len({card.theirs.company_id for card in cards}),
            "more": new.count() - len(best),
            "inbox": settings.SITE_URL + reverse("synergies:inbox"),
        }
        told = [Announcement(user=user, offer=synergy.offer, demand=synergy.demand) for synergy in best]
        return daily.News("synergies/mail/digest", context, note=lambda: Announcement.objects.bulk_create(told))

    def is_wanted(self, user: User) -> bool:
        """As the person's account says."""
        return user.wants_digest

    def stop(self, user: User) -> None:
        """No mail about suggestions any more; they still wait in the inbox."""
        user.wants_digest = False
        user.save(update_fields=["wants_digest", "modified"])

    def resume(self, user: User) -> None:
        """For who left by mistake."""
        user.wants_digest = True
        user.save(update_fields=["wants_digest", "modified"])


def news(user: User) -> QuerySet[Synergy]:
    """The suggestions on both sides' lists that nobody has answered and of which this person has not been told."""
    told = Announcement.objects.filter(user=user, offer=OuterRef("offer"), demand=OuterRef("demand"))
    return Synergy.objects.waiting_for(user).not_held_back().filter(~Exists(told), state=State.SUGGESTED)

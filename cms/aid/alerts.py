"""Mails about new and changed aid: what a person asks to be told, and what there is to tell today.

Once a day each alert is asked again, and what it finds is compared with what the person was told last: the ledger of mails
(alerts.Mention) has the facts of each aid as they were told, and counts the times. So nothing is told twice and a changed deadline
is told once more, whichever alert finds it. An engine that is away delays news, for only what was told is in the ledger.
"""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from marketplace.accounts import daily
from marketplace.accounts.models import User
from marketplace.alerts.enums import Alert
from marketplace.alerts.models import Mention
from marketplace.companies.models import Company

from . import facets, finder, words
from .alert_models import NAME_LENGTH, AidAlert
from .filters import AidFilter
from .finder import Item
from .models import AidIndexPage
from .states import ASKABLE, State

#: More nobody reads; each is asked every day.
MOST_ALERTS = 20

#: Of one alert, and in the whole mail; the rest is counted and linked.
MOST_OF_ALERT, MOST_IN_MAIL = 5, 15

#: Where one looks and compares, no part of what one asks for.
_NOT_ASKED = ("sort", "page", "a")


# --- Keeping alerts -----------------------------------------------------------------------------------------------------------


def asked(wanted: AidFilter) -> str:
    """The search as an alert keeps it: the shortest query string."""
    return urlencode(wanted.parameters(without=_NOT_ASKED))


def proposed_name(wanted: AidFilter) -> str:
    """The search in words."""
    parts = [wanted.values["q"], *(str(chip.label) for chip in facets.chips(wanted))]
    return ", ".join(part for part in parts if part)[:NAME_LENGTH] or gettext("All aid")


@transaction.atomic
def save(wanted: AidFilter | None = None, *, aid: uuid.UUID | None = None, name: str = "", by: User) -> tuple[AidAlert, bool]:
    """Keep an alert for a search, or for one aid, and whether it is new. What it finds now is no news.

    Refuses what was not understood as a whole, a company that is not theirs, and more than MOST_ALERTS.
    """
    # One person's savings one after the other: neither the limit nor the pair can be passed by a second window.
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if wanted is not None and (wanted.ignored or _is_strange(wanted, by)):
        raise ValidationError(gettext("We did not understand everything in this search, so we cannot keep it. Search again and ask for the mail there."))
    parameters = asked(wanted) if wanted is not None else f"aid={aid}"
    known = AidAlert.objects.of(by).filter(parameters=parameters, aid=aid).first()
    if known:
        return (known if known.is_mailed else resume(known, by=by)), False
    if AidAlert.objects.of(by).count() >= MOST_ALERTS:
        raise ValidationError(
            gettext("You have %(n)d alerts, and that is the most there can be. Delete one you no longer need, then save this one.") % {"n": MOST_ALERTS}
        )
    made = AidAlert(owner=by, name=" ".join(name.split())[:NAME_LENGTH], parameters=parameters, aid=aid)
    _know(made)
    if not made.name:
        made.name = proposed_name(wanted) if wanted is not None else _title_of(aid)
    made.save()
    return made, True


def _know(alert: AidAlert) -> None:
    alert.known, alert.known_at = {str(one.page.translation_key): facts(one) for one in found(alert)}, timezone.now()


def _is_strange(wanted: AidFilter, user: User) -> bool:
    uid = wanted.values["company"]
    return bool(uid) and not Company.objects.of(user).filter(uid=uid).exists()


def _title_of(aid: uuid.UUID) -> str:
    index = _index()
    title = next((one.page.title for one in finder.load(index) if one.page.translation_key == aid), "") if index else ""
    if not title:
        raise ValidationError(gettext("This aid is not here any more."))
    return title[:NAME_LENGTH]


@transaction.atomic
def pause(alert: AidAlert, *, by: User) -> AidAlert:
    """No mail about it."""
    return _set(alert, Alert.PAUSED, by)


@transaction.atomic
def resume(alert: AidAlert, *, by: User) -> AidAlert:
    """Mail again, of what is new or changes from now on."""
    locked = _locked(alert, by)
    if not locked.is_mailed:
        _know(locked)
        locked.save(update_fields=["known", "known_at"])
    return _set(locked, Alert.ON, by)


@transaction.atomic
def delete(alert: AidAlert, *, by: User) -> None:
    """Away with it; what was told stays told."""
    _locked(alert, by).delete()


def _set(alert: AidAlert, state: Alert, by: User) -> AidAlert:
    locked = _locked(alert, by)
    locked.alert = state
    locked.save(update_fields=["alert", "modified"])
    return locked


def _locked(alert: AidAlert, by: User) -> AidAlert:
    return AidAlert.objects.of(by).select_for_update(no_key=True).get(pk=alert.pk)


# --- What there is -------------------------------------------------------------------------------------------------------------


def _index() -> AidIndexPage | None:
    """The finder in the language of this moment, or in another; None where somebody took all of them away."""
    indices = {index.locale.language_code: index for index in AidIndexPage.objects.live().select_related("locale")}
    return indices.get(get_language()) or indices.get(settings.LANGUAGE_CODE) or next(iter(indices.values()), None)


def found(alert: AidAlert) -> list[Item]:
    """The aid that an alert is about today, the first to close first: of a search what one can use, of a followed aid whatever became of it."""
    index = _index()
    if index is None:
        return []
    if alert.aid:
        return [one for one in finder.load(index) if one.page.translation_key == alert.aid]
    wanted = AidFilter(QueryDict(alert.parameters))
    uid = wanted.values["company"]
    company = Company.objects.of(alert.owner).filter(uid=uid).select_related("sector", "place").first() if uid else None
    if wanted.ignored or (uid and company is None):
        return []  # Half a question would announce the whole market.
    results = finder.find(wanted, index, company=company)
    return [one for one in finder.in_order(results.all_items, "deadline") if one.fit != "no" or "no" in wanted.values["fit"]]


def facts(item: Item) -> dict[str, Any]:
    """What counts as a change when it changes, as JSON. That a deadline comes near is none; that a call opens is one."""
    page, call = item.page, item.standing.call
    state = State.OPEN if item.standing.state in ASKABLE else item.standing.state
    return {
        "state": str(state),
        "opens": _iso(call.opens_on if call else None),
        "deadline": _iso(call.deadline if call else None),
        "least": _text(page.amount_min),
        "most": _text(page.amount_max),
        "share": page.share_max,
        "budget": _text(page.budget),
    }


def _iso(day: datetime.date | None) -> str | None:
    return day.isoformat() if day else None


def _text(amount: object) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def changes(before: dict[str, Any], item: Item) -> list[str]:
    """What is another now, a line each: "Last day: 4 December 2020 (it was 20 November 2020)"."""
    now = facts(item)
    lines = []
    if now["state"] != before.get("state"):
        lines.append(words.when(item.standing, item.today))
    for name, label in _LABELS.items():
        if now[name] != before.get(name):
            lines.append(_line(str(label), _shown(name, now[name]), _shown(name, before.get(name))))
    return lines


_LABELS = {
    "opens": _("Opens on"),
    "deadline": _("Last day"),
    "least": _("At least"),
    "most": _("At most"),
    "share": _("Share of the cost"),
    "budget": _("Whole budget"),
}


def _line(label: str, new: str, old: str) -> str:
    if not old:
        return f"{label}: {new}"
    return gettext("%(label)s: %(new)s (it was %(old)s)") % {"label": label, "new": new or gettext("not said any more"), "old": old}


def _shown(name: str, value: str | int | None) -> str:
    if value is None:
        return ""
    if name in {"opens", "deadline"}:
        return date_format(parse_date(value), "DATE_FORMAT")
    return f"{value} %" if name == "share" else words.euros(Decimal(value))


# --- The mail -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One aid in the mail. `changes` is empty for a new one."""

    item: Item
    changes: list[str]
    mention: Mention

    @property
    def url(self) -> str:
        """Its page."""
        return settings.SITE_URL + self.item.url

    @property
    def when(self) -> str:
        """Until when."""
        return words.when(self.item.standing, self.item.today)


@dataclass(frozen=True)
class Section:
    """What one alert has to tell: the first to close, and how many besides."""

    alert: AidAlert
    told: list[Told]
    more: int
    url: str


class DailyNews:
    """The part of the daily mail about aid."""

    name = "aid"
    label = _("News of the aid that you follow")

    def people(self) -> QuerySet[User]:
        """Owners of alerts with mail; whether there is news is known when they are asked."""
        return User.objects.filter(pk__in=AidAlert.objects.mailed().values("owner"), is_active=True)

    def news(self, user: User) -> daily.News | None:
        """What is new or changed, by alert, the oldest alert first; an aid that two find stands under the older one."""
        sections, told, seen = [], [], set()
        for alert in AidAlert.objects.of(user).mailed().order_by("created", "pk"):
            fresh = [one for one in to_tell(alert) if one.mention.aid not in seen]
            seen |= {one.mention.aid for one in fresh}
            told += fresh
            if fresh:
                room = max(0, MOST_IN_MAIL - sum(len(section.told) for section in sections))
                shown = fresh[: min(MOST_OF_ALERT, room)]
                sections.append(Section(alert, shown, len(fresh) - len(shown), settings.SITE_URL + address(alert)))
        if not told:
            return None
        context = {"sections": sections, "total": len(told), "all": settings.SITE_URL + reverse("aid:alerts")}
        return daily.News("aid/mail/news", context, note=_noting([one.mention for one in told]))

    def is_wanted(self, user: User) -> bool:
        """Whether any alert is mailed."""
        return AidAlert.objects.of(user).mailed().exists()

    def stop(self, user: User) -> None:
        """No mail about any of them."""
        AidAlert.objects.of(user).mailed().update(alert=Alert.STOPPED)

    def resume(self, user: User) -> None:
        """Mail again about those that were stopped from a mail."""
        AidAlert.objects.of(user).filter(alert=Alert.STOPPED).update(alert=Alert.ON)


def to_tell(alert: AidAlert) -> list[Told]:
    """The aid of an alert that its owner does not know as it is now."""
    items = {one.page.translation_key: one for one in found(alert)}
    last = {mention.aid: mention for mention in Mention.objects.filter(user=alert.owner, aid__in=items).order_by("number")}
    told = []
    for key, item in items.items():
        now, was = facts(item), alert.known.get(str(key))
        if key in last and (was is None or last[key].at > alert.known_at):
            was = last[key].facts
        if now != was:
            number = last[key].number + 1 if key in last else 1
            told.append(Told(item, changes(was, item) if was else [], Mention(user=alert.owner, aid=key, number=number, facts=now)))
    return told


def address(alert: AidAlert) -> str:
    """The page of what an alert is about."""
    index = _index()
    if index is None:
        return reverse("aid:alerts")
    if alert.aid:
        return next((one.url for one in found(alert)), index.address())
    return index.address() + (f"?{alert.parameters}" if alert.parameters else "")


def _noting(told: list[Mention]) -> Callable[[], object]:
    return lambda: Mention.objects.bulk_create(told, batch_size=500)

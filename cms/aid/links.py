"""The links that lead out of our pages, and whether they still lead somewhere.

The worker asks every address once a week, politely: one question at a time to a host with a pause between two, HEAD first and
GET where that is refused, later when the host asks for patience. An address is broken when it failed at least three times over at
least two days: sites have bad nights. What cannot be an address for everybody (a typing error, our own network) is broken at once.

robots.txt is not asked. It speaks to programs that walk through a site by themselves; this asks for single addresses that an
editor typed, as a visitor's click on our page would.
"""

import datetime
import logging
import queue
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from wagtail.models import Page

from cms.pages.rules import is_editor
from marketplace.accounts.models import User
from marketplace.core import addresses, changelog
from marketplace.core.models import Change, Reader
from marketplace.core.outgoing import Answer, Call, fetch

from . import outlinks
from .freshness_models import LinkCheck, LinkState, LinkUse
from .models import Funder, FunderRow

logger = logging.getLogger(__name__)
READER = "links"
PAGE_KIND = "page"
#: So many addresses at a time, each of another host; a host is left alone for so long after each answer.
AT_ONCE = 4
HOST_PAUSE = datetime.timedelta(seconds=10)
SECONDS = 15.0
LEASE = datetime.timedelta(minutes=2)
WEEK = datetime.timedelta(days=7)
DAY = datetime.timedelta(days=1)
#: Until the next try after the first, second, … failure; the last one holds from then on.
PAUSES = [datetime.timedelta(hours=hours) for hours in (6, 18, 36, 48, 96, 168)]
BROKEN_AFTER_FAILS = 3
BROKEN_AFTER = datetime.timedelta(days=2)
LEAST_PATIENCE = datetime.timedelta(hours=1)
#: Answers of a host that works and wants to know who one is, or that keeps programs out.
CLOSED_DOORS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS}
PATIENCE = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
FOR_GOOD = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT}
LONGEST_ADDRESS = 1000


# --- Which addresses there are ------------------------------------------------------------------------------------------


def collect(pages: Iterable[Page] | None = None) -> int:
    """Note the links of these pages (all live ones and their funders if None) and forget those that are gone; how many pages' links changed."""
    own, changed = outlinks.own_hosts(), 0
    for page in pages if pages is not None else Page.objects.live().order_by("pk").specific().iterator(chunk_size=50):
        changed += _note(LinkUse(page_id=page.pk), outlinks.of_page(page.specific, own) if page.live else [])
    if pages is None:
        in_use = Funder.objects.filter(pk__in=FunderRow.objects.filter(page__live=True).values("funder"))
        for funder in in_use:
            changed += _note(LinkUse(funder=funder), outlinks.of_row(funder, own))
        LinkUse.objects.filter(Q(page__live=False) | (Q(page=None) & ~Q(funder__in=in_use))).delete()
    LinkCheck.objects.watched().filter(uses=None).delete()
    return changed


@transaction.atomic
def _note(place: LinkUse, found: list[outlinks.Outlink]) -> bool:
    """Write what stands at one place now; whether it is another than before."""
    now = {(link.url, link.field, link.text) for link in found if len(link.url) <= LONGEST_ADDRESS}
    here = LinkUse.objects.filter(page_id=place.page_id, funder_id=place.funder_id)
    before = set(here.values_list("link__url", "field", "text"))
    if now == before:
        return False
    urls = {url for url, _field, _text in now}
    LinkCheck.objects.bulk_create([LinkCheck(url=url, host=_host(url)) for url in sorted(urls)], ignore_conflicts=True)
    links = LinkCheck.objects.in_bulk(urls, field_name="url")
    here.delete()
    uses = [LinkUse(page_id=place.page_id, funder_id=place.funder_id, link=links[url], field=field, text=text) for url, field, text in sorted(now)]
    LinkUse.objects.bulk_create(uses)
    return True


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "")[:255]
    except ValueError:
        return ""


def _follow(changes: list[Change]) -> None:
    keys = {change.uid for change in changes if change.kind == PAGE_KIND}
    if keys:
        collect(Page.objects.filter(translation_key__in=keys).order_by("pk").specific())


# --- What the worker does -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What one visit found: a status, or a reason why there is none. `is_final`: no later visit can find anything else."""

    status: int | None = None
    reason: str = ""
    moved_to: str = ""
    wait: datetime.timedelta | None = None
    is_final: bool = False


#: Visits under way in this process, and what came of those that ended. Only the worker's own thread touches the database.
_visits: dict[int, threading.Thread] = {}
_found: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()


def run_once() -> int:
    """One round of the worker, without waiting for any site: links of changed pages, answers that came in, new questions; how much was done."""
    done = changelog.consume(READER, _follow)
    if not settings.LINK_CHECKS:
        return done
    done += _write_down()
    for pk, url in _claim(AT_ONCE - len(_visits)):
        _visits[pk] = threading.Thread(target=_go, args=(pk, url), daemon=True)
        _visits[pk].start()
    return done


def finish() -> int:
    """Wait for the visits under way and write down what they found; for commands and tests."""
    for thread in list(_visits.values()):
        thread.join()
    return _write_down()


def _go(pk: int, url: str) -> None:
    try:
        _found.put((pk, visit(url)))
    except Exception:
        # The visit counts as not made: its lease runs out and it is made again.
        logger.exception("link %s cannot be checked", url)
        _found.put((pk, Finding(wait=DAY)))


def _write_down() -> int:
    done = 0
    while not _found.empty():
        pk, finding = _found.get()
        _visits.pop(pk, None)
        judge(pk, finding)
        done += 1
    return done


def _claim(room: int) -> list[tuple[int, str]]:
    """Lease up to `room` links, no two of one host, none of a host that was asked just now."""
    now = timezone.now()
    if room <= 0 or not LinkCheck.objects.due(now).exists():
        return []
    with transaction.atomic():
        # One worker at a time chooses: two would find the same host free.
        Reader.objects.select_for_update().get(name=READER)
        busy = LinkCheck.objects.filter(Q(lease_until__gte=now) | Q(checked_at__gt=now - HOST_PAUSE)).values("host")
        chosen: dict[str, tuple[int, str]] = {}
        for pk, host, url in LinkCheck.objects.due(now).exclude(host__in=busy).values_list("pk", "host", "url")[: 50 * room]:
            chosen.setdefault(host, (pk, url))
        taken = list(chosen.values())[:room]
        LinkCheck.objects.filter(pk__in=[pk for pk, _url in taken]).update(lease_until=now + LEASE)
    return taken


def visit(url: str) -> Finding:
    """Ask one address. It may take as long as twice the time limit."""
    try:
        addresses.parse(url)
    except addresses.AddressError as error:
        return Finding(reason=error.reason, is_final=True)
    try:
        answer = fetch(url, Call(method="HEAD", seconds=SECONDS))
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status not in PATIENCE:
            # Many sites answer HEAD with any error that comes to their mind.
            time.sleep(1)
            answer = fetch(url, Call(seconds=SECONDS))
    except addresses.AddressError as error:
        return Finding(reason=error.reason)
    return Finding(answer.status, moved_to=_moved_to(answer), wait=_patience(answer))


def _moved_to(answer: Answer) -> str:
    """The new address, if the site says that it is for good and it works."""
    moved = answer.redirects and all(status in FOR_GOOD for status, _url in answer.redirects)
    return answer.url[:2000] if moved and answer.status < HTTPStatus.BAD_REQUEST else ""


def _patience(answer: Answer) -> datetime.timedelta | None:
    """How long the site asks to be left alone (RFC 9110, 10.2.3); None if it does not."""
    if answer.status not in PATIENCE:
        return None
    wish = answer.headers.get("Retry-After", "").strip()
    try:
        wait = datetime.timedelta(seconds=int(wish)) if wish.isdecimal() else parsedate_to_datetime(wish) - timezone.now()
    except (ValueError, TypeError, OverflowError):
        return DAY if answer.status == HTTPStatus.TOO_MANY_REQUESTS else None
    return min(max(wait, LEAST_PATIENCE), WEEK)


@transaction.atomic
def judge(pk: int, finding: Finding) -> LinkCheck | None:
    """Write down what a visit found and when to come again; None if the link is gone meanwhile."""
    link = LinkCheck.objects.select_for_update().filter(pk=pk).first()
    if link is None:
        return None
    now = timezone.now()
    link.lease_until, link.checked_at = None, now
    if finding.wait is not None:
        # No verdict. What else we want of this host waits as long.
        link.next_check_at = now + finding.wait
        LinkCheck.objects.filter(host=link.host, next_check_at__lt=link.next_check_at).exclude(pk=pk).update(next_check_at=link.next_check_at)
    elif finding.reason or (finding.status >= HTTPStatus.BAD_REQUEST and finding.status not in CLOSED_DOORS):
        _count_failure(link, finding, now)
    else:
        link.state = LinkState.UNSURE if finding.status in CLOSED_DOORS else LinkState.FINE
        link.status, link.reason, link.moved_to = finding.status, "", finding.moved_to
        link.fails, link.first_failed_at = 0, None
        # Spread over two days, so that a hundred links of one import do not come due together for ever.
        link.next_check_at = now + WEEK - DAY + datetime.timedelta(hours=pk * 7 % 48)
    link.save()
    return link


def _count_failure(link: LinkCheck, finding: Finding, now: datetime.datetime) -> None:
    link.fails += 1
    link.first_failed_at = link.first_failed_at or now
    link.status, link.reason, link.moved_to = finding.status, finding.reason, ""
    is_broken = link.fails >= BROKEN_AFTER_FAILS and now - link.first_failed_at >= BROKEN_AFTER
    link.state = LinkState.BROKEN if is_broken or finding.is_final else LinkState.FAILING
    link.next_check_at = now + PAUSES[min(link.fails, len(PAUSES)) - 1]


# --- What editors decide ------------------------------------------------------------------------------------------------


@transaction.atomic
def check_again(link: LinkCheck, *, by: User) -> LinkCheck:
    """Ask it in the worker's next round."""
    link = _locked(link, by)
    link.next_check_at = timezone.now()
    link.save(update_fields=["next_check_at", "modified"])
    return link


@transaction.atomic
def ignore(link: LinkCheck, *, because: str, by: User) -> LinkCheck:
    """Leave it alone: it is neither asked nor reported until somebody takes that back."""
    link = _locked(link, by)
    link.ignored_at, link.ignored_by, link.ignored_because = timezone.now(), by, because
    link.save(update_fields=["ignored_at", "ignored_by", "ignored_because", "modified"])
    return link


@transaction.atomic
def watch_again(link: LinkCheck, *, by: User) -> LinkCheck:
    """Ask it again from now on."""
    link = _locked(link, by)
    link.ignored_at, link.ignored_by, link.ignored_because, link.next_check_at = None, None, "", timezone.now()
    link.save(update_fields=["ignored_at", "ignored_by", "ignored_because", "next_check_at", "modified"])
    return link


def _locked(link: LinkCheck, by: User) -> LinkCheck:
    if not is_editor(by):
        raise PermissionDenied
    return LinkCheck.objects.select_for_update().get(pk=link.pk)


def with_uses(links: models.QuerySet) -> models.QuerySet:
    """With where each stands, in a constant number of queries."""
    return links.prefetch_related(models.Prefetch("uses", LinkUse.objects.select_related("page__locale", "funder").order_by("page__title", "pk")))

"""What the finder answers at its addresses (see routes). `index` is the AidIndexPage of a language."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from wagtail.models import Page

from cms.pages import feeds
from cms.pages.models import OfficePage, TranslatedPage
from cms.pages.models.base import for_everybody
from marketplace.companies.models import Company

from . import calendar, compare, facets, finder, register
from .eligibility import presentation
from .eligibility.evaluation import evaluate
from .eligibility.profile import profile_of
from .eligibility.rules import rule_of
from .enums import State
from .filters import AidFilter
from .models import AidIndexPage, AidPage

#: Entries of the feed: who reads feeds reads the newest.
FEED_LENGTH = 30


# --- Search --------------------------------------------------------------------------------------------------------------------


def search_page(index: AidIndexPage, request: HttpRequest) -> HttpResponse:
    """All aid, searched and filtered; with htmx only what changed."""
    wanted, mine = asked(request)
    htmx = getattr(request, "htmx", None)
    if wanted.is_untidy and not wanted.ignored and not htmx and not getattr(request, "is_preview", False):
        return redirect(request.path + wanted.query_string(page=wanted.values["page"]).rstrip("?"))
    context = base_context(index, request) | {"translations": index.in_other_languages(request)}
    context |= _search_context(index, request, wanted, mine)
    response = render(request, "aid/found.html" if htmx else index.template, context)
    patch_vary_headers(response, ["HX-Request"])
    if htmx:
        # A pause in typing is no new step in the browser's history.
        response["HX-Replace-Url" if htmx.trigger_name == "q" else "HX-Push-Url"] = context["address"]
    if context["found"].degraded:
        # What plain words found must not be kept for those who come when the engine answers again.
        patch_cache_control(response, no_store=True)
    return as_seen_by(request, response)


def base_context(index: AidIndexPage, request: HttpRequest) -> dict[str, Any]:
    """What Wagtail gives every page. Languages and the way here are added by each view: those of the finder itself would be wrong."""
    return Page.get_context(index, request)


def _search_context(index: AidIndexPage, request: HttpRequest, wanted: AidFilter, mine: "Mine") -> dict[str, Any]:
    found = finder.find(wanted, index, request, company=mine.company)
    context = mine.context() | {
        "wanted": wanted,
        "values": wanted.values,
        "found": found,
        "address": index.address("", request) + wanted.query_string(page=found.page).rstrip("?"),
        "groups": facets.groups(wanted, found.facets, found.funders),
        "chips": facets.chips(wanted),
        "clear_url": facets.clear_url(wanted),
        "sorts": facets.sort_options(wanted),
        "beyond_last": (wanted.values["page"] or 1) > found.page,
        "with_ended": facets.with_ended(wanted),
        "chosen": [(one, wanted.query_string(without_value=("a", str(one.asked_as)))) for one in found.chosen],
        "carried": [one for one in found.chosen if not any(one.page.pk == shown.page.pk for shown in found.items)],
        "compare_url": index.address("compare", request) + wanted.query_string(page=found.page),
        "addresses": addresses(index, request, wanted),
    }
    return context if found.total else context | {"ways_out": facets.ways_out(wanted, found.facets, found.ended)}


def addresses(index: AidIndexPage, request: HttpRequest, wanted: AidFilter | None = None) -> dict[str, str]:
    """Where everything below the finder is; calendar and feeds for the same filters."""
    query = wanted.query_string(without=("sort", "page", "a", "company", "fit")).rstrip("?") if wanted else ""
    feed = index.address("calendar_feed", request) + query
    return {
        "finder": index.address("", request),
        "compare": index.address("compare", request),
        "calendar": index.address("calendar", request) + query,
        "whole_calendar": index.address("calendar", request),
        "calendar_feed": feed,
        "subscribe": f"webcal://{request.get_host()}{feed}",
        "feed": index.address("feed", request) + query,
    }


def _trail(index: AidIndexPage, request: HttpRequest) -> list[tuple[str, str]]:
    """The way down to the finder, [(label, address)], for what lies below it."""
    return [(_("Home"), reverse("wagtail_serve", args=[""])), (index.title, index.address("", request))]


# --- Whose view ----------------------------------------------------------------------------------------------------------------


class Mine:
    """The companies of who asks, and the one that the page is for."""

    def __init__(self, wanted: AidFilter, request: HttpRequest) -> None:
        user = getattr(request, "user", None)
        self.wanted = wanted
        self.signed_in = bool(user and user.is_authenticated)
        self.companies = list(Company.objects.of(user).for_display()) if self.signed_in else []
        self.wanted_uid = wanted.values["company"]
        self.company = next((company for company in self.companies if company.uid == self.wanted_uid), None)

    @property
    def refused(self) -> bool:
        """Whether the address names a company that is not theirs."""
        return bool(self.wanted_uid) and self.company is None

    def context(self) -> dict[str, Any]:
        """For the templates: with the address of the same search for each company and for everybody."""
        everybody = self.wanted.query_string(without=("company", "fit", "sort"))
        for_one = everybody + ("&" if len(everybody) > 1 else "")
        return {
            "company": self.company,
            "companies": self.companies,
            "signed_in": self.signed_in,
            "company_refused": self.refused,
            "everybody_url": everybody,
            "company_links": [(company, f"{for_one}company={company.uid}") for company in self.companies],
        }


def asked(request: HttpRequest) -> tuple[AidFilter, Mine]:
    """The search of a request, and for whom. Somebody else's company is left out: the rest of the address still works."""
    wanted = AidFilter(request.GET)
    mine = Mine(wanted, request)
    return (wanted.for_anybody() if mine.refused else wanted), mine


def as_seen_by(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response; what a member sees is nobody else's, not even a cache's."""
    if getattr(request, "user", None) and request.user.is_authenticated:
        patch_cache_control(response, private=True, no_store=True)
    return response


# --- Calendar ------------------------------------------------------------------------------------------------------------------


def calendar_page(index: AidIndexPage, request: HttpRequest) -> HttpResponse:
    """The deadlines of what the query string finds, month by month."""
    translations = index.in_other_languages(request, "calendar")
    wanted = AidFilter(request.GET).for_anybody()
    found = finder.find(wanted, index, request)
    context = base_context(index, request) | {
        "months": calendar.months(found.all_items, timezone.localdate()),
        "always": [one for one in found.all_items if one.without_end],
        "weekdays": calendar.weekdays(),
        "wanted": wanted,
        "found": found,
        "chips": facets.chips(wanted),
        "clear_url": facets.clear_url(wanted),
        "addresses": addresses(index, request, wanted),
        "trail_here": _trail(index, request),
        "back": index.address("", request) + wanted.query_string().rstrip("?"),
        "translations": translations,
    }
    return as_seen_by(request, render(request, "aid/calendar.html", context))


def calendar_feed(index: AidIndexPage, request: HttpRequest) -> HttpResponse:
    """The same for programs that subscribe: also what has just ended, so that nothing vanishes on its day."""
    wanted = AidFilter(request.GET).for_anybody()
    items = finder.find(wanted.with_ended(), index, request).all_items
    about = _in_words(wanted)
    name = _("Aid deadlines: %(about)s") % {"about": about} if about else _("Aid deadlines")
    return _ics(request, items, name, timezone.localdate() - datetime.timedelta(days=calendar.KEPT_DAYS))


def calendar_of_one(index: AidIndexPage, request: HttpRequest, number: int) -> HttpResponse:
    """All dates of one aid."""
    items = finder.load(index, request, numbers=[number])
    if not items:
        raise Http404
    return _ics(request, items, items[0].page.title, datetime.date.min, file_name=items[0].page.slug)


def _ics(request: HttpRequest, items: list[finder.Item], name: str, since: datetime.date, *, file_name: str = "aid") -> HttpResponse:
    source = settings.SITE_URL + request.get_full_path()
    content = calendar.feed(items, name=name, source=source, now=timezone.now(), since=since)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{file_name}.ics"'
    return response


def _in_words(wanted: AidFilter) -> str:
    """The search in a few words, for the name of a calendar or a feed."""
    return ", ".join(part for part in (wanted.values["q"], *(str(chip.label) for chip in facets.chips(wanted))) if part)


# --- Feed of new aid -----------------------------------------------------------------------------------------------------------


def new_aid_feed(index: AidIndexPage, request: HttpRequest) -> HttpResponse:
    """The newest aid that the query string finds, as Atom (RFC 4287)."""
    wanted = AidFilter(request.GET).for_anybody()
    items = finder.in_order(finder.find(wanted, index, request).all_items, "newest")[:FEED_LENGTH]
    about = _in_words(wanted)
    feed = feeds.Feed(
        title=f"{index.title}: {about}" if about else index.title,
        link=settings.SITE_URL + index.address("", request),
        description="",
        subtitle=index.lead,
        language=index.locale.language_code,
        feed_url=settings.SITE_URL + request.get_full_path(),
        author_name=settings.SITE_NAME,
    )
    for one in items:
        feed.add_item(
            title=one.page.title,
            link=settings.SITE_URL + one.url,
            description=one.page.summary,
            unique_id=f"urn:uuid:{finder.uid_of(one.page)}",
            pubdate=one.page.first_published_at,
            updateddate=one.page.last_published_at,
            categories=[str(one.page.get_kind_display())],
        )
    return HttpResponse(feed.writeString("utf-8"), content_type=feed.content_type)


# --- Comparison ----------------------------------------------------------------------------------------------------------------


def compare_page(index: AidIndexPage, request: HttpRequest) -> HttpResponse:
    """Up to four side by side; the rest of the query string is the way back to the search they came from."""
    wanted, mine = asked(request)
    translations = index.in_other_languages(request, "compare")
    items = finder.chosen(finder.load(index, request), wanted.values["a"])
    if mine.company:
        items = finder.with_verdicts(items, mine.company)
    context = base_context(index, request) | {
        "items": [(one, wanted.query_string(without_value=("a", str(one.asked_as)))) for one in items],
        "rows": compare.rows(items),
        "wanted": wanted,
        "missing": len(wanted.values["a"]) - len(items),
        "back": index.address("", request) + wanted.query_string(page=wanted.values["page"]).rstrip("?"),
        "addresses": addresses(index, request),
        "trail_here": _trail(index, request),
        "translations": translations,
    }
    return as_seen_by(request, render(request, "aid/compare.html", context))


# --- One aid -------------------------------------------------------------------------------------------------------------------


def aid_context(page: AidPage, request: HttpRequest) -> dict[str, Any]:
    """All that the page of one aid shows."""
    context = TranslatedPage.get_context(page, request)
    index = _finder_above(page, context["above"])
    items = finder.load(index, request)
    register.lend_facts(page, [one.page for one in items])
    item = finder.item(page, index, request)
    return context | {
        "item": item,
        "standing": item.standing,
        "calls": sorted(page.calls.all(), key=lambda call: call.opens_on or call.deadline or datetime.date.max, reverse=True),
        "next_call": next((call for call in page.calls.all() if call.state == State.ANNOUNCED and call is not item.standing.call), None),
        "office": office_of(page),
        "related": finder.related(page, items),
        "can": _can(page, request),
        "overdue": page.review_due_on is not None and page.review_due_on < item.today,
        "addresses": addresses(index, request) | {"add_to_calendar": index.address("calendar_of_one", request, number=page.pk or 0)},
    }


def _finder_above(page: AidPage, above: list[Page]) -> AidIndexPage:
    """The finder above the page, from the pages above it that were read already; asked for where it is no live one."""
    parent = page.path[: -page.steplen]
    found = next((one for one in above if one.path == parent), None) or Page.objects.select_related("locale").get(path=parent)
    # Only what every page has: the finder's own fields are not needed here.
    index = AidIndexPage(pk=found.pk, **{name: getattr(found, name) for name in ("path", "depth", "title", "slug", "url_path", "live", "translation_key")})
    index.locale = page.locale = found.locale
    return index


def office_of(page: AidPage) -> OfficePage | None:
    """The office that helps with it, in the page's language where it has it."""
    if page.office_id is None:
        return None
    versions = for_everybody(OfficePage.objects).filter(translation_key__in=Page.objects.filter(pk=page.office_id).values("translation_key"))
    found = {office.locale_id: office for office in versions.select_related("locale")}
    return found.get(page.locale_id) or next(iter(found.values()), None)


@dataclass(frozen=True)
class Can:
    """Whether somebody can have an aid: where the questions are, and for a member what the rules say of the company."""

    address: str
    company: Company | None = None
    summary: Mapping[str, object] = field(default_factory=dict)
    conditions: list[dict[str, str]] = field(default_factory=list)


def _can(page: AidPage, request: HttpRequest) -> Can | None:
    """None where there is nothing to ask: no rules, or a page that is not published yet."""
    rule = rule_of(page)
    if not rule.parts or not page.pk or not page.live:
        return None
    address = reverse("eligibility:check", args=[page.pk])
    user = getattr(request, "user", None)
    company = Company.objects.of(user).for_display().order_by("name").first() if user and user.is_authenticated else None
    if company is None:
        return Can(address)
    profile, today = profile_of(company), timezone.localdate()
    verdict = evaluate(rule, profile, today)
    conditions = presentation.shown(verdict, profile, today)["conditions"]
    return Can(f"{address}?company={company.uid}", company, presentation.summary(verdict), conditions)

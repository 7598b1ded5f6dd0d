"""What templates say of aid: `{% load aid_tags %}`."""

import datetime

from django import template
from django.utils import timezone
from django.utils.translation import get_language

from cms.aid import calendar, compare, finder, words
from cms.aid.models import AidIndexPage, Call
from cms.aid.states import Standing, State

register = template.Library()

register.filter("euros", words.euros)
register.filter("how_much", words.how_much)
register.filter("amount", words.amount)
register.filter("share", words.share)
register.filter("month_name", calendar.month_name)
register.filter("for_whom", compare.beneficiaries)
register.filter("for_sizes", compare.sizes)
register.filter("for_sectors", compare.sectors)
register.filter("for_places", compare.places)

#: How a badge looks in each state; see components/state_badge.html.
TONES = {State.OPEN: "good", State.PERMANENT: "good", State.CLOSING_SOON: "warm", State.ANNOUNCED: "gold"}


@register.filter
def tone(state: State) -> str:
    """The look of a state's badge."""
    return TONES.get(state, "hollow")


@register.filter
def when(standing: Standing) -> str:
    """The sentence on which it all depends: "Closes in 12 days, on 4 December"."""
    return words.when(standing, timezone.localdate())


@register.filter
def call_when(call: Call) -> str:
    """The same of a single call."""
    return words.when(Standing(call.state, call, None), timezone.localdate())


@register.filter
def elapsed(call: Call | None) -> dict[str, int]:
    """How far a call is: `done` of `all` days; empty when it has no beginning or no end."""
    today = timezone.localdate()
    if not (call and call.opens_on and call.deadline and call.opens_on <= today <= call.deadline):
        return {}
    return {"done": (today - call.opens_on).days, "all": max(1, (call.deadline - call.opens_on).days)}


@register.filter
def short_day(day: datetime.date) -> str:
    """A date without its year where that is clear."""
    return words.day(day, timezone.localdate())


@register.inclusion_tag("aid/latest.html", takes_context=True)
def latest_aid(context: template.Context, limit: int = 3, heading: str = "h3") -> dict[str, object]:
    """The newest aid that one can ask for or soon can, as cards; nothing where there is no finder in this language."""
    request = context.get("request")
    index = AidIndexPage.objects.live().filter(locale__language_code=get_language()).select_related("locale").first()
    items = [one for one in finder.load(index, request) if one.alive] if index else []
    newest = finder.in_order(items, "newest")[:limit]
    return {"items": newest, "total": len(items), "index_url": index.get_url(request) if index else "", "heading": heading, "request": request}

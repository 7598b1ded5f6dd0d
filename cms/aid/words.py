"""The facts of an aid in words: how much, by when, for whom. Dates and numbers as the language writes them."""

from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import AidPage, Call
from .states import ASKABLE, Standing, State

#: A space at which no line breaks: "10.000 €" stays together.
NO_BREAK = "\u00a0"


def euros(amount: Decimal | None) -> str:
    """An amount: "10.000 €", "1,50 €"; with cents only where there are some. Nothing for None."""
    if amount is None:
        return ""
    whole = amount == amount.to_integral_value()
    return number_format(amount, decimal_pos=0 if whole else 2, use_l10n=True, force_grouping=True) + NO_BREAK + "€"


def amount(aid: AidPage) -> str:
    """What one company can get: "up to 10.000 €", "from 1.000 € to 5.000 €"; empty when no amount is known."""
    low, high = aid.amount_min, aid.amount_max
    if low and high and low == high:
        return euros(high)
    if low and high:
        return _("from %(low)s to %(high)s") % {"low": euros(low), "high": euros(high)}
    if high:
        return _("up to %(high)s") % {"high": euros(high)}
    return _("from %(low)s") % {"low": euros(low)} if low else ""


def share(aid: AidPage) -> str:
    """Of the cost: "at most 50 % of the cost"; empty when there is no limit."""
    return _("at most %(percent)s of the cost") % {"percent": f"{aid.share_max}{NO_BREAK}%"} if aid.share_max else ""


def how_much(aid: AidPage) -> str:
    """Amount and share in one line."""
    return ", ".join(part for part in (amount(aid), share(aid)) if part)


def day(value: date, today: date) -> str:
    """A date as short as it can be: without its year in this one and up to half a year on."""
    near = value.year == today.year or 0 < (value - today).days <= 180  # noqa: PLR2004
    return date_format(value, "MONTH_DAY_FORMAT" if near else "DATE_FORMAT")


def when(standing: Standing, today: date) -> str:
    """The sentence on which it all depends: "Closes in 12 days, on 4 December"."""
    call = standing.call
    if call is None:
        return _("You can ask all year")
    if standing.state in ASKABLE:
        return closes(call, today)
    if standing.state == State.ANNOUNCED:
        return opens(call, today)
    if standing.state == State.EXHAUSTED:
        return _("The budget was used up on %(day)s") % {"day": day(call.exhausted_on, today)}
    return _("Closed on %(day)s") % {"day": day(call.deadline, today)}


def closes(call: Call, today: date) -> str:
    """When a call that is open closes."""
    if call.deadline is None:
        return _("Open until the budget is used up")
    left = (call.deadline - today).days
    if left == 0:
        return _("Closes today")
    if left == 1:
        return _("Closes tomorrow, on %(day)s") % {"day": day(call.deadline, today)}
    return ngettext("Closes in %(n)d day, on %(day)s", "Closes in %(n)d days, on %(day)s", left) % {"n": left, "day": day(call.deadline, today)}


def opens(call: Call, today: date) -> str:
    """When a call that was announced opens."""
    left = (call.opens_on - today).days
    if left == 1:
        return _("Opens tomorrow, on %(day)s") % {"day": day(call.opens_on, today)}
    return ngettext("Opens in %(n)d day, on %(day)s", "Opens in %(n)d days, on %(day)s", left) % {"n": left, "day": day(call.opens_on, today)}

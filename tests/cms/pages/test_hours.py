"""When an office is open: the pure part, over days, exceptions and the night in which the clocks change."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from cms.pages.hours import Hours, Period, Special, Status, crossed, overlapping, same_days

MADRID = ZoneInfo("Europe/Madrid")


def period(opens: str, closes: str) -> Period:
    return Period(datetime.time.fromisoformat(opens), datetime.time.fromisoformat(closes))


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=MADRID)


MORNING, AFTERNOON = period("09:00", "14:00"), period("16:00", "19:00")
#: Mornings from Monday to Friday, Tuesday's afternoon too.
WEEK = ((MORNING,), (AFTERNOON, MORNING), (MORNING,), (MORNING,), (MORNING,), (), ())


@pytest.mark.parametrize(
    ("now", "is_open", "changes", "days"),
    [
        ("2026-11-24T08:59", False, "2026-11-24T09:00", 0),
        ("2026-11-24T09:00", True, "2026-11-24T14:00", 0),
        ("2026-11-24T13:59", True, "2026-11-24T14:00", 0),
        ("2026-11-24T14:00", False, "2026-11-24T16:00", 0),
        ("2026-11-24T19:00", False, "2026-11-25T09:00", 1),
        ("2026-11-27T15:00", False, "2026-11-30T09:00", 3),
    ],
)
def test_status_tells_what_is_and_when_it_turns(now, is_open, changes, days):
    assert Hours(WEEK).status(at(now)) == Status(is_open, at(changes), days)


def test_exception_takes_the_place_of_the_day():
    hours = Hours(
        WEEK,
        (
            Special(datetime.date(2026, 12, 8), datetime.date(2026, 12, 8), note="festiu"),
            Special(datetime.date(2026, 12, 24), datetime.date(2026, 12, 31), (period("09:00", "12:00"),)),
        ),
    )
    assert hours.status(at("2026-12-08T10:00")) == Status(False, at("2026-12-09T09:00"), 1)
    assert hours.status(at("2026-12-24T11:30")) == Status(True, at("2026-12-24T12:00"))
    # A Saturday within the exception: it is for every day of it.
    assert hours.on(datetime.date(2026, 12, 26)) == (period("09:00", "12:00"),)


def test_office_that_is_shut_for_long_does_not_say_when_it_opens():
    hours = Hours(WEEK, (Special(datetime.date(2026, 8, 1), datetime.date(2026, 12, 31)),))
    assert hours.status(at("2026-08-03T10:00")) == Status(False, None)
    assert Hours(((),) * 7).status(at("2026-08-03T10:00")) == Status(False, None)


def test_times_are_those_on_the_wall_when_the_clocks_change():
    """On 25 October 2026 the clocks go back: an opening counted in hours from midnight would be an hour early."""
    sunday = Hours(((),) * 6 + ((MORNING,),))
    opens = sunday.status(at("2026-10-24T20:00")).changes
    assert (opens.hour, opens.utcoffset()) == (9, datetime.timedelta(hours=1))


def test_faults_are_seen():
    assert crossed(period("14:00", "09:00"))
    assert crossed(period("09:00", "09:00"))
    assert overlapping([AFTERNOON, period("13:00", "17:00"), MORNING]) == (MORNING, period("13:00", "17:00"))
    assert overlapping([MORNING, period("14:00", "16:00"), AFTERNOON]) is None


def test_days_alike_share_a_line():
    assert same_days(WEEK) == [([0], (MORNING,)), ([1], (MORNING, AFTERNOON)), ([2, 3, 4], (MORNING,)), ([5, 6], ())]

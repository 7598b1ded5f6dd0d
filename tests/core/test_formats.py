"""How dates are written."""

import datetime as dt

import pytest
from django.utils import translation
from django.utils.formats import date_format


@pytest.mark.parametrize(
    ("language", "long", "short"),
    [
        ("ca", "3 de maig de 2026", "03/05/2026 16:20"),
        ("es", "3 de mayo de 2026", "03/05/2026 16:20"),
        ("en", "3 May 2026", "03/05/2026 16:20"),
    ],
)
def test_dates_begin_with_the_day_in_every_language(language, long, short):
    when = dt.datetime(2026, 5, 3, 16, 20)  # noqa: DTZ001 - only its digits count
    with translation.override(language):
        assert (date_format(when, "DATE_FORMAT"), date_format(when, "SHORT_DATETIME_FORMAT")) == (long, short)

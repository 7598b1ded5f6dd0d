"""How often a stranger may try something, however many tries come at once."""

import datetime

import pytest
from django.core.cache import cache, caches
from django.test import RequestFactory

from marketplace.core import attempts
from tests.concurrency import at_once

SHARED = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
HOUR = datetime.timedelta(hours=1)


def tried(number=3, address="192.0.2.1", what="tests"):
    try:
        attempts.count(what, RequestFactory().get("/", REMOTE_ADDR=address), number, HOUR)
    except attempts.TooManyError:
        return False
    return True


def test_so_many_in_a_period_and_no_more():
    assert [tried() for _ in range(5)] == [True, True, True, False, False]
    assert tried(address="192.0.2.2")
    assert tried(what="another")
    with pytest.raises(attempts.TooManyError) as raised:
        attempts.count("tests", RequestFactory().get("/", REMOTE_ADDR="192.0.2.1"), 3, HOUR)
    assert 0 < raised.value.retry_after <= HOUR.total_seconds()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shared", [False, True], ids=["memory", "database"])
def test_each_of_many_at_once_counts(settings, shared):
    if shared:
        settings.CACHES = SHARED
    assert sorted(at_once(*[lambda: tried(number=4)] * 8)) == [False] * 4 + [True] * 4


@pytest.mark.django_db
def test_naive_count_takes_two_at_once_for_one(settings):
    """What Django's cache in a database does to count up: it reads, adds and writes. Here another comes between."""
    settings.CACHES = SHARED
    cache.add("tests", 0)
    read = caches["default"].get("tests")
    caches["default"].incr("tests")
    caches["default"].set("tests", read + 1)
    assert cache.get("tests") == 1
    assert (tried(number=1), tried(number=1)) == (True, False)

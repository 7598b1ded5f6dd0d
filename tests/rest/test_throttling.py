"""How many requests a minute."""

import subprocess
import sys
import time

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache, caches
from django.core.cache.backends.db import DatabaseCache

from marketplace.rest import throttling
from marketplace.rest.models import Counter
from tests import processes
from tests.concurrency import at_once
from tests.rest.keys import company_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest.doors")]

START = 1_790_000_040  # the beginning of a minute
DATABASE_CACHE = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}


@pytest.fixture(autouse=True)
def _clock():
    # All tests live in the same minute: what an earlier one still holds of it is not for this one.
    throttling._held.of = (0, 0)
    with time_machine.travel(START + 15, tick=False):
        yield


@pytest.fixture(params=["memory", "database"])
def any_cache(request, settings):
    """The default cache: one that counts by itself, and one that cannot."""
    if request.param == "database":
        settings.CACHES = settings.CACHES | DATABASE_CACHE
        assert isinstance(caches["default"], DatabaseCache)


def test_address_without_a_key_has_the_lower_rate(client, settings, any_cache):
    settings.API_RATE_ADDRESS, settings.API_RATE_KEY = 2, 5
    made = company_key()
    assert [client.get("/api/public/").status_code for _ in range(4)] == [200, 200, 429, 429]
    assert [client.get("/api/public/", headers=made.headers).status_code for _ in range(6)] == [200] * 5 + [429]


def test_refusal_says_when_to_come_again(client, settings, any_cache):
    settings.API_RATE_ADDRESS = 1
    client.get("/api/public/")
    answer = client.get("/api/public/")
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    assert answer["Retry-After"] == "45"
    assert "1 " in answer.json()["detail"]
    with time_machine.travel(START + 59, tick=False):
        assert client.get("/api/public/")["Retry-After"] == "1"
    with time_machine.travel(START + 60, tick=False):
        assert client.get("/api/public/").status_code == 200


def test_every_answer_tells_what_is_left(client, settings):
    settings.API_RATE_KEY = 3
    made = company_key("read")
    answers = [
        client.get("/api/public/", headers=made.headers),
        client.post("/api/public/", {}, content_type="application/json", headers=made.headers),
        client.get("/api/plain/", headers=made.headers),
    ]
    assert [answer.status_code for answer in answers] == [200, 403, 403]
    assert [answer["RateLimit"] for answer in answers] == [f'"key";r={left};t=45' for left in (2, 1, 0)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"key";q=3;w=60'}
    assert client.get("/api/plain/", headers=made.headers).status_code == 429


def test_keys_of_one_client_share_its_own_rate(client, settings):
    made = company_key(rate=2)
    other = company_key(company=made.company)
    assert [client.get("/api/public/", headers=one.headers).status_code for one in (made, other, made)] == [200, 200, 429]
    # Those of another client are not concerned.
    assert client.get("/api/public/", headers=company_key().headers).status_code == 200


def test_zero_is_no_limit(client, settings):
    settings.API_RATE_ADDRESS = 0
    answers = [client.get("/api/public/") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert not answers[0].has_header("RateLimit")


def test_ipv6_counts_by_network(client, settings):
    settings.API_RATE_ADDRESS = 1
    ask = lambda address: client.get("/api/public/", REMOTE_ADDR=address).status_code  # noqa: E731 - a table reads better
    assert [ask("2001:db8:1:2::1"), ask("2001:db8:1:2:ffff::9"), ask("2001:db8:1:3::1"), ask("192.0.2.1"), ask("192.0.2.2"), ask("192.0.2.2")] == [
        200,
        429,
        200,
        200,
        200,
        429,
    ]


def test_wrong_keys_are_limited_by_address(client, settings, any_cache):
    settings.API_RATE_FAILURES = 2
    made = company_key()
    wrong = {"Authorization": made.headers["Authorization"][:-1]}
    answers = [client.get("/api/public/", headers=wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert answers[-1]["Retry-After"] == "45"
    # A neighbour behind the same address whose key is right goes on working; a wrong one from elsewhere is just wrong.
    assert client.get("/api/public/", headers=made.headers).status_code == 200
    assert client.get("/api/public/", headers=wrong, REMOTE_ADDR="192.0.2.9").status_code == 401


def test_page_of_the_site_is_not_counted(client, settings):
    settings.API_RATE_ADDRESS = 1
    for _ in range(3):
        assert not client.get("/health/").has_header("RateLimit")


def test_counters_hold_no_address(client, settings):
    settings.CACHES = settings.CACHES | DATABASE_CACHE
    client.get("/api/public/", REMOTE_ADDR="192.0.2.77")
    assert "192.0.2" not in Counter.objects.get().name


def test_past_counters_are_deleted(client, settings):
    settings.CACHES = settings.CACHES | DATABASE_CACHE
    client.get("/api/public/")
    assert throttling.prune() == 0
    with time_machine.travel(START + 61, tick=False):
        assert throttling.prune() == 1


def _naive(name, until):
    """What Django's caches in a database and in files do: read, add, write."""
    cache.add(name, 0, 120)
    number = cache.get(name)
    time.sleep(0.05)
    cache.set(name, number + 1, 120)
    return number + 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_never_get_the_same_number(settings, any_cache):
    until = START + 60
    results = at_once(*[lambda: throttling.count("api:test", until=until)] * 8)
    assert sorted(results) == list(range(1, 9))
    naive = at_once(*[lambda: _naive("api:naive", until)] * 8)
    assert sorted(naive) != list(range(1, 9))


def test_program_that_asks_much_costs_the_counter_little(settings, any_cache, monkeypatch):
    asked = []
    add = throttling._add
    monkeypatch.setattr(throttling, "_add", lambda *arguments: asked.append(arguments[1]) or add(*arguments))
    numbers = [throttling.count("api:much", until=START + 60, block=20) for _ in range(100)]
    assert numbers == list(range(1, 101))
    assert asked == [1, 2, 4, 8, 16, 20, 20, 20, 20]
    # Who asks once takes no more than that.
    assert [throttling.count(f"api:{name}", until=START + 60, block=20) for name in "abc"] == [1, 1, 1]


def test_numbers_of_the_parent_are_not_the_childs(settings, any_cache, monkeypatch):
    """Naively a forked process gives out what its parent still holds."""
    until, numbers = START + 60, []
    numbers += [throttling.count("api:forked", until=until, block=20) for _ in range(5)]
    held = list(throttling._held.block("api:forked", until).numbers)
    assert held == [6, 7]
    monkeypatch.setattr(throttling.os, "getpid", lambda: -1)
    assert throttling.count("api:forked", until=until, block=20) == 8
    # And those of a minute that is over are nobody's.
    assert throttling.count("api:forked:later", until=until + 60, block=20) == 1
    assert not throttling._held.block("api:forked", until + 60).numbers


@pytest.mark.django_db(transaction=True)
def test_limit_holds_in_several_processes_at_once(smtp):
    """On a cache that processes share, with the blocks they take; the naive way, a count in each process, lets all of them through."""
    program = (
        f"import django, time_machine; django.setup(); time_machine.travel({START}, tick=False).start()\n"
        "from django.conf import settings; from django.test import Client; from marketplace.rest import throttling\n"
        "settings.ALLOWED_HOSTS.append('testserver'); settings.ROOT_URLCONF = 'tests.rest.doors'\n"
        "def passed(): return sum(Client().get('/api/public/').status_code == 200 for _ in range(60))\n"
        "shared, own = passed(), {}\n"
        "def count(name, *, until, block): own[name] = own.get(name, 0) + 1; return own[name]\n"
        "throttling.count = count\n"
        "print(shared, passed())"
    )
    environment = processes.environment(API_RATE_ADDRESS="120", CACHE_URL="dbcache://cache")
    start = [sys.executable, "-c", program]
    running = [subprocess.Popen(start, env=environment, cwd=django_settings.BASE_DIR, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    passed = [map(int, one.communicate(timeout=300)[0].split()) for one in running]
    shared, naive = map(sum, zip(*passed, strict=True))
    # Two of them may still hold a block, a fortieth of the limit, that nobody asks for any more.
    assert 120 - 2 * 3 <= shared <= 120
    assert naive == 180

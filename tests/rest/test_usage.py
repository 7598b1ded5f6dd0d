"""How much each key is used."""

import datetime

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from marketplace.rest import usage
from marketplace.rest.models import ApiKey, Usage
from tests import processes
from tests.concurrency import at_once
from tests.rest.keys import company_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest.doors")]

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nothing_pending():
    usage._pending.reset()


def rows(key):
    return list(Usage.objects.filter(key=key).order_by("hour").values_list("hour", "requests", "refused"))


def test_requests_are_counted_by_key_and_hour(client):
    made, other = company_key("read"), company_key("read")
    noon = timezone.now().replace(minute=59, second=59, microsecond=0)
    with time_machine.travel(noon, tick=False):
        for one in (made, made, other):
            client.get("/api/public/", headers=one.headers)
        client.post("/api/public/", {}, content_type="application/json", headers=made.headers)
    with time_machine.travel(noon + datetime.timedelta(seconds=1), tick=False):
        client.get("/api/public/", headers=made.headers)
    client.get("/api/public/")
    usage.flush()
    hour = noon.replace(minute=0, second=0)
    assert rows(made.key) == [(hour, 3, 1), (hour + HOUR, 1, 0)]
    assert rows(other.key) == [(hour, 1, 0)]


def test_throttled_requests_count_as_refused(client):
    made = company_key(rate=1)
    for _ in range(3):
        client.get("/api/public/", headers=made.headers)
    usage.flush()
    assert [(requests, refused) for _hour, requests, refused in rows(made.key)] == [(3, 2)]


def test_no_request_writes_until_it_is_time(client, django_assert_num_queries, monkeypatch):
    made = company_key()
    with django_assert_num_queries(20):
        # Each asks who it is and no more.
        for _ in range(20):
            client.get("/api/public/", headers=made.headers)
    assert not Usage.objects.exists()
    monkeypatch.setattr(usage, "FLUSH_SECONDS", -1)
    client.get("/api/public/", headers=made.headers)
    assert [row[1] for row in rows(made.key)] == [21]


def test_writing_is_a_few_queries_whatever_the_requests(client, django_assert_max_num_queries):
    made = [company_key() for _ in range(3)]
    for one in made * 30:
        usage.count(one.key.pk, is_refused=False)
    with django_assert_max_num_queries(12):
        assert usage.flush() == 3


@pytest.mark.django_db(transaction=True)
def test_sums_are_exact_with_threads_that_count_and_write(smtp):
    made = [company_key(), company_key()]

    def work():
        for number in range(50):
            usage.count(made[number % 2].key.pk, is_refused=number % 10 == 0)
            if number % 10 == 9:
                usage.flush()

    at_once(*[work] * 6)
    usage.flush()
    assert [sum(row[1] for row in rows(one.key)) for one in made] == [150, 150]
    assert sum(row[2] for one in made for row in rows(one.key)) == 30


@pytest.mark.django_db(transaction=True)
def test_sums_of_two_processes_add_up(smtp):
    """The naive way, to read the row, add and save it, loses what another wrote in between."""
    made = company_key()
    usage.count(made.key.pk, is_refused=False)
    usage.flush()
    row = Usage.objects.get()
    processes.run(f"from marketplace.rest import usage\nfor _ in range(5): usage.count({made.key.pk}, is_refused=True)\nusage.flush()\n")
    usage.count(made.key.pk, is_refused=False)
    usage.flush()
    assert sum(one[1] for one in rows(made.key)) == 7
    row.requests += 1
    row.save()
    assert Usage.objects.get(pk=row.pk).requests == 2


def test_nothing_is_lost_when_the_database_refuses(monkeypatch, caplog):
    made = company_key()
    usage.count(made.key.pk, is_refused=False)

    def refuse(*_arguments):
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(usage, "_write", refuse)
        assert usage.flush() == 0
    assert "tried again" in caplog.text
    usage.count(made.key.pk, is_refused=True)
    usage.flush()
    assert [row[1:] for row in rows(made.key)] == [(2, 1)]


def test_key_that_is_gone_takes_nothing_along():
    made, gone = company_key(), company_key()
    for one in (made, gone):
        usage.count(one.key.pk, is_refused=False)
    ApiKey.objects.filter(pk=gone.key.pk).delete()
    assert usage.flush() == 1
    assert [row[1] for row in rows(made.key)] == [1]


@pytest.mark.django_db(transaction=True)
def test_serving_process_writes_the_last_counts_by_itself(smtp):
    """Without the thread they would wait for a request that may never come; at the end of the process, what is left is written too."""
    made = company_key()
    program = f"from marketplace.rest import usage\nimport time\n{{start}}\nusage.count({made.key.pk}, is_refused=False)\n{{end}}"
    # Naive: nobody looks after what was counted once the last request is over.
    processes.run(program.format(start="", end=""))
    assert rows(made.key) == []
    start = "usage.FLUSH_SECONDS = 0.2\nusage.flush_in_background()"
    processes.run(program.format(start=start, end="time.sleep(2)\nos.kill(os.getpid(), signal.SIGKILL)"), is_killed=True)
    assert [row[1] for row in rows(made.key)] == [1]
    processes.run(program.format(start=start, end=""))
    assert sum(row[1] for row in rows(made.key)) == 2


def test_old_hours_are_deleted():
    made = company_key()
    now = timezone.now()
    for age in (0, 390, 400):
        Usage.objects.create(key=made.key, hour=now - datetime.timedelta(days=age), requests=1)
    assert usage.prune() == 1
    assert Usage.objects.count() == 2

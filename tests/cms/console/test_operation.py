"""The page of how the service does: who sees it, what it says of faults, what its buttons set going."""

import datetime
import re
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.core import changelog
from marketplace.core.heartbeats import Heart, Part
from marketplace.core.models import Change, Heartbeat, Reader
from search import index, upkeep
from search.enums import Work
from search.models import IndexCheck, IndexRequest
from tests.factories import UserFactory

PAGE = reverse("console_operation")

pytestmark = pytest.mark.usefixtures("own_index")


@pytest.fixture
def own_index(settings, tmp_path, db):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    index.run_once()


@pytest.fixture
def operator(client, curator):
    """A client of a curator who may also set work on the index going."""
    curator.user_permissions.add(Permission.objects.get(codename="operate_index"))
    client.force_login(curator)
    return client


def text(client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_curators_see_it_and_others_do_not(client, curator):
    assert client.get(PAGE).status_code == 302
    client.force_login(UserFactory())
    assert client.get(PAGE).status_code == 302
    client.force_login(curator)
    assert client.get(PAGE).status_code == 200
    assert PAGE in client.get(reverse("wagtailadmin_home")).content.decode()


def test_curator_without_the_permission_sets_nothing_going(console):
    assert 'value="compare"' not in text(console)
    assert console.post(PAGE, {"act": "compare"}).status_code in (302, 403)
    assert not IndexRequest.objects.exists()


def test_level_is_told_in_words(console):
    page = text(console)
    assert page.count("operation-light--2") == 1  # no worker
    Heart([Part("inside")]).beat()
    page = text(console)
    assert page.count("operation-light--2") == 0
    assert page.count("operation-light--0") == 8  # seven parts and a worker


def test_faults_are_told(console):
    Heart([Part("inside")]).beat()
    Heartbeat.objects.update(doing="cms.pages.pictures", since=timezone.now() - datetime.timedelta(minutes=30))
    Reader.objects.create(name="synergies")
    with transaction.atomic():
        changelog.append("listing", uuid.uuid4())
    Change.objects.update(created=timezone.now() - datetime.timedelta(hours=2))
    IndexCheck.objects.create(engine="embedded", documents=7, missing=3, extra=2, stale=1, without_vectors=0, repaired=False)
    page = text(console)
    assert "<code>cms.pages.pictures</code>" in page
    assert re.search(r'">synergies</code></th><td[^>]*>1</td><td[^>]*>2 hores', page)
    assert page.count("operation-light--2") == 1  # the reader
    assert page.count("operation-light--1") == 3  # index, workers, and the worker's own row


def test_button_asks_and_a_worker_does(operator):
    answer = operator.post(PAGE, {"act": "compare"})
    assert (answer.status_code, answer.url) == (302, PAGE)
    assert IndexRequest.objects.get().work == Work.COMPARE
    page = text(operator)
    assert "data-progress" in page
    assert "console/progress.js" in page
    upkeep.run_once()
    page = text(operator)
    assert "data-progress" not in page
    assert IndexCheck.objects.count() == 1


def test_pressing_twice_asks_once(operator):
    for _ in range(2):
        operator.post(PAGE, {"act": "rebuild", "engine": "embedded"})
    assert IndexRequest.objects.count() == 1


def test_engine_that_is_not_in_use_is_refused(operator):
    operator.post(PAGE, {"act": "rebuild", "engine": "elasticsearch"})
    operator.post(PAGE, {"act": "explode"})
    assert not IndexRequest.objects.exists()


def test_repair_is_offered_only_where_there_is_something_to_repair(operator):
    assert 'value="repair"' not in text(operator)
    found = IndexCheck.objects.create(engine="embedded", documents=7, missing=3, extra=2, stale=1, without_vectors=0, repaired=False)
    assert 'value="repair"' in text(operator)
    IndexCheck.objects.filter(pk=found.pk).update(repaired=True)
    assert 'value="repair"' not in text(operator)


def test_running_work_shows_how_far_it_is(operator):
    now = timezone.now()
    IndexRequest.objects.create(
        engine="embedded", work=Work.REBUILD, started=now, lease_until=now + datetime.timedelta(minutes=1), leased_by="w", documents=1200, of=5000
    )
    assert '<progress class="console-progress"' in text(operator)
    assert 'max="5000" value="1200"' in text(operator)


def test_page_takes_the_same_queries_for_one_of_each_and_for_three(operator):
    operator.get(PAGE)
    counts = []
    for count in (1, 3):
        for number in range(count):
            Reader.objects.get_or_create(name=f"reader {number}")
            Heart([Part("inside")]).beat()
        with CaptureQueriesContext(connection) as asked:
            operator.get(PAGE)
        counts.append(len(asked))
    assert counts[0] == counts[1]

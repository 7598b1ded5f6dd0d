"""The figures, once more from PostgreSQL: comparisons of places in the log, ages by its clock, open transactions."""

import datetime
import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from marketplace.core import changelog
from marketplace.core.models import Change, Reader

from .conftest import BEARER
from .test_metrics import (  # noqa: F401 - collected here again, with the fixture they use
    scrape,
    test_mails_that_nobody_sends_are_seen,
    test_reader_that_is_stuck_is_seen_in_changes_and_in_seconds,
    test_worker_that_was_killed_is_seen,
)
from .test_views import test_details_tell_every_part, test_health_says_ok_and_nothing_else  # noqa: F401 - as above

pytestmark = pytest.mark.postgresql


@pytest.mark.django_db(transaction=True)
def test_changes_that_no_worker_has_read_since_a_restore_are_seen(client, scrape):  # noqa: F811 - the fixture
    """The transactions of the cluster where the backup was taken are far beyond those that are written here."""
    with transaction.atomic():
        changelog.append("listing", uuid.uuid4())
    changelog.consume("embedded", lambda _changes: None)
    for model in (Change, Reader):
        model.objects.update(transaction=5_000_000_000)
    with transaction.atomic():
        newest = changelog.append("listing", uuid.uuid4())
    Change.objects.filter(pk=newest.pk).update(created=timezone.now() - datetime.timedelta(minutes=20))

    assert client.get("/health/").json() == {"status": "degraded"}
    told = scrape()
    assert (told["reader_lag_changes", "embedded"], told["reader_lag_seconds", "embedded"] > 19 * 60) == (1, True)
    assert (told["reader_held_back", "embedded"], told["part_level", "readers"]) == (0, 2)
    [part] = [part for part in client.get("/health/details/", headers=BEARER).json()["parts"] if part["part"] == "readers"]
    assert part["says"] == ["“Embedded search index (embedded)” is behind: 1 change waits, for 20\xa0minutes."]

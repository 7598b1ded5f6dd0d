"""What Prometheus reads: it can be parsed, keeps to the conventions, and each figure moves with its fault."""

import datetime
import re
import uuid
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from marketplace.core import changelog
from marketplace.core.heartbeats import Heart, Part
from marketplace.core.models import Change, Mail, Reader
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.models import Checkpoint, Partner
from search import engine, index
from search.models import IndexBuild, IndexCheck
from tests.health.conftest import BEARER, silence

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"
UNITS = ("_seconds", "_total", "_bytes", "_ratio")


@pytest.fixture
def scrape(client, service):
    """What a scrape reads: value by name and labels."""

    def read() -> dict[tuple[str, ...], float]:
        answer = client.get("/metrics", headers=BEARER)
        assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (200, "text/plain")
        families = list(text_string_to_metric_families(answer.content.decode()))
        assert len({family.name for family in families}) == len(families)
        assert all(family.documentation and family.type in ("gauge", "counter") for family in families)
        return {(sample.name.removeprefix("marketplace_"), *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples}

    return read


def test_every_metric_is_documented_and_no_other(client, service):
    everything = _with_everything()
    text = client.get("/metrics", headers=BEARER).content.decode()
    told = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    assert everything
    table = OPERATIONS.read_text(encoding="utf-8").partition("### Metrics")[2].partition("```")[0]
    first_cells = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    documented = set()
    for name in re.findall(r"`(\w+)`", first_cells):
        # "`messages_waiting`, `_failing`": the beginning is that of the one before.
        full = f"partner_messages{name}" if name.startswith("_") else name
        documented.add(f"marketplace_{full}")
    assert told - documented == set()
    assert set(re.findall(r"\bmarketplace_[a-z_]+", OPERATIONS.read_text(encoding="utf-8"))) - documented - {"marketplace_"} == set()
    assert documented - told == {f"marketplace_{name}" for name in ONLY_WITH_A_CLUSTER}


#: The embedded engine has neither.
ONLY_WITH_A_CLUSTER = ("engine_cluster_status", "engine_nodes", "engine_unassigned_shards")


def _with_everything() -> bool:
    now = timezone.now()
    IndexBuild.objects.create(engine="embedded", started=now, finished=now, lease_until=now, documents=7)
    IndexCheck.objects.create(engine="embedded", documents=7, missing=0, extra=0, stale=0, without_vectors=0, repaired=False)
    partner = Partner.objects.create(name="Marketplace Girona", state=PartnerState.ACTIVE, reader=ReaderKind.PROTOCOL, base_url="https://girona.example")
    Checkpoint.objects.create(partner=partner, last_success_at=now, last_attempt_at=now, lag=3)
    Heart([Part("outside")], lambda: {"elasticsearch": "open"}).beat()
    return True


def test_names_keep_to_the_conventions(client, service):
    _with_everything()
    for family in text_string_to_metric_families(client.get("/metrics", headers=BEARER).content.decode()):
        assert re.fullmatch(r"marketplace_[a-z_]+", family.name)
        assert not re.search(r"_(minutes|hours|milliseconds|ms|percent|count)$", family.name)
        assert family.documentation.endswith(".")
        if family.type == "gauge":
            assert not family.name.endswith("_total")


def test_reader_that_is_stuck_is_seen_in_changes_and_in_seconds(scrape):
    assert scrape()["reader_lag_changes", "embedded"] == 0
    Reader.objects.create(name="synergies")
    with transaction.atomic():
        changelog.append_many("listing", [uuid.uuid4(), uuid.uuid4()])
    Change.objects.update(created=timezone.now() - datetime.timedelta(hours=1))
    found = scrape()
    assert found["reader_lag_changes", "synergies"] == 2
    assert 3600 <= found["reader_lag_seconds", "synergies"] < 3660
    assert found["part_level", "readers"] == 2


def test_worker_that_was_killed_is_seen(scrape):
    before = scrape()
    assert (before["worker_processes",], before["part_level", "workers"]) == (1, 0)
    silence(61)
    after = scrape()
    assert (after["worker_processes",], after["part_level", "workers"]) == (0, 2)
    assert [value for name, value in after.items() if name[0] == "worker_up"] == [0]


def test_breaker_of_a_worker_is_seen_by_any_web_process(scrape):
    Heart([Part("inside")], lambda: {"elasticsearch": "open"}).beat()
    assert [value for name, value in scrape().items() if name[0] == "worker_breaker_open"] == [1]


def test_drift_and_builds_are_seen(scrape):
    now = timezone.now()
    IndexCheck.objects.create(engine="embedded", documents=7, missing=3, extra=2, stale=1, without_vectors=0, repaired=False)
    IndexBuild.objects.create(engine="embedded", started=now - datetime.timedelta(minutes=9), finished=now, lease_until=now, documents=7)
    found = scrape()
    assert [found["index_drift_documents", "embedded", kind] for kind in ("missing", "extra", "stale")] == [3, 2, 1]
    assert found["part_level", "index"] == 1
    assert (found["index_build_duration_seconds", "embedded"], found["index_build_failed", "embedded"]) == (540, 0)
    IndexBuild.objects.create(engine="embedded", started=now, finished=now, lease_until=now, error="disk full")
    IndexCheck.objects.create(engine="embedded", documents=7, missing=3, extra=2, stale=1, without_vectors=0, repaired=True)
    found = scrape()
    assert [found["index_drift_documents", "embedded", kind] for kind in ("missing", "extra", "stale")] == [0, 0, 0]
    assert (found["index_build_duration_seconds", "embedded"], found["index_build_failed", "embedded"]) == (540, 1)


def test_mails_that_nobody_sends_are_seen(scrape):
    Mail.objects.create(key="a", to="a@firm.example", subject="A", text="A", next_attempt_at=timezone.now() - datetime.timedelta(hours=1))
    found = scrape()
    assert (found["mails_waiting",], found["part_level", "mails"]) == (1, 2)
    assert found["mails_overdue_seconds",] >= 3600
    # Tried in vain and postponed: the worker does its work, the recipient's server does not.
    Mail.objects.update(attempts=3, next_attempt_at=timezone.now() + datetime.timedelta(hours=1))
    found = scrape()
    assert (found["mails_failing",], found["mails_overdue_seconds",], found["part_level", "mails"]) == (1, 0, 0)


def test_partner_that_is_not_read_is_seen(scrape):
    partner = Partner.objects.create(name='Girona "Nord"', state=PartnerState.ACTIVE, reader=ReaderKind.PROTOCOL, base_url="https://girona.example")
    Checkpoint.objects.create(partner=partner, last_attempt_at=timezone.now(), failures=4, lag=12)
    found = scrape()
    assert (found["partner_well", 'Girona "Nord"'], found["partner_failures", 'Girona "Nord"'], found["partner_lag_changes", 'Girona "Nord"']) == (0, 4, 12)
    assert found["part_level", "partners"] == 1


def test_cluster_is_seen(scrape, settings, elasticsearch_url):
    settings.ELASTICSEARCH_URL = elasticsearch_url
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    chosen = engine.backends()[0]
    try:
        assert scrape()["engine_up", "elasticsearch"] == 0
        index.run_once()
        found = scrape()
        assert [found["engine_up", "elasticsearch"], found["engine_chosen", "elasticsearch"], found["engine_nodes", "elasticsearch"]] == [1, 1, 1]
        assert sum(value for name, value in found.items() if name[0] == "engine_cluster_status") == 1
    finally:
        chosen.remove()


def test_migration_that_was_not_applied_is_seen(scrape):
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415 - as little as possible knows of it

    assert scrape()["migrations_unapplied",] == 0
    MigrationRecorder.Migration.objects.filter(app="core", name="0001_initial").delete()
    found = scrape()
    assert (found["migrations_unapplied",], found["part_level", "database"]) == (1, 2)

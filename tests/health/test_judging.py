"""Each fault of the service by itself makes its part worse, and no other."""

import dataclasses
import datetime
import re
import uuid

import pytest
from django.db import transaction
from django.utils import timezone, translation

from marketplace.core import changelog
from marketplace.core.heartbeats import Heart, Part
from marketplace.core.models import Change, Heartbeat, Mail, Reader
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.models import Checkpoint, Hook, Partner
from marketplace.health.judging import judged
from marketplace.health.state import collect
from search.models import IndexBuild, IndexCheck
from tests.health.conftest import silence


def levels() -> dict[str, int]:
    return {part.key: part.level.value for part in judged(collect()) if part.level}


def says(key: str) -> str:
    with translation.override("en"):
        return " ".join(next(part.says for part in judged(collect()) if part.key == key))


def log(minutes: int) -> None:
    with transaction.atomic():
        changelog.append("listing", uuid.uuid4())
    Change.objects.update(created=timezone.now() - datetime.timedelta(minutes=minutes))


def compared(days: int = 0, **found: int) -> None:
    facts = {"documents": 9, "missing": 0, "extra": 0, "stale": 0, "without_vectors": 0, "repaired": False} | found
    IndexCheck.objects.create(engine="embedded", finished=timezone.now() - datetime.timedelta(days=days), **facts)


def built(**facts: object) -> None:
    now = timezone.now()
    IndexBuild.objects.create(**{"engine": "embedded", "started": now, "lease_until": now, "finished": now} | facts)


def partner() -> Partner:
    made = Partner.objects.create(name="Girona", state=PartnerState.ACTIVE, reader=ReaderKind.PROTOCOL, base_url="https://girona.example")
    Checkpoint.objects.create(partner=made, last_attempt_at=timezone.now(), last_success_at=timezone.now())
    return made


def test_all_is_well(service):
    compared()
    partner()
    assert levels() == {}
    assert says("index") == "Embedded agrees with the database (compared 0\xa0minutes ago)."


def _reader_late():
    Reader.objects.create(name="synergies")
    log(minutes=6)


def _reader_very_late():
    Reader.objects.create(name="synergies")
    log(minutes=16)


def _no_worker():
    Heartbeat.objects.all().delete()


def _dead_worker():
    silence(90)


def _dead_worker_of_two():
    silence(90)
    Heartbeat.objects.update(host="elsewhere")
    Heart([Part("inside")]).beat()


def _stuck_worker():
    Heartbeat.objects.update(doing="search.index", since=timezone.now() - datetime.timedelta(minutes=11))


def _mails_lie(minutes: int = 6):
    Mail.objects.create(key="a", to="a@firm.example", subject="A", text="A", next_attempt_at=timezone.now() - datetime.timedelta(minutes=minutes))


def _mails_fail():
    Mail.objects.create(key="a", to="a@firm.example", subject="A", text="A", attempts=9, next_attempt_at=timezone.now() + datetime.timedelta(minutes=6))
    Mail.objects.update(created=timezone.now() - datetime.timedelta(hours=2))


def _partner_fails():
    partner()
    Checkpoint.objects.update(failures=3)


def _hook_fails():
    Hook.objects.create(partner=partner(), url="https://girona.example/hook", is_active=True, failing_since=timezone.now() - datetime.timedelta(hours=1))


FAULTS = {
    "a reader is late": (_reader_late, "readers", 1),
    "a reader is very late": (_reader_very_late, "readers", 2),
    "there never was a worker": (_no_worker, "workers", 2),
    "the only worker is dead": (_dead_worker, "workers", 2),
    "one of two workers is dead": (_dead_worker_of_two, "workers", 1),
    "a worker hangs": (_stuck_worker, "workers", 1),
    "mails lie": (_mails_lie, "mails", 1),
    "mails lie for long": (lambda: _mails_lie(20), "mails", 2),
    "mails cannot be delivered": (_mails_fail, "mails", 1),
    "a partner fails": (_partner_fails, "partners", 1),
    "a hook fails": (_hook_fails, "partners", 1),
    "missing": (lambda: compared(missing=1), "index", 1),
    "extra": (lambda: compared(extra=1), "index", 1),
    "stale": (lambda: compared(stale=1), "index", 1),
    "not compared for days": (lambda: compared(days=3), "index", 1),
    "a rebuild failed": (lambda: built(error="disk full"), "index", 1),
    "a rebuild was killed": (lambda: built(finished=None), "index", 1),
}
FINE = {
    "differences were repaired": lambda: compared(missing=5, repaired=True),
    "a rebuild succeeded": built,
    "a rebuild runs": lambda: built(finished=None, lease_until=timezone.now() + datetime.timedelta(minutes=1)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_makes_its_part_worse_and_no_other(service, name):
    fault, part, level = FAULTS[name]
    fault()
    assert levels() == {part: level}
    assert says(part)


@pytest.mark.parametrize("name", FINE)
def test_what_is_repaired_or_under_way_is_no_fault(service, name):
    FINE[name]()
    assert levels() == {}


def test_engine_without_an_index_is_bad(service):
    service.remove()
    assert levels() == {"engine": 2}


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ({"colour": "green", "nodes": 3, "breaker": "closed"}, {}),
        ({"colour": "yellow", "unassigned_shards": 1}, {"engine": 1}),
        ({"colour": "red", "unassigned_shards": 2}, {"engine": 2}),
        ({"breaker": "open"}, {"engine": 1}),
        ({"error": "No answer within 1.5 s", "documents": None}, {"engine": 2}),
        ({"error": "No answer within 1.5 s", "documents": None, "is_chosen": False}, {"engine": 1}),
    ],
    ids=["green", "yellow", "red", "breaker open", "silent", "stand-in silent"],
)
def test_server_is_judged_by_its_answer_its_cluster_and_the_breaker(service, facts, level):
    state = collect()
    seen = dataclasses.replace(state.index.engines[0], **facts)
    state = dataclasses.replace(state, index=dataclasses.replace(state.index, engines=[seen]))
    assert {part.key: part.level.value for part in judged(state) if part.level} == level


def test_reader_that_is_held_back_says_so(service):
    _reader_late()
    state = collect()
    held = [dataclasses.replace(lag, is_held_back=True) for lag in state.index.readers]
    state = dataclasses.replace(state, index=dataclasses.replace(state.index, readers=held))
    with translation.override("en"):
        [part] = [part for part in judged(state) if part.level]
    assert "“Suggestions (synergies)” may not read on" in " ".join(part.says)


def test_sentences_name_numbers_and_have_no_holes(service):
    for fault in (_reader_very_late, _stuck_worker, _mails_fail, _hook_fails, lambda: compared(missing=2), lambda: built(error="disk full")):
        fault()
    for part in judged(collect()):
        for sentence in part.says:
            assert not re.search(r"%\(|None|\{", sentence)

"""A worker that is killed is seen to be dead, one that hangs to hang; whoever asks."""

import datetime
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.models import F

from marketplace.core import heartbeats
from marketplace.core.heartbeats import Heart, Part
from marketplace.core.models import Heartbeat
from tests import processes
from tests.synergies.conftest import own_index  # noqa: F401 - a fixture

PARTS = {"inside", "outside", "upkeep"}


def alive() -> int:
    """The exit code."""
    try:
        call_command("worker_alive")
    except CommandError as error:
        return error.returncode
    return 0


@pytest.mark.django_db
def test_worker_alive_tells_by_its_exit_code(monkeypatch):
    assert alive() == 1
    part = Part("inside")
    heart = Heart([part])
    heart.beat()
    assert alive() == 0
    part.doing, part.since = "cms.pages.pictures", time.monotonic() - 3000
    heart.beat()
    with pytest.raises(CommandError, match=r"cms\.pages\.pictures for 50 minutes"):
        call_command("worker_alive")
    part.rests()
    heart.beat()
    Heartbeat.objects.update(host="elsewhere")
    assert alive() == 1

    def away(*_):
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        assert alive() == 2


@pytest.fixture
def worker():
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"], env=processes.environment(), cwd=django_settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def _until(what, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def conditions() -> dict[str, str]:
    return {one.part: one.condition for one in heartbeats.seen()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_index", "smtp")
def test_killed_worker_is_dead_a_minute_later_and_one_that_is_stopped_is_gone(worker):
    _until(lambda: conditions() == dict.fromkeys(PARTS, "alive"))
    assert alive() == 0
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    # As a minute later.
    Heartbeat.objects.update(beat=F("beat") - datetime.timedelta(minutes=1, seconds=1))
    assert conditions() == dict.fromkeys(PARTS, "dead")
    assert alive() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_index", "smtp")
def test_worker_that_is_stopped_takes_its_signs_of_life_along(worker):
    _until(lambda: set(conditions()) == PARTS)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert conditions() == {}

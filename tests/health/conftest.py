"""A service with an index and a worker, and the faults that it may have."""

import datetime

import pytest
from django.contrib.auth.models import Group
from django.db.models import F

from marketplace.accounts.rules import CURATORS
from marketplace.core.heartbeats import Heart, Part
from marketplace.core.models import Heartbeat
from search import engine, index
from tests.factories import UserFactory

TOKEN = "a-token-of-the-tests-and-of-nobody-else"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def service(db, settings, tmp_path):
    """All is well: an embedded index, a worker of one part that lives, the token."""
    settings.METRICS_TOKEN = TOKEN
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    index.run_once()
    Heart([Part("inside")]).beat()
    return engine.backends()[0]


@pytest.fixture
def curator(db):
    user = UserFactory(email="curator@city.example")
    user.groups.add(Group.objects.get(name=CURATORS))
    return user


def silence(seconds: float, **which: str) -> None:
    """Workers' last sign of life was so long ago."""
    span = datetime.timedelta(seconds=seconds)
    Heartbeat.objects.filter(**which).update(started=F("started") - span, beat=F("beat") - span, since=F("since") - span)

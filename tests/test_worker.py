"""The background work as a whole: whatever is killed at whatever point, the next round catches up, and nothing is done twice."""

import shutil
import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

import search
from cms.aid import reviews
from cms.comments.models import Conversation
from marketplace import worker
from marketplace.accounts import daily
from marketplace.core import changelog
from marketplace.core.models import Mail, Reader
from marketplace.listings import operations
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from marketplace.synergies.models import Synergy
from tests import processes
from tests.factories import ListingFactory, MembershipFactory
from tests.synergies.conftest import DEMAND, OFFER, own_index, publish  # noqa: F401 - own_index is a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_index", "smtp")]


@pytest.fixture
def waiting():
    """An offer that everybody can find, and a demand that a curator is about to publish."""
    publish(**OFFER)
    worker.drain()
    return ListingFactory(company=MembershipFactory(user__email="asker@firm.example").company, state=State.SUBMITTED, **DEMAND)


def found() -> set[str]:
    return {hit.uid for hit in search.find(search.Query(text="botigues")).hits}


KILLED_AFTER_COMMIT = """
from marketplace.listings import operations
from marketplace.listings.models import Listing
operations.publish(Listing.objects.get(state="submitted"), by=None)
DIE
"""
NAIVE = """
from django.db import transaction
from marketplace.listings.models import Listing
with transaction.atomic():
    Listing.objects.filter(state="submitted").update(state="published")
DIE
index.rebuild()
"""


def test_worker_catches_up_after_a_kill_between_commit_and_index(waiting, smtp):
    processes.run(KILLED_AFTER_COMMIT.replace("DIE", processes.DIE), is_killed=True)
    assert Listing.objects.get(pk=waiting.pk).state == State.PUBLISHED
    assert found() == set()
    worker.drain()
    assert found() == {str(waiting.uid)}
    assert Synergy.objects.get().demand == waiting
    assert [message["To"] for message in smtp.messages] == ["asker@firm.example"]
    assert worker.drain() == 0


def test_request_that_indexes_by_itself_loses_it_to_the_kill(waiting):
    processes.run(NAIVE.replace("DIE", processes.DIE), is_killed=True)
    assert Listing.objects.get(pk=waiting.pk).state == State.PUBLISHED
    worker.drain()
    assert found() == set(), "public, and never to be found"


KILLED_BEFORE_STORING = """
from marketplace import worker
from marketplace.synergies import refresh
refresh._store = lambda *arguments: DIE
worker.drain()
"""
KILLED_BEFORE_THE_CHECKPOINT = """
from marketplace import worker
from marketplace.synergies import refresh
store = refresh._store
def store_and_die(*arguments):
    store(*arguments)
    DIE
refresh._store = store_and_die
worker.drain()
"""


@pytest.mark.parametrize(
    ("program", "stored"), [(KILLED_BEFORE_STORING, 0), (KILLED_BEFORE_THE_CHECKPOINT, 1)], ids=["before storing", "before the checkpoint"]
)
def test_worker_killed_in_the_middle_of_the_synergies(waiting, program, stored):
    publish(company=waiting.company, **DEMAND)
    processes.run(program.replace("DIE", processes.DIE), is_killed=True)
    assert Synergy.objects.count() == stored
    assert changelog.lag("synergies") == 1
    worker.drain()
    assert changelog.lag("synergies") == 1, "the dead one's lease has not run out"
    with time_machine.travel(timezone.now() + changelog.LEASE + timedelta(seconds=1), tick=True):
        worker.drain()
    assert Synergy.objects.count() == 1
    assert Synergy.objects.get().events.count() == 1
    assert changelog.lag("synergies") == 0


def test_worker_process_works_and_stops_when_told_to(waiting):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--pause", "0.1"],
        env=processes.environment(),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline().strip() == "worker: started"
        publish(company=waiting.company, **DEMAND)
        deadline = timezone.now() + timedelta(seconds=20)
        while not Synergy.objects.exists() and timezone.now() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert out.strip() == "worker: stopped"
    assert Synergy.objects.count() == 1
    assert set(Reader.objects.values_list("leased_by", flat=True)) == {""}


#: Every part of the day by its name: one that is forgotten in the list is missed here.
NOTHING_DUE = {
    "expired": 0,
    "warned": 0,
    "keys warned": 0,
    "asked": 0,
    "aid states": 0,
    "aid reminders": 0,
    "pages' links": 0,
    "digests": 0,
    "tombstones pruned": 0,
    "messages pruned": 0,
    "interests ended": 0,
    "partners' listings pruned": 0,
    "API usage pruned": 0,
    "API counters pruned": 0,
    "API answers pruned": 0,
    "vectors pruned": 0,
    "form submissions deleted": 0,
    "conversations deleted": 0,
    "comparisons asked": 0,
}


SLOW_OUTSIDE = """
import time
from django.core.management import call_command
from marketplace import worker
def silent_partner():
    time.sleep(60)
    return 0
worker.OUTSIDE = (silent_partner,)
{more}
call_command("worker", pause=0.1)
"""


def _works_within(seconds: float, more: str = "") -> bool:
    program = "import django; django.setup()\n" + SLOW_OUTSIDE.format(more=more)
    process = subprocess.Popen([sys.executable, "-c", program], env=processes.environment(), stdout=subprocess.DEVNULL, cwd=settings.BASE_DIR)
    try:
        worked = _holds_within(seconds, lambda: bool(Synergy.objects.count()))
        if worked:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        return worked
    finally:
        process.kill()
        process.wait()


def _holds_within(seconds: float, what) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.2)
    return False


def test_silent_partner_holds_up_neither_the_index_nor_the_end_of_the_worker(waiting):
    operations.publish(waiting, by=None)

    # Naive: one round of all steps, so that the index waits with the partner.
    assert not _works_within(8, "worker.INSIDE = (silent_partner, *worker.INSIDE)")
    assert _works_within(40)


UNFORESEEN = """
def broken():
    raise TypeError("nobody foresaw this")
worker.{half} = (broken,)
"""


def test_answer_of_a_partner_that_nobody_foresaw_does_not_end_the_worker(waiting):
    operations.publish(waiting, by=None)

    assert _works_within(40, UNFORESEEN.format(half="OUTSIDE"))


def test_fault_of_our_own_that_nobody_foresaw_ends_the_worker(waiting):
    """Who watches the process starts it anew; half a worker nobody would notice."""
    program = "import django; django.setup()\n" + SLOW_OUTSIDE.format(more=UNFORESEEN.format(half="INSIDE"))

    done = subprocess.run(
        [sys.executable, "-c", program], env=processes.environment(), capture_output=True, text=True, timeout=60, check=False, cwd=settings.BASE_DIR
    )

    assert done.returncode != 0
    assert "nobody foresaw this" in done.stderr


def test_worker_does_the_day_once(waiting):
    Listing.objects.filter(pk=waiting.pk).update(state=State.PUBLISHED, valid_until=timezone.localdate() - timedelta(days=1))
    assert worker.run_daily() == NOTHING_DUE | {"expired": 1, "comparisons asked": 1}
    assert worker.run_daily() == NOTHING_DUE
    assert Mail.objects.filter(key__contains=":expired:").count() == 1


def test_part_of_the_day_that_fails_keeps_no_other_from_its_turn(monkeypatch):
    def fail():
        message = "no such page"
        raise LookupError(message)

    Conversation.objects.create(translation_key=uuid.uuid4())
    monkeypatch.setattr(reviews, "announce", fail)
    with pytest.raises(LookupError):
        worker.run_daily()
    assert not Conversation.objects.exists()


def test_worker_goes_on_with_the_mail_while_the_index_is_away(waiting, smtp, own_index):  # noqa: F811 - the fixture
    processes.run(KILLED_AFTER_COMMIT.replace("DIE", "None"))
    shutil.rmtree(own_index.path)
    own_index.path.write_text("in the way")
    worker.run_once()
    assert [message["To"] for message in smtp.messages] == ["asker@firm.example"]
    assert (changelog.lag("embedded"), changelog.lag("synergies")) == (1, 1)
    own_index.path.unlink()
    worker.drain()
    assert found() == {str(waiting.uid)}
    assert Synergy.objects.count() == 1


def test_mails_are_sent_though_the_step_before_them_fails(waiting, smtp, settings):
    operations.publish(waiting, by=None)
    settings.SEARCH_SOURCES = ["marketplace.listings.documents.NoSuchSource"]
    with pytest.raises(ImportError):
        worker.run_once()
    assert [message["To"] for message in smtp.messages] == ["asker@firm.example"]


def test_digest_passes_over_a_person_who_is_gone_meanwhile():
    person = MembershipFactory().user
    gone = person.pk
    person.delete()
    assert daily._send(gone) == 0

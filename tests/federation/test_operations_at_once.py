"""People and a visit at one partner at the same moment, with real threads and row locks."""

import threading
import time
import uuid

import pytest
from django.db import OperationalError, connection, transaction

from marketplace.federation import hooks, mapping, operations
from marketplace.federation.enums import PartnerAction
from marketplace.federation.interests import receiving
from marketplace.federation.models import Checkpoint, HarvestRun, Partner, PartnerEvent
from tests.factories import UserFactory
from tests.federation.test_operations import connect


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_eight_people_at_once_one_changes_and_seven_learn_of_it():
    """Without the lock all would read version 1 and the last would win."""
    people = [UserFactory(is_superuser=True) for _ in range(8)]
    partner = connect(people[0])
    barrier, results = threading.Barrier(len(people)), []

    def act(person):
        try:
            barrier.wait()
            operations.change(Partner.objects.get(pk=partner.pk), {"name": f"Name {person.pk}"}, seen=1, by=person)
            results.append("done")
        except operations.StaleError:
            results.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["done", *["stale"] * 7]
    assert PartnerEvent.objects.filter(action=PartnerAction.CHANGED).count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_naive", [False, True])
def test_a_visit_and_a_person_never_wait_for_each_other_in_a_circle(monkeypatch, is_naive):
    """The visit holds the checkpoint and writes rows of the partner; the person holds the partner and wants the checkpoint. Under a full lock of the partner the database has to end one of the two."""
    me = UserFactory(is_superuser=True)
    partner = connect(me)
    Checkpoint.objects.create(partner=partner, state={"cursor": "abc"})
    visits, waits, faults = threading.Event(), threading.Event(), []
    real_ask = mapping.ask_again
    monkeypatch.setattr(mapping, "ask_again", lambda partner: (waits.set(), real_ask(partner)))
    if is_naive:
        monkeypatch.setattr(operations, "lock", lambda partner, **_seen: Partner.objects.select_for_update().get(pk=partner.pk))

    @transaction.atomic
    def visit():
        Checkpoint.objects.select_for_update().get(partner=partner)
        visits.set()
        waits.wait(10)
        time.sleep(0.2)
        HarvestRun.objects.create(partner=partner)

    def edit():
        visits.wait(10)
        operations.change(partner, {"take_kinds": ["offer"]}, seen=1, by=me)

    def run(act):
        try:
            act()
        except OperationalError as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in (visit, edit)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(faults) == is_naive


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("act", "waits"),
    [
        (lambda partner: Partner.objects.select_for_update().get(pk=partner.pk), True),
        (lambda partner: hooks.register(partner, f"{partner.base_url}/hook"), False),
        (lambda partner: receiving.forget(partner, uuid.uuid4(), is_erasure=False), False),
    ],
    ids=["naive", "hook", "interest"],
)
def test_no_visit_waits_for_what_the_partner_asks_of_us_meanwhile(act, waits):
    """A visit's rows point to the partner, which is looked at when it commits: under a full lock it waits, with all that it has locked itself."""
    partner = connect(UserFactory(is_superuser=True))
    faults = []

    def visit():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '500ms'")
            HarvestRun.objects.create(partner=partner)
        except OperationalError as error:
            faults.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=visit)
    with transaction.atomic():
        act(partner)
        thread.start()
        thread.join()
    assert (len(faults), HarvestRun.objects.count()) == (waits, not waits)

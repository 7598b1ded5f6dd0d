"""The digest: nothing twice, nothing lost, easy to leave."""

import email.utils
import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import daily
from marketplace.accounts.models import User
from marketplace.core import mail
from marketplace.core.models import Mail
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import operations
from marketplace.synergies.models import Announcement, Synergy
from tests import processes
from tests.factories import MembershipFactory
from tests.synergies.conftest import make_pair

pytestmark = pytest.mark.django_db


def later(**pause: float):
    return time_machine.travel(timezone.now() + timedelta(**pause), tick=True)


def queued() -> list[str]:
    return sorted(Mail.objects.filter(key__startswith="digest:").values_list("to", flat=True))


# --- Who gets it, and what is in it -------------------------------------------------------------------------------------


def test_digest_tells_both_companies_why(pair, smtp):
    pair.offerer.language = "es"
    pair.offerer.save()
    pair.asker.language = "en"
    pair.asker.save()
    assert daily.send() == 2
    mail.send_due()
    by_person = {message["To"]: message for message in smtp.messages}
    message = by_person[pair.asker.email]
    text = message.get_content()
    assert message["Subject"] == "A company that fits you"
    for words in (
        pair.demand.title,
        pair.offer.title,
        "86 of 100",
        "Tecnoplàstics",
        "Same words: pantalles facials reutilitzables",
        "– Their offer says nothing",
    ):
        assert words in text
    assert f"http://testserver/en/synergies/{pair.synergy.uid}/" in text
    assert "http://testserver/es/" in by_person[pair.offerer.email].get_content()


def test_digest_names_the_best_five_and_the_next_ones_next_time(pairs):
    several = pairs(7)
    for score, pair in enumerate(several, 50):
        Synergy.objects.filter(pk=pair.synergy.pk).update(score=score)
        pair.offerer.delete()
    person = several[0].asker
    assert daily.send() == 1
    told = set(Announcement.objects.filter(user=person).values_list("offer", flat=True))
    assert told == {pair.offer.pk for pair in several[2:]}
    assert daily.send() == 0
    with later(days=7):
        assert daily.send() == 1
    assert Announcement.objects.filter(user=person).count() == 7
    with later(days=14):
        assert daily.send() == 0, "nothing new"


def test_digest_comes_at_once_when_there_is_something_new_and_then_once_a_period(pairs):
    first, second = pairs(2)
    for pair in (first, second):
        pair.offerer.delete()
    Synergy.objects.filter(pk=second.synergy.pk).delete()
    assert daily.send() == 1
    Synergy.objects.create(offer=second.offer, demand=second.demand, score=50, engine_version="test")
    with later(days=6):
        assert daily.send() == 0
    with later(days=7, minutes=-5):
        assert daily.send() == 1, "by days: a run some minutes earlier than the last one counts"


def test_digest_names_a_pair_once_even_if_it_went_and_came_back(pair):
    pair.offerer.delete()
    assert daily.send() == 1
    Synergy.objects.all().delete()
    Synergy.objects.create(offer=pair.offer, demand=pair.demand, score=86, engine_version="test")
    with later(days=30):
        assert daily.send() == 0


@pytest.mark.parametrize(
    "unwanted",
    [{"user__wants_digest": False}, {"user__is_active": False}, {"state": "requested", "role": "member"}],
    ids=["left", "closed account", "no member yet"],
)
def test_digest_is_not_for(pair, unwanted):
    pair.asker.delete()
    pair.offerer.delete()
    MembershipFactory(company=pair.asking, **unwanted)
    assert daily.send() == 0


def test_digest_leaves_out_what_is_answered_or_over(pairs):
    answered, refused, asked, ended = pairs(4)
    operations.express_interest(answered.synergy, by=answered.asker)
    operations.dismiss(refused.synergy, by=refused.asker, reason="known")
    operations.express_interest(asked.synergy, by=asked.offerer)
    Listing.objects.filter(pk=ended.offer.pk).update(state=ListingState.CLOSED)
    assert daily.send() == 0


def test_digest_costs_the_same_queries_for_one_suggestion_and_for_three(pairs):
    def cost(number: int) -> int:
        User.objects.all().delete()
        person = pairs(number)[0].asker
        User.objects.exclude(pk=person.pk).delete()
        with CaptureQueriesContext(connection) as queries:
            assert daily.send() == 1
        assert Announcement.objects.filter(user=person).count() == number
        return len(queries)

    assert cost(1) == cost(3)


# --- Leaving ------------------------------------------------------------------------------------------------------------


def test_unsubscribe_headers_follow_rfc_8058(pair, smtp, settings):
    settings.SITE_URL = "https://marketplace.example"
    daily.send()
    mail.send_due()
    message = next(message for message in smtp.messages if message["To"] == pair.asker.email)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(r"<(https://marketplace\.example/[^>]+)>", "".join(message["List-Unsubscribe"].split())).group(1)
    path = address.removeprefix("https://marketplace.example")
    # As a mail provider does: no cookie, no CSRF token, no redirect followed.
    response = Client(enforce_csrf_checks=True).post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200
    pair.asker.refresh_from_db()
    assert not pair.asker.wants_digest
    pair.offerer.refresh_from_db()
    assert pair.offerer.wants_digest


def test_unsubscribe_by_a_link_asks_first(pair):
    """A scanner that opens every link of a mail must not unsubscribe anybody."""
    path = daily.stop_url(pair.asker, ["synergies"]).removeprefix("http://testserver")
    client = Client()
    assert client.get(path).status_code == 200
    pair.asker.refresh_from_db()
    assert pair.asker.wants_digest
    client.post(path)
    pair.asker.refresh_from_db()
    assert not pair.asker.wants_digest
    client.post(f"{path}undo/")
    pair.asker.refresh_from_db()
    assert pair.asker.wants_digest


@pytest.mark.parametrize("token", ["x", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef:forged", "a\x00b"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_unsubscribe_with_a_forged_token_is_not_found(client, token, method):
    assert getattr(client, method)(reverse("accounts:stop_mails", args=[token])).status_code in {400, 404}


def test_resubscribe_needs_the_csrf_token(pair):
    path = daily.stop_url(pair.asker, ["synergies"]).removeprefix("http://testserver")
    assert Client(enforce_csrf_checks=True).post(f"{path}undo/").status_code == 403


# --- Faults -------------------------------------------------------------------------------------------------------------


def test_digest_survives_a_server_that_refuses_and_one_that_is_away(pair, smtp):
    daily.send()
    smtp.refuse("451 Try again later")
    assert mail.send_due() == 0
    smtp.refuse("")
    smtp.stop()
    with later(minutes=1):
        assert mail.send_due() == 0
    smtp.start()
    with later(minutes=10):
        assert mail.send_due() == 2
    assert sorted(message["To"] for message in smtp.messages) == [pair.asker.email, pair.offerer.email]


NAIVE_SENDER = """
from django.conf import settings
from django.core.mail import get_connection, send_mail
from marketplace.accounts.models import User
from marketplace.synergies import digest
from marketplace.synergies.models import Announcement
for user in User.objects.order_by("pk"):
    new = list(digest.news(user))
    if new:
        send_mail("news", "text", None, [user.email], connection=get_connection(settings.MAIL_DELIVERY_BACKEND))
        DIE
        Announcement.objects.bulk_create([Announcement(user=user, offer=synergy.offer, demand=synergy.demand) for synergy in new])
"""
KILLED_QUEUEING = """
from marketplace.accounts import daily
from marketplace.synergies.models import Announcement
Announcement.objects.bulk_create = lambda rows: DIE
daily.send()
"""
KILLED_SENDING = """
from marketplace.core import mail
from django.core.mail import EmailMultiAlternatives
send = EmailMultiAlternatives.send
def send_and_die(message):
    send(message)
    DIE
EmailMultiAlternatives.send = send_and_die
mail.send_due()
"""


@pytest.mark.django_db(transaction=True)
def test_digest_written_the_naive_way_repeats_itself_after_a_kill(smtp):
    """Sends first and notes it afterwards, without an outbox: the next run writes another mail about the same."""
    make_pair()
    for _ in range(2):
        processes.run(NAIVE_SENDER.replace("DIE", processes.DIE), is_killed=True)
    assert len({message["Message-ID"] for message in smtp.messages}) == 2
    assert len({message["To"] for message in smtp.messages}) == 1


@pytest.mark.django_db(transaction=True)
def test_digest_killed_while_it_is_queued_is_neither_lost_nor_doubled(smtp):
    pair = make_pair()
    processes.run(KILLED_QUEUEING.replace("DIE", processes.DIE), is_killed=True)
    assert (queued(), Announcement.objects.count()) == ([], 0)
    for _ in range(2):
        daily.send()
        mail.send_due()
    assert sorted(message["To"] for message in smtp.messages) == [pair.asker.email, pair.offerer.email]


@pytest.mark.django_db(transaction=True)
def test_digest_killed_right_after_the_server_took_it_comes_again_as_the_same_message(smtp):
    pair = make_pair()
    daily.send()
    processes.run(KILLED_SENDING.replace("DIE", processes.DIE), is_killed=True)
    assert len(smtp.messages) == 1
    with later(minutes=3):
        mail.send_due()
    people = {(message["To"], message["Message-ID"]) for message in smtp.messages}
    assert len(smtp.messages) == 3
    assert sorted(to for to, _ in people) == [pair.asker.email, pair.offerer.email], "one message a person for who compares Message-IDs"
    assert all(email.utils.parseaddr(identifier)[1] for _, identifier in people)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_digest_by_several_workers_at_once_is_sent_once(smtp):
    several = [make_pair() for _ in range(5)]
    start, errors = threading.Barrier(4), []

    def work():
        try:
            start.wait(10)
            daily.send()
            while mail.send_due(limit=2):
                pass
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while mail.send_due():
        pass
    assert errors == []
    assert sorted(message["To"] for message in smtp.messages) == sorted(person.email for pair in several for person in (pair.asker, pair.offerer))
    assert Announcement.objects.count() == 10

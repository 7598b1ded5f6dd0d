"""The outbox, against a real SMTP server that refuses, cuts the line, or is not there."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone

from marketplace.core import mail
from marketplace.core.models import Mail

TEMPLATE = "listings/mail/published"


def queue(key: str = "one", to: str = "person@firm.example", title: str = "Face shields", **headers: str) -> Mail | None:
    listing = {"title": title, "company": {"name": "Firm"}, "get_absolute_url": "/l/1/"}
    return mail.queue(TEMPLATE, to, {"listing": listing}, key=key, language="en", headers=headers)


def state_of(key: str = "one") -> str:
    return Mail.objects.get(key=key).state


def after(**pause: float):
    return time_machine.travel(timezone.now() + timedelta(**pause), tick=True)


# --- Queueing -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_queue_takes_the_subject_from_the_first_line():
    queued = queue()
    assert queued.subject == "Published: Face shields"
    assert "Face shields" in queued.text
    assert not queued.text.startswith("Published:")


@pytest.mark.django_db
def test_queue_of_the_same_occasion_keeps_the_first():
    assert queue() is not None
    assert queue(to="other@firm.example") is None
    assert list(Mail.objects.values_list("to", flat=True)) == ["person@firm.example"]


@pytest.mark.django_db
def test_queue_keeps_a_title_with_line_breaks_out_of_the_headers():
    queued = queue(title="Shields\r\nBcc: everybody@firm.example")
    assert "\n" not in queued.subject
    assert "\r" not in queued.subject


@pytest.mark.django_db
def test_queue_rolled_back_leaves_nothing(smtp):
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)
    assert mail.send_due() == 0
    assert smtp.messages == []


@pytest.mark.django_db
def test_queue_message_keeps_text_and_html(smtp):
    message = EmailMessage("Confirm", "The text", to=["person@firm.example"])
    message.alternatives = [("<p>The text</p>", "text/html")]
    mail.queue_message(message)
    mail.send_due()
    (received,) = smtp.messages
    assert received.get_body(("plain",)).get_content().strip() == "The text"
    assert received.get_body(("html",)).get_content().strip() == "<p>The text</p>"


# --- Sending ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_send_due_sends_once(smtp):
    queued = queue(**{"List-Unsubscribe": "<https://firm.example/u>"})
    assert mail.send_due() == 1
    assert mail.send_due() == 0
    (received,) = smtp.messages
    assert received["To"] == "person@firm.example"
    assert received["Message-ID"] == f"<{queued.uid}@terrassa.example>"
    assert received["List-Unsubscribe"] == "<https://firm.example/u>"
    assert received["Auto-Submitted"] == "auto-generated"
    assert state_of() == Mail.State.SENT


@pytest.mark.django_db
def test_send_due_tries_again_after_greylisting(smtp):
    queue()
    smtp.refuse("451 4.7.1 Greylisted, come back later")
    assert mail.send_due() == 0
    assert state_of() == Mail.State.WAITING
    smtp.refuse("")
    assert mail.send_due() == 0, "the pause has not passed"
    with after(minutes=1):
        assert mail.send_due() == 1
    assert len(smtp.messages) == 1


@pytest.mark.django_db
def test_send_due_gives_up_on_an_unknown_address_at_once(smtp):
    queue()
    smtp.refuse("550 5.1.1 No such person")
    mail.send_due()
    failed = Mail.objects.get()
    assert failed.state == Mail.State.FAILED
    assert "No such person" in failed.error


@pytest.mark.django_db
def test_send_due_goes_on_after_a_refused_message(smtp):
    queue("broken", to="not an address\n")
    queue("good")
    assert mail.send_due() == 1
    assert state_of("broken") == Mail.State.FAILED
    assert state_of("good") == Mail.State.SENT


@pytest.mark.django_db
def test_send_due_waits_for_a_server_that_is_away_for_days(smtp):
    queue()
    smtp.stop()
    start = timezone.now()
    for days in range(4):
        with time_machine.travel(start + timedelta(days=days), tick=True):
            assert mail.send_due() == 0
    assert state_of() == Mail.State.WAITING
    smtp.start()
    with time_machine.travel(start + timedelta(days=4), tick=True):
        assert mail.send_due() == 1


@pytest.mark.django_db
def test_send_due_gives_up_after_many_attempts_in_many_days(smtp):
    queue()
    smtp.stop()
    start = timezone.now()
    for attempt in range(mail.MIN_ATTEMPTS):
        assert state_of() == Mail.State.WAITING
        with time_machine.travel(start + timedelta(days=attempt), tick=True):
            mail.send_due()
    assert state_of() == Mail.State.FAILED


@pytest.mark.django_db
def test_send_due_asks_a_silent_server_once_a_round(smtp):
    for number in range(5):
        queue(f"mail {number}")
    smtp.stop()
    mail.send_due()
    assert sorted(Mail.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    smtp.start()
    with after(minutes=1):
        assert mail.send_due() == 5


@pytest.mark.django_db
def test_send_due_repeats_a_mail_that_was_cut_before_it_arrived(smtp):
    queue()
    smtp.drop("before")
    mail.send_due()
    assert smtp.messages == []
    smtp.drop("")
    with after(minutes=1):
        mail.send_due()
    assert len(smtp.messages) == 1


@pytest.mark.django_db
def test_send_due_repeats_under_the_same_message_id_when_the_answer_was_lost(smtp):
    """The one duplicate that cannot be ruled out: the server has it but could not say so. Mail programs show one."""
    queue()
    smtp.drop("after")
    mail.send_due()
    smtp.drop("")
    with after(minutes=1):
        mail.send_due()
    assert len(smtp.messages) == 2
    assert len({message["Message-ID"] for message in smtp.messages}) == 1


@pytest.mark.django_db
def test_send_due_takes_over_from_a_worker_that_died(smtp):
    queue()
    mail._claim(50)
    assert mail.send_due() == 0, "the other one may still be at it"
    with after(minutes=3):
        assert mail.send_due() == 1


@pytest.mark.django_db
def test_send_due_leaves_what_was_taken_over_meanwhile(smtp):
    """A slow server kept the first worker beyond its lease; the second one sends, so the first must not."""
    queue()
    slow = mail._claim(50)
    with after(minutes=3):
        assert mail.send_due() == 1
        assert [mail._still_ours(each) for each in slow] == [False]
    assert len(smtp.messages) == 1


# --- Several workers ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_send_due_by_several_workers_sends_each_once(smtp):
    for number in range(20):
        queue(f"mail {number}", to=f"person{number}@firm.example")

    def work():
        try:
            while Mail.objects.filter(state=Mail.State.WAITING, lease_until=None).exists():
                mail.send_due(limit=3)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(message["To"] for message in smtp.messages) == sorted(f"person{number}@firm.example" for number in range(20))

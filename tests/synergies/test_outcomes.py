"""How it went: asked three times at most, told by each side, agreed when both say so."""

import re
from collections import Counter
from datetime import UTC, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.accounts import privacy
from marketplace.core.models import Mail
from marketplace.synergies import operations, outcomes
from marketplace.synergies.enums import Outcome, Side, State
from marketplace.synergies.models import OutcomeAnswer, OutcomeQuestion, Synergy
from tests.concurrency import at_once
from tests.factories import MembershipFactory
from tests.synergies.conftest import make_pair

pytestmark = pytest.mark.django_db


def agree(pair, *, days_ago=0):
    for person in (pair.asker, pair.offerer):
        pair.synergy = operations.express_interest(pair.synergy, by=person)
    Mail.objects.all().delete()
    Synergy.objects.filter(pk=pair.synergy.pk).update(mutual_at=timezone.now() - timedelta(days=days_ago))
    pair.synergy.refresh_from_db()
    return pair


@pytest.fixture
def mutual(pair):
    return agree(pair)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def asked(day):
    """How many sides are asked that many days from now, in a run of its own."""
    # By the clock on the wall: late in a winter evening, 179 times 24 hours are 180 days.
    with time_machine.travel((timezone.localtime() + timedelta(days=day)).astimezone(UTC), tick=False):
        return outcomes.ask_due()


def told(pair):
    return outcomes.standing(pair.synergy.answers.all())


# --- Asking -------------------------------------------------------------------------------------------------------------


def test_each_side_is_asked_after_30_90_and_180_days_and_never_twice(mutual):
    assert [asked(day) for day in (0, 29, 30, 30, 31, 89, 90, 91, 179, 180, 181, 900)] == [0, 0, 2, 0, 0, 0, 2, 0, 0, 2, 0, 0]
    assert Counter(OutcomeQuestion.objects.values_list("side", "days")) == {(side, days): 1 for side in Side.values for days in (30, 90, 180)}
    assert Counter(Mail.objects.values_list("to", flat=True)) == {mutual.asker.email: 3, mutual.offerer.email: 3}


def test_ledger_not_the_mails_remembers_who_was_asked(mutual):
    """The naive variant trusts the key of the mail, which is gone with the mail."""
    asked(30)
    Mail.objects.all().delete()
    assert asked(31) == 0
    assert Mail.objects.count() == 0


def test_run_that_comes_late_asks_once(mutual):
    assert asked(200) == 2
    assert set(OutcomeQuestion.objects.values_list("days", flat=True)) == {180}
    assert asked(201) == 0


@pytest.mark.parametrize("outcome", [Outcome.AGREED, Outcome.NOT_AGREED])
def test_side_that_told_the_end_is_not_asked_again(mutual, outcome):
    outcomes.tell(mutual.synergy, by=mutual.asker, outcome=outcome, reason="terms")
    assert [asked(day) for day in (30, 90)] == [1, 1]
    assert set(OutcomeQuestion.objects.values_list("side", flat=True)) == {Side.OFFER}
    assert mutual.asker.email not in Mail.objects.values_list("to", flat=True)


def test_side_that_is_still_talking_is_asked_again(mutual):
    outcomes.tell(mutual.synergy, by=mutual.asker, outcome=Outcome.TALKING)
    assert asked(30) == 2


def test_who_agreed_and_then_took_it_back_is_asked_again(mutual):
    for outcome in (Outcome.AGREED, Outcome.TALKING):
        outcomes.tell(mutual.synergy, by=mutual.asker, outcome=outcome)
    assert asked(30) == 2


def test_set_aside_afterwards_is_not_asked(mutual):
    operations.dismiss(mutual.synergy, by=mutual.asker, reason="other_thing")
    assert asked(30) == 0


def test_person_of_both_companies_gets_one_mail(pair):
    MembershipFactory(company=pair.offering, user=pair.asker)
    agree(pair)
    asked(30)
    assert Counter(Mail.objects.values_list("to", flat=True)) == {pair.asker.email: 1, pair.offerer.email: 1}


def test_mail_holds_a_link_for_each_answer_and_no_contact_data(mutual):
    asked(30)
    mail = Mail.objects.get(to=mutual.asker.email)
    assert mutual.offering.name in mail.subject
    links = re.findall(r"http://testserver(\S+)", mail.text)
    assert [link.partition("?outcome=")[2] for link in links] == ["agreed", "talking", "not_agreed"]
    assert not {"Oriol", "oriol@", "600 222"} & set(mail.text.split())
    page = signed_in(mutual.asker).get(links[0])
    assert page.status_code == 200
    assert page.context["form"].initial == {"outcome": "agreed"}
    assert OutcomeAnswer.objects.count() == 0, "following the link tells nothing yet"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_ask_once():
    agree(make_pair(), days_ago=31)
    results = at_once(outcomes.ask_due, outcomes.ask_due)
    assert sum(results) == 2, results
    assert (OutcomeQuestion.objects.count(), Mail.objects.count()) == (2, 2)


# --- Answering ----------------------------------------------------------------------------------------------------------


def test_agreement_counts_once_both_say_so(mutual):
    outcomes.tell(mutual.synergy, by=mutual.asker, outcome=Outcome.AGREED)
    assert not told(mutual).is_agreed
    outcomes.tell(mutual.synergy, by=mutual.offerer, outcome=Outcome.AGREED)
    assert told(mutual).is_agreed


def test_both_answers_are_kept_when_they_differ(mutual):
    outcomes.tell(mutual.synergy, by=mutual.asker, outcome=Outcome.AGREED)
    outcomes.tell(mutual.synergy, by=mutual.offerer, outcome=Outcome.NOT_AGREED, reason="terms", comment="Too late")
    standing = told(mutual)
    assert standing.is_contested
    assert (standing.demand.outcome, standing.offer.outcome, standing.offer.reason) == ("agreed", "not_agreed", "terms")


def test_newest_answer_of_a_side_counts_and_the_older_ones_stay(mutual):
    for outcome in (Outcome.TALKING, Outcome.AGREED):
        outcomes.tell(mutual.synergy, by=mutual.asker, outcome=outcome)
    assert told(mutual).of(Side.DEMAND) == "agreed"
    assert OutcomeAnswer.objects.count() == 2


def test_same_answer_twice_is_one(mutual):
    for _ in range(2):
        outcomes.tell(mutual.synergy, by=mutual.asker, outcome=Outcome.TALKING)
    assert OutcomeAnswer.objects.count() == 1
    assert mutual.synergy.events.filter(step="outcome").count() == 1


def test_same_answer_to_a_later_question_is_an_answer(mutual):
    outcomes.tell(mutual.synergy, by=mutual.asker, outcome=Outcome.TALKING)
    asked(30)
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        assert outcomes.open_questions(mutual.asker).count() == 1
        outcomes.tell(mutual.synergy, by=mutual.asker, outcome=Outcome.TALKING)
        assert outcomes.open_questions(mutual.asker).count() == 0


def test_outcome_is_told_only_by_the_two_and_only_once_both_said_yes(pair):
    with pytest.raises(ValidationError):
        outcomes.tell(pair.synergy, by=pair.asker, outcome=Outcome.AGREED)
    agree(pair)
    with pytest.raises(PermissionDenied):
        outcomes.tell(pair.synergy, by=MembershipFactory().user, outcome=Outcome.AGREED)
    for values in ({"outcome": "married"}, {"outcome": Outcome.NOT_AGREED}, {"outcome": Outcome.NOT_AGREED, "reason": "because"}):
        with pytest.raises(ValidationError):
            outcomes.tell(pair.synergy, by=pair.asker, **values)
    assert OutcomeAnswer.objects.count() == 0


def test_who_acts_for_both_tells_for_one_at_a_time(pair):
    MembershipFactory(company=pair.offering, user=pair.asker)
    agree(pair)
    outcomes.tell(pair.synergy, by=pair.asker, outcome=Outcome.AGREED)
    assert (told(pair).of(Side.DEMAND), told(pair).of(Side.OFFER)) == ("agreed", "")
    outcomes.tell(pair.synergy, by=pair.asker, outcome=Outcome.AGREED)
    assert told(pair).is_agreed


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_double_click_at_once_is_one_answer():
    pair = agree(make_pair())
    at_once(*[lambda: outcomes.tell(pair.synergy, by=pair.asker, outcome=Outcome.AGREED)] * 4)
    assert OutcomeAnswer.objects.count() == 1


# --- Pages --------------------------------------------------------------------------------------------------------------


def address(pair):
    return reverse("synergies:outcome", args=[pair.synergy.uid])


def test_page_is_for_the_two_companies_of_a_mutual_synergy(client, pair):
    assert signed_in(pair.asker).get(address(pair)).status_code == 404, "not yet"
    agree(pair)
    assert client.get(address(pair))["Location"].startswith(reverse("account_login"))
    assert signed_in(MembershipFactory().user).get(address(pair)).status_code == 404
    assert signed_in(MembershipFactory().user).post(address(pair), {"outcome": "agreed"}).status_code == 404
    assert signed_in(pair.asker).get(address(pair)).status_code == 200


def test_page_takes_an_answer_and_the_synergy_shows_both(mutual):
    assert signed_in(mutual.asker).post(address(mutual), {"outcome": "agreed"})["Location"] == mutual.synergy.get_absolute_url()
    signed_in(mutual.offerer).post(address(mutual), {"outcome": "not_agreed", "reason": "terms", "comment": "<b>dates</b>"})
    page = signed_in(mutual.asker).get(f"/en/synergies/{mutual.synergy.uid}/").content.decode()
    for words in ("We agreed on something", "We did not agree", "One says agreed, the other not"):
        assert words in page
    assert "dates" not in page
    assert "Price, quantity or dates" not in page, "why not is for the Innovation Service"


@pytest.mark.parametrize(
    "data", [{}, {"outcome": "x"}, {"outcome": "not_agreed"}, {"outcome": "agreed", "comment": "x" * 501}, {"outcome": "agreed", "comment": "a\x00b"}]
)
def test_page_that_is_not_valid_shows_the_form_again(mutual, data):
    response = signed_in(mutual.asker).post(address(mutual), data)
    assert response.status_code == 422
    assert b"errorlist" in response.content
    assert OutcomeAnswer.objects.count() == 0


def test_page_needs_the_csrf_token(mutual):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(mutual.asker)
    assert careful.post(address(mutual), {"outcome": "agreed"}).status_code == 403


def test_inbox_asks_until_it_was_told_at_the_same_cost(pairs):
    def cost(client) -> int:
        client.get(reverse("synergies:inbox"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("synergies:inbox"))
        return len(queries)

    several = [agree(pair, days_ago=31) for pair in pairs(3)]
    client, base = signed_in(several[0].asker), cost(signed_in(several[0].asker))
    outcomes.ask_due()
    assert cost(client) == base
    assert [card.synergy.pk for card in client.get(reverse("synergies:inbox")).context["questions"]] == [pair.synergy.pk for pair in several]
    client.post(address(several[0]), {"outcome": "talking"})
    assert len(client.get(reverse("synergies:inbox")).context["questions"]) == 2
    assert len(signed_in(several[1].offerer).get(reverse("synergies:inbox")).context["questions"]) == 1


def test_answers_are_exported_and_stay_without_the_name(mutual):
    outcomes.tell(mutual.synergy, by=mutual.asker, outcome=Outcome.AGREED, comment="Gràcies")
    [exported] = privacy.export(mutual.asker)["synergies"]["outcomes"]
    assert (exported["outcome"], exported["comment"]) == ("agreed", "Gràcies")
    privacy.erase(mutual.asker)
    assert OutcomeAnswer.objects.get().by is None
    assert Synergy.objects.get().state == State.MUTUAL

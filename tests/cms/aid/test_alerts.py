import datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from cms.aid import alerts
from cms.aid.alert_models import AidAlert
from cms.aid.filters import AidFilter
from cms.aid.models import AidIndexPage, AidPage
from marketplace.accounts import daily
from marketplace.alerts.models import Mention
from marketplace.core.models import Mail
from tests.cms.aid.factories import make_aid
from tests.factories import CompanyFactory, MembershipFactory, UserFactory


@pytest.fixture
def anna(db):
    return UserFactory(email="anna@firm.example", name="Anna", language="ca")


def wanted(query: str = "") -> AidFilter:
    return AidFilter(QueryDict(query))


def tomorrow(days: int = 1):
    return time_machine.travel(timezone.now() + datetime.timedelta(days=days), tick=False)


def mails() -> list[str]:
    return [mail.text for mail in Mail.objects.filter(key__startswith="digest:").order_by("id")]


def move_deadline(page: AidPage, days: int) -> None:
    """As an editor does: another last day, published."""
    fresh = AidPage.objects.get(pk=page.pk)
    fresh.calls = list(fresh.calls.all())
    for call in fresh.calls.all():
        call.deadline += datetime.timedelta(days=days)
    fresh.save_revision().publish()


def test_what_was_there_when_the_alert_was_made_is_no_news(anna):
    make_aid()
    alerts.save(wanted(), by=anna)
    assert daily.send() == 0


def test_new_aid_that_fits_is_told_once(anna):
    alerts.save(wanted("kind=grant"), by=anna)
    make_aid("Ajut a les botigues", kind="grant")
    make_aid("Préstec per a maquinària", kind="loan")
    assert daily.send() == 1
    assert "Ajut a les botigues" in mails()[0]
    assert "Préstec" not in mails()[0]
    with tomorrow():
        assert daily.send() == 0
    assert Mention.objects.filter(user=anna).count() == 1


def test_a_changed_deadline_is_told_with_the_old_one(anna):
    page = make_aid("Ajut a les botigues")
    alerts.save(aid=page.translation_key, by=anna)
    before = page.calls.get().deadline
    move_deadline(page, 14)
    assert daily.send() == 1
    [text] = mails()
    assert str((before + datetime.timedelta(days=14)).day) in text
    assert str(before.year) in text


def test_a_deadline_moved_there_and_back_is_told_both_times(anna):
    """A ledger by the facts alone would leave the reader with the wrong day."""
    page = make_aid()
    alerts.save(aid=page.translation_key, by=anna)
    for number, days in enumerate((14, -14), start=1):
        with tomorrow(number):
            move_deadline(page, days)
            assert daily.send() == 1
    assert list(Mention.objects.filter(user=anna).order_by("number").values_list("number", flat=True)) == [1, 2]


def test_a_deadline_that_comes_near_is_no_change(anna):
    make_aid(calls=[{"deadline": timezone.localdate() + datetime.timedelta(days=20)}])
    alerts.save(wanted(), by=anna)
    with tomorrow(12):
        assert daily.send() == 0


def test_a_call_that_opens_is_told(anna):
    today = timezone.localdate()
    make_aid("Ajut anunciat", calls=[{"opens_on": today + datetime.timedelta(days=5), "deadline": today + datetime.timedelta(days=90)}])
    alerts.save(wanted(), by=anna)
    with tomorrow(4):
        assert daily.send() == 0
    with tomorrow(5):
        assert daily.send() == 1
    assert "Ajut anunciat" in mails()[0]


def test_a_followed_aid_is_told_when_its_budget_is_used_up_and_a_search_is_not(anna):
    page = make_aid("Ajut a les botigues")
    other = UserFactory(language="ca")
    alerts.save(aid=page.translation_key, by=anna)
    alerts.save(wanted(), by=other)
    fresh = AidPage.objects.get(pk=page.pk)
    fresh.calls = list(fresh.calls.all())
    for call in fresh.calls.all():
        call.exhausted_on = timezone.localdate()
    fresh.save_revision().publish()
    assert daily.send() == 1
    assert Mention.objects.get().user == anna


def test_what_two_alerts_find_is_told_once(anna):
    alerts.save(wanted("kind=grant"), by=anna)
    alerts.save(wanted("q=botigues"), by=anna)
    make_aid("Ajut a les botigues", kind="grant")
    assert daily.send() == 1
    assert mails()[0].count("Ajut a les botigues") == 1


def test_the_ledger_refuses_the_same_telling_twice(anna):
    page = make_aid()
    Mention.objects.create(user=anna, aid=page.translation_key, number=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Mention.objects.create(user=anna, aid=page.translation_key, number=1)


def test_news_is_not_lost_when_the_mail_cannot_be_queued(anna, monkeypatch):
    """Noting what was told before the mail is queued would lose it."""
    alerts.save(wanted(), by=anna)
    make_aid("Ajut a les botigues")
    monkeypatch.setattr("marketplace.core.mail.queue", lambda *_, **__: 1 / 0)
    assert daily.send() == 0
    assert not Mention.objects.exists()
    monkeypatch.undo()
    assert daily.send() == 1


def test_an_alert_for_a_company_leaves_out_what_it_cannot_have(anna):
    company = CompanyFactory(size="micro")
    MembershipFactory(company=company, user=anna)
    alerts.save(wanted(f"company={company.uid}"), by=anna)
    make_aid("Per a les grans", sizes=["large"])
    make_aid("Per a les petites", sizes=["micro", "small"])
    assert daily.send() == 1
    assert "Per a les petites" in mails()[0]
    assert "Per a les grans" not in mails()[0]


def test_an_alert_for_a_company_that_one_left_finds_nothing(anna):
    membership = MembershipFactory(user=anna, company=CompanyFactory())
    alert, _ = alerts.save(wanted(f"company={membership.company.uid}"), by=anna)
    make_aid()
    assert alerts.to_tell(alert)
    membership.delete()
    assert alerts.to_tell(alert) == []


def test_save_refuses_somebody_elses_company_and_what_is_not_understood(anna):
    for query in (f"company={CompanyFactory().uid}", "kind=nonsense"):
        with pytest.raises(ValidationError):
            alerts.save(wanted(query), by=anna)


def test_save_keeps_one_of_the_same_and_not_more_than_the_limit(anna, monkeypatch):
    first, is_new = alerts.save(wanted("kind=grant&page=2"), by=anna)
    again, again_new = alerts.save(wanted("kind=grant&sort=newest"), by=anna)
    assert (is_new, again_new, first) == (True, False, again)
    monkeypatch.setattr(alerts, "MOST_ALERTS", 1)
    with pytest.raises(ValidationError, match="1"):
        alerts.save(wanted("kind=loan"), by=anna)


def test_a_paused_alert_is_silent_and_begins_anew(anna):
    alert, _ = alerts.save(wanted(), by=anna)
    alerts.pause(alert, by=anna)
    make_aid("Mentre dormia")
    assert daily.send() == 0
    alerts.resume(alert, by=anna)
    assert daily.send() == 0
    make_aid("Després")
    with tomorrow():
        assert daily.send() == 1
    assert "Mentre dormia" not in mails()[0]


def test_one_click_in_the_mail_stops_aid_and_nothing_else(anna, client):
    alerts.save(wanted(), by=anna)
    make_aid()
    daily.send()
    stop = Mail.objects.get(key__startswith="digest:").headers["List-Unsubscribe"].strip("<>")
    assert client.post(stop[stop.index("/", 8) :], {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not AidAlert.objects.of(anna).mailed().exists()


def test_pages_are_for_their_owner_only(anna, client):
    alert, _ = alerts.save(wanted(), by=anna)
    page = make_aid()
    for url in (reverse("aid:alerts"), reverse("aid:create_alert"), reverse("aid:follow", args=[page.pk])):
        assert client.get(url).status_code == 302
    client.force_login(UserFactory())
    for name in ("pause_alert", "resume_alert", "delete_alert"):
        assert client.post(reverse(f"aid:{name}", args=[alert.uid])).status_code == 404
        assert client.get(reverse(f"aid:{name}", args=[alert.uid])).status_code == 405


def test_pages_save_follow_pause_and_delete(anna, client):
    client.force_login(anna)
    page = make_aid("Ajut a les botigues")
    assert "Ajut a les botigues" in client.get(reverse("aid:follow", args=[page.pk])).content.decode()
    client.post(reverse("aid:follow", args=[page.pk]))
    client.post(reverse("aid:create_alert") + "?kind=grant")
    assert AidAlert.objects.of(anna).count() == 2
    listed = client.get(reverse("aid:alerts")).content.decode()
    assert "Ajut a les botigues" in listed
    for alert in AidAlert.objects.of(anna):
        client.post(reverse("aid:pause_alert", args=[alert.uid]))
        client.post(reverse("aid:resume_alert", args=[alert.uid]))
        client.post(reverse("aid:delete_alert", args=[alert.uid]))
    assert not AidAlert.objects.exists()


def test_a_search_that_is_not_understood_is_told_and_kept_on_the_page(anna, client):
    client.force_login(anna)
    response = client.post(reverse("aid:create_alert") + "?kind=nonsense&q=botigues")
    assert response.status_code == 422
    assert "botigues" in response.content.decode()
    assert not AidAlert.objects.exists()


def test_an_alert_outlives_the_finders(anna, client):
    """Somebody takes the finders away: the day's mail and the page of alerts go on."""
    alerts.save(wanted(), by=anna)
    for index in AidIndexPage.objects.all():
        index.unpublish()
    assert daily.send() == 0
    client.force_login(anna)
    assert client.get(reverse("aid:alerts")).status_code == 200

"""New results in the daily mail: nothing twice, nothing lost, one mail a day with whatever else there is to tell."""

import datetime
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from marketplace import worker
from marketplace.accounts import daily
from marketplace.alerts import news, operations
from marketplace.alerts.enums import Alert
from marketplace.alerts.models import Finding, Mention, SavedSearch
from marketplace.companies.models import Company
from marketplace.core import mail
from marketplace.core.models import Mail
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from marketplace.synergies.models import Announcement
from tests import concurrency, processes
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory, UserFactory
from tests.synergies.conftest import make_pair

from .conftest import GEL, VISORS, change, daily_mails, own_index, publish, save  # noqa: F401 - own_index is a fixture

pytestmark = pytest.mark.django_db(transaction=True)


def later(**pause: float):
    return time_machine.travel(timezone.now() + timedelta(**pause), tick=True)


def find(saved: SavedSearch, *listings: Listing) -> None:
    """As the watching writes it down."""
    Finding.objects.bulk_create([Finding(search=saved, listing=listing, is_news=True) for listing in listings], ignore_conflicts=True)


def gels(number: int, **more) -> list[Listing]:
    company = CompanyFactory(name="Perfums del Vallès")
    return ListingFactory.create_batch(number, live=True, company=company, **GEL | more)


@pytest.fixture
def saved(seeker) -> SavedSearch:
    return save("q=gel", by=seeker, name="Gel for the shop")


# --- What it tells ------------------------------------------------------------------------------------------------------


def test_mail_names_what_is_new_in_the_language_of_the_person(saved, smtp):
    [listing] = gels(1)
    find(saved, listing)
    assert daily.send() == 1
    mail.send_due()
    [message] = smtp.messages
    text = message.get_content()
    assert (message["To"], message["Subject"]) == ("seeker@firm.example", "1 new result of your saved searches")
    for words in (
        "Hello Anna,",
        "Gel for the shop",
        f"* Offer: {listing.title} (Perfums del Vallès, Terrassa)",
        f"http://testserver/en/listings/{listing.uid}/",
    ):
        assert words in text
    assert re.search(r"No more mails about this search: http://testserver/en/\S+/stop/\S+/\s", text)
    assert [one.listing for one in Mention.objects.all()] == [listing]


def test_mail_is_bounded_and_counts_the_rest_once(saved):
    find(saved, *gels(42))
    daily.send()
    [message] = daily_mails()
    assert message.subject == "42 new results of your saved searches"
    assert message.text.count("* Offer:") == news.MOST_OF_SEARCH
    assert "and 37 more:" in message.text
    assert f"http://testserver/en{translated(saved)}" in message.text
    assert Mention.objects.count() == 42
    with later(days=1):
        assert daily.send() == 0, "what was counted, with the way to it, is told"


def translated(saved: SavedSearch) -> str:
    with translation.override("en"):
        return saved.get_absolute_url().removeprefix("/en")


def test_thousands_of_results_make_one_short_mail(saved):
    company = CompanyFactory()
    Listing.objects.bulk_create(ListingFactory.build_batch(3000, live=True, company=company, **GEL))
    find(saved, *Listing.objects.all())
    with CaptureQueriesContext(connection) as queries:
        assert daily.send() == 1
    assert len(daily_mails()[0].text) < 3000
    assert Mention.objects.count() == 3000
    assert len(queries) < 40


def test_many_searches_share_the_room_of_one_mail(seeker):
    for number in range(8):
        find(save(f"q=gel{number}", by=seeker), *gels(6))
    daily.send()
    [message] = daily_mails()
    assert message.text.count("* Offer:") == news.MOST_IN_MAIL
    assert message.text.count("and 1 more:") == 4
    assert message.text.count("6 new results:") == 4


def test_a_listing_that_several_searches_find_is_told_once(saved, seeker):
    [listing] = gels(1)
    other = save("kind=offer", by=seeker, name="Offers")
    find(saved, listing)
    find(other, listing)
    daily.send()
    assert daily_mails()[0].text.count(listing.title) == 1
    third = save("sector=C", by=seeker)
    with later(days=1):
        find(third, listing)
        assert daily.send() == 0, "nor by a search that finds it on another day"


def test_a_deleted_search_does_not_let_its_news_be_told_again(saved, seeker):
    [listing] = gels(1)
    find(saved, listing)
    daily.send()
    operations.delete(saved, by=seeker)
    with later(days=1):
        find(save("q=gel", by=seeker), listing)
        assert daily.send() == 0


@pytest.mark.parametrize(
    "ended",
    [{"state": State.WITHDRAWN}, {"state": State.CLOSED}, {"valid_until": datetime.date(2020, 1, 1)}],
    ids=["withdrawn", "closed", "expired by its date, before the daily work saw it"],
)
def test_what_ended_between_finding_and_telling_is_not_mentioned(saved, ended):
    gone, there = gels(2)
    find(saved, gone, there)
    Listing.objects.filter(pk=gone.pk).update(title="It was here a moment ago", **ended)
    daily.send()
    [message] = daily_mails()
    assert message.subject.startswith("1 new result ")
    assert "a moment ago" not in message.text
    assert [one.listing for one in Mention.objects.all()] == [there]


def test_what_a_hidden_company_published_waits_until_it_is_shown(saved):
    [listing] = gels(1)
    find(saved, listing)
    Company.objects.update(hidden=True)
    assert daily.send() == 0
    Company.objects.update(hidden=False)
    assert daily.send() == 1


def test_own_companies_listings_are_no_news(saved, seeker):
    own, others = gels(1)[0], gels(1)[0]
    MembershipFactory(user=seeker, company=own.company)
    MembershipFactory(user=seeker, company=others.company, role="member", state="requested")
    find(saved, own, others)
    daily.send()
    assert [one.listing for one in Mention.objects.all()] == [others]


def test_what_matched_from_the_start_is_not_mailed(saved):
    Finding.objects.create(search=saved, listing=gels(1)[0], is_news=False)
    assert daily.send() == 0


@pytest.mark.parametrize("fault", ["paused", "inactive"])
def test_no_mail_for(saved, seeker, fault):
    find(saved, *gels(1))
    if fault == "paused":
        operations.pause(saved, by=seeker)
    else:
        seeker.is_active = False
        seeker.save()
    assert daily.send() == 0


def test_what_came_during_a_pause_is_on_the_page_and_not_in_the_mail(saved, seeker):
    operations.pause(saved, by=seeker)
    find(saved, *gels(1))
    with later(days=1):
        operations.resume(saved, by=seeker)
        assert daily.send() == 0
        find(saved, *gels(1))
        assert daily.send() == 1
    assert SavedSearch.objects.with_news(seeker).get().news == 2
    assert Mention.objects.count() == 1


def test_news_cost_the_same_queries_for_one_search_and_for_three(db):
    def cost(number: int) -> int:
        person = UserFactory()
        for place in range(number):
            find(save(f"q=gel{place}", by=person), *gels(number))
        with CaptureQueriesContext(connection) as queries:
            assert daily.send() == 1
        return len(queries)

    assert cost(1) == cost(3)


# --- One mail a day -------------------------------------------------------------------------------------------------------


def test_suggestions_and_saved_searches_come_in_one_mail(smtp):
    pair = make_pair()
    for person in (pair.asker, pair.offerer):
        person.language = "en"
        person.save()
    find(save("q=gel", by=pair.asker), *gels(1))
    assert daily.send() == 2
    mail.send_due()
    message = next(one for one in smtp.messages if one["To"] == pair.asker.email)
    assert message["Subject"].strip() == "A company that fits you · 1 new result of your saved searches"
    assert "We found this for what you published:" in message.get_content()
    assert "New in your saved searches:" in message.get_content()
    assert message.get_content().count("Hello") == 1
    other = next(one for one in smtp.messages if one["To"] == pair.offerer.email)
    assert "saved searches" not in other.get_content()


def test_never_two_mails_on_one_day_and_the_rest_comes_the_next(saved):
    with time_machine.travel(datetime.datetime(2026, 11, 4, 0, 5, tzinfo=timezone.get_default_timezone()), tick=False) as clock:
        SavedSearch.objects.update(alert_since=timezone.now() - timedelta(hours=1))
        first, second = gels(2)
        find(saved, first)
        assert daily.send() == 1
        clock.shift(timedelta(hours=23, minutes=50))
        find(saved, second)
        assert daily.send() == 0, "23:55 of the same day"
        clock.shift(timedelta(minutes=10))
        assert daily.send() == 1, "ten minutes later it is another day"
    assert [one.key[-10:] for one in daily_mails()] == ["2026-11-04", "2026-11-05"]
    assert Mention.objects.count() == 2


@pytest.mark.parametrize(
    ("night", "hours"),
    [(datetime.date(2026, 10, 25), 25), (datetime.date(2027, 3, 28), 23)],
    ids=["the clock goes back", "the clock goes forward"],
)
def test_a_day_is_a_day_when_the_clocks_change(saved, night, hours):
    """By 24 hours, a person would get two mails on the long day or none on the day after the short one."""
    midnight = datetime.datetime.combine(night, datetime.time(0, 1), tzinfo=timezone.get_default_timezone())
    SavedSearch.objects.update(alert_since=midnight - timedelta(days=1))
    sent = []
    for hour in range(hours + 1):
        moment = midnight.astimezone(datetime.UTC) + timedelta(hours=hour)
        with time_machine.travel(moment, tick=False):
            find(saved, *gels(1))
            sent += [timezone.localtime()] * daily.send()
    assert [moment.date() for moment in sent] == [night, night + timedelta(days=1)]
    assert [moment.hour for moment in sent] == [0, 0]


def test_a_person_whose_mail_cannot_be_written_keeps_nobody_from_theirs(saved, caplog):
    other = UserFactory(email="other@firm.example", language="xx")
    person = UserFactory(email="third@firm.example")
    for one in (saved, save("q=gel", by=other), save("q=gel", by=person)):
        find(one, *gels(1))
    SavedSearch.objects.filter(owner=other).update(name="\ud800".encode("utf-8", "surrogatepass").decode("latin-1"))
    broken = news.DailyNews.news
    try:
        news.DailyNews.news = lambda self, user: 1 / 0 if user == other else broken(self, user)
        assert daily.send() == 2
    finally:
        news.DailyNews.news = broken
    assert "ZeroDivisionError" in caplog.text
    assert {one.to for one in daily_mails()} == {"seeker@firm.example", "third@firm.example"}
    assert daily.send() == 1, "the next time it is tried again"


# --- Faults -----------------------------------------------------------------------------------------------------------------


def test_news_survive_a_server_that_refuses_and_one_that_is_away(saved, smtp):
    find(saved, *gels(1))
    daily.send()
    smtp.refuse("451 Try again later")
    assert mail.send_due() == 0
    smtp.refuse("")
    smtp.stop()
    with later(minutes=1):
        assert mail.send_due() == 0
        assert daily.send() == 0
    smtp.start()
    with later(minutes=10):
        assert mail.send_due() == 1
        assert daily.send() == 0
    assert len(smtp.messages) == 1


NAIVE = """
from django.conf import settings
from django.core.mail import get_connection, send_mail
from marketplace.alerts.models import Mention
from marketplace.alerts.news import to_tell
server = get_connection(settings.MAIL_DELIVERY_BACKEND)
new = list(to_tell().select_related("search__owner"))
ORDER
"""
SENDS_FIRST = 'send_mail("news", "text", None, [new[0].search.owner.email], connection=server)\n    DIE\n    Mention.objects.create(user=new[0].search.owner, listing=new[0].listing)'
NOTES_FIRST = 'Mention.objects.create(user=new[0].search.owner, listing=new[0].listing)\n    DIE\n    send_mail("news", "text", None, [new[0].search.owner.email], connection=server)'
KILLED_NOTING = """
from marketplace.accounts import daily
from marketplace.alerts.models import Mention
Mention.objects.bulk_create = lambda *rows, **options: DIE
daily.send()
"""


@pytest.mark.parametrize(("order", "messages"), [(SENDS_FIRST, 2), (NOTES_FIRST, 0)], ids=["sends, then notes: twice", "notes, then sends: never"])
def test_mail_and_ledger_one_after_the_other_go_wrong_after_a_kill(saved, smtp, order, messages):
    find(saved, *gels(1))
    program = NAIVE.replace("ORDER", f"if new:\n    {order}").replace("DIE", processes.DIE)
    for number in range(2):
        processes.run(program, is_killed=bool(number == 0 or messages))
    assert len(smtp.messages) == messages


def test_killed_between_mail_and_ledger_leaves_both_undone(saved, smtp):
    find(saved, *gels(1))
    processes.run(KILLED_NOTING.replace("DIE", processes.DIE), is_killed=True)
    assert (daily_mails(), Mention.objects.count()) == ([], 0)
    for _ in range(2):
        daily.send()
        mail.send_due()
    assert len(smtp.messages) == 1


def test_ledger_itself_refuses_a_second_line(saved, seeker):
    [listing] = gels(1)
    Mention.objects.create(user=seeker, listing=listing)
    with pytest.raises(IntegrityError), transaction.atomic():
        Mention.objects.create(user=seeker, listing=listing)


@pytest.mark.postgresql
def test_several_workers_send_one_mail_each_person(saved, smtp):
    people = UserFactory.create_batch(6)
    listings = gels(3)
    for person in people:
        find(save("q=gel", by=person), *listings)
    results = concurrency.at_once(*[daily.send] * 4)
    assert sum(results) == 6, results
    while mail.send_due():
        pass
    assert sorted(message["To"] for message in smtp.messages) == sorted(person.email for person in people)
    assert Mention.objects.count() == 18


def test_the_whole_way_from_a_publication_to_the_mail(seeker, smtp, own_index):  # noqa: F811 - the fixture
    publish(**GEL)
    visors = publish(**VISORS)
    worker.drain()
    saved = save("q=gel", by=seeker)
    worker.drain()
    assert worker.run_daily()["digests"] == 0
    publish(**GEL | {"title": "Gel de mans perfumat"})
    change(visors, title="Pantalles facials i gel")
    worker.drain()
    assert worker.run_daily()["digests"] == 1
    worker.drain()
    [message] = smtp.messages
    assert {title for title in Listing.objects.values_list("title", flat=True) if title in message.get_content()} == {
        "Gel de mans perfumat",
        "Pantalles facials i gel",
    }
    assert (worker.run_daily()["digests"], worker.drain()) == (0, 0)
    assert Finding.objects.filter(search=saved).count() == 3


# --- Leaving ------------------------------------------------------------------------------------------------------------------


def one_click(address: str):
    """As a mail provider does it: no cookie, no CSRF token, no redirect followed."""
    path = re.fullmatch(r"https?://[^/]+(/.*)", address)[1]
    return Client(enforce_csrf_checks=True).post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")


def test_header_stops_what_the_mail_held_and_nothing_else(smtp, settings):
    settings.SITE_URL = "https://marketplace.example"
    pair = make_pair()
    saved = save("q=gel", by=pair.asker)
    Announcement.objects.create(user=pair.asker, offer=pair.offer, demand=pair.demand)
    find(saved, *gels(1))
    daily.send()
    mail.send_due()
    message = next(one for one in smtp.messages if one["To"] == pair.asker.email)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(r"<(https://marketplace\.example/[^>,]+)>", "".join(message["List-Unsubscribe"].split()))[1]
    assert address in message.get_content()
    response = one_click(address)
    assert response.status_code == 200
    saved.refresh_from_db()
    pair.asker.refresh_from_db()
    assert (saved.alert, pair.asker.wants_digest) == (Alert.STOPPED, True)


def test_header_of_a_mail_with_both_parts_stops_both(smtp):
    pair = make_pair()
    saved = save("q=gel", by=pair.asker)
    find(saved, *gels(1))
    daily.send()
    address = Mail.objects.get(to=pair.asker.email).headers["List-Unsubscribe"].strip("<>")
    assert one_click(address).status_code == 200
    saved.refresh_from_db()
    pair.asker.refresh_from_db()
    assert (saved.alert, pair.asker.wants_digest) == (Alert.STOPPED, False)


def test_stopping_by_a_link_asks_first_and_can_be_taken_back(saved, seeker):
    """A scanner that opens every link of a mail must not stop anything."""
    paused = save("q=visera", by=seeker, alert=False)
    find(saved, *gels(1))
    path = daily.stop_url(seeker, ["alerts"]).removeprefix("http://testserver")
    client = Client()

    def states():
        return set(SavedSearch.objects.values_list("pk", "alert"))

    before = states()
    assert client.get(path).status_code == client.head(path).status_code == 200
    assert states() == before
    client.post(path)
    assert states() == {(saved.pk, "stopped"), (paused.pk, "paused")}
    assert daily.send() == 0
    client.post(f"{path}undo/")
    assert states() == before, "what was paused by hand before stays so"
    assert daily.send() == 1, "nothing got lost by the mistake"


def test_one_search_is_stopped_alone(saved, seeker):
    other = save("q=visera", by=seeker)
    path = news.stop_url(saved).removeprefix("http://testserver")
    response = Client().get(path)
    assert "Gel for the shop" in response.content.decode()
    saved.refresh_from_db()
    assert saved.is_mailed
    assert one_click("http://testserver" + path).status_code == 200
    saved.refresh_from_db()
    other.refresh_from_db()
    assert (saved.alert, other.alert) == (Alert.STOPPED, Alert.ON)
    assert Client(enforce_csrf_checks=True).post(f"{path}undo/").status_code == 403
    Client().post(f"{path}undo/")
    saved.refresh_from_db()
    assert saved.is_mailed


@pytest.mark.parametrize("token", ["x", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef:forged", "a\x00b"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_forged_address_is_not_found(db, token, method):
    assert getattr(Client(), method)(reverse("alerts:stop", args=[token])).status_code in {400, 404}


def test_an_address_of_one_kind_is_no_good_for_the_other(saved, seeker):
    of_search = news.stop_url(saved).rstrip("/").rpartition("/")[2]
    of_person = daily.stop_url(seeker, ["alerts"]).rstrip("/").rpartition("/")[2]
    assert Client().post(reverse("accounts:stop_mails", args=[of_search])).status_code == 404
    assert Client().post(reverse("alerts:stop", args=[of_person])).status_code == 404


def test_address_of_a_deleted_search_is_not_found(saved, seeker):
    address = news.stop_url(saved)
    operations.delete(saved, by=seeker)
    assert one_click(address).status_code == 404

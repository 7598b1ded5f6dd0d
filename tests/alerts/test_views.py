"""The pages of saved searches: for their owner alone, and nothing changes by looking."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import escape

from marketplace.alerts import operations, searches
from marketplace.alerts.enums import Alert
from marketplace.alerts.models import Finding, SavedSearch
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from search import index
from tests import concurrency
from tests.factories import ListingFactory, MembershipFactory, UserFactory

from .conftest import GEL, save, wanted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture
def person():
    return UserFactory()


@pytest.fixture
def client(person):
    client = Client()
    client.force_login(person)
    return client


def create_url(query: str = "q=gel&kind=offer") -> str:
    return f"{reverse('alerts:create')}?{query}"


def found(saved: SavedSearch, *listings: Listing) -> None:
    Finding.objects.bulk_create([Finding(search=saved, listing=listing, is_news=True) for listing in listings])


# --- Saving -----------------------------------------------------------------------------------------------------------------


def test_search_page_leads_to_saving_what_it_shows(db, settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    ListingFactory(live=True, **GEL)
    index.rebuild()
    query = "?q=gel&kind=offer&sort=recent"
    for headers in ({}, {"HX-Request": "true"}):
        page = Client(headers=headers).get(reverse("listings:search") + query).content.decode()
        assert f'href="{escape(reverse("alerts:create") + query)}"' in page
    assert reverse("alerts:create") not in Client().get(reverse("listings:search")).content.decode(), "nothing was searched"
    assert escape(create_url("q=telescopi")) in Client().get(reverse("listings:search") + "?q=telescopi").content.decode(), "nothing was found"


def test_who_has_to_sign_in_comes_back_with_the_search(db):
    """Whether they pressed the link or the button of a form whose session had ended."""
    for ask in (Client().get, Client().post):
        response = ask(create_url("q=gel+de+mans&kind=offer&kind=demand"))
        assert response.status_code == 302
        target = urlsplit(response.url)
        assert target.path == reverse("account_login")
        assert dict(parse_qsl(target.query))["next"] == create_url("q=gel+de+mans&kind=offer&kind=demand")
    assert not SavedSearch.objects.exists()


def test_page_shows_what_is_saved_and_looking_saves_nothing(client):
    page = client.get(create_url("q=gel&kind=offer&near=terrassa&km=25"))
    assert page.context["words"] == ["“gel”", "Offer", "Up to 25 km from Terrassa"]
    assert page.context["form"].initial["name"] == "“gel” · Offer · Up to 25 km from Terrassa"
    assert not SavedSearch.objects.exists()


def test_saving_keeps_the_search_in_its_one_form(client, person):
    response = client.post(create_url("sort=nearest&near=TERRASSA&km=25&q=++gel++de+mans&kind=offer&page=3&place="), {"name": " Gel  for us ", "alert": "on"})
    assert response.url == reverse("alerts:list")
    saved = SavedSearch.objects.get()
    assert (saved.owner, saved.name, saved.alert) == (person, "Gel for us", Alert.ON)
    assert saved.parameters == "q=gel+de+mans&kind=offer&near=Terrassa&km=25"
    assert client.get(saved.results_url).status_code == 200


def test_saving_without_mail(client):
    client.post(create_url(), {"name": "x"})
    assert not SavedSearch.objects.get().is_mailed


@pytest.mark.parametrize(
    "same",
    [
        "kind=offer&q=gel",
        "q=GEL&kind=offer&sort=recent",
        "q=%20gel%20&kind=offer&page=7",
        "q=gel&kind=offer&kind=offer&language=",
        "q=%EF%BD%87%EF%BD%85%EF%BD%8C&kind=offer",
    ],
)
def test_the_same_search_is_saved_once(client, same):
    client.post(create_url(), {"name": "First"})
    response = client.post(create_url(same), {"name": "Second"}, follow=True)
    assert [saved.name for saved in SavedSearch.objects.all()] == ["First"]
    assert "You had saved this search already." in response.content.decode()


@pytest.mark.parametrize("other", ["q=gel", "q=gel&kind=demand", "q=gel&kind=offer&kind=demand", "q=gels&kind=offer", ""])
def test_another_search_is_another_one(client, other):
    client.post(create_url(), {"name": "First"})
    client.post(create_url(other), {"name": "Second"})
    assert SavedSearch.objects.count() == 2


def test_two_people_may_save_the_same(client, person):
    save("q=gel", by=UserFactory())
    save("q=gel", by=person)
    assert SavedSearch.objects.count() == 2


@pytest.mark.parametrize(
    "query",
    [
        "sector=ZZ",
        "kind=offer&kind=gift",
        "near=Atlantis&km=5",
        "km=minus",
        "q=" + "x" * 201,
        "q=a%00b",
        "place=08279'--",
        "language=xx&q=gel",
        "size=%F0%9F%92%A9",
    ],
)
def test_what_is_not_understood_is_not_saved(client, query):
    """Left out, as the search page does, it would be another search than the person thinks, and a wider one."""
    assert client.get(create_url(query)).status_code in {200, 400}
    response = client.post(create_url(query), {"name": "x", "alert": "on"})
    assert response.status_code in {422, 400}
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    "query",
    ["q=<script>alert(1)</script>", "q=%22%3E%3Cimg%20src=x%3E", "q='; DROP TABLE alerts_savedsearch;--", "q=%F0%9F%92%A9", "q=%ED%A0%80", "next=//evil.example&q=gel", "&".join(["q=x"] * 500), "q=" + "%F0%9F%92%A9" * 200],
)  # fmt: skip
def test_hostile_searches_are_shown_as_text(client, query):
    response = client.post(create_url(query), {"name": "<b>bold</b>", "alert": "on"})
    assert response.status_code == 302
    for page in (client.get(reverse("alerts:list")), client.get(SavedSearch.objects.get().get_absolute_url()), client.get(create_url(query))):
        text = page.content.decode()
        assert page.status_code == 200
        for raw in ("<script>alert", "<img src=x", "<b>bold"):
            assert raw not in text
    assert urlsplit(SavedSearch.objects.get().results_url).path == reverse("listings:search")


def test_thousands_of_parameters_are_refused(client):
    assert client.post(create_url("&".join(f"q={n}" for n in range(5000))), {"name": "x"}).status_code == 400


def test_a_name_is_needed_and_has_an_end(client):
    assert client.post(create_url(), {"name": "  "}).status_code == 422
    assert client.post(create_url(), {"name": "x" * 101}).status_code == 422
    long = searches.proposed_name(wanted("q=" + "x" * 190), length=100)
    assert len(long) <= 100


def test_there_is_a_limit_and_it_says_what_to_do(client, person, monkeypatch):
    monkeypatch.setattr(operations, "MOST_SEARCHES", 2)
    save("q=one", by=person)
    other = save("q=two", by=person)
    response = client.post(create_url("q=three"), {"name": "Third", "alert": "on"})
    assert response.status_code == 422
    assert "You have 2 saved searches, and that is the most there can be. Delete one" in response.content.decode()
    assert "Third" in response.content.decode(), "what was typed is kept"
    operations.delete(other, by=person)
    assert client.post(create_url("q=three"), {"name": "Third"}).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_limit_and_pair_hold_for_two_windows_at_once(monkeypatch):
    monkeypatch.setattr(operations, "MOST_SEARCHES", 2)
    person = UserFactory()
    results = concurrency.at_once(*[lambda: save("q=gel", by=person)] * 3)
    assert concurrency.kinds(results) == ["SavedSearch"] * 3
    assert SavedSearch.objects.count() == 1
    results = concurrency.at_once(*[lambda n=n: save(f"q=gel{n}", by=person) for n in range(3)])
    assert concurrency.kinds(results) == ["SavedSearch", "ValidationError", "ValidationError"]


# --- Whose it is --------------------------------------------------------------------------------------------------------------

OF_ONE = [("detail", "get"), ("edit", "get"), ("edit", "post"), ("pause", "post"), ("resume", "post"), ("seen", "post"), ("delete", "post")]


@pytest.mark.parametrize(("name", "method"), OF_ONE)
def test_somebody_elses_search_does_not_exist(client, name, method):
    saved = save("q=gel", by=UserFactory())
    before = SavedSearch.objects.values().get()
    assert getattr(client, method)(reverse(f"alerts:{name}", args=[saved.uid]), {"name": "mine now"}).status_code == 404
    assert SavedSearch.objects.values().get() == before


def test_a_curator_sees_nobodys_searches(db):
    saved = save("q=gel", by=UserFactory())
    admin = UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(admin)
    assert client.get(saved.get_absolute_url()).status_code == 404


@pytest.mark.parametrize(("name", "method"), [*OF_ONE, ("list", "get")])
def test_pages_need_a_log_in(name, method):
    saved = save("q=gel", by=UserFactory())
    response = getattr(Client(), method)(reverse(f"alerts:{name}", args=[] if name == "list" else [saved.uid]))
    assert urlsplit(response.url).path == reverse("account_login")
    assert SavedSearch.objects.exists()


@pytest.mark.parametrize("name", ["pause", "resume", "seen", "delete"])
def test_steps_are_taken_by_post_with_the_token_only(client, person, name):
    saved = save("q=gel", by=person)
    address = reverse(f"alerts:{name}", args=[saved.uid])
    assert client.get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    assert strict.post(address).status_code == 403
    assert strict.post(create_url("q=visera"), {"name": "x"}).status_code == 403
    assert SavedSearch.objects.get().alert == Alert.ON


# --- The list and one of them -------------------------------------------------------------------------------------------------


def test_empty_list_says_how_to_begin(client):
    page = client.get(reverse("alerts:list")).content.decode()
    assert "No saved searches yet" in page
    assert f'href="{reverse("listings:search")}"' in page


def test_list_counts_what_is_new_since_the_last_look(client, person):
    saved, other = save("q=gel", by=person), save("q=visera", by=person)
    seen, new, withdrawn, own = ListingFactory.create_batch(4, live=True)
    MembershipFactory(user=person, company=own.company)
    found(saved, seen, new, withdrawn, own)
    Finding.objects.create(search=saved, listing=ListingFactory(live=True), is_news=False)
    Listing.objects.filter(pk=withdrawn.pk).update(state=State.WITHDRAWN)
    Finding.objects.filter(listing=seen).update(at=timezone.now() - timedelta(days=1))
    rows = client.get(reverse("alerts:list")).context["rows"]
    assert [(row.search, row.search.news) for row in rows] == [(saved, 1), (other, 0)]
    page = client.get(saved.get_absolute_url())
    assert page.context["listings"] == [new]


def test_looking_changes_nothing_and_saying_so_does(client, person):
    saved = save("q=gel", by=person)
    first = ListingFactory(live=True)
    found(saved, first)
    for _ in range(2):
        page = client.get(saved.get_absolute_url())
        assert page.context["listings"] == [first]
    late = ListingFactory(live=True)
    found(saved, late)
    client.post(reverse("alerts:seen", args=[saved.uid]), {"until": page.context["now"]})
    assert client.get(saved.get_absolute_url()).context["listings"] == [late], "found after the page was made"


@pytest.mark.parametrize("until", ["", "x", "9999-12-31T23:59:59+00:00", "2026-01-01", "2026-13-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00"])
def test_seen_until_any_moment_is_no_error_and_never_in_the_future(client, person, until):
    saved = save("q=gel", by=person)
    before = saved.looked_at
    assert client.post(reverse("alerts:seen", args=[saved.uid]), {"until": until}).status_code == 302
    saved.refresh_from_db()
    assert before <= saved.looked_at <= timezone.now()


def test_news_of_one_come_in_pages(client, person):
    saved = save("q=gel", by=person)
    found(saved, *ListingFactory.create_batch(23, live=True))
    first, second, beyond = (client.get(f"{saved.get_absolute_url()}?page={number}") for number in (1, 2, 99))
    shown = [listing.pk for page in (first, second) for listing in page.context["listings"]]
    assert (len(shown), len(set(shown))) == (23, 23)
    assert beyond.context["listings"] == second.context["listings"]


def test_renaming_pausing_and_deleting(client, person):
    saved = save("q=gel", by=person)
    client.post(reverse("alerts:edit", args=[saved.uid]), {"name": "Ours"})
    saved.refresh_from_db()
    assert (saved.name, saved.alert) == ("Ours", Alert.PAUSED)
    client.post(reverse("alerts:resume", args=[saved.uid]))
    saved.refresh_from_db()
    assert saved.is_mailed
    client.post(reverse("alerts:pause", args=[saved.uid]))
    saved.refresh_from_db()
    assert not saved.is_mailed
    client.post(reverse("alerts:delete", args=[saved.uid]))
    assert not SavedSearch.objects.exists()


def test_renaming_does_not_begin_the_mails_anew(client, person):
    saved = save("q=gel", by=person)
    since = saved.alert_since
    client.post(reverse("alerts:edit", args=[saved.uid]), {"name": "Ours", "alert": "on"})
    saved.refresh_from_db()
    assert saved.alert_since == since


def test_a_filter_that_is_gone_is_told(client, person):
    saved = save("q=gel", by=person)
    SavedSearch.objects.update(parameters="q=gel&sector=9999")
    assert "One of its filters no longer exists" in client.get(reverse("alerts:list")).content.decode()
    assert client.get(saved.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("page", ["list", "detail"])
def test_pages_cost_the_same_queries_for_one_row_and_for_three(page):
    def cost(number: int) -> int:
        person = UserFactory()
        for place in range(number):
            saved = save(f"q=gel{place}", by=person)
            found(saved, *ListingFactory.create_batch(number, live=True))
        client = Client()
        client.force_login(person)
        address = reverse("alerts:list") if page == "list" else saved.get_absolute_url()
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    assert cost(1) == cost(3)


def test_operations_refuse_somebody_else(person):
    saved = save("q=gel", by=UserFactory())
    for step in (operations.pause, operations.resume, operations.delete):
        with pytest.raises(SavedSearch.DoesNotExist):
            step(saved, by=person)
    with pytest.raises(ValidationError):
        operations.save(wanted("sector=ZZ"), by=person)

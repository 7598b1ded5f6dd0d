"""What keeps aid true, in the console: links, checks, files of calls."""

import datetime

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cms.aid.bdns import operations
from cms.aid.freshness_models import CallFile, CallFileState, LinkCheck, LinkState, LinkUse, Review
from cms.aid.models import AidPage
from cms.pages.rules import EDITORS, OFFICERS
from tests.cms.aid.factories import make_aid
from tests.cms.aid.test_bdns import LATER, as_json, call
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def person(group, **facts):
    user = UserFactory(**facts)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def officer():
    return person(OFFICERS, name="Olga Oficial", language="en")


@pytest.fixture
def console(client, officer):
    client.force_login(officer)
    return client


def broken(number=0, **facts):
    page = make_aid(title=f"Aid {number}")
    fields = {"state": LinkState.BROKEN, "status": 404, "first_failed_at": timezone.now() - 3 * DAY, **facts}
    link = LinkCheck.objects.create(url=f"https://gone.example/{number}", host="gone.example", **fields)
    LinkUse.objects.create(link=link, page=page, field="body", text="the rules")
    return link


def content(answer):
    return answer.content.decode()


# --- Who ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["console_links", "console_aid_reviews", "console_calls", "console_calls_upload"])
def test_pages_are_for_editors(name, client):
    url = reverse(name)
    assert client.get(url).status_code == 302
    client.force_login(UserFactory())
    assert client.get(url).status_code in (302, 403)
    client.force_login(person(EDITORS))
    assert client.get(url).status_code == 200


def test_menu_leads_to_them(console):
    page = content(console.get(reverse("wagtailadmin_home")))
    for name in ("console_links", "console_aid_reviews", "console_calls"):
        assert reverse(name) in page


def test_posts_need_a_token(officer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(officer)
    link, page = broken(), make_aid()
    for url, data in ((reverse("console_link", args=[link.uid]), {"act": "check"}), (reverse("console_aid_reviews"), {"page": page.pk})):
        assert strict.post(url, data).status_code == 403


# --- Links --------------------------------------------------------------------------------------------------------------


def test_broken_link_is_listed_with_page_words_and_reason(console):
    link = broken()
    page = content(console.get(reverse("console_links")))
    assert link.url in page
    assert reverse("wagtailadmin_pages:edit", args=[link.uses.get().page_id]) in page
    assert "the rules" in page
    assert "404" in page


def test_lists_of_links_are_apart(console):
    rows = {
        "broken": broken(1),
        "failing": broken(2, state=LinkState.FAILING),
        "unsure": broken(3, state=LinkState.UNSURE, status=403),
        "moved": broken(4, state=LinkState.FINE, status=200, moved_to="https://new.example/"),
        "ignored": broken(5, ignored_at=timezone.now(), ignored_because="Only in spring"),
    }
    for name, link in rows.items():
        page = content(console.get(reverse("console_links", args=[name])))
        assert [other.url for other in rows.values() if f">{other.url}<" in page.replace("\n", "").replace("  ", "")] == [link.url], name
    assert console.get(reverse("console_links", args=["all"])).context["object_list"].count() == 5
    assert console.get("/console/links/nothing/").status_code == 404


def test_lists_ask_the_database_as_often_for_three_as_for_one(console):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            console.get(reverse("console_links"))
            console.get(reverse("console_aid_reviews"))
        return len(captured)

    broken(1)
    queries()
    before = queries()
    broken(2), broken(3)
    assert queries() == before


def test_search_finds_a_link_by_its_page(console):
    broken(1), broken(2)
    found = console.get(reverse("console_links"), {"q": "Aid 2"}).context["object_list"]
    assert [link.url for link in found] == ["https://gone.example/2"]


def test_link_is_asked_again(console):
    link = broken(next_check_at=timezone.now() + DAY)
    url = reverse("console_link", args=[link.uid])
    assert console.get(url).status_code == 200
    assert console.post(url, {"act": "check"}, follow=True).status_code == 200
    link.refresh_from_db()
    assert link.next_check_at <= timezone.now()


def test_link_is_left_alone_with_a_reason(console, officer):
    link = broken()
    url = reverse("console_link", args=[link.uid])
    assert console.post(url, {"act": "ignore", "because": ""}).status_code == 422
    console.post(url, {"act": "ignore", "because": "Only in spring"})
    link.refresh_from_db()
    assert (link.ignored_by, link.ignored_because) == (officer, "Only in spring")
    page = content(console.get(url))
    assert "Only in spring" in page
    assert "Olga Oficial" in page
    console.post(url, {"act": "watch"})
    link.refresh_from_db()
    assert link.ignored_at is None


def test_unknown_button_changes_nothing(console):
    link = broken()
    assert console.post(reverse("console_link", args=[link.uid]), {"act": "burn"}).status_code == 302
    assert LinkCheck.objects.get() == link


# --- Checks -------------------------------------------------------------------------------------------------------------


def test_overdue_aid_is_listed_and_checked_with_one_click(console, officer):
    page = make_aid(title="Old aid", reviewed_on=timezone.localdate() - 100 * DAY)
    make_aid(title="Fresh aid", reviewed_on=timezone.localdate())
    shown = console.get(reverse("console_aid_reviews"))
    assert [row[0].page.title for row in shown.context["overdue"]] == ["Old aid"]
    assert "Fresh aid" not in content(shown)
    shown = console.post(reverse("console_aid_reviews"), {"page": page.pk, "note": "Asked"}, follow=True)
    assert shown.context["overdue"] == []
    assert (Review.objects.get().by, Review.objects.get().note) == (officer, "Asked")
    assert AidPage.objects.get(pk=page.pk).reviewed_on == timezone.localdate()


def test_own_pages_can_be_listed_alone(console, officer):
    make_aid(title="Mine", officer=officer), make_aid(title="Theirs")
    shown = console.get(reverse("console_aid_reviews"), {"of": "me"})
    assert [row[0].page.title for row in shown.context["overdue"]] == ["Mine"]


def test_editor_sees_the_list_without_buttons_for_others(client):
    client.force_login(person(EDITORS))
    page = make_aid(title="Theirs")
    shown = client.get(reverse("console_aid_reviews"))
    assert [may for _due, may in shown.context["overdue"]] == [False]
    client.post(reverse("console_aid_reviews"), {"page": page.pk})
    assert not Review.objects.exists()


@pytest.mark.parametrize("data", [{}, {"page": "x"}, {"page": "99999999"}, {"page": "²"}])
def test_check_of_no_page_is_not_found(console, data):
    assert console.post(reverse("console_aid_reviews"), data).status_code == 404


def test_note_that_is_too_long_is_told(console):
    page = make_aid()
    console.post(reverse("console_aid_reviews"), {"page": page.pk, "note": "x" * 301})
    assert not Review.objects.exists()


def test_nothing_to_check_says_so(console):
    assert "No aid has to be checked" in content(console.get(reverse("console_aid_reviews")))


# --- Calls --------------------------------------------------------------------------------------------------------------


def upload(console, data, name="calls.json"):
    return console.post(reverse("console_calls_upload"), {"file": SimpleUploadedFile(name, data)})


def test_file_is_uploaded_looked_at_and_applied(console):
    answer = upload(console, as_json(call(), call(codigoBDNS="900002", fechaFinSolicitud="2025-01-01")))
    file = CallFile.objects.get()
    assert answer.url == reverse("console_calls_file", args=[file.uid])
    shown = content(console.get(answer.url))
    assert "Line 2" in shown
    assert "2025-01-01" in shown
    assert not AidPage.objects.exists()
    console.post(answer.url, {"act": "apply"})
    page = AidPage.objects.get()
    shown = content(console.get(answer.url))
    assert reverse("wagtailadmin_pages:edit", args=[page.pk]) in shown
    assert "Line 2" in shown


def test_change_is_published_by_an_officers_tick(console, officer):
    page = make_aid(calls=[{"number": "900001", "deadline": datetime.date(2026, 4, 1)}])
    url = upload(console, as_json(call(**LATER))).url
    assert 'name="publish"' in content(console.get(url))
    console.post(url, {"act": "apply", "publish": "on"})
    assert AidPage.objects.get(pk=page.pk).calls.get().deadline == datetime.date(2026, 5, 31)


def test_editor_has_no_tick_and_cannot_forge_it(client):
    client.force_login(person(EDITORS))
    page = make_aid(calls=[{"number": "900001", "deadline": datetime.date(2026, 4, 1)}])
    url = upload(client, as_json(call(**LATER))).url
    assert 'name="publish"' not in content(client.get(url))
    client.post(url, {"act": "apply", "publish": "on"})
    assert CallFile.objects.get().state == CallFileState.DRAFT
    assert AidPage.objects.get(pk=page.pk).calls.get().deadline == datetime.date(2026, 4, 1)


@pytest.mark.parametrize(
    ("data", "part"), [(b"not json", "JSON"), (bytes(11 * 2**20), "10 MB"), ("codigoBDNS;descripcion\n1;ConvocatÃ²ria\n".encode(), "encoding")]
)
def test_file_that_cannot_be_read_is_told_in_the_form(console, data, part):
    answer = upload(console, data, "calls.json" if data[:3] == b"not" else "calls.csv")
    assert answer.status_code == 200
    assert part in content(answer)
    assert not CallFile.objects.exists()


def test_file_can_be_forgotten_before_it_is_applied(console):
    url = upload(console, as_json(call())).url
    console.post(url, {"act": "discard"})
    assert not CallFile.objects.exists()


def test_same_file_again_is_told(console, officer):
    first = operations.upload("calls.json", as_json(call()), by=officer)
    operations.apply(first, by=officer)
    assert reverse("console_calls_file", args=[first.uid]) in content(console.get(upload(console, as_json(call())).url))
    assert first.name in content(console.get(reverse("console_calls")))

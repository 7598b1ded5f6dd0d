"""The list of partners, one partner's page, connecting one, who may."""

import datetime
import json
import uuid

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.federation import operations
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import Checkpoint, HarvestRun, Partner, PartnerEvent, RemoteListing
from tests.cms.console.partnering import came, connected, document, item, onlooker
from tests.factories import UserFactory
from tests.websites import serve

LIST, CONNECT = reverse("console_partners"), reverse("console_partner_connect")
WELL_KNOWN = "/.well-known/marketplace-federation"
OF_ALL = ["console_partners", "console_partner_quarantine", "console_partner_duplicates", "console_partner_interests", "console_partner_interests_in"]
OF_MANAGERS = ["console_partner_connect", "console_partner_node"]
OF_ONE = ["console_partner", "console_partner_history", "console_partner_held"]
OF_ONE_FOR_MANAGERS = [f"console_partner_{name}" for name in ("edit", "reading", "takes", "gives", "keys", "mapping", "messages")]


def page_of(partner, name="console_partner"):
    return reverse(name, args=[partner.uid])


@pytest.fixture
def partner(curator):
    return connected(by=curator)


@pytest.fixture
def site(settings):
    with serve() as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        yield site


def tell(site, **changes):
    site.pages[WELL_KNOWN] = (200, {"Content-Type": "application/json"}, json.dumps(document(site.url, **changes)).encode())


# --- Who ----------------------------------------------------------------------------------------------------------------


def test_a_curator_sees_how_partners_do_but_not_their_keys(client, partner):
    client.force_login(onlooker())
    opens = {name: client.get(reverse(name)).status_code == 200 for name in OF_ALL + OF_MANAGERS}
    opens |= {name: client.get(page_of(partner, name)).status_code == 200 for name in OF_ONE + OF_ONE_FOR_MANAGERS}
    assert opens == dict.fromkeys(OF_ALL + OF_ONE, True) | dict.fromkeys(OF_MANAGERS + OF_ONE_FOR_MANAGERS, False)


def test_others_see_nothing(client, partner):
    client.force_login(UserFactory())
    for address in [reverse(name) for name in OF_ALL + OF_MANAGERS] + [page_of(partner, name) for name in OF_ONE + OF_ONE_FOR_MANAGERS]:
        assert client.get(address).status_code == 302
        assert client.post(address, {"act": "pause"}).status_code == 302


def test_a_curator_who_only_looks_changes_nothing(client, partner):
    client.force_login(onlooker())
    events = PartnerEvent.objects.count()
    assert "Montserrat" not in client.get(page_of(partner)).content.decode()
    for address in [page_of(partner, name) for name in OF_ONE + OF_ONE_FOR_MANAGERS] + [reverse(name) for name in OF_MANAGERS]:
        for act in ("pause", "end", "issue", "release", "rotate", "set"):
            client.post(address, {"act": act, "key": "x" * 30, "name": "x"})
    partner.refresh_from_db()
    assert (partner.state, PartnerEvent.objects.count()) == (PartnerState.ACTIVE, events)


def test_a_form_without_its_token_changes_nothing(client, curator, partner):
    client.handler.enforce_csrf_checks = True
    client.force_login(curator)
    assert client.post(page_of(partner), {"act": "pause"}).status_code == 403
    partner.refresh_from_db()
    assert partner.state == PartnerState.ACTIVE


def test_reading_changes_nothing(console, partner):
    events = PartnerEvent.objects.count()
    for address in [reverse(name) for name in OF_ALL + OF_MANAGERS] + [page_of(partner, name) for name in OF_ONE + OF_ONE_FOR_MANAGERS]:
        assert console.get(address).status_code == 200, address
    assert (PartnerEvent.objects.count(), Checkpoint.objects.count()) == (events, 0)


# --- The list -------------------------------------------------------------------------------------------------------------


def test_list_says_how_each_does(console, curator, partner):
    late, failing, held = (connected(name, by=curator) for name in ("Late", "Failing", "Held"))
    now = timezone.now()
    fine = {"last_attempt_at": now, "last_success_at": now, "next_at": now + datetime.timedelta(hours=1)}
    Checkpoint.objects.create(partner=partner, **fine)
    Checkpoint.objects.create(partner=late, **fine | {"last_success_at": now - datetime.timedelta(days=2)})
    Checkpoint.objects.create(partner=failing, **fine | {"failures": 3, "error": "The site does not answer."})
    Checkpoint.objects.create(partner=held, **fine | {"held_at": now, "held_count": 9, "held_of": 10})
    page = console.get(LIST).content.decode()
    for condition in ("well", "late", "failing", "held"):
        assert f"partner-health--{condition}" in page
    assert "The site does not answer." in page
    assert ">None<" not in page.replace("\n", "").replace(" ", "")


def test_list_takes_as_many_queries_for_three_as_for_one(console, curator, partner):
    console.get(LIST)
    with CaptureQueriesContext(connection) as one:
        console.get(LIST)
    for name in ("Second", "Third"):
        other = connected(name, by=curator)
        Checkpoint.objects.create(partner=other)
        came(other, item(other, 1), item(other, 2))
    with CaptureQueriesContext(connection) as three:
        console.get(LIST)
    assert len(three) == len(one)


def test_list_is_searched_and_helps_while_it_is_empty(console, db):
    assert CONNECT in console.get(LIST).content.decode()
    assert console.get(LIST, {"q": "no one"}).status_code == 200


# --- One partner ----------------------------------------------------------------------------------------------------------


def test_page_shows_visits_as_a_chart_with_its_table(console, partner):
    now = timezone.now()
    for hours in range(3):
        HarvestRun.objects.create(partner=partner, started_at=now - datetime.timedelta(hours=hours), created=hours * 100)
    HarvestRun.objects.create(partner=partner, error_code="too_slow", error="The site takes too long to answer.")
    page = console.get(page_of(partner)).content.decode()
    assert page.count("<rect") == 4
    assert page.count('class="cross"') == 1
    assert "The site takes too long to answer." in page


def test_page_takes_as_many_queries_with_three_visits_as_with_one(console, partner):
    HarvestRun.objects.create(partner=partner)
    console.get(page_of(partner))
    with CaptureQueriesContext(connection) as one:
        console.get(page_of(partner))
    HarvestRun.objects.create(partner=partner)
    HarvestRun.objects.create(partner=partner)
    with CaptureQueriesContext(connection) as three:
        console.get(page_of(partner))
    assert len(three) == len(one)


def test_buttons_pause_resume_visit_and_end(console, curator, partner):
    for act, state in (("pause", "paused"), ("resume", "active"), ("visit", "active"), ("anew", "active"), ("end", "ended"), ("reopen", "new")):
        assert console.post(page_of(partner), {"act": act, "reason": "Because"}).status_code == 302
        partner.refresh_from_db()
        assert partner.state == state
    assert partner.events.filter(by=curator, details={"reason": "Because"}).count() == 2


def test_a_button_that_came_too_late_says_so(console, partner):
    operations.end(partner, by=None)
    page = console.post(page_of(partner), {"act": "pause"}, follow=True)
    assert page.status_code == 200
    assert [message.level_tag for message in page.context["messages"]] == ["error"]


def test_a_new_partner_shows_the_way(console, curator):
    partner = connected(by=curator, active=False)
    page = console.get(page_of(partner))
    assert [step.is_done for step in page.context["steps"]] == [True, False, False, False, False]
    assert 'value="activate"' not in page.content.decode()
    operations.set_key(partner, "x" * 30, by=curator)
    assert 'value="activate"' in console.get(page_of(partner)).content.decode()
    console.post(page_of(partner), {"act": "activate"})
    partner.refresh_from_db()
    assert partner.state == PartnerState.ACTIVE


def test_unknown_acts_and_partners_are_no_error_of_ours(console, partner):
    for act in ("", "launch", "\0", "x" * 10_000):
        assert console.post(page_of(partner), {"act": act}).status_code == 302
    assert console.get(reverse("console_partner", args=[uuid.uuid4()])).status_code == 404


def test_page_follows_a_visit_while_it_is_under_way(console, partner):
    now = timezone.now()
    Checkpoint.objects.create(partner=partner, lease_until=now + datetime.timedelta(minutes=2), last_attempt_at=now)
    HarvestRun.objects.create(partner=partner, created=40, unchanged=2)
    page = console.get(page_of(partner))
    assert page.context["reading"] == {"is_begun": True, "items": 42, "is_stalled": False}
    assert "data-progress" in page.content.decode()
    Checkpoint.objects.update(lease_until=None, next_at=now - datetime.timedelta(minutes=5))
    assert console.get(page_of(partner)).context["reading"]["is_stalled"]
    Checkpoint.objects.update(next_at=now + datetime.timedelta(hours=1))
    assert "data-progress" not in console.get(page_of(partner)).content.decode()


@pytest.mark.parametrize("name", ["console_partner_history", "console_partner_held"])
def test_what_was_done_and_what_waits_take_as_many_queries_for_three_as_for_one(console, curator, partner, name):
    def more(*numbers):
        came(partner, *(item(partner, number) for number in numbers))
        RemoteListing.objects.update(leaving=RemoteListing.MISSING)
        operations.visit_now(partner, by=UserFactory(is_superuser=True))

    more(1)
    Checkpoint.objects.update(held_at=timezone.now())
    console.get(page_of(partner, name))
    with CaptureQueriesContext(connection) as one:
        console.get(page_of(partner, name))
    more(2)
    more(3)
    with CaptureQueriesContext(connection) as three:
        console.get(page_of(partner, name))
    assert len(three) == len(one)


def test_a_last_key_that_ends_soon_is_told_before_it_ends(console, curator, partner):
    operations.change(partner, {"gives": True}, seen=partner.version, by=curator)
    soon = timezone.now() + datetime.timedelta(days=5)
    operations.issue_key(partner, name="production", expires_at=soon, by=curator)
    assert console.get(page_of(partner)).context["ending_key"]
    operations.issue_key(partner, name="the next", expires_at=None, by=curator)
    assert not console.get(page_of(partner)).context["ending_key"]


# --- The first page --------------------------------------------------------------------------------------------------------


def test_first_page_names_the_partners_that_need_somebody(client, console, partner):
    home = reverse("wagtailadmin_home")
    Checkpoint.objects.create(partner=partner, last_attempt_at=timezone.now(), failures=2)
    assert page_of(partner) in console.get(home).content.decode()
    Checkpoint.objects.update(failures=0, last_success_at=timezone.now())
    assert page_of(partner) not in console.get(home).content.decode()
    editor = UserFactory()
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    assert reverse("console_partners") not in client.get(home).content.decode()


# --- Who it is ------------------------------------------------------------------------------------------------------------


def sent(partner, **changes):
    return {"name": partner.name, "base_url": partner.base_url, "more_hosts": partner.more_hosts, "seen": partner.version} | changes


def test_name_and_hosts_are_changed(console, partner):
    console.post(page_of(partner, "console_partner_edit"), sent(partner, name="Sabadell", more_hosts="https://Data.example.org/x\n\ndata.example.org"))
    partner.refresh_from_db()
    assert (partner.name, partner.more_hosts) == ("Sabadell", "data.example.org")


def test_two_people_at_once_learn_of_each_other(console, partner):
    """The second one's words stay on the page, the first one's in the database; whoever saves again has seen both."""
    mine = sent(partner, name="My name")
    colleague = UserFactory(name="Pere Primer", is_superuser=True)
    operations.change(partner, {"name": "Their name"}, seen=partner.version, by=colleague)
    page = console.post(page_of(partner, "console_partner_edit"), mine)
    text = page.content.decode()
    assert page.status_code == 422
    for words in ("My name", "Their name", "Pere Primer"):
        assert words in text
    partner.refresh_from_db()
    assert partner.name == "Their name"
    console.post(page_of(partner, "console_partner_edit"), mine | {"seen": page.context["form"]["seen"].value()})
    partner.refresh_from_db()
    assert partner.name == "My name"


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 40])
def test_a_form_without_a_version_that_was_seen_writes_nothing(console, partner, seen):
    assert console.post(page_of(partner, "console_partner_edit"), sent(partner, name="Mine", seen=seen)).status_code == 422
    partner.refresh_from_db()
    assert partner.name == "Marketplace Sabadell"


# --- Connecting ------------------------------------------------------------------------------------------------------------


def typed(site, **changes):
    return {"reader": "protocol", "base_url": site.url, "contact_name": "Montserrat Puig", "step": "ask"} | changes


def test_a_marketplace_says_who_it_is_before_anything_is_written(console, site):
    node = uuid.uuid4()
    tell(site, node=node, name="Mercat de Catalunya")
    page = console.post(CONNECT, typed(site))
    text = page.content.decode()
    assert not Partner.objects.exists()
    for words in (str(node), "Mercat de Catalunya", "NACE Rev. 2", "INE municipalities", "ca, es", "Montserrat Puig"):
        assert words in text
    answer = console.post(CONNECT, typed(site, step="connect", node=str(node)))
    partner = Partner.objects.get()
    assert answer.url == page_of(partner)
    assert (partner.name, partner.node_uid, partner.base_url, partner.contact_name) == ("Mercat de Catalunya", node, site.url, "Montserrat Puig")
    assert partner.state == PartnerState.NEW


def test_another_node_than_was_shown_is_shown_first(console, site):
    tell(site)
    page = console.post(CONNECT, typed(site, step="connect", node=str(uuid.uuid4())))
    assert page.context["found"]
    assert not Partner.objects.exists()


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "answer",
    [
        404,
        500,
        (302, {"Location": "https://elsewhere.example.org/"}, b""),
        (200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>"),
        (200, JSON, b"not json"),
        (200, JSON, b"[]"),
        (200, JSON, b"[" * 100_000),
        (200, JSON, b'{"node_id": "x", "name": "y", "base_url": "z", "versions": [], "languages": []}'),
        (200, JSON, b'{"node_id": 5}'),
        (200, JSON, b'{"a": "' + b"x" * 70_000 + b'"}'),
    ],
)
def test_an_address_where_no_marketplace_is_gets_a_word_and_keeps_what_was_typed(console, site, answer):
    site.pages[WELL_KNOWN] = answer
    page = console.post(CONNECT, typed(site, name="My name for it"))
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"base_url"}
    for words in (site.url, "My name for it", "Montserrat Puig"):
        assert words in page.content.decode()
    assert not Partner.objects.exists()


@pytest.mark.parametrize(
    "address", ["", "nonsense", "http://10.0.0.1", "https://localhost", "javascript:alert(1)", "http://[::1", "https://a@b.example", "https://\0", "x" * 501]
)
def test_an_address_that_may_not_be_asked_gets_a_word(console, address, db):
    for reader in ("protocol", "table"):
        page = console.post(CONNECT, {"reader": reader, "base_url": address, "name": "Somebody", "step": "ask"})
        assert page.status_code == 422
        assert "base_url" in page.context["form"].errors
    assert not Partner.objects.exists()


def test_versions_and_address_have_to_fit(console, site):
    for changes in ({"versions": ["7"]}, {"base_url": "https://other.example.org"}, {"name": " "}):
        tell(site, **changes)
        assert console.post(CONNECT, typed(site)).context["form"].errors.keys() == {"base_url"}


def test_who_has_a_table_is_added_by_name(console, db):
    page = console.post(CONNECT, {"reader": "table", "base_url": "cambra.example.org/", "name": "", "step": "ask"})
    assert "name" in page.context["form"].errors
    answer = console.post(CONNECT, {"reader": "table", "base_url": "cambra.example.org/", "name": "Cambra", "step": "ask"})
    partner = Partner.objects.get()
    assert (partner.base_url, partner.reader) == ("https://cambra.example.org", "table")
    assert answer.url == page_of(partner, "console_partner_reading")


def test_a_name_that_is_taken_is_said(console, curator, partner):
    page = console.post(CONNECT, {"reader": "none", "base_url": "https://x.example.org", "name": partner.name, "step": "ask"})
    assert page.context["form"].errors.keys() == {"name"}


# --- Nonsense ---------------------------------------------------------------------------------------------------------------

HUGE = "9" * 40
NONSENSE = [
    {"p": HUGE},
    {"p": "-1"},
    {"ordering": "password"},
    {"ordering": "-\0"},
    {"partner": HUGE},
    {"partner": "\0"},
    {"state": "\0"},
    {"q": "\0"},
    {"q": "x" * 10_000},
    {"scheme": HUGE},
]


@pytest.mark.parametrize("query", NONSENSE, ids=str)
def test_nonsense_in_an_address_is_no_error_of_ours(console, partner, query):
    addresses = [reverse(name) for name in OF_ALL + OF_MANAGERS] + [page_of(partner, name) for name in OF_ONE + OF_ONE_FOR_MANAGERS]
    assert {address for address in addresses if console.get(address, query).status_code >= 500} == set()


def test_numbers_beyond_every_database_are_not_found(console, db):
    for name, act in (("console_partner_quarantined", "settle"), ("console_partner_duplicate", "same")):
        for number in (0, 2**31, 2**63, int(HUGE)):
            assert console.get(reverse(name, args=[number])).status_code == 404
            assert console.post(reverse(name, args=[number]), {"act": act}).status_code == 404

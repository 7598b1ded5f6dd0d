"""The company's own space: its listings, the form, every step."""

import datetime
import http.client
import uuid

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import search
from marketplace.companies.enums import MembershipState, Role
from marketplace.listings import operations, proposals
from marketplace.listings.enums import Move, State
from marketplace.listings.models import Listing
from search import engine, index
from tests.factories import ListingFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
MONTH = datetime.timedelta(days=30)


@pytest.fixture
def owner(client):
    membership = MembershipFactory(user__name="Anna")
    client.force_login(membership.user)
    return membership


@pytest.fixture
def company(owner):
    return owner.company


def at(name, listing=None, *more):
    return reverse(f"listings:{name}", args=[*([listing.uid] if listing else []), *more])


def typed(**changes):
    return {
        "kind": "offer",
        "category": "product",
        "title": "Pantalles facials de PET",
        "description": "Fabriquem pantalles facials reutilitzables amb visera de PET.",
        "sector": "2229",
        "valid_until": str(timezone.localdate() + MONTH),
        "place": "Terrassa",
        "submission_key": str(uuid.uuid4()),
    } | changes


def queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


# --- Who may do what ----------------------------------------------------------------------------------------------------


@pytest.fixture
def everybody():
    owner = MembershipFactory()
    curator = UserFactory()
    curator.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    return owner.company, {
        "stranger": None,
        "other": MembershipFactory().user,
        "asking": MembershipFactory(company=owner.company, role=Role.MEMBER, state=MembershipState.REQUESTED).user,
        "curator": curator,
        "member": MembershipFactory(company=owner.company, role=Role.MEMBER).user,
        "owner": owner.user,
    }


@pytest.mark.parametrize("who", ["stranger", "other", "asking", "curator", "member", "owner"])
@pytest.mark.parametrize(
    "request_of",
    [
        ("own", (), "get", 200),
        ("edit", (), "get", 200),
        ("edit", (), "post", 422),
        ("assist", (), "post", 200),
        ("assist", (), "get", 405),
        ("step", ("submit",), "post", 302),
        ("step", ("submit",), "get", 302),
        ("step", ("withdraw",), "get", 200),
        ("step", ("withdraw",), "post", 302),
        ("step", ("publish",), "post", 404),
        ("step", ("delete",), "post", 404),
    ],
)
def test_a_listing_is_its_companys_alone(client, everybody, who, request_of):
    name, more, method, own_answer = request_of
    company, users = everybody
    listing = ListingFactory(company=company)
    if users[who]:
        client.force_login(users[who])
    response = getattr(client, method)(at(name, listing, *more), {})
    if who == "stranger":
        expected = 302
    elif who in ("member", "owner") or own_answer == 405:
        expected = own_answer
    else:
        expected = 403 if name == "assist" and who in ("asking", "curator") else 404
    assert response.status_code == expected
    if who == "stranger" and response.status_code == 302:
        assert response.url.startswith(reverse("account_login"))
    if who not in ("member", "owner"):
        listing.refresh_from_db()
        assert (listing.state, listing.version) == (State.DRAFT, 1)


@pytest.mark.parametrize("move", ["submit", "renew", "reopen", "close", "withdraw"])
def test_looking_at_a_step_changes_nothing(client, company, move):
    for state in State.values:
        listing = ListingFactory(company=company, state=state)
        client.get(at("step", listing, move))
        listing.refresh_from_db()
        assert (listing.state, listing.version) == (state, 1)


def test_every_post_needs_the_token(company, owner, client):
    listing = ListingFactory(company=company)
    client.handler.enforce_csrf_checks = True
    for address in (at("create"), at("assist"), at("edit", listing), at("step", listing, "submit")):
        assert client.post(address, typed()).status_code == 403
    assert Listing.objects.count() == 1


# --- Writing ------------------------------------------------------------------------------------------------------------


def test_a_new_listing_is_a_draft_that_is_looked_at_and_then_sent(client, company):
    response = client.post(at("create"), typed(), follow=True)
    listing = Listing.objects.get()
    page = response.content.decode()
    assert response.redirect_chain == [(at("own", listing), 302)]
    assert (listing.state, listing.language, listing.company) == (State.DRAFT, "ca", company)
    assert listing.description in page
    assert at("step", listing, "submit") in page
    client.post(at("step", listing, "submit"))
    listing.refresh_from_db()
    assert listing.state == State.SUBMITTED


def test_without_a_company_the_way_leads_to_the_company_step(client):
    client.force_login(UserFactory())
    response = client.get(at("create"), follow=True)
    assert response.redirect_chain[-1][0] == reverse("companies:create")


def test_a_form_sent_twice_makes_one_listing(client, company):
    fields = typed()
    first, second = (client.post(at("create"), fields) for _ in range(2))
    assert first.url == second.url
    assert Listing.objects.count() == 1
    assert Listing.objects.get().transitions.count() == 1


def test_a_form_sent_again_with_other_text_changes_the_first_draft(client, company):
    fields = typed()
    client.post(at("create"), fields)
    client.post(at("create"), fields | {"title": "Pantalles facials de PET i PC"})
    assert Listing.objects.get().title == "Pantalles facials de PET i PC"


@pytest.mark.parametrize("key", ["", "nonsense", "\x00"])
def test_a_form_without_a_good_key_still_saves_or_says_why(client, company, key):
    response = client.post(at("create"), typed(submission_key=key))
    assert response.status_code in (302, 422)
    assert Listing.objects.count() == (1 if response.status_code == 302 else 0)


def test_the_key_of_another_companys_form_is_no_way_in(client, company):
    other = ListingFactory(submission_key=uuid.uuid4())
    response = client.post(at("create"), typed(submission_key=str(other.submission_key)))
    assert response.status_code == 422
    other.refresh_from_db()
    assert other.title != typed()["title"]


def test_what_was_typed_survives_an_error(client, company):
    response = client.post(at("create"), typed(title="Curt", keywords="visera", reach_km="30", description="Text amb <b>marques</b> i 🦄 prou llarg."))
    page = response.content.decode()
    assert response.status_code == 422
    for kept in ('value="Curt"', 'value="visera"', 'value="30"', "Text amb &lt;b&gt;marques&lt;/b&gt; i 🦄 prou llarg."):
        assert kept in page
    assert 'value="2229" checked' in page
    assert not Listing.objects.exists()


def test_proposing_without_javascript_keeps_the_text_and_shows_no_errors(client, company):
    response = client.post(at("create"), {"title": "Neteja d'oficines i edificis", "description": "", "step": "propose"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "errorlist" not in page
    assert "Neteja d&#x27;oficines i edificis" in page
    assert response.context["form"].fields["sector"].widget.proposed
    assert not Listing.objects.exists()


def test_the_address_can_fill_in_the_form(client, company):
    form = client.get(at("create") + "?kind=demand&category=space&sector=6820&title=Nau").context["form"]
    assert [form[name].value() for name in ("kind", "category", "sector", "title")] == ["demand", "space", "6820", "Nau"]


def test_nonsense_in_the_address_fills_in_nothing_bad(client, company):
    assert client.get(at("create") + "?kind=x&category=%3Cscript%3E&sector=zz&title=" + "a" * 500).status_code == 200


@pytest.mark.parametrize("text", ["<script>alert(1)</script> i prou text", "שלום עולם pantalles", "🦄🦄🦄🦄🦄🦄🦄🦄"])
def test_odd_titles_are_shown_harmlessly_everywhere(client, company, text):
    client.post(at("create"), typed(title=text))
    listing = Listing.objects.get()
    for address in (at("own", listing), at("edit", listing), reverse("my_space"), at("step", listing, "withdraw"), at("detail", listing)):
        assert "<script>alert(1)" not in client.get(address).content.decode()


def test_another_of_ones_companies_can_be_chosen(client, owner):
    second = MembershipFactory(user=owner.user).company
    page = client.get(at("create")).content.decode()
    assert second.name in page
    client.post(at("create"), typed(company=str(second.uid)))
    assert Listing.objects.get().company == second


def test_a_foreign_company_cannot_be_chosen(client, owner):
    MembershipFactory(user=owner.user)
    foreign = MembershipFactory().company
    response = client.post(at("create"), typed(company=str(foreign.uid)))
    assert response.status_code == 422
    assert not Listing.objects.exists()


# --- Too much of it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_twenty_megabytes_get_a_page_that_says_so(client, company, form):
    fields = typed(description="a" * 20 * 2**20)
    if form == "multipart":
        response = client.post(at("create"), fields)
    else:
        response = client.post(at("create"), "description=" + fields["description"], content_type="application/x-www-form-urlencoded")
    assert response.status_code == 413
    assert "3 MB" in response.content.decode()
    assert not Listing.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_megabytes_over_a_real_connection_get_the_page_too(live_server):
    connection = http.client.HTTPConnection(live_server.thread.host, live_server.thread.port, timeout=30)
    connection.request("POST", at("create"), b"description=" + b"a" * 20 * 2**20, {"Content-Type": "application/x-www-form-urlencoded"})
    response = connection.getresponse()
    assert response.status == 413
    assert b"3 MB" in response.read()
    connection.close()


def test_a_text_over_the_limit_is_kept_and_told_its_length(client, company):
    response = client.post(at("create"), typed(description="paraula " * 1000))
    assert response.status_code == 422
    assert "paraula paraula" in response.content.decode()
    assert "7999" in str(response.context["form"].errors["description"])


# --- Editing at once ----------------------------------------------------------------------------------------------------


def test_an_edit_of_what_a_colleague_changed_shows_both_and_overwrites_only_when_meant(client, company, owner):
    listing = ListingFactory(company=company)
    colleague = MembershipFactory(company=company, role=Role.MEMBER).user
    operations.edit(listing, {"title": "El títol de la companya"}, by=colleague)
    fields = typed(title="El meu títol nou", version="1")
    response = client.post(at("edit", listing), fields)
    page = response.content.decode()
    assert response.status_code == 409
    assert "El títol de la companya" in page
    assert 'value="El meu títol nou"' in page
    listing.refresh_from_db()
    assert listing.title == "El títol de la companya"
    client.post(at("edit", listing), fields | {"version": response.context["form"]["version"].value()})
    listing.refresh_from_db()
    assert listing.title == "El meu títol nou"


def test_what_is_closed_cannot_be_edited(client, company):
    listing = ListingFactory(company=company, state=State.CLOSED)
    for method in (client.get, client.post):
        assert method(at("edit", listing)).url == at("own", listing)


def test_a_published_listing_stays_public_after_an_edit(client, company):
    listing = ListingFactory(company=company, live=True)
    client.post(at("edit", listing), typed(title="Pantalles facials, més barates", version="1"))
    listing.refresh_from_db()
    assert (listing.state, listing.title) == (State.PUBLISHED, "Pantalles facials, més barates")


# --- Steps --------------------------------------------------------------------------------------------------------------


def test_renewing_is_one_click_in_the_space(client, company):
    listing = ListingFactory(company=company, state=State.EXPIRED, valid_until=timezone.localdate() - MONTH)
    assert at("step", listing, "renew") in client.get(reverse("my_space")).content.decode()
    client.post(at("step", listing, "renew"))
    listing.refresh_from_db()
    assert (listing.state, listing.days_left) == (State.PUBLISHED, 365)


def test_closing_asks_first_and_keeps_the_reason(client, company, owner):
    listing = ListingFactory(company=company, live=True)
    assert client.get(at("step", listing, "close")).status_code == 200
    client.post(at("step", listing, "close"), {"reason": "Ja hem\x00 trobat qui ho fa"})
    listing.refresh_from_db()
    step = listing.transitions.get()
    assert (listing.state, step.reason, step.by) == (State.CLOSED, "Ja hem trobat qui ho fa", owner.user)


def test_a_step_that_somebody_else_was_faster_with_is_explained(client, company):
    listing = ListingFactory(company=company, state=State.SUBMITTED)
    response = client.post(at("step", listing, "submit"), follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert not listing.transitions.exists()


def test_a_draft_whose_date_has_passed_says_what_to_change(client, company):
    listing = ListingFactory(company=company, valid_until=timezone.localdate() - MONTH)
    response = client.post(at("step", listing, "submit"), follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    listing.refresh_from_db()
    assert listing.state == State.DRAFT


def test_the_page_offers_the_steps_that_are_possible(client, company):
    offered = {
        State.DRAFT: {"submit", "withdraw"},
        State.SUBMITTED: {"withdraw"},
        State.CHANGES_REQUESTED: {"submit", "withdraw"},
        State.PUBLISHED: {"close", "withdraw"},
        State.EXPIRED: {"renew", "close", "withdraw"},
        State.CLOSED: {"reopen"},
        State.WITHDRAWN: {"reopen"},
        State.REJECTED: set(),
    }
    for state, moves in offered.items():
        listing = ListingFactory(company=company, state=state)
        page = client.get(at("own", listing)).content.decode()
        assert {move for move in Move.values if f"/step/{move}/" in page} == moves


def test_the_history_names_colleagues_and_not_curators(client, company, owner):
    curator = UserFactory(name="Carme Curadora")
    curator.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    listing = operations.submit(ListingFactory(company=company), by=owner.user)
    operations.request_changes(listing, by=curator, reason="Digueu quantes en feu a la setmana")
    page = client.get(at("own", listing)).content.decode()
    assert "Digueu quantes en feu a la setmana" in page
    assert "Anna" in page
    assert "Carme Curadora" not in page


# --- My space -----------------------------------------------------------------------------------------------------------


def test_the_space_groups_by_state_and_says_the_reason(client, company, owner):
    for state in State.values:
        ListingFactory(company=company, state=state)
    returned = Listing.objects.get(state=State.CHANGES_REQUESTED)
    returned.transitions.create(move=Move.REQUEST_CHANGES, from_state=State.SUBMITTED, to_state=State.CHANGES_REQUESTED, reason="Falta el preu")
    ListingFactory(title="Coses de la competència")
    response = client.get(reverse("my_space"))
    assert {group.state: group.count for group in response.context["groups"]} == dict.fromkeys(State.values, 1)
    page = response.content.decode()
    assert "Falta el preu" in page
    assert "Coses de la competència" not in page


def test_one_state_alone_is_paged(client, company):
    ListingFactory.create_batch(32, company=company)
    response = client.get(reverse("my_space"), {"state": "draft", "page": "2"})
    assert len(response.context["groups"][0].listings) == 2
    assert client.get(reverse("my_space"), {"state": "nonsense", "page": "x"}).status_code == 200


def test_the_space_shows_the_first_of_every_state_however_many_another_has(client, company):
    draft = ListingFactory(company=company)
    ListingFactory.create_batch(12, company=company, state=State.CLOSED)
    groups = {group.state: group for group in client.get(reverse("my_space")).context["groups"]}
    assert groups[State.DRAFT].listings == [draft]
    assert (groups[State.CLOSED].count, len(groups[State.CLOSED].listings)) == (12, 8)


def test_the_space_costs_a_constant_number_of_queries(client, company):
    counts = []
    for number in (1, 2):
        for state in State.values:
            ListingFactory.create_batch(number, company=company, state=state)
        counts.append(queries(client, reverse("my_space")))
    assert counts[0] == counts[1]


def test_the_listings_page_costs_a_constant_number_of_queries(client, company, owner):
    listing = ListingFactory(company=company)
    counts = []
    for number in (1, 2):
        for _ in range(number):
            operations.edit(Listing.objects.get(), {"keywords": str(number)}, by=owner.user)
        counts.append(queries(client, at("own", listing)))
    assert counts[0] == counts[1]


def test_an_empty_space_says_how_to_begin(client, company):
    assert at("create") in client.get(reverse("my_space")).content.decode()


def test_a_curator_without_a_company_is_shown_the_console(client):
    curator = UserFactory()
    curator.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    client.force_login(curator)
    assert reverse("wagtailadmin_home") in client.get(reverse("my_space")).content.decode()


# --- Proposals, with and without an engine ------------------------------------------------------------------------------


@pytest.fixture
def market(settings, tmp_path):
    """An index with one live listing of another company."""
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "index", ""
    [backend] = engine.backends()
    backend.create()
    listing = ListingFactory(live=True, title="Pantalles facials reutilitzables de PET", sector_id="3250")
    index.rebuild()
    return listing


def test_similar_listings_are_shown_while_writing_and_before_sending(client, company, market):
    fragment = client.post(at("assist"), typed()).content.decode()
    assert market.title in fragment
    client.post(at("create"), typed())
    assert market.title in client.get(at("own", Listing.objects.get(company=company))).content.decode()


def test_the_sector_of_similar_listings_is_proposed(client, company, market):
    assert 'value="3250"' in client.post(at("assist"), typed(sector="")).content.decode()


def test_the_fragment_says_the_language_and_keeps_the_chosen_sector(client, company):
    fragment = client.post(at("assist"), typed(sector="6201")).content.decode()
    assert 'value="6201" checked' in fragment
    assert 'id="language-found"' in fragment


def test_the_fragment_leaves_a_search_for_a_sector_alone(client, company):
    assert "id_sector_options" not in client.post(at("assist"), typed(sector_words="dentista")).content.decode()


def test_a_listing_of_the_same_title_is_pointed_out(client, company):
    first = ListingFactory(company=company, title="Pantalles facials de PET")
    assert at("own", first) in client.post(at("assist"), typed()).content.decode()
    assert at("own", first) not in client.post(at("assist", first), typed()).content.decode()


@pytest.mark.parametrize(
    "fields", [{}, {"title": "\x00" * 20, "description": "\x00"}, {"title": "🦄" * 100}, {"title": "x" * 5000, "kind": "no", "sector": "no", "language": "xx"}]
)
def test_the_fragment_bears_anything(client, company, fields):
    assert client.post(at("assist"), fields).status_code == 200


def test_no_engine_at_all_leaves_the_form_working(client, company, settings, tmp_path):
    # A file where the index should be: every question to the engine fails.
    (tmp_path / "index").write_text("this is no index")
    settings.EMBEDDED_INDEX_PATH, settings.ELASTICSEARCH_URL = tmp_path / "index", ""
    with pytest.raises(search.SearchUnavailable):
        search.find(search.Query(text="gel"))
    assert client.post(at("assist"), typed()).status_code == 200
    assert client.post(at("create"), typed()).status_code == 302
    assert client.get(at("own", Listing.objects.get())).status_code == 200


def test_an_engine_that_breaks_leaves_the_form_working(client, company, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        message = "a fault nobody thought of"
        raise RuntimeError(message)

    monkeypatch.setattr(proposals.search, "suggest", broken)
    monkeypatch.setattr(proposals.search, "detect_language", broken)
    assert client.post(at("assist"), typed()).status_code == 200
    assert client.post(at("create"), typed()).status_code == 302
    assert "a fault nobody thought of" in caplog.text


@pytest.mark.parametrize(("state", "promised"), [("draft", True), ("rejected", False)])
def test_a_rejected_listing_is_not_promised_suggestions(client, state, promised):
    listing = ListingFactory(state=state)
    client.force_login(MembershipFactory(company=listing.company).user)
    assert ('id="suggestions"' in client.get(reverse("listings:own", args=[listing.uid])).content.decode()) is promised


def test_my_space_of_somebody_who_writes_the_sites_pages_is_the_console(client, db):
    editor = UserFactory()
    editor.groups.add(Group.objects.get(name="Aid editors"))
    client.force_login(editor)
    assert client.get(reverse("my_space")).url == reverse("wagtailadmin_home")
    client.force_login(UserFactory())
    assert client.get(reverse("my_space")).url == reverse("companies:create")

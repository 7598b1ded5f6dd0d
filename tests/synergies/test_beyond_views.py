"""The pages of groups and rings: who sees what, what one can do, what they never tell."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from marketplace.core.models import Change, Mail
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import beyond_operations, operations, ring_refresh
from marketplace.synergies.enums import State
from marketplace.synergies.models import Consortium, Ring, Synergy
from tests.concurrency import at_once, kinds
from tests.factories import MembershipFactory, UserFactory
from tests.synergies.conftest import publish
from tests.synergies.together import groups, look, make_circle, make_fair, person_of

#: Locks are another matter on each.
BOTH_DATABASES = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def body(response) -> str:
    return response.content.decode()


@pytest.fixture
def fair(own_index):
    fair = make_fair()
    look(fair.demand)
    return fair


@pytest.fixture
def circle():
    companies, synergies = make_circle(3)
    ring_refresh.refresh_all()
    return companies, synergies


@pytest.fixture
def together():
    return reverse("synergies:together")


# --- Who sees it ----------------------------------------------------------------------------------------------------------


def test_people_of_a_group_see_it_and_nobody_else_does(fair, together):
    page, ask = fair.consortium.get_absolute_url(), reverse("synergies:ask_member", args=[fair.consortium.uid, fair.consortium.members.first().pk])
    no = reverse("synergies:set_aside_group", args=[fair.consortium.uid])
    for person in (fair.asker, *fair.offerers):
        client = signed_in(person)
        assert client.get(page).status_code == 200
        assert fair.demand.title in body(client.get(together))
    for stranger in (MembershipFactory().user, UserFactory(is_staff=True, is_superuser=True)):
        client = signed_in(stranger)
        assert [client.get(page).status_code, client.post(ask).status_code, client.post(no).status_code] == [404, 404, 404]
        assert fair.demand.title not in body(client.get(together))
    for address in (page, together):
        assert Client().get(address).status_code == 302
    for address in (ask, no):
        assert signed_in(fair.asker).get(address).status_code == 405
    assert Consortium.objects.current().exists()


def test_people_of_a_ring_see_it_and_nobody_else_does(circle, together):
    ring = Ring.objects.get()
    no = reverse("synergies:set_aside_ring", args=[ring.uid])
    for company in circle[0]:
        client = signed_in(person_of(company))
        assert client.get(ring.get_absolute_url()).status_code == 200
        assert "ring-picture" in body(client.get(together))
    client = signed_in(MembershipFactory().user)
    assert [client.get(ring.get_absolute_url()).status_code, client.post(no).status_code] == [404, 404]
    assert "ring-picture" not in body(client.get(together))
    assert Client().get(ring.get_absolute_url()).status_code == 302
    assert signed_in(person_of(circle[0][0])).get(no).status_code == 405
    assert Ring.objects.current().exists()


def test_post_needs_a_csrf_token(fair):
    client = Client(enforce_csrf_checks=True)
    client.force_login(fair.asker)
    assert client.post(reverse("synergies:set_aside_group", args=[fair.consortium.uid])).status_code == 403
    assert groups()


@pytest.mark.parametrize("state", [State.SUGGESTED, State.INTEREST, State.MUTUAL])
def test_ring_shows_neither_contact_data_nor_what_others_said(circle, state):
    companies, synergies = circle
    Synergy.objects.update(state=state, offer_interest_at="2020-05-01T10:00Z")
    page = body(signed_in(person_of(companies[0])).get(Ring.objects.get().get_absolute_url()))
    assert "@circle.example" not in page.replace(person_of(companies[0]).email, "")
    foreign = synergies[1]
    assert foreign.get_absolute_url() not in page, "the pair of two others is theirs"
    assert page.count("I am interested") <= 2


def test_group_shows_no_contact_data_and_each_member_its_own_state_only(fair):
    members = {member.offer_id: member for member in fair.consortium.members.select_related("offer__company", "consortium__demand")}
    beyond_operations.ask_member(members[fair.offers[0].pk], by=fair.asker)
    asked, other = (body(signed_in(person).get(fair.consortium.get_absolute_url())) for person in fair.offerers[:2])
    assert "They said yes" in asked
    assert "They said yes" not in other
    assert "They would like to talk to you" in asked
    assert "They would like to talk to you" not in other
    assert "@firm.example" not in asked + other


@pytest.mark.parametrize("which", ["group", "ring"])
def test_page_is_gone_when_a_listing_ended(fair, circle, which):
    row, person, listing = (
        (fair.consortium, fair.asker, fair.offers[0]) if which == "group" else (Ring.objects.get(), person_of(circle[0][0]), circle[1][0].offer)
    )
    Listing.objects.filter(pk=listing.pk).update(state=ListingState.CLOSED)
    client = signed_in(person)
    assert client.get(row.get_absolute_url()).status_code == 404
    assert listing.title not in body(client.get(reverse("synergies:together"), {"show": f"{which}s"}))


# --- What one can do ------------------------------------------------------------------------------------------------------


def test_asking_a_member_makes_the_pair_and_tells_the_company(fair):
    Mail.objects.all().delete()
    Synergy.objects.all().delete()
    member = fair.consortium.members.get(offer=fair.offers[1])
    client = signed_in(fair.asker)
    response = client.post(reverse("synergies:ask_member", args=[fair.consortium.uid, member.pk]), follow=True)
    assert "You said yes" in body(response)
    synergy = Synergy.objects.get()
    assert (synergy.offer, synergy.demand, synergy.state) == (fair.offers[1], fair.demand, State.INTEREST)
    assert synergy.demand_interest_at
    assert synergy.reasons
    assert [event.step for event in synergy.events.all()] == ["suggested", "interest"]
    assert Change.objects.filter(kind="synergy", uid=synergy.uid).exists(), "it has a place in both lists now"
    assert [mail.to for mail in Mail.objects.all()] == [fair.offerers[1].email]
    page = body(signed_in(fair.offerers[1]).get(synergy.get_absolute_url()))
    assert fair.consortium.get_absolute_url() in page, "the member learns that it is a part of a group"
    operations.express_interest(synergy, by=fair.offerers[1])
    assert Synergy.objects.get().state == State.MUTUAL
    assert "See the contact data" in body(client.get(fair.consortium.get_absolute_url()))


def test_asking_uses_the_stored_pair_where_there_is_one(fair):
    stored = Synergy.objects.create(offer=fair.offers[0], demand=fair.demand, score=55, engine_version="kept")
    beyond_operations.ask_member(fair.consortium.members.get(offer=fair.offers[0]), by=fair.asker)
    stored.refresh_from_db()
    assert (stored.engine_version, stored.state) == ("kept", State.INTEREST)


def test_members_cannot_ask_in_the_name_of_the_asking_company(fair):
    member = fair.consortium.members.first()
    assert signed_in(fair.offerers[0]).post(reverse("synergies:ask_member", args=[fair.consortium.uid, member.pk])).status_code == 403
    with pytest.raises(PermissionDenied):
        beyond_operations.set_aside_group(fair.consortium, by=MembershipFactory().user)
    assert not Synergy.objects.filter(demand_interest_at__isnull=False).exists()


def test_second_press_of_somebody_who_acts_for_both_binds_one_company_only(fair):
    both = fair.asker
    MembershipFactory(company=fair.offers[0].company, user=both)
    member = fair.consortium.members.get(offer=fair.offers[0])
    for _ in range(2):
        synergy = beyond_operations.ask_member(member, by=both)
    assert (synergy.state, synergy.offer_interest_at) == (State.INTEREST, None)


def test_asking_too_late_says_so(fair):
    member = fair.consortium.members.first()
    address = reverse("synergies:ask_member", args=[fair.consortium.uid, member.pk])
    beyond_operations.set_aside_group(fair.consortium, by=fair.offerers[0])
    response = signed_in(fair.asker).post(address, follow=True)
    assert response.status_code == 200
    assert "This is gone" in body(response)
    with pytest.raises(ValidationError):
        beyond_operations.ask_member(member, by=fair.asker)


def test_asking_without_a_search_server_says_so(fair, settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "nothing"
    Synergy.objects.all().delete()
    member = fair.consortium.members.first()
    response = signed_in(fair.asker).post(reverse("synergies:ask_member", args=[fair.consortium.uid, member.pk]), follow=True)
    assert "does not answer" in body(response)
    assert not Synergy.objects.exists()


def test_set_aside_group_and_ring_are_gone_for_everybody(fair, circle, together):
    signed_in(fair.offerers[0]).post(reverse("synergies:set_aside_group", args=[fair.consortium.uid]), follow=True)
    response = signed_in(person_of(circle[0][2])).post(reverse("synergies:set_aside_ring", args=[Ring.objects.get().uid]), follow=True)
    assert "Set aside" in body(response)
    for person in (fair.asker, *fair.offerers, *map(person_of, circle[0])):
        page = body(signed_in(person).get(together))
        assert fair.demand.title not in page
        assert "ring-picture" not in page
    assert Synergy.objects.exclude(state=State.SUGGESTED).count() == 0, "the pairs stay as they are"


def test_set_aside_twice_keeps_the_first(circle):
    ring = Ring.objects.get()
    first, second = (person_of(company) for company in circle[0][:2])
    beyond_operations.set_aside_ring(ring, by=first)
    assert signed_in(second).post(reverse("synergies:set_aside_ring", args=[ring.uid])).status_code == 302
    ring.refresh_from_db()
    assert ring.dismissed_by == circle[0][0]


@BOTH_DATABASES
@pytest.mark.django_db(transaction=True)
def test_two_people_ask_the_same_member_at_once(own_index, database):
    fair = make_fair()
    look(fair.demand)
    colleague = MembershipFactory(company=fair.demand.company).user
    Synergy.objects.all().delete()
    member = fair.consortium.members.first()
    results = at_once(*(lambda by=by: beyond_operations.ask_member(fair.consortium.members.get(pk=member.pk), by=by) for by in (fair.asker, colleague)))
    assert kinds(results) == ["Synergy", "Synergy"]
    assert Synergy.objects.count() == 1
    assert [event.step for event in Synergy.objects.get().events.all()] == ["suggested", "interest"]


@BOTH_DATABASES
@pytest.mark.django_db(transaction=True)
def test_one_sets_aside_while_another_asks(own_index, database):
    fair = make_fair()
    look(fair.demand)
    group = fair.consortium
    member = group.members.first()
    results = at_once(lambda: beyond_operations.set_aside_group(group, by=fair.offerers[0]), lambda: beyond_operations.ask_member(member, by=fair.asker))
    assert kinds(results) in (["Consortium", "IllegalStepError"], ["Consortium", "Synergy"])
    assert groups() == set()


# --- What the pages say ---------------------------------------------------------------------------------------------------


def test_group_page_quotes_what_answers_what(fair):
    page = body(signed_in(fair.asker).get(fair.consortium.get_absolute_url()))
    for words in ("3 companies, each with a part of what you ask", "Ask Envelats", "The best one alone covers"):
        assert words in page
    assert "<mark" in page
    text = fair.demand
    Listing.objects.filter(pk=text.pk).update(description="Ara demanem <script>alert(1)</script> tota una altra cosa ben diferent.", title="Una altra cosa")
    page = body(signed_in(fair.asker).get(fair.consortium.get_absolute_url()))
    assert "<script>alert" not in page


def test_ring_page_tells_the_picture_in_words_and_begins_with_the_reader(circle):
    companies, _ = circle
    page = body(signed_in(person_of(companies[1])).get(Ring.objects.get().get_absolute_url()))
    assert 'aria-label="Baula 1 can serve Baula 2. Baula 2 can serve Baula 0. Baula 0 can serve Baula 1."' in page
    assert page.count("I am interested") == 2, "one for each link of the reader's"


def test_yes_to_a_link_leads_back_to_the_ring(circle):
    companies, synergies = circle
    page = Ring.objects.get().get_absolute_url()
    response = signed_in(person_of(companies[0])).post(reverse("synergies:interest", args=[synergies[0].uid]), {"next": page}, follow=True)
    assert response.redirect_chain[-1][0] == page
    assert "You said yes" in body(response)


def test_listing_page_shows_the_group_to_its_owner(fair):
    for person, listing in ((fair.asker, fair.demand), (fair.offerers[0], fair.offers[0])):
        piece = body(signed_in(person).get(reverse("synergies:for_listing", args=[listing.uid]), headers={"HX-Request": "true"}))
        assert fair.consortium.get_absolute_url() in piece
    assert "Groups and rings" in body(signed_in(fair.asker).get(reverse("synergies:inbox")))


@pytest.mark.parametrize(
    ("has_company", "has_listing", "words"), [(False, False, "First tell us"), (True, False, "Publish what you offer"), (True, True, "No group")]
)
def test_empty_page_says_why_and_what_to_do(together, has_company, has_listing, words):
    user = MembershipFactory().user if has_company else UserFactory()
    if has_listing:
        publish(company=user.memberships.get().company)
    assert words in body(signed_in(user).get(together, {"show": "groups"}))
    if has_listing:
        assert "No ring" in body(signed_in(user).get(together, {"show": "rings"}))


@pytest.mark.parametrize("show", ["groups", "rings"])
def test_list_costs_the_same_queries_for_one_and_for_three(fair, circle, together, show):
    user = fair.asker
    MembershipFactory(company=circle[0][0], user=user)

    def queries():
        client = signed_in(user)
        client.get(together, {"show": show})
        with CaptureQueriesContext(connection) as captured:
            page = body(client.get(together, {"show": show}))
        return len(captured), page.count("<article")

    one = queries()
    [consortium] = Consortium.objects.all()
    for number in range(2):
        copy = Consortium.objects.create(demand=fair.demand, key=f"copy{number}", size=3, covered=0.5, best_alone=0.2, missing=[], engine_version="test")
        for member in consortium.members.all():
            member.pk, member.consortium = None, copy
            member.save()
    for size in (2, 4):
        companies, _ = make_circle(size)
        MembershipFactory(company=companies[0], user=user)
    ring_refresh.refresh_all()
    three = queries()
    assert (one[1], three[1]) == (1, 3)
    assert one[0] == three[0]

"""A listing's life: every step from every state, who may take it, what it leaves behind, two people at once."""

import datetime
import uuid

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone, translation

from marketplace.companies.enums import MembershipState, Role
from marketplace.core.models import Change, Mail
from marketplace.listings import operations
from marketplace.listings.enums import TRANSITIONS, Move, State
from marketplace.listings.models import Listing
from tests.concurrency import at_once, kinds
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
COMPANY_STEPS = {Move.SUBMIT: operations.submit, Move.RENEW: operations.renew, Move.CLOSE: operations.close} | {
    Move.WITHDRAW: operations.withdraw,
    Move.REOPEN: operations.reopen,
}
CURATOR_STEPS = {Move.PUBLISH: operations.publish, Move.REQUEST_CHANGES: operations.request_changes, Move.REJECT: operations.reject}


def curator():
    user = UserFactory()
    user.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    return user


@pytest.fixture
def owner():
    return MembershipFactory()


def facts(company, **changes):
    return {
        "kind": "offer",
        "category": "product",
        "title": "Pantalles facials",
        "description": "Fabriquem pantalles facials reutilitzables.",
        "language": "ca",
        "sector": company.sector,
        "place": company.place,
        "valid_until": timezone.localdate() + datetime.timedelta(days=30),
    } | changes


def take(step, listing, by):
    reason = {"reason": "Perquè sí"} if step in (operations.request_changes, operations.reject) else {}
    return step(listing, by=by, **reason)


# --- The table ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("move", [*COMPANY_STEPS, *CURATOR_STEPS], ids=str)
def test_a_step_leads_where_the_table_says_or_nowhere(owner, move, state):
    listing = ListingFactory(company=owner.company, state=state)
    step, by = (COMPANY_STEPS[move], owner.user) if move in COMPANY_STEPS else (CURATOR_STEPS[move], curator())
    target = TRANSITIONS[move].get(state)
    if target is None:
        with pytest.raises(operations.IllegalMoveError):
            take(step, listing, by)
        listing.refresh_from_db()
        assert (listing.state, listing.version) == (state, 1)
        assert not listing.transitions.exists()
        assert not Change.objects.exists()
        assert not Mail.objects.exists()
    else:
        listing = take(step, listing, by)
        assert (listing.state, listing.version) == (target, 2)
        assert list(listing.transitions.values_list("move", "from_state", "to_state", "by")) == [(move, state, target, by.pk)]
        assert list(Change.objects.values_list("kind", "uid", "operation")) == [("listing", listing.uid, "upsert")]


@pytest.mark.parametrize("move", COMPANY_STEPS, ids=str)
def test_steps_of_the_company_are_for_its_people(owner, move):
    state = next(iter(TRANSITIONS[move]))
    strangers = [
        UserFactory(),
        MembershipFactory().user,
        MembershipFactory(company=owner.company, role=Role.MEMBER, state=MembershipState.REQUESTED).user,
        MembershipFactory(company=owner.company, role=Role.MEMBER, state=MembershipState.REFUSED).user,
        curator(),
    ]
    for stranger in strangers:
        with pytest.raises(PermissionDenied):
            COMPANY_STEPS[move](ListingFactory(company=owner.company, state=state), by=stranger)
    member = MembershipFactory(company=owner.company, role=Role.MEMBER).user
    assert COMPANY_STEPS[move](ListingFactory(company=owner.company, state=state), by=member).state == TRANSITIONS[move][state]


@pytest.mark.parametrize("move", CURATOR_STEPS, ids=str)
def test_steps_of_curators_are_for_curators_and_never_in_their_own_cause(owner, move):
    listing = ListingFactory(company=owner.company, state=State.SUBMITTED)
    colleague = curator()
    MembershipFactory(company=owner.company, user=colleague)
    for stranger in (owner.user, UserFactory(), colleague):
        with pytest.raises(PermissionDenied):
            take(CURATOR_STEPS[move], listing, stranger)


# --- Creating and editing -------------------------------------------------------------------------------------------------


def test_create_needs_membership():
    company = CompanyFactory()
    with pytest.raises(PermissionDenied):
        operations.create(company, facts(company), by=UserFactory())


def test_create_makes_a_draft_that_followers_need_not_know(owner):
    listing = operations.create(owner.company, facts(owner.company), by=owner.user)
    assert (listing.state, listing.author) == (State.DRAFT, owner.user)
    assert not Change.objects.exists()


@pytest.mark.parametrize("changes", [{"title": "curt"}, {"description": "curta"}, {"kind": "gift"}, {"language": "fr"}, {"reach_km": 0}])
def test_create_checks_what_the_form_checks(owner, changes):
    with pytest.raises(ValidationError) as error:
        operations.create(owner.company, facts(owner.company, **changes), by=owner.user)
    assert list(error.value.message_dict) == list(changes)


def test_edit_of_what_changed_since_is_refused(owner):
    listing = ListingFactory(company=owner.company, live=True)
    operations.edit(listing, {"title": "La primera edició"}, by=owner.user, version=1)
    with pytest.raises(operations.StaleEditError):
        operations.edit(listing, {"title": "La segona edició"}, by=owner.user, version=1)
    listing.refresh_from_db()
    assert listing.title == "La primera edició"


def test_edit_changes_only_what_people_may_change(owner):
    listing = ListingFactory(company=owner.company)
    operations.edit(listing, {"title": "Un títol nou", "state": State.PUBLISHED, "company": CompanyFactory()}, by=owner.user)
    listing.refresh_from_db()
    assert (listing.title, listing.state, listing.company) == ("Un títol nou", State.DRAFT, owner.company)


def test_submit_refuses_a_past_date(owner):
    listing = ListingFactory(company=owner.company, valid_until=timezone.localdate() - datetime.timedelta(days=1))
    with pytest.raises(ValidationError) as error:
        operations.submit(listing, by=owner.user)
    assert list(error.value.message_dict) == ["valid_until"]


@pytest.mark.parametrize("step", [operations.request_changes, operations.reject])
def test_a_refusal_needs_a_reason(owner, step):
    with pytest.raises(ValidationError):
        step(ListingFactory(company=owner.company, state=State.SUBMITTED), by=curator(), reason="  ")


def test_a_listing_whose_day_passed_while_it_waited_gets_a_whole_period(owner):
    listing = ListingFactory(company=owner.company, state=State.SUBMITTED, valid_until=timezone.localdate() - datetime.timedelta(days=1))
    assert operations.publish(listing, by=curator()).days_left == settings.LISTING_VALIDITY_DAYS


# --- Mails ----------------------------------------------------------------------------------------------------------------


def test_each_person_is_told_in_their_language_and_led_to_the_own_page(owner):
    MembershipFactory(company=owner.company, role=Role.MEMBER, user__language="en")
    MembershipFactory(company=owner.company, role=Role.MEMBER, state=MembershipState.REQUESTED)
    listing = ListingFactory(company=owner.company, state=State.SUBMITTED)
    operations.request_changes(listing, by=curator(), reason="Digueu quantes en feu")
    mails = list(Mail.objects.order_by("pk"))
    assert len(mails) == 2
    assert all("Digueu quantes en feu" in mail.text for mail in mails)
    with translation.override("ca"):
        assert reverse("listings:own", args=[listing.uid]) in mails[0].text
    assert f"/en/listings/{listing.uid}/manage/" in mails[1].text


# --- Time -----------------------------------------------------------------------------------------------------------------


def test_expiry_ends_what_is_overdue_once(owner):
    overdue = ListingFactory(company=owner.company, live=True, valid_until=timezone.localdate() - datetime.timedelta(days=1))
    today = ListingFactory(company=owner.company, live=True, valid_until=timezone.localdate())
    assert (operations.expire_overdue(), operations.expire_overdue()) == (1, 0)
    overdue.refresh_from_db()
    today.refresh_from_db()
    assert (overdue.state, today.state) == (State.EXPIRED, State.PUBLISHED)
    assert Mail.objects.count() == 1


def test_the_warning_comes_once_for_each_date(owner):
    listing = ListingFactory(company=owner.company, live=True, valid_until=timezone.localdate() + datetime.timedelta(days=10))
    ListingFactory(company=owner.company, live=True, valid_until=timezone.localdate() + datetime.timedelta(days=30))
    assert (operations.warn_expiring(), operations.warn_expiring()) == (1, 0)
    listing = operations.renew(listing, by=owner.user)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=360)):
        Listing.objects.exclude(pk=listing.pk).delete()
        assert operations.warn_expiring() == 1


# --- Two at once ------------------------------------------------------------------------------------------------------------


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_at_once_makes_one_listing():
    owner, key = MembershipFactory(), uuid.uuid4()
    content = facts(owner.company)
    results = at_once(*(lambda: operations.create(owner.company, content, by=owner.user, submission_key=key) for _ in range(4)))
    assert kinds(results) == ["Listing"] * 4
    assert len({listing.pk for listing in results}) == 1
    assert Listing.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_form_posted_twice_at_once_makes_one_listing(client):
    owner = MembershipFactory()
    client.force_login(owner.user)
    fields = facts(owner.company, sector="2229", place="Terrassa", submission_key=str(uuid.uuid4()))
    results = at_once(*(lambda: client.post(reverse("listings:create"), fields).url for _ in range(2)))
    assert len(set(results)) == 1
    assert Listing.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_curators_publishing_at_once_publish_once():
    listing = ListingFactory(company=MembershipFactory().company, state=State.SUBMITTED)
    curators = [curator(), curator()]
    results = at_once(*(lambda user=user: operations.publish(listing, by=user) for user in curators))
    assert kinds(results) == ["IllegalMoveError", "Listing"]
    assert (listing.transitions.count(), Mail.objects.count(), Change.objects.count()) == (1, 1, 1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_colleagues_saving_at_once_lose_nothing_unseen():
    owner = MembershipFactory()
    listing = ListingFactory(company=owner.company)
    results = at_once(
        *(lambda title=title: operations.edit(listing, {"title": title}, by=owner.user, version=1) for title in ("El títol de l'una", "El títol de l'altra"))
    )
    assert kinds(results) == ["Listing", "StaleEditError"]
    assert listing.transitions.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_publishing_and_withdrawing_at_once_leave_one_story():
    owner = MembershipFactory()
    listing = ListingFactory(company=owner.company, state=State.SUBMITTED)
    user = curator()
    at_once(lambda: operations.publish(listing, by=user), lambda: operations.withdraw(listing, by=owner.user))
    steps = list(listing.transitions.order_by("id").values_list("from_state", "to_state"))
    assert steps in ([(State.SUBMITTED, State.WITHDRAWN)], [(State.SUBMITTED, State.PUBLISHED), (State.PUBLISHED, State.WITHDRAWN)])


def test_erased_listing_is_gone_from_the_history_too():
    listing, other = ListingFactory(live=True), ListingFactory(live=True)
    uid = listing.uid

    assert operations.erase([listing], by=None) == 1

    # Naive: only the row goes, and its deletion is written down with all the text.
    assert not Listing.history.filter(uid=uid).exists()
    assert Listing.history.filter(uid=other.uid).exists()
    assert Change.objects.filter(uid=uid, operation="delete").count() == 1
    assert Listing.objects.filter(pk=other.pk).exists()

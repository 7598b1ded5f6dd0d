"""What can happen to a company and its people."""

import datetime

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from marketplace.companies import operations
from marketplace.companies.enums import MembershipState, Role
from marketplace.companies.models import Company, Membership, Place, Sector
from marketplace.core.models import Change, Mail
from tests.concurrency import at_once, kinds
from tests.factories import CompanyFactory, MembershipFactory, UserFactory, company_tax_id

pytestmark = pytest.mark.django_db


def facts(**changes):
    return {
        "tax_id": company_tax_id(7_000_001),
        "name": "Nova, SL",
        "sector": Sector.objects.get(pk="2229"),
        "place": Place.objects.get(pk="082798"),
        "size": "micro",
        "language": "ca",
    } | changes


def curator():
    user = UserFactory()
    user.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    return user


# --- Creating and editing -------------------------------------------------------------------------------------------


def test_create_makes_the_person_its_owner_and_contact_and_logs_it():
    user = UserFactory(name="Anna")
    company = operations.create(facts(), by=user)
    assert list(company.memberships.values_list("user", "role", "state")) == [(user.pk, Role.OWNER, MembershipState.ACTIVE)]
    assert (company.contact_name, company.contact_email) == ("Anna", user.email)
    assert list(Change.objects.values_list("kind", "uid", "operation")) == [("company", company.uid, "upsert")]


def test_create_refuses_a_nif_that_is_here():
    company = CompanyFactory()
    with pytest.raises(operations.CompanyExistsError) as error:
        operations.create(facts(tax_id=company.tax_id), by=UserFactory())
    assert error.value.company == company
    assert Company.objects.count() == 1


def test_create_refuses_a_wrong_nif():
    with pytest.raises(ValidationError, match="B12345675"):
        operations.create(facts(tax_id="B12345675"), by=UserFactory())


def test_edit_raises_the_version_and_logs_the_change():
    membership = MembershipFactory()
    company = operations.edit(membership.company, {"name": "Un altre nom"}, by=membership.user, version=1)
    assert (company.name, company.version) == ("Un altre nom", 2)
    assert Change.objects.filter(kind="company", uid=company.uid).count() == 1


def test_edit_of_a_company_changed_since_is_refused():
    membership = MembershipFactory()
    operations.edit(membership.company, {"name": "Primer"}, by=membership.user, version=1)
    with pytest.raises(operations.StaleEditError):
        operations.edit(membership.company, {"name": "Segon"}, by=membership.user, version=1)
    membership.company.refresh_from_db()
    assert membership.company.name == "Primer"


def test_edit_never_changes_a_nif():
    membership = MembershipFactory()
    before = membership.company.tax_id
    operations.edit(membership.company, facts(), by=membership.user)
    membership.company.refresh_from_db()
    assert membership.company.tax_id == before


def test_edit_gives_an_imported_company_its_nif_once():
    membership = MembershipFactory(company__tax_id=None)
    company = operations.edit(membership.company, facts(), by=membership.user)
    assert company.tax_id == facts()["tax_id"]


@pytest.mark.parametrize("role", [Role.MEMBER, None])
def test_edit_is_for_owners(role):
    company = CompanyFactory()
    user = MembershipFactory(company=company, role=role).user if role else UserFactory()
    with pytest.raises(PermissionDenied):
        operations.edit(company, {"name": "Nou"}, by=user)


@pytest.mark.parametrize("change", [operations.set_hidden, operations.set_verified])
def test_hiding_and_checking_are_for_curators(change):
    membership = MembershipFactory()
    with pytest.raises(PermissionDenied):
        change(membership.company, True, by=membership.user)
    company = change(membership.company, True, by=curator())
    assert company.version == 2
    assert Change.objects.filter(kind="company").count() == 1


# --- People -----------------------------------------------------------------------------------------------------------


def test_request_to_join_mails_every_owner_once():
    company = CompanyFactory()
    owners = [MembershipFactory(company=company).user for _ in range(2)]
    MembershipFactory(company=company, role=Role.MEMBER)
    person = UserFactory(name="Pau")
    first = operations.request_to_join(company, by=person, message="Soc el comptable")
    assert operations.request_to_join(company, by=person) == first
    assert sorted(mail.to for mail in Mail.objects.all()) == sorted(owner.email for owner in owners)
    assert "Soc el comptable" in Mail.objects.first().text
    assert first.state == MembershipState.REQUESTED


def test_request_to_join_a_company_without_owners_goes_to_the_innovation_service():
    service = curator()
    operations.request_to_join(CompanyFactory(), by=UserFactory())
    assert [mail.to for mail in Mail.objects.all()] == [service.email]


def test_accepting_lets_in_and_tells():
    owner = MembershipFactory()
    membership = operations.request_to_join(owner.company, by=UserFactory())
    Mail.objects.all().delete()
    membership = operations.decide(membership, accept=True, by=owner.user)
    assert (membership.state, membership.role, membership.decided_by) == (MembershipState.ACTIVE, Role.MEMBER, owner.user)
    assert [mail.to for mail in Mail.objects.all()] == [membership.user.email]


def test_refusing_tells_and_asking_again_waits_a_week():
    owner = MembershipFactory()
    person = UserFactory()
    membership = operations.request_to_join(owner.company, by=person)
    operations.decide(membership, accept=False, by=owner.user)
    with pytest.raises(ValidationError):
        operations.request_to_join(owner.company, by=person)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=8)):
        again = operations.request_to_join(owner.company, by=person)
        operations.decide(again, accept=False, by=owner.user)
    # Owner, answer, owner again, answer again: each time is news.
    assert Mail.objects.count() == 4


def test_the_first_person_of_a_company_without_owners_becomes_one():
    membership = operations.request_to_join(CompanyFactory(), by=UserFactory())
    assert operations.decide(membership, accept=True, by=curator()).role == Role.OWNER


def test_curators_do_not_decide_for_companies_that_have_owners():
    owner = MembershipFactory()
    membership = operations.request_to_join(owner.company, by=UserFactory())
    with pytest.raises(PermissionDenied):
        operations.decide(membership, accept=True, by=curator())


def test_a_request_is_answered_once():
    owner = MembershipFactory()
    membership = operations.request_to_join(owner.company, by=UserFactory())
    operations.decide(membership, accept=True, by=owner.user)
    with pytest.raises(operations.AlreadyDecidedError):
        operations.decide(membership, accept=False, by=owner.user)


def test_nobody_lets_oneself_in():
    person = UserFactory()
    membership = operations.request_to_join(MembershipFactory().company, by=person)
    with pytest.raises(PermissionDenied):
        operations.decide(membership, accept=True, by=person)


def test_the_last_owner_neither_leaves_nor_steps_down():
    owner = MembershipFactory()
    MembershipFactory(company=owner.company, role=Role.MEMBER)
    with pytest.raises(ValidationError):
        operations.leave(owner, by=owner.user)
    with pytest.raises(ValidationError):
        operations.set_role(owner, Role.MEMBER, by=owner.user)
    assert Membership.objects.owners().count() == 1


def test_an_owner_makes_another_and_leaves():
    owner = MembershipFactory()
    member = MembershipFactory(company=owner.company, role=Role.MEMBER)
    operations.set_role(member, Role.OWNER, by=owner.user)
    operations.leave(owner, by=owner.user)
    assert list(Membership.objects.owners().values_list("user", flat=True)) == [member.user_id]


def test_members_leave_but_remove_nobody():
    member, other = MembershipFactory(role=Role.MEMBER), MembershipFactory(role=Role.MEMBER)
    with pytest.raises(PermissionDenied):
        operations.leave(other, by=member.user)
    operations.leave(member, by=member.user)
    assert list(Membership.objects.all()) == [other]


# --- Two at once --------------------------------------------------------------------------------------------------------


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_owners_leaving_at_once_leave_one():
    company = CompanyFactory()
    first, second = MembershipFactory.create_batch(2, company=company)
    results = at_once(lambda: operations.leave(first, by=first.user), lambda: operations.leave(second, by=second.user))
    assert kinds(results) == ["NoneType", "ValidationError"]
    assert Membership.objects.owners().count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_people_adding_one_company_at_once_make_one():
    users, fields = UserFactory.create_batch(2), facts()
    results = at_once(*(lambda user=user: operations.create(fields, by=user) for user in users))
    assert kinds(results) == ["Company", "CompanyExistsError"]
    assert (Company.objects.count(), Membership.objects.count()) == (1, 1)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_owners_answering_at_once_answer_once():
    company = CompanyFactory()
    first, second = (MembershipFactory(company=company).user for _ in range(2))
    request = operations.request_to_join(company, by=UserFactory())
    Mail.objects.all().delete()
    results = at_once(lambda: operations.decide(request, accept=True, by=first), lambda: operations.decide(request, accept=False, by=second))
    assert kinds(results) == ["AlreadyDecidedError", "Membership"]
    assert Mail.objects.count() == 1


def test_who_was_refused_does_not_ask_again_by_taking_the_refused_request_back():
    owner = MembershipFactory()
    membership = operations.request_to_join(owner.company, by=UserFactory())
    operations.decide(membership, accept=False, by=owner.user)
    with pytest.raises(PermissionDenied):
        operations.leave(membership, by=membership.user)
    with pytest.raises(ValidationError):
        operations.request_to_join(owner.company, by=membership.user)


def test_asking_and_taking_back_in_turns_mails_the_owner_once_a_day():
    owner, person = MembershipFactory(), UserFactory()
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
        for _ in range(5):
            operations.leave(operations.request_to_join(owner.company, by=person), by=person)
    with time_machine.travel("2026-11-21T10:00:00Z", tick=False):
        operations.request_to_join(owner.company, by=person)
    assert [mail.to for mail in Mail.objects.all()] == [owner.user.email] * 2


# --- When it was founded, and what it is before the law -----------------------------------------------------------------


@pytest.mark.parametrize(("day", "code"), [(datetime.date(2030, 1, 1), "future"), (datetime.date(1799, 12, 31), "too_early")])
def test_create_refuses_a_day_on_which_no_company_was_founded(day, code):
    with time_machine.travel("2026-11-22"), pytest.raises(ValidationError) as error:
        operations.create(facts(founded=day), by=UserFactory())
    assert [one.code for one in error.value.error_dict["founded"]] == [code]


def test_founded_and_legal_form_are_kept_and_have_a_history():
    user = UserFactory()
    company = operations.create(facts(founded=datetime.date(2019, 5, 3), legal_form="sl"), by=user)
    operations.edit(company, {"founded": datetime.date(2018, 5, 3), "legal_form": "slu"}, by=user)
    assert list(company.history.order_by("history_id").values_list("founded", "legal_form")) == [
        (datetime.date(2019, 5, 3), "sl"),
        (datetime.date(2018, 5, 3), "slu"),
    ]

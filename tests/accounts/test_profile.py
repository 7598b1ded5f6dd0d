"""A person's own page: settings, the copy of their data, closing the account."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from marketplace.accounts import privacy
from marketplace.accounts.models import User
from marketplace.companies.enums import Role
from marketplace.companies.models import Company
from marketplace.core.models import Change, Mail
from marketplace.listings import operations
from tests.factories import ListingFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_profile_saves_name_language_and_digest(client):
    user = UserFactory()
    client.force_login(user)
    client.post(reverse("accounts:profile"), {"name": "Anna", "language": "es"})
    user.refresh_from_db()
    assert (user.name, user.language, user.wants_digest) == ("Anna", "es", False)


@pytest.mark.parametrize("name", ["profile", "export", "erase"])
def test_pages_of_the_account_need_a_log_in(client, name):
    response = client.get(reverse(f"accounts:{name}"))
    assert (response.status_code, response.url.split("?")[0]) == (302, reverse("account_login"))


def test_export_holds_what_we_know(client):
    membership = MembershipFactory(user__name="Anna")
    listing = ListingFactory(company=membership.company, author=membership.user)
    operations.submit(listing, by=membership.user)
    Mail.objects.create(key="k", to=membership.user.email, subject="Hola", text="Text")
    client.force_login(membership.user)
    response = client.get(reverse("accounts:export"))
    copy = json.loads(response.content)
    assert response["Content-Disposition"].startswith("attachment")
    parts = {"vocabulary", "forms", "comments", "aid", "partner_marketplaces", "alerts", "synergies", "listings", "companies", "api_keys"}
    assert set(copy) == {"account", "mails"} | parts
    assert copy["account"]["name"] == "Anna"
    assert [one["company"] for one in copy["companies"]] == [membership.company.name]
    assert [one["title"] for one in copy["listings"]["written"]] == [listing.title]
    assert [one["step"] for one in copy["listings"]["steps"]] == ["submit"]
    assert [one["subject"] for one in copy["mails"]] == ["Hola"]


def test_export_holds_nothing_of_others(client):
    MembershipFactory(user__name="Berta")
    client.force_login(UserFactory())
    assert "Berta" not in client.get(reverse("accounts:export")).content.decode()


def test_closing_needs_the_password(client):
    user = UserFactory()
    client.force_login(user)
    response = client.post(reverse("accounts:erase"), {"password": "wrong"})
    assert response.status_code == 422
    assert User.objects.filter(pk=user.pk).exists()


def test_closing_deletes_the_person_and_keeps_the_companys_listings(client):
    owner = MembershipFactory()
    member = MembershipFactory(company=owner.company, role=Role.MEMBER)
    listing = operations.create(
        owner.company,
        {"kind": "offer", "category": "product", "title": "Pantalles facials", "description": "Fabriquem pantalles facials reutilitzables.", "language": "ca"}
        | {"sector": owner.company.sector, "place": owner.company.place, "valid_until": ListingFactory.build().valid_until},
        by=member.user,
    )
    Mail.objects.create(key="k", to=member.user.email, subject="Hola", text="Text")
    client.force_login(member.user)
    response = client.post(reverse("accounts:erase"), {"password": "a long pass phrase"})
    listing.refresh_from_db()
    assert response.url == "/"
    assert not User.objects.filter(pk=member.user_id).exists()
    assert (listing.author, listing.transitions.get().by, list(Mail.objects.all())) == (None, None, [])
    assert client.get(reverse("accounts:profile")).status_code == 302


def test_the_longest_standing_member_inherits_the_company():
    owner = MembershipFactory()
    first, second = MembershipFactory.create_batch(2, company=owner.company, role=Role.MEMBER)
    sentence = privacy.consequences(owner.user)[0]
    assert str(first.user) in sentence
    assert owner.company.name in sentence
    privacy.erase(owner.user)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.role, second.role) == (Role.OWNER, Role.MEMBER)
    assert [mail.to for mail in Mail.objects.all()] == [first.user.email]


def test_a_company_without_anybody_is_hidden_with_its_contact_data_gone():
    owner = MembershipFactory(company__contact_name="Anna")
    company = owner.company
    company.contact_email = owner.user.email
    company.save()
    ListingFactory(company=company, live=True)
    privacy.erase(owner.user)
    company.refresh_from_db()
    assert (company.hidden, company.contact_name, company.contact_email) == (True, "", "")
    assert not Company.history.exclude(contact_email="").filter(contact_email=owner.user.email).exists()
    assert list(Change.objects.values_list("kind", "uid")) == [("company", company.uid)]


def test_who_works_in_the_console_is_not_erased_by_a_click():
    user = UserFactory(is_staff=True)
    with pytest.raises(ValidationError):
        privacy.erase(user)
    assert User.objects.filter(pk=user.pk).exists()


def test_mails_to_former_addresses_are_the_persons_too_and_go_with_the_account():
    user, other = UserFactory(), UserFactory()
    user.emailaddress_set.create(email="former@firm.example", verified=True)
    user.emailaddress_set.create(email=other.email, verified=False)
    for place, address in enumerate(("former@firm.example", user.email, other.email)):
        Mail.objects.create(key=str(place), to=address, subject=address, text="Text")
    assert {one["subject"] for one in privacy.export(user)["mails"]} == {"former@firm.example", user.email}
    privacy.erase(user)
    assert list(Mail.objects.values_list("to", flat=True)) == [other.email]

"""From an address to an account with a company, through the real allauth; mails stop in the outbox."""

import re

import pytest
from django.urls import reverse
from django.utils import translation

from marketplace.accounts.models import User
from marketplace.companies.models import Company
from marketplace.core.models import Mail
from tests.factories import MembershipFactory, UserFactory, company_tax_id

pytestmark = pytest.mark.django_db
PASSWORD = "una frase llarga i bona"


def sign_up(client, **changes):
    fields = {"email": "Nova@Empresa.example", "password1": PASSWORD, "name": "Núria Nova", "terms": "on"}
    return client.post(reverse("account_signup"), fields | changes)


def link_in(mail):
    return re.search(r"http://testserver(/\S+)", mail.text).group(1)


def test_sign_up_confirm_and_arrive_at_the_company_step(client):
    response = sign_up(client)
    assert response.status_code == 302
    user, mail = User.objects.get(), Mail.objects.get()
    assert (user.email, user.name, user.language, mail.to) == ("nova@empresa.example", "Núria Nova", "ca", "nova@empresa.example")
    assert user.terms_accepted_at is not None
    # Opening the link changes nothing (mail scanners open links); the button does.
    link = link_in(mail)
    client.get(link)
    assert not user.emailaddress_set.filter(verified=True).exists()
    response = client.post(link, follow=True)
    assert user.emailaddress_set.get().verified
    assert response.redirect_chain[-1] == (reverse("companies:create"), 302)


def test_company_step_ends_in_my_space(client):
    sign_up(client)
    client.post(link_in(Mail.objects.get()))
    company = {"tax_id": "b-12.345.674", "name": "Nova Empresa, SL", "sector": "2229", "place": "terrassa", "size": "micro", "language": "ca"}
    response = client.post(reverse("companies:create"), company, follow=True)
    assert response.redirect_chain[-1] == (reverse("my_space"), 302)
    assert Company.objects.of(User.objects.get()).get().contact_email == "nova@empresa.example"


def test_an_address_that_is_not_confirmed_cannot_sign_in(client):
    sign_up(client)
    client.logout()
    client.post(reverse("account_login"), {"login": "nova@empresa.example", "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_sign_up_needs_the_terms(client):
    response = sign_up(client, terms="")
    assert set(response.context["form"].errors) == {"terms"}
    assert not User.objects.exists()


def test_sign_up_with_a_known_address_says_so_by_mail_only(client):
    UserFactory(email="nova@empresa.example")
    response = sign_up(client)
    assert response.status_code == 302
    assert User.objects.count() == 1
    assert Mail.objects.get().to == "nova@empresa.example"


def test_links_in_mails_do_not_follow_a_forged_host(client, settings):
    settings.ALLOWED_HOSTS = ["*"]
    client.post(reverse("account_signup"), {"email": "x@y.example", "password1": PASSWORD, "terms": "on"}, headers={"host": "evil.example"})
    assert "evil.example" not in Mail.objects.get().text


def test_sign_up_keeps_the_language_of_the_visit(client):
    with translation.override("es"):
        address = reverse("account_signup")
    client.post(address, {"email": "x@y.example", "password1": PASSWORD, "terms": "on"})
    assert User.objects.get().language == "es"


def test_who_has_a_company_arrives_at_my_space(client):
    membership = MembershipFactory()
    membership.user.emailaddress_set.create(email=membership.user.email, verified=True, primary=True)
    response = client.post(reverse("account_login"), {"login": membership.user.email, "password": "a long pass phrase"})
    assert response.url == reverse("my_space")
    assert client.get(reverse("my_space")).status_code == 200


@pytest.mark.parametrize("name", ["\x00", "<script>alert(1)</script>", "🦄" * 30, "\u202eabc", "א" * 120])
def test_odd_names_do_no_harm(client, name):
    response = sign_up(client, name=name)
    if "\x00" in name:
        assert response.status_code == 200
        assert not User.objects.exists()
    else:
        assert User.objects.get().name == name
        client.post(link_in(Mail.objects.get()))
        page = client.get(reverse("accounts:profile")).content.decode()
        assert "<script>alert(1)" not in page


def test_company_of_somebody_else_offers_to_join(client):
    sign_up(client)
    client.post(link_in(Mail.objects.get()))
    taken = MembershipFactory(company__tax_id=company_tax_id(1_234_567)).company
    fields = {"tax_id": taken.tax_id, "name": "Una altra", "sector": "2229", "place": "Terrassa", "size": "micro", "language": "ca"}
    page = client.post(reverse("companies:create"), fields)
    assert page.status_code == 422
    assert reverse("companies:join", args=[taken.uid]) in page.content.decode()

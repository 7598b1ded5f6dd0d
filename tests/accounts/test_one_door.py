"""There is one way in: the log-in page that counts failures and asks for the second factor."""

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.urls import reverse

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a long pass phrase"


@pytest.fixture
def administrator():
    user = UserFactory(is_staff=True, is_superuser=True)
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    return user


def try_passwords(client, url, user):
    for number in range(10):
        client.post(url, {"login": user.email, "username": user.email, "password": f"guess {number}"})
    client.post(url, {"login": user.email, "username": user.email, "password": PASSWORD})
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("door", ["/django-admin/login/", "/console/login/", "account_login"])
def test_no_door_lets_one_guess_passwords(client, administrator, door):
    assert not try_passwords(client, door if "/" in door else reverse(door), administrator)


@pytest.mark.parametrize("door", ["/django-admin/login/", "/console/login/"])
def test_other_doors_lead_to_the_one(client, door):
    answer = client.get(door, {"next": "/console/"})
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))
    assert "next=" in answer.url


def test_second_factor_is_asked_of_administrators_too(client, administrator):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret  # noqa: PLC0415 - allauth has no public way to set one up

    TOTP.activate(administrator, generate_totp_secret())
    for door in ("/django-admin/login/", "/console/login/", reverse("account_login")):
        client.post(door, {"login": administrator.email, "username": administrator.email, "password": PASSWORD})
        assert "_auth_user_id" not in client.session


def test_console_sends_no_password_mails(client, administrator):
    client.post("/console/password_reset/", {"email": administrator.email})
    assert mail.outbox == []


def test_console_changes_no_address(client):
    user = UserFactory()
    user.groups.add(Group.objects.get(name="Innovation Service"))
    client.force_login(user)
    page = client.get(reverse("wagtailadmin_account")).content.decode()
    assert 'type="email"' not in page
    assert 'type="password"' not in page

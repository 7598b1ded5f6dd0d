"""Who asks, and what a key may do."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from marketplace.companies import operations as companies
from marketplace.companies.enums import Role
from marketplace.federation.enums import PartnerState
from marketplace.rest import keys, usage
from marketplace.rest.models import ApiClient, ApiKey
from tests import processes
from tests.factories import MembershipFactory
from tests.rest.keys import Made, company_key, partner_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.rest.doors")]


def ask(client, made, path="/api/public/", method="get"):
    return client.generic(method.upper(), path, b"{}" if method == "post" else b"", content_type="application/json", headers=made.headers)


def test_without_a_key_nobody_asks(client):
    answer = client.get("/api/public/")
    assert answer.status_code == 200
    assert answer.json() == {"key": None, "user": "AnonymousUser"}


def test_company_key_asks_as_who_made_it(client):
    made = company_key()
    assert ask(client, made).json() == {"key": made.key.prefix, "user": str(made.user)}


def test_partner_key_lends_nobodys_rights(client, admin_user):
    made = partner_key("federation", "read")
    ApiKey.objects.update(made_by=admin_user)
    assert ask(client, made).json() == {"key": made.key.prefix, "user": "AnonymousUser"}
    assert ask(client, made, "/api/plain/").json() == {"key": made.key.prefix, "user": "AnonymousUser"}


def test_session_is_no_way_in(client):
    made = company_key()
    client.force_login(made.user)
    assert client.get("/api/public/").json()["user"] == "AnonymousUser"
    assert client.post("/api/public/", {}, content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Token abc", "bearer mpk_00000000000_" + "0" * 49, "Bearer \xe9\xff", "Bearer " + "a" * 100_000, "x\0y"],
)
def test_header_that_is_no_key_is_a_401_that_says_why(client, header):
    answer = client.get("/api/public/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'
    assert "mpk_" in answer.json()["detail"]


def test_key_of_right_shape_that_does_not_exist_is_a_401(client):
    made = company_key()
    key, other = keys.issue(made.key.client, name="x", scopes=["read"], expires_at=None, by=made.user)
    # The right prefix with the secret of another key: the row is found, the digest is not its own.
    body = made.secret[:16] + other[16:-6]
    forged = Made(key, body + keys._checksum(body))
    assert keys.prefix_of(forged.secret) == made.key.prefix
    assert ask(client, forged).status_code == 401
    key.delete()
    assert ask(client, Made(key, other)).status_code == 401


def test_missing_key_is_asked_for(client):
    for answer in (client.post("/api/public/", {}, content_type="application/json"), client.get("/api/plain/")):
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_missing_scope_is_named(client):
    made = company_key("read")
    for answer, scope in ((ask(client, made, method="post"), "write"), (ask(client, made, "/api/plain/"), "federation")):
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"
        assert scope in answer.json()["detail"]
        assert answer["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'
    assert ask(client, company_key("write"), method="post").status_code == 200


def test_expired_key_ends_to_the_second(client):
    ends = timezone.now() + datetime.timedelta(hours=1)
    made = company_key(expires_at=ends)
    with time_machine.travel(ends - datetime.timedelta(seconds=1), tick=False):
        assert ask(client, made).status_code == 200
    with time_machine.travel(ends, tick=False):
        assert ask(client, made).status_code == 401


def test_both_keys_work_during_the_overlap_and_then_the_new_one(client):
    made = company_key()
    successor = Made(*keys.rotate(made.key, overlap=datetime.timedelta(days=7), by=made.user))
    assert [ask(client, one).status_code for one in (made, successor)] == [200, 200]
    with time_machine.travel(timezone.now() + datetime.timedelta(days=7, seconds=1), tick=False):
        assert [ask(client, one).status_code for one in (made, successor)] == [401, 200]


def test_key_ends_when_its_maker_leaves_the_company(client):
    owner = MembershipFactory()
    other = MembershipFactory(company=owner.company, role=Role.OWNER)
    made = company_key(company=owner.company, user=other.user)
    assert ask(client, made).status_code == 200
    companies.leave(other, by=other.user)
    assert ask(client, made).status_code == 401


def test_key_stays_ended_when_its_maker_comes_back(client):
    owner = MembershipFactory()
    other = MembershipFactory(company=owner.company, role=Role.OWNER)
    made = company_key(company=owner.company, user=other.user)
    companies.leave(other, by=owner.user)
    MembershipFactory(company=owner.company, user=other.user, role=Role.MEMBER)
    assert ask(client, made).status_code == 401


def test_key_does_not_serve_another_company_of_its_maker(client):
    made = company_key()
    MembershipFactory(user=made.user)
    made.company.memberships.all().delete()
    assert ask(client, made).status_code == 401


def test_key_ends_with_its_makers_account(client):
    made = company_key()
    made.user.is_active = False
    made.user.save()
    assert ask(client, made).status_code == 401


def test_key_of_a_hidden_company_does_not_work(client):
    made = company_key()
    made.company.hidden = True
    made.company.save()
    assert ask(client, made).status_code == 401


def test_key_of_an_ended_partnership_does_not_work(client):
    made = partner_key()
    assert ask(client, made, "/api/plain/").status_code == 200
    made.key.client.partner.state = PartnerState.ENDED
    made.key.client.partner.save()
    assert ask(client, made, "/api/plain/").status_code == 401


def test_key_without_a_holder_opens_nothing(client):
    orphan = Made(*keys.issue(ApiClient.objects.create(name="?"), name="x", scopes=["read"], expires_at=None, by=None))
    assert ask(client, orphan).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_revoking_in_another_process_works_at_once(client, smtp):
    made = company_key()
    naive = {made.secret: made.key} if ask(client, made).status_code == 200 else {}
    processes.run(f"from marketplace.rest import keys, models\nkeys.revoke(models.ApiKey.objects.get(pk={made.key.pk}), by=None)\n")
    assert ask(client, made).status_code == 401
    # What a process keeps of a key (a cache by secret) still thinks it is good.
    assert naive[made.secret].is_usable


@pytest.mark.parametrize("make", [company_key, partner_key])
def test_finding_who_asks_is_one_query(client, make, django_assert_num_queries):
    made = make("read", "federation")
    with django_assert_num_queries(1):
        answer = ask(client, made)
    assert answer.status_code == 200


def test_last_use_is_written_once_a_minute(client):
    made = company_key()
    start = timezone.now()
    for seconds, expected in ((0, 0), (30, 0), (61, 61), (100, 61), (130, 130)):
        with time_machine.travel(start + datetime.timedelta(seconds=seconds), tick=False):
            ask(client, made)
            usage.flush()
        made.key.refresh_from_db()
        assert made.key.last_used_at == start + datetime.timedelta(seconds=expected)

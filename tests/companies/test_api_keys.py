"""Keys for programs: what a company's owners do with them on their pages."""

import datetime
import re
from html.parser import HTMLParser

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from marketplace.accounts import privacy
from marketplace.companies import key_operations
from marketplace.companies.enums import Role
from marketplace.core.models import Mail
from marketplace.rest.models import ApiClient, ApiKey, Usage
from tests.factories import MembershipFactory, UserFactory
from tests.rest.keys import company_key, partner_key

pytestmark = pytest.mark.django_db

SECRET = re.compile(r"mpk_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}")
DAY = datetime.timedelta(days=1)


@pytest.fixture
def owner():
    return MembershipFactory()


def page(name, company, *args, language="en"):
    with translation.override(language):
        return reverse(f"companies:{name}", args=[company.uid, *args])


def make(client, company, **changes):
    return client.post(page("key_create", company), {"name": "Web shop", "scopes": ["read", "write"], "life": "365"} | changes)


def test_new_key_is_shown_once_and_works(client, owner):
    client.force_login(owner.user)
    answer = make(client, owner.company)
    (secret,) = set(SECRET.findall(answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    assert answer.status_code == 200
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.made_by, key.client.company) == ("Web shop", ["read", "write"], owner.user, owner.company)
    assert abs(key.expires_at - timezone.now() - 365 * DAY) < datetime.timedelta(minutes=1)
    for name, *args in (("keys",), ("key_usage",), ("key_create",), ("key_rotate", key.uid)):
        assert secret[16:] not in client.get(page(name, owner.company, *args)).content.decode()
    # Neither in what the page sent to the owners, nor in the session.
    assert not Mail.objects.filter(text__contains=secret[16:]).exists()
    assert secret[16:] not in str(dict(client.session))


def test_first_key_makes_the_client_and_leaves_the_company_as_it_is(client, owner):
    client.force_login(owner.user)
    version, history = owner.company.version, owner.company.history.count()
    for _ in range(2):
        make(client, owner.company)
    owner.company.refresh_from_db()
    assert (ApiClient.objects.count(), owner.company.version, owner.company.history.count()) == (1, version, history)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": ""}, "name"), ({"scopes": []}, "scopes"), ({"scopes": ["federation"]}, "scopes"), ({"life": "99999999"}, "life"), ({"name": "a\0b"}, "name")],
)
def test_form_says_what_to_change(client, owner, changes, field):
    client.force_login(owner.user)
    answer = make(client, owner.company, **changes)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not ApiKey.objects.exists()


def test_company_key_never_has_the_scope_of_partners(owner):
    with pytest.raises(ValidationError) as refusal:
        key_operations.issue(owner.company, name="x", scopes=["read", "federation"], expires_at=None, by=owner.user)
    assert list(refusal.value.error_dict) == ["scopes"]
    assert not ApiKey.objects.exists()


def test_only_owners_have_keys(client, owner):
    made = company_key(company=owner.company, user=owner.user)
    member = MembershipFactory(company=owner.company, role=Role.MEMBER).user
    stranger = MembershipFactory().user
    pages = [
        ("get", page("keys", owner.company)),
        ("get", page("key_usage", owner.company)),
        ("get", page("key_create", owner.company)),
        ("post", page("key_create", owner.company)),
        ("get", page("key_rotate", owner.company, made.key.uid)),
        ("post", page("key_rotate", owner.company, made.key.uid)),
        ("post", page("key_revoke", owner.company, made.key.uid)),
    ]
    for method, path in pages:
        assert getattr(client, method)(path).status_code == 302
    for user in (member, stranger):
        client.force_login(user)
        for method, path in pages:
            assert getattr(client, method)(path).status_code == 403
    assert ApiKey.objects.count() == 1
    for user in (member, stranger):
        with pytest.raises(PermissionDenied):
            key_operations.revoke(owner.company, made.key, by=user)


def test_owner_reaches_no_other_companys_key(client, owner):
    other, partner = company_key(), partner_key()
    client.force_login(owner.user)
    for made in (other, partner):
        assert client.post(page("key_revoke", owner.company, made.key.uid)).status_code == 404
        assert client.post(page("key_rotate", owner.company, made.key.uid), {"overlap": "0"}).status_code == 404
    assert ApiKey.objects.usable().count() == 2


def test_replacing_shows_the_new_key_and_when_the_old_one_ends(client, owner):
    made = company_key(company=owner.company, user=owner.user)
    client.force_login(owner.user)
    answer = client.post(page("key_rotate", owner.company, made.key.uid), {"overlap": "7"})
    assert answer.status_code == 200
    assert len(set(SECRET.findall(answer.content.decode()))) == 1
    made.key.refresh_from_db()
    assert made.key.replaced_by.is_usable
    assert made.key.prefix in answer.content.decode()
    again = client.post(page("key_rotate", owner.company, made.key.uid), {"overlap": "7"})
    assert again.status_code == 422
    assert not SECRET.search(again.content.decode())
    assert ApiKey.objects.count() == 2


def test_revoking_ends_a_key_at_once(client, owner):
    made = company_key(company=owner.company, user=owner.user)
    client.force_login(owner.user)
    assert client.get(page("key_revoke", owner.company, made.key.uid)).status_code == 405
    client.post(page("key_revoke", owner.company, made.key.uid))
    assert not ApiKey.objects.usable().exists()


def test_posts_need_the_csrf_token(owner):
    made = company_key(company=owner.company, user=owner.user)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner.user)
    for name, *args in (("key_create",), ("key_rotate", made.key.uid), ("key_revoke", made.key.uid)):
        assert client.post(page(name, owner.company, *args)).status_code == 403


class _Texts(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.is_inside = [], False

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
            self.is_inside = True

    def handle_endtag(self, tag):
        self.is_inside = self.is_inside and tag != "tr"

    def handle_data(self, data):
        if self.is_inside and data.strip():
            self.rows[-1].append(data.strip())


def test_use_is_shown_by_day_and_by_key(client, owner):
    made, other = company_key(company=owner.company, user=owner.user), company_key(company=owner.company, user=owner.user)
    now = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    with time_machine.travel(now, tick=False):
        for key, age, requests, refused in ((made.key, 0, 1200, 3), (made.key, 1, 10, 0), (other.key, 1, 5, 5), (other.key, 31, 700, 0)):
            Usage.objects.create(key=key, hour=now - age * DAY, requests=requests, refused=refused)
        Usage.objects.create(key=company_key().key, hour=now, requests=9999)
        client.force_login(owner.user)
        all_keys = client.get(page("key_usage", owner.company))
        one = client.get(page("key_usage", owner.company), {"key": str(other.key.uid)})
    assert [(day.requests, day.refused) for day in all_keys.context["chart"]["days"]][-3:] == [(0, 0), (15, 5), (1200, 3)]
    assert (all_keys.context["chart"]["total"], len(all_keys.context["chart"]["days"])) == (1215, 30)
    assert one.context["chart"]["total"] == 5
    rows = _Texts()
    rows.feed(all_keys.content.decode())
    assert len([row for row in rows.rows if row[-2:] == ["0", "0"]]) == 28
    assert client.get(page("key_usage", owner.company), {"key": "x"}).context["chosen"] is None


def test_day_of_use_is_that_of_here(client, owner):
    made = company_key(company=owner.company, user=owner.user)
    # 23:00 UTC of the first is 00:00 of the second in winter.
    Usage.objects.create(key=made.key, hour=datetime.datetime(2026, 12, 1, 23, tzinfo=datetime.UTC), requests=4)
    client.force_login(owner.user)
    with time_machine.travel(datetime.datetime(2026, 12, 3, 12, tzinfo=datetime.UTC), tick=False):
        days = client.get(page("key_usage", owner.company)).context["chart"]["days"]
    assert [(day.date.day, day.requests) for day in days if day.requests] == [(2, 4)]


@pytest.mark.parametrize("name", ["keys", "key_usage"])
def test_pages_ask_the_same_number_of_queries_for_one_key_and_three(client, owner, name):
    client.force_login(owner.user)
    numbers = []
    for more in (1, 2):
        for _ in range(more):
            made = company_key(company=owner.company, user=owner.user)
            Usage.objects.create(key=made.key, hour=timezone.now(), requests=1)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page(name, owner.company)).status_code == 200
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]


def test_list_says_which_keys_do_not_work(client, owner):
    second = MembershipFactory(company=owner.company, role=Role.OWNER)
    works, left, revoked, expired = (company_key(company=owner.company, user=user) for user in (owner.user, second.user, owner.user, owner.user))
    ApiKey.objects.filter(pk=revoked.key.pk).update(revoked_at=timezone.now())
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=timezone.now())
    second.delete()
    client.force_login(owner.user)
    context = client.get(page("keys", owner.company)).context
    assert {row.key.pk: row.state for row in context["in_use"]} == {works.key.pk: "published", left.key.pk: "rejected"}
    assert {row.key.pk: row.state for row in context["ended"]} == {revoked.key.pk: "withdrawn", expired.key.pk: "expired"}


def test_all_owners_hear_of_a_new_key_in_their_language(owner):
    other = MembershipFactory(company=owner.company, role=Role.OWNER, user=UserFactory(language="es"))
    MembershipFactory(company=owner.company, role=Role.MEMBER)
    key, _ = key_operations.issue(owner.company, name="Web shop", scopes=["read"], expires_at=None, by=owner.user)
    key_operations.rotate(owner.company, key, overlap=DAY, by=owner.user)
    assert sorted(Mail.objects.values_list("to", flat=True)) == sorted([owner.user.email, other.user.email] * 2)


def test_owners_are_warned_once_before_a_key_ends(owner):
    soon = company_key(company=owner.company, user=owner.user, expires_at=timezone.now() + 10 * DAY)
    company_key(company=owner.company, user=owner.user, expires_at=timezone.now() + 20 * DAY)
    company_key(company=owner.company, user=owner.user)
    partner_key(expires_at=timezone.now() + DAY)
    revoked = company_key(company=owner.company, user=owner.user, expires_at=timezone.now() + DAY)
    key_operations.revoke(owner.company, revoked.key, by=owner.user)
    Mail.objects.all().delete()
    assert [key_operations.warn_expiring(), key_operations.warn_expiring()] == [1, 0]
    mail = Mail.objects.get()
    assert mail.to == owner.user.email
    assert soon.key.prefix in mail.text
    with time_machine.travel(timezone.now() + 8 * DAY):
        assert key_operations.warn_expiring() == 1


def test_replaced_key_needs_no_warning(owner):
    made = company_key(company=owner.company, user=owner.user)
    key_operations.rotate(owner.company, made.key, overlap=7 * DAY, by=owner.user)
    assert key_operations.warn_expiring() == 0


def test_erasing_an_account_ends_the_keys_made_with_it(owner):
    other = MembershipFactory(company=owner.company, role=Role.OWNER)
    made, others, partners = company_key(company=owner.company, user=owner.user), company_key(company=owner.company, user=other.user), partner_key()
    ApiKey.objects.filter(pk=partners.key.pk).update(made_by=owner.user)
    copy = privacy.export(owner.user)["api_keys"]
    assert [(one["name"], one["begins_with"], one["scopes"]) for one in copy] == [
        ("Web shop", made.key.prefix, ["read", "write"]),
        ("Harvester", partners.key.prefix, ["federation"]),
    ]
    assert made.key.digest not in str(copy)
    assert any("1 API key" in sentence for sentence in _in_english(owner.user))
    privacy.erase(owner.user)
    assert set(ApiKey.objects.usable().values_list("pk", flat=True)) == {others.key.pk, partners.key.pk}
    assert not ApiKey.objects.filter(made_by__isnull=False).exclude(pk=others.key.pk).exists()


def _in_english(user):
    with translation.override("en"):
        return privacy.consequences(user)


def test_links_are_there_for_owners_only(client, owner):
    company = owner.company
    member = MembershipFactory(company=company, role=Role.MEMBER).user
    for user, is_there in ((owner.user, True), (member, False)):
        client.force_login(user)
        for path in (company.get_absolute_url(), reverse("my_space")):
            assert (reverse("companies:keys", args=[company.uid]) in client.get(path).content.decode()) is is_there

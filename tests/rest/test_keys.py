"""Making, replacing and ending keys."""

import datetime
import hashlib
import re

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from marketplace.rest import keys
from marketplace.rest.models import ApiClient, ApiKey, Scope
from tests.concurrency import at_once, kinds
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


@pytest.fixture
def client_of_keys():
    return ApiClient.objects.create(name="Ferros Vallès")


def issue(client, **changes):
    return keys.issue(client, **{"name": "Web shop", "scopes": ["read"], "expires_at": None, "by": None} | changes)


def test_secret_is_recognised_by_its_shape_and_checksum(client_of_keys):
    key, secret = issue(client_of_keys)
    assert re.fullmatch(r"mpk_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}", secret)
    assert len(secret) == keys.LENGTH
    assert keys.prefix_of(secret) == key.prefix == secret[:15]
    other = "0" if secret[30] != "0" else "1"
    for wrong in ("", "mpk_", secret[:-1], secret + "0", secret[:30] + other + secret[31:], secret.replace("mpk_", "ghp_"), secret + "\n", "\ud800" + secret):
        assert keys.prefix_of(wrong) is None


def test_only_the_digest_is_kept(client_of_keys):
    key, secret = issue(client_of_keys)
    row = ApiKey.objects.filter(pk=key.pk).values().get()
    random_part = secret[16:]
    assert row["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert not [name for name, value in row.items() if random_part in str(value)]


def test_two_keys_have_nothing_in_common(client_of_keys):
    secrets = [issue(client_of_keys)[1] for _ in range(10)]
    assert len({secret[4:15] for secret in secrets}) == len({secret[16:] for secret in secrets}) == 10


def test_secret_is_in_no_log(client_of_keys, caplog):
    caplog.set_level("DEBUG")
    key, secret = issue(client_of_keys)
    successor, second = keys.rotate(key, overlap=DAY, by=None)
    keys.revoke(successor, by=None)
    assert key.prefix in caplog.text
    assert secret[16:] not in caplog.text
    assert second[16:] not in caplog.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "root"]}, "scopes"),
        ({"expires_at": timezone.now() - DAY}, "expires_at"),
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\0b"}, "name"),
    ],
)
def test_key_that_makes_no_sense_is_refused_at_its_field(client_of_keys, changes, field):
    with pytest.raises(ValidationError) as refusal:
        issue(client_of_keys, **changes)
    assert list(refusal.value.error_dict) == [field]


def test_name_and_scopes_are_tidied(client_of_keys):
    key, _ = issue(client_of_keys, name="  Web \n shop ", scopes=[Scope.WRITE, "read", "read"])
    assert (key.name, key.scopes) == ("Web shop", ["read", "write"])


def test_number_of_keys_in_use_is_limited(client_of_keys):
    first, _ = issue(client_of_keys)
    for _ in range(keys.MOST_KEYS - 1):
        issue(client_of_keys)
    with pytest.raises(ValidationError) as refusal:
        issue(client_of_keys)
    assert refusal.value.code == "too_many"
    # Who has reached the limit can still replace one.
    keys.rotate(first, overlap=DAY, by=None)
    for key in client_of_keys.keys.usable()[:2]:
        keys.revoke(key, by=None)
    issue(client_of_keys)


def test_replaced_key_works_until_the_overlap_ends(client_of_keys):
    by = UserFactory()
    key, _ = issue(client_of_keys, scopes=["read", "write"], expires_at=timezone.now() + 100 * DAY)
    successor, secret = keys.rotate(key, overlap=7 * DAY, by=by)
    key.refresh_from_db()
    assert key.replaced_by == successor
    assert abs(key.expires_at - timezone.now() - 7 * DAY) < datetime.timedelta(minutes=1)
    assert abs(successor.expires_at - timezone.now() - 100 * DAY) < datetime.timedelta(minutes=1)
    assert (successor.name, successor.scopes, successor.made_by, successor.client) == (key.name, key.scopes, by, key.client)
    assert keys.is_secret_of(secret, successor)
    assert not keys.is_secret_of(secret, key)


def test_overlap_never_lengthens_a_life(client_of_keys):
    ends = timezone.now() + DAY
    key, _ = issue(client_of_keys, expires_at=ends)
    keys.rotate(key, overlap=30 * DAY, by=None)
    key.refresh_from_db()
    assert key.expires_at == ends


def test_without_overlap_the_old_key_ends_at_once(client_of_keys):
    key, _ = issue(client_of_keys)
    successor, _ = keys.rotate(key, overlap=datetime.timedelta(0), by=None)
    key.refresh_from_db()
    assert not key.is_usable
    assert list(client_of_keys.keys.usable()) == [successor]
    assert successor.expires_at is None


@pytest.mark.parametrize("overlap", [datetime.timedelta(days=-1), datetime.timedelta(days=91), datetime.timedelta.max])
def test_overlap_has_limits(client_of_keys, overlap):
    key, _ = issue(client_of_keys)
    with pytest.raises(ValidationError):
        keys.rotate(key, overlap=overlap, by=None)
    assert client_of_keys.keys.count() == 1


def test_key_that_ended_or_was_replaced_is_not_replaced(client_of_keys):
    key, _ = issue(client_of_keys)
    keys.rotate(key, overlap=DAY, by=None)
    with pytest.raises(ValidationError):
        keys.rotate(key, overlap=DAY, by=None)
    ended, _ = issue(client_of_keys)
    keys.revoke(ended, by=None)
    with pytest.raises(ValidationError):
        keys.rotate(ended, overlap=DAY, by=None)


@pytest.mark.django_db(transaction=True)
def test_two_who_replace_a_key_at_once_make_one(client_of_keys):
    key, _ = issue(client_of_keys)
    stale = ApiKey.objects.get(pk=key.pk)
    results = at_once(lambda: keys.rotate(key, overlap=DAY, by=None), lambda: keys.rotate(stale, overlap=DAY, by=None))
    assert kinds(results) == ["ValidationError", "tuple"]
    assert client_of_keys.keys.count() == 2


def test_revoking_twice_keeps_the_first_time(client_of_keys):
    key, _ = issue(client_of_keys)
    first = keys.revoke(key, by=None).revoked_at
    assert keys.revoke(key, by=None).revoked_at == first

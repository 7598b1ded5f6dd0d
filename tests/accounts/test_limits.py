"""Who guesses passwords is stopped, whichever process answers and through whichever proxy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.cache import caches
from django.urls import reverse

from tests.factories import UserFactory
from tests.test_project import PRODUCTION

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
SHARED = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}


def in_production(expression: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    command = [sys.executable, "-c", f"from marketplace import settings; print({expression})"]
    return subprocess.run(command, cwd=ROOT, env=clean | PRODUCTION | environment, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def guess(client, user, **headers):
    return client.post(reverse("account_login"), {"login": user.email, "password": "a guess"}, **headers)


def test_cache_of_production_is_shared_by_all_processes():
    assert in_production("settings.CACHES['default']['BACKEND']") == SHARED["default"]["BACKEND"]


def test_cache_table_comes_with_the_migrations(settings):
    settings.CACHES = SHARED
    caches["default"].set("known", "value", 60)
    assert caches["default"].get("known") == "value"


@pytest.mark.parametrize(("behind_proxy", "count"), [("true", "1"), ("false", "0")])
def test_proxy_is_trusted_only_where_there_is_one(behind_proxy, count):
    assert in_production("settings.ALLAUTH_TRUSTED_PROXY_COUNT", BEHIND_PROXY=behind_proxy) == count


def test_one_visitor_behind_the_proxy_does_not_lock_out_the_others(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(40):
        guess(client, UserFactory.build(email=f"nobody{number}@firm.example"), HTTP_X_FORWARDED_FOR="192.0.2.1")
    user = UserFactory()
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    client.post(reverse("account_login"), {"login": user.email, "password": "a long pass phrase"}, HTTP_X_FORWARDED_FOR="192.0.2.2")
    assert client.session["_auth_user_id"] == str(user.pk)

"""The way of programs past the middlewares that are for people: short, and with all that an answer has to carry."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test.utils import CaptureQueriesContext

from marketplace.core.middleware import LARGEST_REQUEST
from marketplace.rest import middleware
from tests.rest.keys import company_key

pytestmark = pytest.mark.django_db

LIST = "/api/v1/listings/"
ADDRESSES = [
    LIST,
    "/api/v1/no-such-thing/",
    "/api/federation/v1/changes",
    "/.well-known/marketplace-federation",
    "/api/v1/listings/?limit=0",
    "/api/v1/schema/",
]


class WithHook:
    """A middleware that wants to be called for the view."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, *_arguments: object) -> None:
        """Nobody calls it."""


def problem(answer):
    assert answer["Content-Type"] == "application/problem+json", answer.content[:200]
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_to_a_program_carries_what_makes_it_safe(client, settings, address):
    settings.SECURE_HSTS_SECONDS = 60
    answer = client.get(address, secure=True)
    told = {name: answer.headers.get(name) for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy")}
    assert told == {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["Strict-Transport-Security"].startswith("max-age=60")
    assert "Accept-Language" in answer["Vary"]
    assert answer["Content-Language"] == "ca"
    assert answer["Content-Length"] == str(len(answer.content))
    assert not answer.cookies


@pytest.mark.parametrize("address", ["/api/docs/", "/api/problems/", "/api/problems/not-found"])
def test_pages_about_the_api_are_pages(client, address):
    answer = client.get(address, headers={"Accept-Language": "es"})
    assert (answer.status_code, answer["Content-Language"]) == (200, "es")
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_problem_speaks_the_language_that_was_asked_for(client):
    told = {language: client.get("/api/v1/no-such-thing/", headers={"Accept-Language": language}) for language in ("ca", "es", "en")}
    assert {language: answer["Content-Language"] for language, answer in told.items()} == {"ca": "ca", "es": "es", "en": "en"}
    assert len({answer.json()["title"] for answer in told.values()}) == 3


def test_plain_http_is_sent_to_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(LIST)
    assert (answer.status_code, answer["Location"]) == (301, f"https://testserver{LIST}")


def test_wrong_host_and_nul_are_problems(client):
    assert problem(client.get(LIST, headers={"Host": "evil.example"})) == (400, "invalid-request")
    assert problem(client.get(f"{LIST}?q=%00")) == (400, "invalid-request")


def test_what_is_too_large_is_refused_whatever_the_method(client):
    made = company_key("write")
    answer = client.generic("POST", LIST, bytes(LARGEST_REQUEST + 1), content_type="application/json", headers=made.headers)
    assert problem(answer) == (413, "too-large")


def test_cookie_opens_nothing_and_is_not_looked_at(client, django_user_model):
    client.force_login(django_user_model.objects.create_user(email="somebody@example.org"))
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(LIST)
    assert answer.status_code == 200
    assert not [query["sql"] for query in asked if "session" in query["sql"] or "accounts_user" in query["sql"]]
    assert problem(client.post(LIST, {}, content_type="application/json")) == (401, "not-authenticated")


def test_change_by_a_key_is_its_makers_in_the_history(client):
    made = company_key("write")
    new = {
        "kind": "demand", "category": "solution", "title": "Laser cutting of stainless steel", "sector": "2562",
        "description": "Some 400 pieces a month, 2 mm sheets of AISI 304, drawings as DXF.",
    }  # fmt: skip
    answer = client.post(LIST, new, content_type="application/json", headers=made.headers)
    assert answer.status_code == 201, answer.content
    from marketplace.listings.models import Listing  # noqa: PLC0415 - the only test here that needs it

    assert Listing.history.get().history_user == made.key.made_by


def test_middleware_whose_hook_nobody_would_call_is_refused():
    with pytest.raises(ImproperlyConfigured, match="process_view"):
        middleware.chain([f"{__name__}.WithHook"])

"""Whatever is wrong with a request, the answer is a problem (RFC 9457) that says what to change."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions

from marketplace.rest import parsers, problems
from marketplace.rest.problems import KINDS, Problem


def told(response):
    assert response.headers["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert set(body) >= {"type", "title", "status", "detail"}
    assert body["status"] == response.status_code
    return body


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (Problem("cursor-expired"), 410, "cursor-expired"),
        (Http404(), 404, "not-found"),
        (PermissionDenied(), 403, "forbidden"),
        (ValidationError("no"), 422, "invalid-content"),
        (ValidationError("no", code="illegal_move"), 409, "illegal-move"),
        (ValidationError("no", code="stale"), 412, "precondition-failed"),
        (exceptions.NotAuthenticated(), 401, "not-authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not-authenticated"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported-media-type"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method-not-allowed"),
        (exceptions.Throttled(wait=2.5), 429, "too-many-requests"),
        (RecursionError(), 400, "invalid-request"),
        (OverflowError("int too large"), 400, "invalid-request"),
        (DataError("integer out of range"), 400, "invalid-request"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), 400, "invalid-request"),
    ],
)
def test_exception_becomes_its_problem(exception, status, code):
    response = problems.exception_handler(exception, {"request": RequestFactory().get("/api/v1/x/")})
    body = told(response)
    assert (response.status_code, body["type"], body["instance"]) == (status, f"http://testserver/api/problems/{code}", "/api/v1/x/")


def test_fault_of_our_own_is_not_blamed_on_the_request():
    assert problems.exception_handler(KeyError("x"), {"request": RequestFactory().get("/")}) is None


def test_throttled_request_is_told_when_to_come_back():
    response = problems.exception_handler(exceptions.Throttled(wait=2.2), {"request": RequestFactory().get("/")})
    assert response["Retry-After"] == "3"


def test_errors_of_a_form_point_to_their_values():
    errors = problems.problem_of(ValidationError({"title": ValidationError("Too short.", code="short"), "__all__": ["Never."]})).as_dict()["errors"]
    assert errors == [{"pointer": "/title", "detail": "Too short.", "code": "short"}, {"pointer": "", "detail": "Never.", "code": "invalid"}]


def test_errors_of_a_serializer_point_into_lists():
    error = exceptions.ValidationError({"operations": [{}, {"listing": {"ti/tle": ["No."]}}]})
    (entry,) = problems.problem_of(error).as_dict()["errors"]
    assert entry["pointer"] == "/operations/1/listing/ti~1tle"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 100_000, "invalid-json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "invalid-json"),
        (b'{"a": NaN}', "invalid-json"),
        (b'{"a": -Infinity}', "invalid-json"),
        (b'{"a": 1e999}', "invalid-json"),
        (b'{"a": 9223372036854775808}', "invalid-json"),
        (b'{"a": -9223372036854775809}', "invalid-json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "invalid-json"),
        (b'{"a": 1, "a": 2}', "invalid-json"),
        (b'{"a": "\xff"}', "invalid-json"),
        (b"{'a': 1}", "invalid-json"),
        (b"\xef\xbb\xbf{}", "invalid-json"),
        (b"", "invalid-json"),
        (b'{"a": ["\\ud800"]}', "invalid-content"),
        (b'{"a": "x\\u0000"}', "invalid-content"),
        (b'{"\\ud800": 1}', "invalid-content"),
        (b"[" + b"1," * 200_000 + b"1]", "too-large"),
    ],
)
def test_body_that_is_no_strict_json_is_refused(body, code):
    with pytest.raises(Problem) as raised:
        parsers.loads(body)
    assert raised.value.code == code
    assert raised.value.as_dict()["detail"]


def test_body_that_json_of_python_takes_would_have_come_in():
    """The naive parser: everything that ours refuses but syntax and depth."""
    assert json.loads('{"a": 1, "a": NaN}')["a"] != 1
    assert len(json.loads('"\\ud800"')) == 1


def test_right_body_comes_in_as_it_is():
    text = {"a": [1, -(2**63), 2**63 - 1, 1.5, None, True, "ç😀"], "b": {}}
    assert parsers.loads(json.dumps(text).encode()) == text


@pytest.mark.django_db
def test_problem_is_told_in_the_language_of_the_program(client):
    details = {language: told(client.get("/api/v1/nothing/", headers={"Accept-Language": language}))["title"] for language in ("en", "ca", "xx")}
    assert details["en"] == "There is nothing here"
    assert details["ca"] == details["xx"]


def test_address_without_its_last_slash_is_led_to_it(client):
    response = client.post("/api/v1/listings?x=1", "{}", content_type="application/json")
    assert (response.status_code, response["Location"]) == (308, "/api/v1/listings/?x=1")


def test_forms_are_not_read(client):
    response = client.post("/api/v1/listings/", {"title": "x"})
    assert told(response)["status"] == 415


def test_nul_in_an_address_is_a_problem(client):
    assert told(client.get("/api/v1/listings/?q=%00"))["status"] == 400


def test_body_without_a_length_is_refused(client):
    response = client.post("/api/v1/nothing/", data=b"", content_type="application/json", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="")
    assert told(response)["status"] == 411


@pytest.mark.django_db
def test_every_type_of_problem_is_explained_on_its_page(client):
    page = client.get("/api/problems/").text
    for code, kind in KINDS.items():
        assert f"/api/problems/{code}" in page
        assert client.get(f"/api/problems/{code}").status_code == 200
        assert kind.status >= 400
    assert client.get("/api/problems/nothing").status_code == 404

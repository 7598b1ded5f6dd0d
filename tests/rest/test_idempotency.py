"""The same creation at the same moment, from several connections; and what is kept of it."""

import json
from http import HTTPStatus

import pytest
from django.db import connection

from marketplace.listings.models import Listing
from marketplace.rest import idempotency
from marketplace.rest.models import IdempotentRequest
from marketplace.rest.privacy import PersonalData
from marketplace.rest.problems import Problem
from tests import concurrency
from tests.factories import UserFactory
from tests.rest import programs
from tests.rest.keys import company_key
from tests.rest.programs import Program

URL = "/api/v1/listings/"
NEW = {
    "kind": "demand",
    "category": "solution",
    "title": "Laser cutting of stainless steel",
    "description": "Some 400 pieces a month, 2 mm sheets of AISI 304, drawings as DXF.",
    "sector": "2562",
}


def at_once(company, **headers):
    """The answers to eight requests that come at the same moment."""
    return concurrency.at_once(*[lambda: Program(company.secret).post(URL, NEW, **headers)] * 8)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_parallel_creations_under_one_key_make_one():
    company = programs.of_company()
    answers = at_once(company, Idempotency_Key="one")
    made = [answer for answer in answers if answer.status_code == HTTPStatus.CREATED]
    assert Listing.objects.count() == 1
    assert made
    assert len({answer.content for answer in made}) == 1
    assert {answer.status_code for answer in answers} <= {HTTPStatus.CREATED, HTTPStatus.CONFLICT}
    for answer in answers:
        if answer.status_code == HTTPStatus.CONFLICT:
            assert json.loads(answer.content)["type"].endswith("/request-in-progress")
            assert answer["Retry-After"] == "1"
    # The naive way: no key.
    at_once(company)
    assert Listing.objects.count() == 9


@pytest.mark.django_db(transaction=True)
def test_who_was_overtaken_commits_nothing():
    """A request that took longer than its lease: another one has taken over, so what it made is rolled back."""
    company = programs.of_company()
    request = type("Request", (), {"headers": {"Idempotency-Key": "slow"}, "auth": company.company.api_client.keys.get(), "data": {}})
    request.method, request.path, request.query_params = "POST", URL, type("Query", (), {"urlencode": staticmethod(str)})

    def make():
        connection.ensure_connection()
        listing = Program(company.secret).post(URL, NEW)
        IdempotentRequest.objects.update(created="2026-01-01T00:00:00Z")
        return listing

    with pytest.raises(Problem) as raised:
        idempotency.once(request, make)
    assert raised.value.code == "request-in-progress"
    assert not Listing.objects.exists()


@pytest.mark.django_db
def test_an_erased_person_is_in_no_answer_that_could_be_asked_for_again():
    """Two said yes, a program was told the contact data, and asks once more after the account was deleted: by its age alone the answer would stay for a day."""
    made, person = company_key("interests"), UserFactory(email="Alba.Puig@firm.example")
    told = {"contact": {"name": "Alba Puig", "email": "alba.puig@firm.example"}}
    for key, body in (("hers", told), ("other", {"contact": {"email": "oriol@firm.example"}})):
        IdempotentRequest.objects.create(client=made.key.client, key=key, fingerprint="x", status=201, body=json.dumps(body))
    assert idempotency.prune() == 0
    PersonalData().erase(person)
    assert [row.key for row in IdempotentRequest.objects.all()] == ["other"]

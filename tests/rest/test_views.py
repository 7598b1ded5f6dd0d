"""What every view of the API has."""

import datetime

import pytest
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from marketplace.rest.views import ApiView


class Going(ApiView):
    authentication_classes = ()
    deprecated_on = datetime.date(2027, 1, 31)
    sunset_on = datetime.date(2027, 12, 31)
    successor = "https://marketplace.example/api/v2/listings/"

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(headers={"Link": '<https://marketplace.example/?cursor=x>; rel="next"'})


def test_what_is_to_go_says_when_and_what_comes_instead():
    answer = Going.as_view()(APIRequestFactory().get("/"))
    assert answer["Deprecation"] == "@1801353600"
    assert answer["Sunset"] == "Fri, 31 Dec 2027 00:00:00 GMT"
    assert answer["Link"] == '<https://marketplace.example/?cursor=x>; rel="next", <https://marketplace.example/api/v2/listings/>; rel="successor-version"'


@pytest.mark.django_db
def test_what_stays_says_nothing_of_it(client):
    answer = client.get("/api/v1/sectors/")
    assert not {"Deprecation", "Sunset"} & set(answer.headers)


@pytest.mark.django_db
def test_head_is_get_without_a_body(client):
    asked, told = client.head("/api/v1/sectors/?level=1"), client.get("/api/v1/sectors/?level=1")
    assert (asked.status_code, asked.content, asked["ETag"]) == (200, b"", told["ETag"])


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["put", "delete", "options", "patch", "trace"])
def test_method_that_is_not_there_is_a_problem_that_names_those_there_are(client, method):
    answer = client.generic(method.upper(), "/api/v1/sectors/")
    assert (answer.status_code, answer["Content-Type"], answer["Allow"]) == (405, "application/problem+json", "GET, HEAD")

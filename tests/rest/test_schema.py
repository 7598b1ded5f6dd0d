"""The API's description of itself."""

import io
import json
import re
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from playwright.sync_api import expect

from marketplace.rest.problems import KINDS
from tests.rest.programs import Program


@pytest.fixture(scope="module")
def schema():
    # Any warning of drf-spectacular, of ours or of another app's address, ends this.
    text = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=text)
    return yaml.safe_load(text.getvalue())


def operations(schema):
    return {f"{method} {path}": operation for path, methods in schema["paths"].items() for method, operation in methods.items()}


def test_schema_is_openapi_3_1_and_valid(schema):
    assert schema["openapi"] == "3.1.0"
    assert len(operations(schema)) == len({operation["operationId"] for operation in operations(schema).values()})


def test_every_operation_is_described_with_its_problems_and_headers(schema):
    for name, operation in operations(schema).items():
        answers = operation["responses"]
        assert operation.get("summary") or operation.get("description"), name
        assert operation.get("tags"), name
        assert {"400", "429"} <= set(answers), name
        assert "Retry-After" in answers["429"]["headers"], name
        assert {"name": "Accept-Language", "in": "header"}.items() <= operation["parameters"][0].items(), name
        if operation.get("requestBody"):
            assert {"413", "415", "422"} <= set(answers), name
        for status, answer in answers.items():
            if status >= "400":
                assert set(answer["content"]) == {"application/problem+json"}, (name, status)


def test_operations_that_write_name_their_scope(schema):
    for name, operation in operations(schema).items():
        if "/api/v1/" in name and not name.startswith("get"):
            assert operation["security"] != [{}], name
            assert {"401", "403"} <= set(operation["responses"]), name


def test_console_s_own_addresses_are_not_in_it(schema):
    assert all(path.startswith(("/api/v1/", "/api/federation/v1/", "/.well-known/")) for path in schema["paths"])


@pytest.mark.django_db
def test_schema_is_served_as_json_and_yaml(client):
    as_json, as_yaml = client.get("/api/v1/schema/"), client.get("/api/v1/schema.yaml")
    assert json.loads(as_json.content) == yaml.safe_load(as_yaml.content)
    assert client.get("/api/v1/schema/", headers={"If-None-Match": as_json["ETag"]}).status_code == 304


@pytest.mark.django_db
def test_docs_are_served_by_ourselves_and_run_under_the_strict_policy(client):
    page = client.get("/api/docs/")
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "//cdn" not in page.text
    assert "<script>" not in page.text


@pytest.mark.needs("chromium")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [360, 1440])
def test_docs_show_every_operation(live_server, new_page, width, schema):
    page = new_page(viewport={"width": width, "height": 800})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/api/docs/")
    page.locator(".opblock").first.wait_for()
    expect(page.locator(".opblock")).to_have_count(len(operations(schema)))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#operations-listings-searchListings .opblock-summary-control").click()
    page.locator(".opblock-body").first.wait_for()
    assert complaints == []


@pytest.mark.django_db
def test_problems_in_the_schema_are_those_there_are(schema):
    answers = [answer for operation in operations(schema).values() for answer in operation["responses"].values()]
    told = {code for answer in answers for code in re.findall(r"`([a-z-]+)`: ", answer["description"])}
    assert told <= set(KINDS)
    assert Program().get("/api/v1/nothing/").json()["type"].rsplit("/", 1)[1] in KINDS


def test_every_address_stands_in_the_guide_and_no_other(schema):
    guide = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(/api/v1/[^`]+)`", guide, re.MULTILINE))
    assert documented == {path for path in schema["paths"] if path.startswith("/api/v1/")}

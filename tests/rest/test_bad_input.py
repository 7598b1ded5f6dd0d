"""Thousands of inputs that no program should send, at every address that the schema names: none makes the server fail, each answer says what to change."""

import functools
import json
import logging
import random
import re
from collections import Counter
from urllib.parse import quote

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory

from marketplace.rest import authentication
from tests.factories import ListingFactory
from tests.rest import programs

ENOUGH = 5_000
#: Of what reaches the database: the rest ends before it, whichever it is.
ENOUGH_ON_POSTGRESQL = 1_000
LARGE = 10 * 2**20

#: What a parameter, a header or a text of a body may be by mistake or by malice.
TEXTS = [
    *("", " ", "0", "-1", "1.5", "1e400", "NaN", "-Infinity", "null", "true", "[]", "{}", "٣", "½", "*", '"', "W/", '"v1"', '"v99999999999999999999.x"'),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "9" * 4500, "0x10", "1_000", "+1", "00"),
    *("0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-00-00", "2027-02-30", "10000-01-01", "2027-W01-1"),
    *(
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "not-a-uuid",
        "a" * 3000,
        "ç" * 500,
        "😀" * 300,
        "\u202e\u2066x",
        "ﷺ" * 50,
    ),
    *(
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "../../../etc/passwd",
        "${jndi:ldap://x}",
        "%s%s%n",
        "{0.__class__}",
        "https://127.0.0.1/",
        "a,b,,c",
        "company..name",
    ),
    *("eyJ0byI6ImYifQ:abc", "eyJhdCI6W251bGxdfQ", "AAAA", "::::", "a:b:c", "=" * 40, "eyJ0byI6ImYiLCJhdCI6W1sidCIsIjAwMDEtMDEtMDFUMDA6MDA6MDArMTQ6MDAiXV19:x"),
    *("offer", "demand", "relevance", "nearest", "draft", "ca", "title,company.name", "Terrassa", "082798", "C", "2229"),
]
#: The same in an address, where any bytes can stand.
BYTES = [quote(text) for text in TEXTS] + [
    "%00",
    "%ED%A0%80",
    "%FF%FE",
    "%C0%80",
    "%F4%90%80%80",
    "%",
    "%zz",
    "%u0041",
    "+",
    "a&a&a",
    "a%26b%3Dc",
    ";",
    "%0D%0AX-A:%20b",
]
VALUES = [
    *(None, True, False, 0, -1, 1, 1.5, 1e308, 2**31, 2**63 - 1, -(2**63), [], {}, [None], [[]], [{}], {"a": 1}, "", ["a"] * 1000, [1] * 600),
    *(text for text in TEXTS if "\x00" not in text),
]
BODIES = [
    *(b"", b"null", b"true", b"0", b'""', b"[]", b"[null]", b"{", b"}", b"{'a':1}", b'{"a":}', b"\xff\xfe", b"\xef\xbb\xbf{}", b"//", b"{}{}", b"[" * 100_000),
    *(b'{"a":' * 100_000, b"[" * 500 + b"]" * 500, b'{"operations":' + b"[" * 60 + b"]" * 60 + b"}", b'{"url":NaN}', b'{"a":1e999}', b'{"a":-Infinity}'),
    *(b'{"a":' + b"9" * 5000 + b"}", b'{"title":"\\ud800"}', b'{"title":"\\u0000"}', b'{"\\udfff":1}', b'{"a":1,"a":2}', b"[" + b"1," * 150_000 + b"1]"),
    *(
        b'{"title":"' + b"x" * LARGE + b'"}',
        b'"' + b"\\" * 99 + b'"',
        b'{"a":9223372036854775808}',
        json.dumps({"operations": [{"op": "create"}] * 501}).encode(),
    ),
]


@pytest.fixture(scope="module")
def schema():
    return json.loads(Client().get("/api/v1/schema/").content)


@pytest.fixture(autouse=True)
def _quick(settings, monkeypatch):
    """Whose a good key is, is asked once: to ask it each time would be two thirds of the work, and it is no input that varies here. Bad ones are looked at each time."""
    monkeypatch.setattr(authentication, "_key", functools.cache(authentication._key))
    settings.API_RATE_KEY = settings.API_RATE_ADDRESS = settings.API_RATE_FAILURES = 0
    # A line and a trace for each of thousands of refusals would take longer than they.
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def resolved(schema, part):
    while "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return part


class Caller:
    """Calls every operation of the schema, and remembers what was answered."""

    def __init__(self, schema, listing, secrets):
        self.schema, self.uid, self.secrets = schema, str(listing.uid), secrets
        self.handler, self.factory = WSGIHandler(), RequestFactory()
        self.statuses, self.faults = Counter(), []

    def operations(self):
        for path, methods in self.schema["paths"].items():
            for method, operation in methods.items():
                yield method, path, operation

    def call(self, method, path, *, query="", body=None, headers=(), uid=None, kind="application/json", authorization=None):
        address = re.sub(r"\{\w+\}", lambda _: quote(uid, safe="") if uid is not None else self.uid, path) + (f"?{query}" if query else "")
        secret = self.secrets["partner" if "/federation/" in path else "company"]
        given = {"Authorization": authorization if authorization is not None else f"Bearer {secret}"} | dict(headers)
        extra = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()}
        sent = {} if body is None else {"data": body, "content_type": kind}
        # As the server does. Django's client also keeps the pages' templates and contexts, which takes as long as the answer.
        answer = self.handler.get_response(self.factory.generic(method.upper(), address, **sent, **extra))
        self.look(answer, f"{method} {address[:200]} {list(headers)!r:.200} {(body or b'')[:200]!r}")

    def look(self, answer, sent):
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self.faults.append(f"{answer.status_code} {sent}")
        elif answer.status_code >= 400:
            try:
                problem = json.loads(content)
                told = answer["Content-Type"] == "application/problem+json" and problem["status"] == answer.status_code and problem["detail"]
            except (ValueError, KeyError):
                told = False
            if not told:
                self.faults.append(f"{answer.status_code} without a problem: {sent} {content[:200]}")
        elif answer.status_code == 207:
            self.faults += [f"{one} in {sent}" for one in json.loads(content)["results"] if one["status"] >= 500]

    def bodies(self, operation):
        """Bodies that are right but for one member."""
        media = operation["requestBody"]["content"].get("application/json", {})
        examples = [one["value"] for one in media.get("examples", {}).values()]
        right = examples[0] if examples else {}
        for name in resolved(self.schema, media.get("schema", {})).get("properties", {}):
            for value in VALUES:
                yield json.dumps({**right, name: value}).encode()


class Dice(random.Random):
    """The same throw at every run."""

    def some(self, values, number):
        return self.sample(values, min(number, len(values)))


def caller_of(schema):
    company, partner = programs.of_company(scopes=("read", "write")), programs.of_partner()
    listing = ListingFactory(live=True, company=company.company)
    return Caller(schema, listing, {"company": company.secret, "partner": partner.secret})


def try_address(caller, dice, method, path, operation):
    """What stands in the address and in headers."""
    names = {place: [one["name"] for one in operation.get("parameters", []) if one["in"] == place] for place in ("query", "header", "path")}
    body = None if method == "get" else b"{}"
    for name in names["query"]:
        for value in dice.some(BYTES, 34):
            caller.call(method, path, query=f"{name}={value}")
    for name in (*names["header"], "If-None-Match"):
        for value in dice.some(TEXTS, 8):
            caller.call(method, path, headers=[(name, value.encode().decode("latin-1"))], body=body)
    for value in dice.some([text for text in TEXTS if text], 8) if names["path"] else ():
        caller.call(method, path, uid=value, body=body)
    for value in dice.some(["", "Bearer", "Bearer ", "Basic YTpi", "Bearer mpk_x", f"Bearer {'x' * 9000}", "Bearer ç", "bearer\tx"], 4):
        caller.call(method, path, authorization=value)
    for value in ("x=1", "cursor=" + "A" * 9000, "&".join(f"a{n}=1" for n in range(1200)), "q=%00", "limit=1&limit=1"):
        caller.call(method, path, query=value)


def try_bodies(caller, dice, method, path, operation):
    """What is no JSON, what is another JSON, and what is right but for one member."""
    for body in (*BODIES, *dice.some(list(caller.bodies(operation)), 220)):
        caller.call(method, path, body=body, headers=[("If-Match", "*")])
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-7", "x" * 500):
        caller.call(method, path, body=b'{"a": 1}', kind=kind)


def try_values(caller, dice, method, path, operation):
    """What can come as far as the database: parameters, names in the address, members of a body."""
    for name in [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]:
        for value in dice.some(BYTES, 9):
            caller.call(method, path, query=f"{name}={value}")
    for value in dice.some([text for text in TEXTS if text], 3) if "{" in path else ():
        caller.call(method, path, uid=value, body=None if method == "get" else b"{}")
    for body in dice.some(list(caller.bodies(operation)), 60) if "requestBody" in operation else ():
        caller.call(method, path, body=body, headers=[("If-Match", "*")])


def assert_nothing_failed(caller, enough):
    assert not caller.faults, f"{len(caller.faults)} faults:\n" + "\n".join(caller.faults[:20])
    assert sum(caller.statuses.values()) >= enough, caller.statuses


@pytest.mark.django_db
def test_no_bad_input_makes_the_server_fail(schema):
    caller, dice = caller_of(schema), Dice(6)
    for method, path, operation in caller.operations():
        try_address(caller, dice, method, path, operation)
        if "requestBody" in operation:
            try_bodies(caller, dice, method, path, operation)
    assert_nothing_failed(caller, ENOUGH)
    assert {200, 400, 401, 404, 413, 415, 422} <= set(caller.statuses)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_no_bad_input_makes_the_server_fail_on_postgresql(schema):
    """Which refuses what SQLite takes: a NUL, a number beyond a column, half a character."""
    caller, dice = caller_of(schema), Dice(6)
    for method, path, operation in caller.operations():
        try_values(caller, dice, method, path, operation)
    assert_nothing_failed(caller, ENOUGH_ON_POSTGRESQL)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"title": "\\ud800"}', b'{"a": ' + b"9" * 5000 + b"}"])
def test_naive_view_fails_on_the_same_input(body):
    """What a view does that trusts json.loads: it raises, or hands on what no database takes."""
    with pytest.raises((RecursionError, ValueError)) as raised:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    assert not isinstance(raised.value, json.JSONDecodeError)

"""The client reads a marketplace without anything of Django; the example of the documentation keeps a copy."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import urllib3
from django.conf import settings

from marketplace.federation.client import Client, CursorExpired, HarvestError, Response, digest_of, over_urllib3
from tests.websites import drip, drip_headers, endless, redirect

ROOT = Path(settings.BASE_DIR)


@pytest.fixture
def client(origin):
    return Client(origin.url, key="a key")


def test_client_needs_no_django():
    program = (
        "import sys, marketplace.federation.client; print([name for name in sys.modules if name.startswith(('django', 'rest_framework', 'marketplace.core'))])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert loaded == "['marketplace.core', 'marketplace.core.lines']"


def test_pages_to_the_end(origin, client):
    for number in range(5):
        origin.put(number)
    pages = list(client.all_changes(limit=2))
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert [item.uri for page in pages for item in page.items] == [origin.uri(number) for number in range(5)]
    assert client.changes(pages[-1].cursor).items == []
    assert origin.site.headers[0]["Authorization"] == "Bearer a key"


def test_snapshot_in_pages_with_the_cursor_of_the_first(origin, client):
    for number in range(5):
        origin.put(number)
    pages = list(client.whole_snapshot(limit=2))
    assert ([len(page.items) for page in pages], {page.as_of for page in pages}, pages[-1].after) == ([2, 2, 1], {"c5"}, "")
    assert all(item.digest == digest_of(item.listing) for page in pages for item in page.items)


def test_expired_cursor_is_told(origin, client):
    origin.expire_before = 1
    with pytest.raises(CursorExpired):
        client.changes("c0")


def test_one_listing_with_its_etag_and_its_tombstone(origin, client):
    item = origin.put("1")
    address = "/api/federation/v1/listings/1"
    origin.site.pages[address] = (200, {"Content-Type": "application/json", "ETag": 'W/"a"'}, json.dumps(item).encode())
    found, etag = client.listing("1")
    assert (found.uri, etag) == (item["uri"], 'W/"a"')
    origin.site.pages[address] = lambda request: 304 if request.headers["If-None-Match"] == etag else 500
    assert client.listing("1", etag) == (None, etag)
    gone = origin.take_away("1", "erasure")
    origin.site.pages[address] = (410, {"Content-Type": "application/problem+json"}, json.dumps(gone | {"type": "…/gone", "status": 410}).encode())
    assert client.listing("1")[0].reason == "erasure"


def test_interest_is_sent_once_under_its_key(origin, client):
    sent = []

    def take(request):
        sent.append((request.headers["Idempotency-Key"], json.loads(request.rfile.read(int(request.headers["Content-Length"])))))
        return 201, {"Content-Type": "application/json"}, b'{"uid": "7"}'

    origin.site.pages["/api/federation/v1/listings/1/interests"] = take
    assert client.send_interest("1", {"message": "Hola"}, idempotency_key="k") == {"uid": "7"}
    assert sent == [("k", {"message": "Hola"})]


def test_problem_is_told_in_its_own_words(origin, client):
    problem = {"type": "https://x.example/api/problems/forbidden", "title": "Not allowed", "detail": "Ask the office."}
    origin.site.pages["/.well-known/marketplace-federation"] = (403, {"Content-Type": "application/problem+json"}, json.dumps(problem).encode())
    with pytest.raises(HarvestError, match=r"Not allowed; Ask the office\.") as raised:
        client.discovery()
    assert raised.value.code == "forbidden"


def test_usual_way_follows_no_redirect_and_reads_no_endless_body(origin):
    origin.site.pages |= {"/away": redirect("/"), "/endless": endless}
    fetch = over_urllib3(timeout=5, max_bytes=10_000)
    assert fetch("GET", f"{origin.url}/away", {}, None).status == 302
    with pytest.raises(HarvestError, match="more than 10000 bytes"):
        fetch("GET", f"{origin.url}/endless", {}, None)
    with pytest.raises(HarvestError):
        fetch("GET", "http://127.0.0.1:1/", {}, None)


def test_link_that_is_none_is_an_error():
    lines = b'{"as_of": "c0", "total": 0}\n{"end": true, "count": 0}\n'
    for link in ('<http://[x>; rel="next"', '<https://x.example/?a=1>; rel="next"'):
        client = Client("https://x.example", fetch=lambda *_call, link=link: Response(200, {"Link": link}, lines))
        with pytest.raises(HarvestError) as raised:
            client.snapshot()
        assert raised.value.code == "bad-page"


@pytest.mark.parametrize("slow", [drip, drip_headers])
def test_an_answer_that_comes_a_letter_at_a_time_is_cut(slow, origin):
    """A time-out of the library's own is for each reading: the naive client is not done when the whole time is long over."""
    origin.site.pages["/.well-known/marketplace-federation"] = slow
    began = time.monotonic()
    with pytest.raises(HarvestError) as raised:
        Client(origin.url, fetch=over_urllib3(timeout=0.5)).discovery()
    assert (raised.value.code, time.monotonic() - began < 2) == ("no-answer", True)

    def naive():
        with contextlib.suppress(OSError, urllib3.exceptions.HTTPError):
            urllib3.request("GET", f"{origin.url}/.well-known/marketplace-federation", timeout=0.5, retries=False)

    waiting = threading.Thread(target=naive, daemon=True)
    waiting.start()
    waiting.join(1.5)
    assert waiting.is_alive(), "three times as long, and it still waits"


# --- The example ------------------------------------------------------------------------------------------------------------

#: Makes a marketplace with three listings, and a partner that may read them; prints the partner's key.
FILL = """
from marketplace.federation.models import Partner
from marketplace.listings.models import Listing
from marketplace.rest import keys
from marketplace.rest.models import ApiClient, Scope
from tests.factories import ListingFactory
from marketplace.core import changelog
from django.db import transaction
with transaction.atomic():
    made = [ListingFactory(live=True, title=f"Listing number {number}") for number in range(3)]
    changelog.append_many("listing", [listing.uid for listing in made])
client = ApiClient.objects.create(name="Reader")
Partner.objects.create(name="Reader", base_url="https://reader.example", state="active", reader="none", gives=True, client=client)
from marketplace.federation import export
export.run_once()
print(keys.issue(client, name="test", scopes=[Scope.FEDERATION], expires_at=None, by=None)[1])
"""


@pytest.mark.postgresql
def test_example_of_the_documentation_keeps_a_copy(nodes, tmp_path):
    (node,) = nodes(1)
    key = node.python(FILL).strip().splitlines()[-1]
    text = (ROOT / "docs/federation.md").read_text(encoding="utf-8").partition("## A client in Python")[2]
    program = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert len(program.strip().splitlines()) <= 18
    copy = tmp_path / "listings.json"

    def titles():
        run = [sys.executable, "-c", program, node.url, key]
        subprocess.run(run, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, timeout=60)
        return {listing["name"] for listing in json.loads(copy.read_text())["listings"].values()}

    assert titles() == {"Listing number 0", "Listing number 1", "Listing number 2"}
    node.python(
        "from marketplace.listings.models import Listing; from marketplace.listings import operations; from marketplace.federation import export\n"
        "operations.reject(Listing.objects.get(title='Listing number 1'), by=None, reason='x'); export.run_once()"
    )
    assert titles() == {"Listing number 0", "Listing number 2"}
    node.python("from marketplace.federation.models import Partner; Partner.objects.update(gives_version=2)")
    assert titles() == {"Listing number 0", "Listing number 2"}, "the cursor had expired"

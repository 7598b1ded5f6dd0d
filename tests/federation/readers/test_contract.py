"""One contract for every reader, whatever the partner has: against real servers, also hostile ones."""

import itertools
import json

import pytest
from django.utils.module_loading import import_string

from marketplace.core.addresses import AddressError
from marketplace.federation.fetching import fetcher
from marketplace.federation.items import CursorExpired, HarvestError
from marketplace.federation.readers import READERS, feed, json_api, reading, table, web_pages
from marketplace.federation.readers.visits import Limits
from tests.websites import drip, endless, redirect

from .sources import LISTINGS, PROTOCOL, SOURCES, answer, partner_of, read

EVERY = pytest.mark.parametrize("source", SOURCES, ids=str)
#: With our own protocol, which has versions and cursors besides.
ALL = pytest.mark.parametrize("source", [*SOURCES, PROTOCOL], ids=str)
#: One of each reader, where the format makes no difference.
EACH = pytest.mark.parametrize("source", [source for source in SOURCES if source.name in ("csv", "rss", "json", "web")], ids=str)
HOSTILE = pytest.mark.parametrize("source", [PROTOCOL, *(source for source in SOURCES if source.name in ("csv", "rss", "json", "web"))], ids=str)


def told(items):
    """The listings without the addresses, which each partner makes in its own way."""
    found = []
    for item in items:
        listing = json.loads(json.dumps(item.listing))
        owner = listing.get("offeredBy") or listing.get("mp:soughtBy")
        for node in (listing, owner):
            node.pop("@id")
            node.pop("url", None)
        found.append((item.updated_at, item.expires_at, listing))
    return found


def interrupted(partner, count):
    """What the first batches give, and the checkpoint behind them as the database keeps it."""
    items, state = [], {}
    for batch in itertools.islice(import_string(READERS[partner.reader])().batches(partner, {}, fetch=fetcher(partner)), count):
        items += batch.items
        state = json.loads(json.dumps(batch.checkpoint))
    return items, state


def refused(partner, checkpoint=None):
    """Why the visit ends. The protocol reader leaves it to the harvester to put what `fetch` says into words."""
    with pytest.raises((HarvestError, AddressError)) as raised:
        read(partner, checkpoint)
    assert str(raised.value)
    return raised.value


@ALL
def test_every_format_tells_the_same(source, site):
    plain = SOURCES[0]
    site.pages = plain.pages(site, LISTINGS)
    expected, _faults, _batches = read(partner_of(site, plain))
    site.pages = source.pages(site, LISTINGS)
    items, faults, batches = read(partner_of(site, source))
    assert faults == []
    assert told(items) == told(expected)
    assert len({item.uri for item in items}) == len(LISTINGS)
    assert all(
        item.uri.startswith(site.url) and (item.version == 0 or source is PROTOCOL) and item.op == "upsert" and item.digest.startswith("sha-256:")
        for item in items
    )
    assert all(batch.is_snapshot for batch in batches)


@ALL
def test_same_source_gives_the_same_items(source, site):
    site.pages = source.pages(site, LISTINGS)
    partner = partner_of(site, source)
    assert read(partner)[0] == read(partner)[0]


@ALL
def test_unchanged_source_takes_nothing_away(source, site):
    site.pages = source.pages(site, LISTINGS)
    partner = partner_of(site, source)
    first, _faults, batches = read(partner)
    again, _faults, later = read(partner, batches[-1].checkpoint)
    # Either it says that nothing is new, or it says all again; never a snapshot with less.
    assert again == first or (again == [] and [batch.is_snapshot for batch in later] == [False])


@EVERY
def test_run_goes_on_behind_every_batch(source, site, monkeypatch):
    """A worker leaves a partner after some seconds, or is killed: nothing is lost, and little is asked twice."""
    monkeypatch.setattr(reading, "BATCH", 1)
    site.pages = source.pages(site, LISTINGS)
    partner = partner_of(site, source)
    site.asked.clear()
    whole, _faults, batches = read(partner)
    requests = len(site.asked)
    assert len(batches) >= 2
    for stop in range(len(batches) - 1):
        before, state = interrupted(partner, stop + 1)
        site.asked.clear()
        after, _faults, rest = read(partner, json.loads(json.dumps(state)))
        uris = [item.uri for item in before + after]
        assert set(uris) == {item.uri for item in whole}
        assert len(uris) == len(whole)
        assert len(site.asked) <= requests + 1
        assert rest[-1].checkpoint == batches[-1].checkpoint


@pytest.mark.parametrize("source", [source for source in SOURCES if source.name in ("csv", "rss", "json")], ids=str)
def test_source_that_changes_meanwhile_is_read_anew(source, site, monkeypatch):
    """Half of one file and half of another would be the picture of no moment."""
    monkeypatch.setattr(reading, "BATCH", 1)
    site.pages = source.pages(site, LISTINGS)
    partner = partner_of(site, source)
    _items, state = interrupted(partner, 2)
    site.pages = source.pages(site, LISTINGS[1:])
    with pytest.raises(CursorExpired):
        read(partner, state)


@EVERY
def test_settings_that_change_meanwhile_begin_anew(source, site, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 1)
    site.pages = source.pages(site, LISTINGS)
    _items, state = interrupted(partner_of(site, source), 2)
    if state:
        with pytest.raises(CursorExpired):
            read(partner_of(site, source, kind="offer"), state)


@ALL
def test_bad_entry_is_a_fault_with_its_place(source, site):
    bad = {**LISTINGS[1], "until": "quan es pugui"}
    site.pages = source.pages(site, [LISTINGS[0], bad, LISTINGS[2]])
    items, faults, _batches = read(partner_of(site, source))
    assert [item.listing["name"] for item in items] == [LISTINGS[0]["title"], LISTINGS[2]["title"]]
    [fault] = faults
    assert fault.code == "bad-date"
    assert source is PROTOCOL or ("quan es pugui" in fault.message and any(place in fault.message for place in ("2", "3", "102")))
    assert "quan es pugui" in fault.raw
    # Known by its address, so that the harvester does not take the listing of before to be gone.
    assert fault.uri.startswith(site.url)
    site.pages = source.pages(site, LISTINGS)
    assert fault.uri in {item.uri for item in read(partner_of(site, source))[0]}


@ALL
def test_entry_that_is_gone_is_not_in_the_snapshot(source, site):
    site.pages = source.pages(site, LISTINGS)
    partner = partner_of(site, source)
    before, _faults, batches = read(partner)
    site.pages = source.pages(site, LISTINGS[:2])
    after, _faults, later = read(partner, {} if source is PROTOCOL else batches[-1].checkpoint)
    assert after == before[:2]
    assert later[-1].is_snapshot


@ALL
def test_changed_entry_keeps_its_address_and_gets_another_digest(source, site):
    site.pages = source.pages(site, LISTINGS)
    partner = partner_of(site, source)
    before, _faults, batches = read(partner)
    site.pages = source.pages(site, [{**LISTINGS[0], "description": "Ara també amb bioplàstics, i en sèries de mil peces."}, *LISTINGS[1:]])
    after, _faults, _batches = read(partner, {} if source is PROTOCOL else batches[-1].checkpoint)
    assert [item.uri for item in after] == [item.uri for item in before]
    assert [one.digest != other.digest for one, other in zip(after, before, strict=True)] == [True, False, False]


@EVERY
def test_ended_entry_is_left_out_without_a_fault(source, site):
    site.pages = source.pages(site, [{**LISTINGS[0], "until": "2020-01-01"}, *LISTINGS[1:]])
    items, faults, _batches = read(partner_of(site, source))
    assert [item.listing["name"] for item in items] == [one["title"] for one in LISTINGS[1:]]
    assert faults == []


@EVERY
def test_empty_source_is_an_error(source, site):
    """Otherwise a partner's broken export would take all its listings away here."""
    site.pages = source.pages(site, [])
    assert refused(partner_of(site, source)).code in ("empty", "not-a-table")


@EVERY
def test_source_of_nothing_but_faults_is_an_error(source, site):
    site.pages = source.pages(site, [{**one, "until": "mai"} for one in LISTINGS])
    error = refused(partner_of(site, source))
    assert error.code == "nothing-good"
    assert "mai" in error.message


@EACH
def test_contact_data_is_never_taken(source, site):
    site.pages = source.pages(site, [{**LISTINGS[0], "tax_id": "12345678Z"}])
    [item], _faults, _batches = read(partner_of(site, source))
    assert "identifier" not in item.listing["offeredBy"]
    assert "12345678" not in json.dumps(item.listing)


def _slow(site):
    return drip, "too_slow"


def _endless(site):
    return endless, "too_large"


def _redirect(site):
    return redirect("http://169.254.169.254/latest/"), "redirected"


def _gone(site):
    return (404, {}, b""), "http-404"


def _closed(site):
    return (403, {}, b""), "http-403"


def _broken(site):
    return (503, {"Retry-After": "120"}, b""), "http-503"


def _picture(site):
    return answer("image/png", b"\x89PNG\r\n\x1a\n"), "wrong_type"


@HOSTILE
@pytest.mark.parametrize("hostile", [_slow, _endless, _redirect, _gone, _closed, _broken, _picture])
def test_hostile_answer_ends_the_visit_with_a_clear_word(source, hostile, site, monkeypatch):
    for module in (table, feed, json_api, web_pages):
        reader = next(thing for name, thing in vars(module).items() if name.endswith("Reader"))
        monkeypatch.setattr(reader, "limits", Limits(max_bytes=200_000, seconds=0.6, all_seconds=5))
    shown, code = hostile(site)
    site.pages = {**source.pages(site, LISTINGS), source.main: shown}
    error = refused(partner_of(site, source))
    if source is not PROTOCOL:
        # The protocol's own words for the same are tested with its client.
        assert error.code == code
        assert source.main in error.message
    assert (getattr(error, "retry_after", None) == 120) is (code == "http-503")
    assert not any("latest" in path for _method, path in site.asked)


@EACH
@pytest.mark.parametrize(
    "body",
    [b"", b"   \n", b"<!doctype html><html><body>Log in</body></html>", b"%PDF-1.7", b"\x00\x01\x02\x03" * 50, b"\xff\xfe\x00", b"[[[[", b"PK\x03\x04rubbish"],
)
def test_what_is_something_else_is_an_error(source, body, site):
    site.pages = {**source.pages(site, LISTINGS), source.main: answer("", body)}
    refused(partner_of(site, source))


BOMB = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("source", [source for source in SOURCES if source.name in ("rss", "web")], ids=str)
@pytest.mark.parametrize("declared", [BOMB, FILE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(source, declared, encoding, site):
    shown = source.pages(site, LISTINGS)
    body = (
        shown["/data"][2]
        .decode()
        .replace("?>", f"?>{declared}", 1)
        .replace("<title>", "<title>&c;&a;", 1)
        .replace('"utf-8"', f'"{encoding}"', 1)
        .replace("UTF-8", encoding)
    )
    site.pages = {**shown, "/data": answer("application/xml", body.encode(encoding))}
    assert refused(partner_of(site, source)).code == "entities"


@EACH
def test_changed_options_read_anew(source, site):
    site.pages = source.pages(site, LISTINGS)
    partner = partner_of(site, source)
    _items, _faults, batches = read(partner)
    changed = partner_of(site, source, defaults={"reach_km": "25"})
    items, _faults, later = read(changed, batches[-1].checkpoint)
    assert [item.listing["mp:reachKm"] for item in items] == [25, 25, 25]
    assert later[-1].is_snapshot


@EACH
def test_limits_of_entries_hold(source, site, monkeypatch):
    for module in (table, feed, json_api, web_pages):
        reader = next(thing for name, thing in vars(module).items() if name.endswith("Reader"))
        monkeypatch.setattr(reader, "limits", Limits(items=2))
    site.pages = source.pages(site, LISTINGS)
    assert refused(partner_of(site, source)).code == "too-many-items"

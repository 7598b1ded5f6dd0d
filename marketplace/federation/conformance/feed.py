"""The log, the snapshot, and that the two say the same."""

import re
from urllib.parse import parse_qs, urlsplit

from .probing import MOST_ITEMS, OK, FaultError, Probe, SkipError, check, demand, document, expect, lines, problem

GROUP = "Feed"
USUAL, MOST = 200, 1000
GONE, NOT_MODIFIED, NOT_FOUND, BAD_REQUEST, UNPROCESSABLE = 410, 304, 404, 400, 422
FEW = 3
NEXT = re.compile(r'<([^<>]*)>\s*;[^<]*\brel="?next"?')
UNKNOWN = "01900000-0000-7000-8000-00000000dead"


def _sequence(items: list) -> list[tuple]:
    return [(item.get("uri"), item.get("version"), item.get("op")) for item in items if isinstance(item, dict)]


@check(GROUP, "a page has items, a cursor, and a Link to the next")
def page(probe: Probe) -> None:
    """RFC 8288."""
    probe.need_key()
    answer = probe.get(probe.path("changes"), limit=1)
    told = document(answer)
    demand(isinstance(told.get("items"), list) and isinstance(told.get("cursor"), str), "“items” or “cursor” is missing.", "Give a list and a text.")
    demand(isinstance(told.get("more"), bool), "“more” is missing.", "Say whether there are further items now.")
    demand(len(told["items"]) <= 1, f"limit=1 brought {len(told['items'])} items.", "Heed the limit.")
    found = NEXT.search(answer.headers.get("Link", ""))
    demand(found, 'There is no Link with rel="next".', "Send it, as RFC 8288 has it.")
    by_link, by_cursor = document(probe.get(found[1])), document(probe.get(probe.path("changes"), limit=1, cursor=told["cursor"]))
    demand(_sequence(by_link["items"]) == _sequence(by_cursor["items"]), "Link and cursor lead to different pages.", "Let both go on behind the page.")


@check(GROUP, f"a page has at most {MOST} items, {USUAL} without a limit")
def sizes(probe: Probe) -> None:
    """More is cut, nonsense refused."""
    probe.need_key()
    for parameters, most in (({}, USUAL), ({"limit": MOST}, MOST), ({"limit": 10 * MOST}, MOST)):
        answer = probe.get(probe.path("changes"), **parameters)
        if answer.status in (BAD_REQUEST, UNPROCESSABLE) and parameters.get("limit", 0) > MOST:
            continue
        demand(len(document(answer)["items"]) <= most, f"{parameters or 'no limit'} brought more than {most} items.", "Cut the page.")
    for limit in ("0", "x"):
        problem(probe.get(probe.path("changes"), limit=limit), BAD_REQUEST, UNPROCESSABLE)


@check(GROUP, "the log can be read to its end, each listing once")
def whole(probe: Probe) -> str:
    """In its newest state."""
    uris = [item.get("uri") for item in probe.items]
    twice = {uri for uri in uris if uris.count(uri) > 1} if len(uris) <= MOST_ITEMS // 5 else set(uris) if len(set(uris)) < len(uris) else set()
    if twice:
        # A listing that changed while we read comes once more, later; its version has risen.
        for uri in list(twice)[:50]:
            versions = [item.get("version") for item in probe.items if item.get("uri") == uri]
            demand(versions == sorted(set(versions)), f"{uri} comes twice with versions {versions}.", "Move the entry of a changed listing to the end.")
    return f"{len(uris)} items" + ("" if probe.is_whole else ", the rest was not read")


@check(GROUP, "the same cursor brings the same page; at the end it stays")
def again(probe: Probe) -> None:
    """A reader that was interrupted asks once more."""
    pages = probe.pages
    start = {"cursor": pages[0]["cursor"]}
    first, second = (document(probe.get(probe.path("changes"), limit=FEW, **start)) for _ in range(2))
    demand(_sequence(first["items"]) == _sequence(second["items"]), "Asked twice, a cursor leads to different items.", "Order by the log, not by time.")
    if not probe.is_whole:
        raise SkipError("the log is longer than is looked at")
    end = document(probe.get(probe.path("changes"), cursor=pages[-1]["cursor"]))
    if not end["items"]:
        demand(end.get("more") is False, "At the end “more” is not false.", "Say that there is nothing more.")


@check(GROUP, "pages of any size give the same order")
def order(probe: Probe) -> None:
    """Nothing is missed or shown twice between two pages."""
    probe.need_key()
    sizes, cursor, read = (1, 2, 3, 7), "", []
    for size in sizes:
        told = document(probe.get(probe.path("changes"), limit=size, **({"cursor": cursor} if cursor else {})))
        read += _sequence(told["items"])
        cursor = told["cursor"]
    demand(read == _sequence(probe.items)[: len(read)], "Small pages show something else than large ones.", "Let a cursor mean the place behind the last item.")


@check(GROUP, "an unchanged page is not sent again (304)")
def unchanged(probe: Probe) -> None:
    """RFC 9110."""
    probe.need_key()
    answer = probe.get(probe.path("changes"), limit=FEW)
    demand(answer.headers.get("ETag"), "There is no ETag.", "Send one, and heed If-None-Match.")
    again = probe.get(probe.path("changes"), limit=FEW, headers={"If-None-Match": answer.headers["ETag"]})
    expect(again, NOT_MODIFIED)
    demand(not again.body, "The 304 has a body.", "Send none.")


@check(GROUP, "a cursor that is none, or not of now, is refused")
def strange_cursors(probe: Probe) -> None:
    """Going on from a wrong place would lose listings in silence."""
    cursor = probe.pages[0]["cursor"]
    for wrong in ("x", "0", cursor[: len(cursor) // 2], cursor[::-1]):
        answer = probe.get(probe.path("changes"), cursor=wrong)
        if answer.status == GONE:
            _points_to_snapshot(problem(answer, GONE), answer.headers.get("Link", ""))
        else:
            problem(answer, BAD_REQUEST, UNPROCESSABLE)


def _points_to_snapshot(told: dict, link: str) -> None:
    demand("snapshot" in f"{told} {link}".lower(), "The 410 does not say where the snapshot is.", "Point to it in the problem (“snapshot”).")


@check(GROUP, "the snapshot has a head with its cursor, and an end with the count")
def snapshot(probe: Probe) -> str:
    """So that one that broke off is noticed."""
    told = probe.snapshot
    demand(len(told) > 1 and isinstance(told[0].get("as_of"), str), "The first line has no “as_of”.", 'Begin with {"as_of": cursor, "total": n}.')
    demand(told[-1].get("end") is True, "The last line is not the end.", 'Finish with {"end": true, "count": n}.')
    demand(told[-1].get("count") == len(told) - 2, f"“count” is {told[-1].get('count')}, there are {len(told) - 2} items.", "Count what was sent.")
    wrong = [item.get("op") for item in told[1:-1] if item.get("op") != "upsert"]
    demand(not wrong, f"The snapshot holds {wrong[0] if wrong else ''}.", "Show only what is live.")
    document(probe.get(probe.path("changes"), cursor=told[0]["as_of"]))
    return f"{len(told) - 2} listings"


@check(GROUP, "the snapshot in pages is the same as the whole")
def snapshot_pages(probe: Probe) -> None:
    """For readers that keep a checkpoint."""
    whole, address, parameters, read = {item["uri"] for item in probe.snapshot[1:-1]}, probe.path("snapshot"), {"limit": max(len(probe.snapshot) // 3, 1)}, []
    as_of = set()
    for _page in range(6):
        answer = probe.get(address, **parameters)
        told = lines(answer)
        as_of.add(told[0].get("as_of"))
        read += [item["uri"] for item in told[1:-1]]
        found = NEXT.search(answer.headers.get("Link", ""))
        if not found:
            break
        address, parameters = found[1], {}
        demand(urlsplit(address).netloc in ("", urlsplit(probe.url).netloc), "Link leads to another host.", "Stay on the node's host.")
        demand(parse_qs(urlsplit(address).query), "Link has no parameters.", "Say in it where to go on.")
    demand(len(as_of) == 1, "The pages tell different “as_of”.", "All pages tell that of the first.")
    demand(len(read) == len(set(read)), "A listing is on two pages.", "Order by something that does not change, such as the id.")
    demand(set(read) <= whole or set(read) >= whole, "The pages hold other listings than the whole.", "Show the same.")


@check(GROUP, "log and snapshot agree")
def agreement(probe: Probe) -> str:
    """What the log leaves standing is what the snapshot shows."""
    if not probe.is_whole:
        raise SkipError("the log is longer than is looked at")
    shown = {item["uri"]: item["digest"] for item in probe.snapshot[1:-1]}
    standing = {item["uri"]: item.get("digest") for item in probe.items if item.get("op") == "upsert"}
    since = _changed_since(probe, probe.pages[-1]["cursor"])
    different = [uri for uri in shown.keys() | standing.keys() if shown.get(uri) != standing.get(uri) and uri not in since]
    if different:
        where = "snapshot" if different[0] not in standing else "log"
        raise FaultError(f"{len(different)} listings differ; {different[0]} is only in the {where}, or has another digest there.", "Serve both from one log.")
    return f"{len(shown)} listings"


def _changed_since(probe: Probe, cursor: str) -> set[str]:
    """What changed while we looked."""
    return {item["uri"] for item in document(probe.get(probe.path("changes"), cursor=cursor, limit=MOST))["items"]}


# --- One listing ------------------------------------------------------------------------------------------------------------


def _uid(item: dict) -> str:
    return urlsplit(item["uri"]).path.rstrip("/").rpartition("/")[2]


@check(GROUP, "one listing is the item of the log, with an ETag (304)")
def one(probe: Probe) -> None:
    """Asked for by the last part of its URI."""
    live = [item for item in reversed(probe.items) if item.get("op") == "upsert"][:FEW]
    if not live:
        raise SkipError("nothing is live")
    for item in live:
        address = probe.path("listing", uid=_uid(item))
        answer = probe.get(address)
        if answer.status == GONE:
            continue  # It went while we looked.
        told = document(answer)
        demand(told.get("version", 0) >= item["version"], f"{item['uri']} has an older version than in the log.", "Serve both from one log.")
        demand(told["version"] != item["version"] or told == item, f"{item['uri']} is not the item of the log.", "Serve the same.")
        demand(answer.headers.get("ETag"), "There is no ETag.", "Send one, and heed If-None-Match.")
        expect(probe.get(address, headers={"If-None-Match": answer.headers["ETag"]}), NOT_MODIFIED)


@check(GROUP, "a listing that is gone is 410 with its tombstone, an unknown one 404")
def gone(probe: Probe) -> str:
    """Without content."""
    probe.need_key()
    problem(probe.get(probe.path("listing", uid=UNKNOWN)), NOT_FOUND)
    dead = [item for item in reversed(probe.items) if item.get("op") == "tombstone"][:FEW]
    for item in dead:
        answer = probe.get(probe.path("listing", uid=_uid(item)))
        if answer.status != OK:
            told = document(answer, GONE)
            demand("listing" not in told, f"The tombstone of {item['uri']} has content.", "Give none.")
    return "" if dead else "nothing has gone yet"


@check(GROUP, "a listing's URI leads to its page (303), or is gone (410)")
def names(probe: Probe) -> None:
    """Without a key: it is a public name."""
    own = [item for item in reversed(probe.items) if urlsplit(str(item.get("uri"))).netloc == urlsplit(probe.url).netloc]
    live = [item for item in own if item.get("op") == "upsert"][:1]
    dead = [item for item in own if item.get("op") == "tombstone" and item.get("reason") != "moderated"][:1]
    for item in live:
        answer = probe.get(item["uri"], key=False)
        expect(answer, 303, GONE)
        demand(answer.status == GONE or answer.headers.get("Location"), "The 303 says not where to.", "Send Location.")
    for item in dead:
        expect(probe.get(item["uri"], key=False), GONE, NOT_FOUND, 303)

"""JSON interfaces: every way of paging, paths, and what is no JSON."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from marketplace.federation.fetching import fetcher
from marketplace.federation.items import HarvestError
from marketplace.federation.readers import json_api, reading

from .sources import FIELDS, LISTINGS, Source, answer, as_json, partner_of, read

MANY = [{**LISTINGS[number % 3], "id": str(number), "title": f"Anunci número {number}"} for number in range(7)]
URIS = 7


def source(**options):
    return Source("json", "json", {"url": "/data", "fields": FIELDS, **options}, lambda *_: {})


def query(request):
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def served(site, make):
    site.pages = {"/data": make}


def page_of(entries, **more):
    return json.dumps({"data": [as_json(one) for one in entries], **more})


def titles(items):
    return [item.listing["name"] for item in items]


def test_offset_paging_with_a_size(site):
    def page(request):
        asked = query(request)
        start, size = int(asked["start"]), int(asked["rows"])
        return answer("application/json", page_of(MANY[start : start + size]))

    served(site, page)
    items, _faults, _batches = read(partner_of(site, source(items="data", paging="offset", page_param="start", size_param="rows", size=3)))
    assert titles(items) == [one["title"] for one in MANY]
    assert len(site.asked) == 3


def test_page_numbers_from_zero_to_a_404(site):
    def page(request):
        number = int(query(request)["p"])
        return answer("application/json", page_of(MANY[number * 4 : number * 4 + 4])) if number < 2 else 404

    served(site, page)
    items, _faults, _batches = read(partner_of(site, source(items="data", paging="page", page_param="p", first_page=0)))
    assert titles(items) == [one["title"] for one in MANY]


def test_first_page_that_is_not_there_is_an_error(site):
    with pytest.raises(HarvestError, match="404"):
        read(partner_of(site, source(items="data", paging="page")))


def test_next_link_in_the_header(site):
    def page(request):
        start = int(query(request).get("from", 0))
        following = {"Link": f'</data?from=0>; rel="first", </data?from={start + 3}>; title="a, b"; rel="next"'} if start + 3 < len(MANY) else {}
        return answer("application/json", page_of(MANY[start : start + 3]), **following)

    served(site, page)
    items, _faults, _batches = read(partner_of(site, source(items="data", paging="link")))
    assert titles(items) == [one["title"] for one in MANY]


def test_next_link_in_the_body(site):
    def page(request):
        start = int(query(request).get("from", 0))
        following = f"{site.url}/data?from={start + 3}" if start + 3 < len(MANY) else None
        return answer("application/json", page_of(MANY[start : start + 3], links={"next": following}))

    served(site, page)
    items, _faults, _batches = read(partner_of(site, source(items="data", paging="link", next="links.next")))
    assert titles(items) == [one["title"] for one in MANY]


def test_cursor(site):
    def page(request):
        start = int(query(request).get("after", "c0")[1:])
        return answer("application/json", page_of(MANY[start : start + 2], meta={"after": f"c{start + 2}" if start + 2 < len(MANY) else ""}))

    served(site, page)
    items, _faults, _batches = read(partner_of(site, source(items="data", paging="cursor", page_param="after", next="meta.after")))
    assert titles(items) == [one["title"] for one in MANY]


def test_link_to_another_host_is_not_followed(site):
    served(site, answer("application/json", page_of(MANY, next="http://169.254.169.254/latest")))
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, source(items="data", paging="link", next="next")))
    assert raised.value.code in ("other_host", "not_secure", "not_public")


def test_pages_in_a_circle_end(site):
    served(site, answer("application/json", page_of(MANY, next="/data")))
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, source(items="data", paging="link", next="next")))
    assert raised.value.code == "paging"


def test_interface_that_ignores_the_page_is_noticed(site):
    served(site, answer("application/json", page_of(MANY)))
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, source(items="data", paging="page", page_param="pagina")))
    assert "pagina" in raised.value.message


def test_endless_pages_end(site, monkeypatch):
    monkeypatch.setattr(json_api.JsonReader, "limits", json_api.Limits(pages=5))
    served(site, lambda request: answer("application/json", page_of([{**MANY[0], "id": query(request)["page"], "title": request.path}])))
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, source(items="data", paging="page")))
    assert raised.value.code == "too-many-pages"
    assert len(site.asked) == 5


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"data": NaN}',
        "[" * 100_000,
        '{"data": 1' + "0" * 10_000 + "}",
        '"text"',
        "null",
        '{"data": {}}',
        '{"data": 3}',
        '{"other": []}',
        b"\xff\xfe{\x00}\x00",
        "\ufeff",
    ],
)
def test_what_is_no_list_of_entries_is_an_error(site, body):
    served(site, answer("application/json", body))
    with pytest.raises(HarvestError) as raised:
        read(partner_of(site, source(items="data")))
    assert raised.value.message


def test_entries_of_other_shapes_are_faults(site):
    strange = [3, None, "text", [], {}, {"titol": {"a": 1}}, {"titol": "x" * 10_000, "codi": 9**40}]
    served(site, answer("application/json", json.dumps({"data": [as_json(LISTINGS[0]), *strange]})))
    items, faults, _batches = read(partner_of(site, source(items="data", kind="offer")))
    assert len(items) == 2  # The long title is cut.
    assert len(faults) == 6
    assert all(fault.message and fault.code for fault in faults)


@pytest.mark.parametrize("path", ["data[", "a..b", "`", "foo(", "@@"])
def test_path_that_is_none_is_said(site, path):
    served(site, answer("application/json", page_of(LISTINGS)))
    for partner in (partner_of(site, source(items=path)), partner_of(site, source(items="data", fields={**FIELDS, "title": path}))):
        with pytest.raises(HarvestError) as raised:
            read(partner)
        assert path in raised.value.message


def test_path_with_a_function_and_one_that_fails(site):
    served(site, answer("application/json", page_of(LISTINGS)))
    fields = {**FIELDS, "title": "join(' · ', [titol, empresa.nom])"}
    items, _faults, _batches = read(partner_of(site, source(items="data", fields=fields)))
    assert items[0].listing["name"] == f"{LISTINGS[0]['title']} · {LISTINGS[0]['company']}"
    with pytest.raises(HarvestError):
        read(partner_of(site, source(items="data", fields={**FIELDS, "title": "abs(titol)"})))


def test_without_changes_nothing_is_sent_again(site):
    def page(request):
        return (304, {}, b"") if request.headers.get("If-None-Match") == '"v1"' else answer("application/json", page_of(LISTINGS), ETag='"v1"')

    served(site, page)
    partner = partner_of(site, source(items="data"))
    _items, _faults, batches = read(partner)
    items, _faults, later = read(partner, batches[-1].checkpoint)
    assert (items, later[-1].is_snapshot) == ([], False)
    assert site.headers[-1]["If-None-Match"] == '"v1"'


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([{"a": 1}], "@"), ({"data": [{"a": 1}]}, "data"), ({"result": {"records": [{"a": 1}, {"b": 2}], "fields": [{"x": 1}]}}, "result.records"),
        ({"@graph": [{"a": 1}]}, '"@graph"'), ({"a": 1}, "@"), ({"tags": ["x", "y"], "rows": [{"a": 1}]}, "rows"),
    ],
)  # fmt: skip
def test_path_of_the_entries_is_proposed(document, path):
    assert json_api.propose_items(document) == path


def test_endless_empty_pages_end_over_many_rounds(site, monkeypatch):
    """Each round of the worker reads a little; the count goes along with the checkpoint."""
    monkeypatch.setattr(json_api.JsonReader, "limits", json_api.Limits(pages=100, items=10))
    monkeypatch.setattr(reading, "BATCH_SECONDS", 0)
    served(site, lambda request: answer("application/json", page_of([{**MANY[0], "id": request.path}], next=f"/data?n={len(site.asked)}")))
    partner = partner_of(site, source(items="data", paging="link", next="next"))

    def rounds():
        state = {}
        for _round in range(20):
            state = next(iter(json_api.JsonReader().batches(partner, state, fetch=fetcher(partner)))).checkpoint

    with pytest.raises(HarvestError) as raised:
        rounds()
    assert raised.value.code == "too-many-items"

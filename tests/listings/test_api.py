"""Listings for programs."""

import datetime
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.listings import operations, writing
from marketplace.listings.enums import Origin, State
from marketplace.listings.models import Listing
from marketplace.listings.own_api import Batch
from marketplace.listings.serializers import FoundListingOut, OwnListingOut
from marketplace.rest import idempotency
from marketplace.rest.answers import check_if_match
from marketplace.rest.models import IdempotentRequest
from marketplace.rest.problems import Problem
from search import index
from tests.factories import SABADELL, TERRASSA, ListingFactory, MembershipFactory
from tests.rest import programs
from tests.rest.programs import Program

pytestmark = pytest.mark.django_db

URL = "/api/v1/listings/"
NEW = {
    "kind": "demand",
    "category": "solution",
    "title": "Laser cutting of stainless steel",
    "description": "Some 400 pieces a month, 2 mm sheets of AISI 304, drawings as DXF.",
    "sector": "2562",
}


@pytest.fixture
def anybody():
    return Program()


@pytest.fixture
def company():
    return programs.of_company()


def page(response, status=200):
    assert response.status_code == status, response.content
    return response.json()


def problem(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    return response.json()


def flat(pages):
    return [uid for one in pages for uid in one]


def walk(program, address, rel="next"):
    """Every uid on the way on (or back), page by page."""
    pages = []
    while address:
        body = page(program.get(address.removeprefix("http://testserver")))
        pages.append([row["uid"] for row in body["results"]])
        address = body["next" if rel == "next" else "previous"]
    return pages


# --- Reading ------------------------------------------------------------------------------------------------------------


def test_list_gives_what_is_public_and_no_contact_data(anybody):
    listing = ListingFactory(live=True, keywords="visera, PET", company__contact_phone="600 100 200", company__contact_name="Maria")
    ListingFactory()
    ListingFactory(live=True, company__hidden=True)
    ListingFactory(live=True, valid_until=timezone.localdate() - datetime.timedelta(days=1))
    response = anybody.get(URL)
    (row,) = page(response)["results"]
    assert row == {
        "uid": str(listing.uid),
        "url": f"http://testserver/en/listings/{listing.uid}/",
        "kind": "offer",
        "category": "product",
        "title": listing.title,
        "description": listing.description,
        "keywords": ["visera", "PET"],
        "language": "ca",
        "sector": {"code": "2229", "label": "Manufacture of other plastic products"},
        "place": {"code": TERRASSA, "name": "Terrassa"},
        "reach_km": None,
        "remote": False,
        "published_at": listing.published_at.isoformat(),
        "valid_until": listing.valid_until.isoformat(),
        "company": {
            "uid": str(listing.company.uid),
            "name": listing.company.name,
            "url": f"http://testserver/en/companies/{listing.company.uid}/",
            "size": "small",
            "verified": False,
        },
        "source": None,
        "version": 1,
    }
    assert set(row) == set(FoundListingOut().fields) - {"match"}
    for secret in ("600 100 200", "Maria", listing.company.contact_email, listing.company.tax_id):
        assert secret not in response.text


@pytest.mark.parametrize("address", [URL, f"{URL}?sort=expiring&kind=offer&kind=demand", f"{URL}?fields=title", f"{URL}own/"])
def test_lists_cost_the_same_queries_whatever_their_length(company, address):
    counts = []
    for number in (1, 3):
        while Listing.objects.count() < number:
            ListingFactory(live=True, company=company.company)
        company.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert len(page(company.get(address))["results"]) == number
        counts.append(len(queries))
    assert counts[0] == counts[1] == 2  # The key, the rows.


def test_labels_are_in_the_language_asked_for(anybody):
    ListingFactory(live=True)
    labels = {}
    for language in ("ca", "es", "en"):
        response = anybody.get(URL, Accept_Language=f"{language}-XX, fr;q=0.5")
        labels[language] = page(response)["results"][0]["sector"]["label"]
        assert response["Content-Language"] == language
        assert "Accept-Language" in response["Vary"]
    assert len(set(labels.values())) == 3


def test_filters_are_those_of_the_search_page(anybody):
    ListingFactory(live=True, title="Una oferta de Terrassa")
    ListingFactory(live=True, demand=True, title="Una demanda de Sabadell", place_id=SABADELL)
    assert [row["title"] for row in page(anybody.get(f"{URL}?kind=demand"))["results"]] == ["Una demanda de Sabadell"]
    assert [row["title"] for row in page(anybody.get(f"{URL}?place={TERRASSA}"))["results"]] == ["Una oferta de Terrassa"]
    assert page(anybody.get(f"{URL}?sector=A"))["results"] == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("knd=offer", "knd"),
        ("page=2", "page"),
        ("kind=ofer", "kind"),
        ("sector=9999", "sector"),
        ("place=1", "place"),
        ("near=Atlantis", "near"),
        ("km=0", "km"),
        ("km=99999999999999999999", "km"),
        ("sort=best", "sort"),
        ("sort=nearest", "sort"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=9223372036854775808", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=1&limit=2", "limit"),
        ("facets=yes", "facets"),
        ("fields=titel", "fields"),
        ("fields=", "fields"),
        ("fields=company.phone", "fields"),
        ("q=" + "a" * 201, "q"),
        ("&".join(f"sector=01{n:02}" for n in range(31)), "sector"),
    ],
)
def test_parameter_that_is_not_understood_is_named(anybody, query, parameter):
    """The page leaves it out and says so to a person; a program would take the wrong list for the right one."""
    body = problem(anybody.get(f"{URL}?{query}"), 400)
    assert {error["parameter"] for error in body["errors"]} == {parameter}
    assert all(error["detail"] for error in body["errors"])


def test_fields_give_only_what_was_chosen(anybody):
    ListingFactory(live=True, title="Pantalles de PET")
    assert page(anybody.get(f"{URL}?fields=title,company.size,sector"))["results"] == [
        {"title": "Pantalles de PET", "company": {"size": "small"}, "sector": {"code": "2229", "label": "Manufacture of other plastic products"}}
    ]
    assert page(anybody.get(f"{URL}?fields=company.size,company"))["results"][0]["company"].keys() == {"uid", "name", "url", "size", "verified"}


def test_one_listing_is_there_then_gone(anybody):
    listing = ListingFactory(live=True)
    address = f"{URL}{listing.uid}/"
    assert page(anybody.get(address))["title"] == listing.title
    Listing.objects.update(state=State.WITHDRAWN)
    assert problem(anybody.get(address), 410)["type"].endswith("/gone")
    assert problem(anybody.get(f"{URL}{ListingFactory().uid}/"), 404)
    assert problem(anybody.get(f"{URL}{uuid.uuid4()}/"), 404)
    assert problem(anybody.get(f"{URL}nothing/"), 404)


def test_answer_that_is_there_already_is_not_sent_again(anybody):
    listing = ListingFactory(live=True)
    for address in (URL, f"{URL}{listing.uid}/"):
        first = anybody.get(address)
        again = anybody.get(address, If_None_Match=f'"other", W/{first["ETag"]}')
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert anybody.get(address, If_None_Match='"other"').status_code == 200
        # Another language is another answer.
        assert anybody.get(address, If_None_Match=first["ETag"], Accept_Language="es").status_code == 200
    listing.company.name = "New name"
    listing.company.save()
    assert anybody.get(address, If_None_Match=first["ETag"]).status_code == 200


# --- Paging ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["", "&sort=expiring"])
def test_walk_gives_each_row_once_forth_and_back(anybody, sort):
    moment = timezone.now()
    # Many of one moment, as an import publishes them.
    made = [ListingFactory(live=True, published_at=moment - datetime.timedelta(seconds=n // 5)) for n in range(13)]
    pages = walk(anybody, f"{URL}?limit=4{sort}")
    assert [len(one) for one in pages] == [4, 4, 4, 1]
    assert sorted(flat(pages)) == sorted(str(one.uid) for one in made)
    last = f"{URL}?limit=4{sort}"
    for _ in range(3):
        last = page(anybody.get(last.removeprefix("http://testserver")))["next"]
    assert walk(anybody, last, "previous") == list(reversed(pages))


def test_link_header_leads_on_and_back(anybody):
    ListingFactory.create_batch(3, live=True)
    first = anybody.get(f"{URL}?limit=1&kind=offer")
    assert first["Link"] == f'<{page(first)["next"]}>; rel="next"'
    second = anybody.get(page(first)["next"].removeprefix("http://testserver"))
    assert second["Link"] == f'<{page(second)["next"]}>; rel="next", <{page(second)["previous"]}>; rel="prev"'
    assert "kind=offer" in page(second)["next"]


def test_rows_that_come_and_go_between_pages_neither_hide_nor_double_others(anybody):
    made = ListingFactory.create_batch(6, live=True)
    first = page(anybody.get(f"{URL}?limit=3"))
    by_offset = [str(uid) for uid in Listing.objects.live().order_by("-published_at", "-id").values_list("uid", flat=True)[:3]]
    ListingFactory.create_batch(2, live=True)
    by_offset += [str(uid) for uid in Listing.objects.live().order_by("-published_at", "-id").values_list("uid", flat=True)[3:6]]
    seen = [row["uid"] for row in first["results"]] + flat(walk(anybody, first["next"]))
    assert sorted(seen) == sorted(str(one.uid) for one in made)
    assert len(set(by_offset)) < 6, "numbered pages give two rows twice"


@pytest.mark.parametrize("cursor", ["", "x", "abc:def", "A" * 5000, "%00", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "eyJhIjoxfQ:sig"])
def test_broken_cursor_is_a_problem(anybody, cursor):
    assert anybody.get(URL).status_code == 200
    response = anybody.client.get(URL, {"cursor": cursor}) if cursor != "%00" else anybody.get(f"{URL}?cursor=%00")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_cursor_of_another_search_is_a_problem(anybody):
    ListingFactory.create_batch(2, live=True)
    following = page(anybody.get(f"{URL}?limit=1"))["next"].removeprefix("http://testserver")
    assert problem(anybody.get(f"{following}&kind=offer"), 400)["type"].endswith("/invalid-cursor")
    assert page(anybody.get(following.replace("limit=1", "limit=2")))["results"]


# --- Ranked ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def indexed():
    def bring_up_to_date():
        index.rebuild()

    return bring_up_to_date


def test_words_are_ranked_by_the_engine_and_paged(anybody, indexed):
    texts = ["Pantalles facials de PET", "Pantalles", "Servei de neteja"]
    for number in range(6):
        ListingFactory(live=True, title=f"{texts[number % 3]} {number}", description="Lliurament en una setmana a tota la comarca.")
    indexed()
    first = anybody.get(f"{URL}?q=pantalles&limit=3&facets=true")
    body = page(first)
    assert (body["total"], len(body["results"]), body["degraded"]) == (4, 3, False)
    assert all("match" in row for row in body["results"])
    assert next(option["count"] for option in body["facets"]["kind"] if option["value"] == "offer") == 4
    pages = walk(anybody, f"{URL}?q=pantalles&limit=3")
    assert [len(one) for one in pages] == [3, 1]
    assert len(set(flat(pages))) == 4
    back = page(anybody.get(body["next"].removeprefix("http://testserver")))["previous"]
    assert [row["uid"] for row in page(anybody.get(back.removeprefix("http://testserver")))["results"]] == pages[0]


def test_near_tells_the_distance(anybody, indexed):
    ListingFactory(live=True, place_id=SABADELL)
    indexed()
    (row,) = page(anybody.get(f"{URL}?near=Terrassa&sort=nearest"))["results"]
    assert 5 < row["match"]["distance_km"] < 12


def test_facets_come_with_a_list_that_is_not_ranked(anybody, indexed):
    ListingFactory(live=True)
    indexed()
    body = page(anybody.get(f"{URL}?facets=true"))
    assert body["total"] == 1
    assert set(body["facets"]) == {"kind", "category", "place", "sector", "language", "size"}


# --- Writing --------------------------------------------------------------------------------------------------------------


def test_company_makes_a_draft_and_sends_it(company):
    response = company.post(URL, NEW)
    made = page(response, 201)
    listing = Listing.objects.get()
    assert (listing.origin, listing.state, listing.company, listing.language) == (Origin.API, State.DRAFT, company.company, "en")
    assert response["Location"] == f"http://testserver{URL}{listing.uid}/"
    assert set(made) == set(OwnListingOut().fields)
    assert made["steps"] == ["submit", "withdraw"]
    assert made["valid_until"] > timezone.localdate().isoformat()
    sent = page(company.post(f"{URL}{listing.uid}/submit/"))
    assert (sent["state"], sent["state_label"]) == ("submitted", "In review")
    assert problem(company.post(f"{URL}{listing.uid}/submit/"), 409)["type"].endswith("/illegal-move")
    assert page(company.get(f"{URL}own/?state=submitted"))["results"] == [sent]


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"title": "Short"}, {"/title"}),
        ({"title": 12345678}, {"/title"}),
        ({"title": None}, {"/title"}),
        ({"title": "        "}, {"/title"}),
        ({"kind": "gift"}, {"/kind"}),
        ({"sector": "0000"}, {"/sector"}),
        ({"place": "Atlantis"}, {"/place"}),
        ({"remote": "yes"}, {"/remote"}),
        ({"reach_km": 5.0}, {"/reach_km"}),
        ({"reach_km": 2**62}, {"/reach_km"}),
        ({"valid_until": "2027-1-5"}, {"/valid_until"}),
        ({"valid_until": "0001-01-01"}, {"/valid_until"}),
        ({"valid_until": "9999-12-31"}, {"/valid_until"}),
        ({"keywords": ["a" * 150, "b" * 150]}, {"/keywords"}),
        ({"keywords": "one, two"}, {"/keywords"}),
        ({"colour": "red", "state": "published"}, {"/colour", "/state"}),
    ],
)
def test_content_that_is_refused_is_pointed_to(company, change, pointers):
    body = problem(company.post(URL, NEW | change), 422)
    assert {error["pointer"].rsplit("/0")[0] for error in body["errors"]} == pointers
    assert not Listing.objects.exists()


def test_writing_needs_a_key_with_its_scope(anybody):
    assert problem(anybody.post(URL, NEW), 401)["type"].endswith("/not-authenticated")
    reader = programs.of_company(scopes=("read",))
    assert "write" in problem(reader.post(URL, NEW), 403)["detail"]


def test_listings_of_others_cannot_be_written_nor_drafts_seen(company):
    public, draft = ListingFactory(live=True), ListingFactory()
    assert problem(company.patch(f"{URL}{public.uid}/", {"title": "Mine now, is it not"}, If_Match="*"), 403)
    assert problem(company.post(f"{URL}{public.uid}/withdraw/"), 403)
    for response in (company.get(f"{URL}{draft.uid}/"), company.patch(f"{URL}{draft.uid}/", {}, If_Match="*"), company.post(f"{URL}{draft.uid}/submit/")):
        assert problem(response, 404)


def test_drafts_of_the_company_are_for_keys_that_read_or_write_its_listings(company):
    """A key with another scope knows the company too, and that alone opened them."""
    draft, public = ListingFactory(company=company.company), ListingFactory(live=True, company=company.company)
    for program in (company, programs.of_company(scopes=("read",), company=company.company)):
        assert page(program.get(f"{URL}{draft.uid}/"))["state"] == "draft"
        assert len(page(program.get(f"{URL}own/"))["results"]) == 2
    other = programs.of_company(scopes=("interests",), company=company.company)
    assert other.company == draft.company
    assert problem(other.get(f"{URL}{draft.uid}/"), 404)
    assert problem(other.get(f"{URL}own/"), 403)
    assert "reason" not in page(other.get(f"{URL}{public.uid}/"))


def test_change_keeps_what_is_not_sent(company):
    listing = ListingFactory(live=True, company=company.company, keywords="one, two", reach_km=30, remote=True)
    tag = company.get(f"{URL}{listing.uid}/")["ETag"]
    response = company.patch(f"{URL}{listing.uid}/", {"title": "Pantalles noves de PET", "reach_km": None}, If_Match=tag)
    changed = page(response)
    assert response["ETag"] == company.get(f"{URL}{listing.uid}/")["ETag"] != tag
    listing.refresh_from_db()
    assert (listing.title, listing.reach_km, listing.remote, listing.keywords, listing.version) == ("Pantalles noves de PET", None, True, "one, two", 2)
    assert (changed["state"], changed["version"]) == ("published", 2)


def test_lost_update_is_refused(company):
    listing = ListingFactory(company=company.company)
    address = f"{URL}{listing.uid}/"
    tag = company.get(address)["ETag"]
    assert problem(company.patch(address, {"title": "Without saying what was seen"}), 428)
    page(company.patch(address, {"title": "The first one's title"}, If_Match=tag))
    assert problem(company.patch(address, {"description": "Written by who has not seen the first one's title."}, If_Match=tag), 412)
    assert problem(company.patch(address, {"title": "By a weak tag"}, If_Match=f"W/{company.get(address)['ETag']}"), 412)
    listing.refresh_from_db()
    assert listing.title == "The first one's title"
    # The naive way, without what was seen: the second overwrites the first with what he had read before.
    before = {"title": "Pantalles facials de PET"}
    page(company.patch(address, before, If_Match="*"))
    listing.refresh_from_db()
    assert listing.title == before["title"]


def test_step_on_what_changed_after_the_look_at_it_is_refused(company):
    seen = ListingFactory(company=company.company, live=True)
    tag, by = company.get(f"{URL}{seen.uid}/")["ETag"], MembershipFactory(company=company.company).user
    operations.edit(Listing.objects.get(pk=seen.pk), {"title": "Changed in between by a colleague"}, by=by)

    # Naive: what was read at the beginning of the request is compared.
    check_if_match(tag, seen.version)
    with pytest.raises(Problem) as refused:
        writing.step(seen, "withdraw", {}, by=by, if_match=tag)

    assert refused.value.status_code == 412
    seen.refresh_from_db()
    assert seen.state == State.PUBLISHED


def test_language_in_which_it_was_read_does_not_matter_to_a_write(company):
    listing = ListingFactory(company=company.company)
    tag = company.get(f"{URL}{listing.uid}/", Accept_Language="es")["ETag"]
    assert page(company.patch(f"{URL}{listing.uid}/", {"remote": True}, If_Match=tag))["remote"]


def test_steps_with_a_reason(company):
    listing = ListingFactory(live=True, company=company.company)
    closed = page(company.post(f"{URL}{listing.uid}/close/", {"reason": "Sold."}))
    assert (closed["state"], closed["reason"]) == ("closed", "Sold.")
    assert page(company.post(f"{URL}{listing.uid}/reopen/"))["state"] == "draft"
    assert problem(company.post(f"{URL}{listing.uid}/submit/", {"reason": "No."}), 422)
    assert problem(company.post(f"{URL}{listing.uid}/withdraw/", If_Match='"v1"'), 412)
    assert page(company.post(f"{URL}{listing.uid}/withdraw/"))["state"] == "withdrawn"


# --- Sent twice -----------------------------------------------------------------------------------------------------------


def test_creation_sent_twice_is_made_once(company):
    first = company.post(URL, NEW, Idempotency_Key="a-1")
    again = company.post(URL, NEW, Idempotency_Key="a-1")
    assert (again.status_code, again.content, again["ETag"], again["Location"]) == (201, first.content, first["ETag"], first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert Listing.objects.count() == 1
    # The naive way: no key.
    company.post(URL, NEW)
    assert Listing.objects.count() == 2


def test_key_with_another_content_is_refused(company):
    page(company.post(URL, NEW, Idempotency_Key="a-1"), 201)
    assert problem(company.post(URL, NEW | {"remote": True}, Idempotency_Key="a-1"), 422)["type"].endswith("/idempotency-key-reused")
    # The order of members is no difference, another company's key is another key.
    page(company.post(URL, dict(reversed(NEW.items())), Idempotency_Key="a-1"), 201)
    page(programs.of_company().post(URL, NEW, Idempotency_Key="a-1"), 201)
    assert Listing.objects.count() == 2


def test_refused_creation_may_be_corrected_under_its_key(company):
    problem(company.post(URL, NEW | {"title": "No"}, Idempotency_Key="a-1"), 422)
    page(company.post(URL, NEW, Idempotency_Key="a-1"), 201)


@pytest.mark.parametrize("key", ["", "a b", "ç", "x" * 256])
def test_key_that_is_none_is_refused(company, key):
    problem(company.post(URL, NEW, Idempotency_Key=key), 400)


def test_same_request_at_the_same_time_is_told_to_wait(company, monkeypatch):
    page(company.post(URL, NEW, Idempotency_Key="a-1"), 201)
    IdempotentRequest.objects.update(status=None)
    assert problem(company.post(URL, NEW, Idempotency_Key="a-1"), 409)["type"].endswith("/request-in-progress")
    # Its process has died: after the lease another request may take over.
    IdempotentRequest.objects.update(created=timezone.now() - datetime.timedelta(minutes=3))
    page(company.post(URL, NEW, Idempotency_Key="a-1"), 201)


def test_answers_are_forgotten_after_a_day(company):
    company.post(URL, NEW, Idempotency_Key="a-1")
    IdempotentRequest.objects.update(created=timezone.now() - datetime.timedelta(hours=25))
    company.post(URL, NEW, Idempotency_Key="a-2")
    assert [row.key for row in IdempotentRequest.objects.all()] == ["a-2"]
    # Of who does not come again too, by the worker: an answer may hold personal data.
    IdempotentRequest.objects.update(created=timezone.now() - datetime.timedelta(hours=25))
    assert (idempotency.prune(), IdempotentRequest.objects.count()) == (1, 0)


# --- Batch ----------------------------------------------------------------------------------------------------------------


def test_batch_does_each_for_itself(company):
    mine, other = ListingFactory(company=company.company), ListingFactory(live=True)
    tag = company.get(f"{URL}{mine.uid}/")["ETag"]
    body = page(
        company.post(
            f"{URL}batch/",
            {
                "operations": [
                    {"op": "create", "listing": NEW},
                    {"op": "create", "listing": NEW | {"title": "No"}},
                    {"op": "update", "uid": str(mine.uid), "listing": {"remote": True}},
                    {"op": "update", "uid": str(mine.uid), "if_match": tag, "listing": {"remote": True}},
                    {"op": "update", "uid": str(mine.uid), "if_match": tag, "listing": {"remote": False}},
                    {"op": "submit", "uid": str(mine.uid)},
                    {"op": "withdraw", "uid": str(other.uid)},
                    {"op": "close", "uid": str(uuid.uuid4())},
                    {"op": "burn"},
                    {"op": 1, "uid": 2, "x": 3},
                    "text",
                    None,
                ]
            },
        ),
        207,
    )
    assert [one["status"] for one in body["results"]] == [201, 422, 422, 200, 412, 200, 403, 404, 422, 422, 422, 422]
    assert (body["succeeded"], body["failed"]) == (3, 9)
    assert body["results"][1]["problem"]["errors"][0]["pointer"] == "/listing/title"
    assert body["results"][3]["etag"] != tag
    mine.refresh_from_db()
    assert (mine.remote, mine.state) == (True, State.SUBMITTED)
    assert Listing.objects.count() == 3


def test_batch_takes_500_and_no_more(company):
    assert page(company.post(f"{URL}batch/", {"operations": [{"op": "submit"}] * 500}), 207)["failed"] == 500
    problem(company.post(f"{URL}batch/", {"operations": [{"op": "submit"}] * 501}), 413)
    problem(company.post(f"{URL}batch/", {"operations": []}), 422)
    problem(company.post(f"{URL}batch/", []), 422)


def test_batch_sent_again_after_a_crash_creates_nothing_twice(company, monkeypatch):
    batch = {"operations": [{"op": "create", "listing": NEW}, {"op": "create", "listing": NEW | {"title": "Another one of these"}}]}
    real = writing.create

    def dying(*args, **kwargs):
        if Listing.objects.exists():
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(writing, "create", dying)
    with pytest.raises(KeyboardInterrupt):
        company.post(f"{URL}batch/", batch, Idempotency_Key="b-1")
    monkeypatch.undo()
    assert Listing.objects.count() == 1
    body = page(company.post(f"{URL}batch/", batch, Idempotency_Key="b-1"), 207)
    assert (body["succeeded"], Listing.objects.count()) == (2, 2)
    assert page(company.post(f"{URL}batch/", batch, Idempotency_Key="b-1"), 207) == body
    # The naive way: without a key the first is made twice.
    company.post(f"{URL}batch/", batch)
    assert Listing.objects.count() == 4


def test_key_of_a_batch_means_nothing_any_more_after_its_answer_is_forgotten(company):
    """A program that numbers its batches anew each day: naively its new listings are taken for those of the day before, told as made, and lost."""
    batch = {"operations": [{"op": "create", "listing": NEW}]}
    first = page(company.post(f"{URL}batch/", batch, Idempotency_Key="batch-1"), 207)
    later = timezone.now() - idempotency.KEPT - datetime.timedelta(minutes=1)
    IdempotentRequest.objects.update(created=later)
    Listing.objects.update(created=later)
    second = page(
        company.post(f"{URL}batch/", {"operations": [{"op": "create", "listing": NEW | {"title": "Something new today"}}]}, Idempotency_Key="batch-1"), 207
    )
    assert second["results"][0]["listing"]["title"] == "Something new today"
    IdempotentRequest.objects.update(created=later)
    third = page(company.post(f"{URL}batch/", batch, Idempotency_Key="batch-1"), 207)
    uids = {one["results"][0]["listing"]["uid"] for one in (first, second, third)}
    assert (len(uids), Listing.objects.count()) == (3, 3)


def test_batch_that_was_mended_after_a_crash_says_what_it_says_now(company, monkeypatch):
    """What was made before the crash stays; naively the mended operation is answered with it, and its new content is lost."""
    batch = {"operations": [{"op": "create", "listing": NEW}, {"op": "create", "listing": NEW}]}
    answer = Batch._done

    def dying(*arguments):
        answer(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Batch, "_done", dying)
    with pytest.raises(KeyboardInterrupt):
        company.post(f"{URL}batch/", batch, Idempotency_Key="b-1")
    monkeypatch.undo()
    batch["operations"][1] = {"op": "create", "listing": NEW | {"title": "The second one is another"}}
    body = page(company.post(f"{URL}batch/", batch, Idempotency_Key="b-1"), 207)
    assert body["results"][1]["listing"]["title"] == "The second one is another"
    assert Listing.objects.count() == 3, "the first was not made again"


def test_fault_of_our_own_in_a_batch_hides_no_result(company, monkeypatch, caplog):
    monkeypatch.setattr(writing, "create", lambda *_args, **_kwargs: {}["x"])
    mine = ListingFactory(company=company.company)
    body = page(company.post(f"{URL}batch/", {"operations": [{"op": "create", "listing": NEW}, {"op": "submit", "uid": str(mine.uid)}]}), 207)
    assert [one["status"] for one in body["results"]] == [500, 200]
    assert "KeyError" in caplog.text

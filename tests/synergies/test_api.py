"""Suggestions and interests for programs of a company."""

import json
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marketplace.companies.enums import Role
from marketplace.core.models import Mail
from marketplace.listings.enums import Origin
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.rest.models import ApiKey
from marketplace.synergies import operations
from marketplace.synergies.enums import Side, State
from marketplace.synergies.models import Synergy
from tests.concurrency import at_once
from tests.factories import MembershipFactory
from tests.rest.keys import company_key, partner_key
from tests.synergies.conftest import OFFER, change, make_pair

pytestmark = pytest.mark.django_db

SUGGESTIONS, INTERESTS = "/api/v1/suggestions/", "/api/v1/interests/"
CONTACT = ("alba@asking", "oriol@offering", "600 111 111", "600 222 222", "Oriol Offering", "Alba Asking", "@login.example")


@pytest.fixture
def keys(pair):
    """A key of each side."""
    return company_key("read", "interests", company=pair.asking, user=pair.asker), company_key("read", "interests", company=pair.offering, user=pair.offerer)


def get(client, path, made, **query):
    return client.get(path, query, headers=made.headers)


def post(client, path, made, body=None, **headers):
    return client.post(path, body or {}, content_type="application/json", headers={**made.headers, **headers})


def say_yes(client, made, pair, **headers):
    return post(client, INTERESTS, made, {"suggestion": str(pair.synergy.uid)}, **headers)


# --- Suggestions --------------------------------------------------------------------------------------------------------


def test_suggestion_tells_score_signals_reasons_and_the_other_listing(client, pair, keys):
    asking, _ = keys
    [item] = get(client, SUGGESTIONS, asking).json()["results"]
    assert (item["uid"], item["score"], item["side"], item["state"], item["is_open"]) == (str(pair.synergy.uid), 86.4, "demand", "suggested", True)
    assert item["own"]["uid"] == str(pair.demand.uid)
    assert (item["other"]["uid"], item["other"]["title"], item["other"]["company"]["name"]) == (str(pair.offer.uid), OFFER["title"], "Tecnoplàstics")
    assert item["signals"] == [
        {"name": "text", "label": "Paraules", "points": 52.0, "maximum": 60.0},
        {"name": "place", "label": "Distància", "points": 14.0, "maximum": 14.0},
    ]
    assert [(reason["code"], reason["positive"]) for reason in item["reasons"]] == [("terms", True), ("place", True), ("missing", False)]
    assert get(client, f"{SUGGESTIONS}{pair.synergy.uid}/", asking).json() == item


def test_evidence_is_told_from_each_side(client, pair, keys):
    pairs = [get(client, SUGGESTIONS, made).json()["results"][0]["reasons"][0]["data"]["pairs"][0] for made in keys]
    for found, mine, theirs in ((pairs[0], pair.demand, pair.offer), (pairs[1], pair.offer, pair.demand)):
        for side, listing in (("mine", mine), ("theirs", theirs)):
            start, end = found[side]
            assert getattr(listing, found[f"field_{side}"])[start:end] == found[f"{side}_text"]


def test_evidence_that_no_longer_stands_is_not_told(client, pair, keys):
    change(pair.offer, description="Una altra cosa del tot diferent, que no diu res del que deia abans.", title="Una altra cosa")
    [item] = get(client, SUGGESTIONS, keys[0]).json()["results"]
    assert [reason["code"] for reason in item["reasons"]] == ["place", "missing"]


@pytest.mark.parametrize(("language", "text"), [("ca", "Paraules"), ("es", "Palabras"), ("en", "Words")])
def test_texts_are_in_the_language_asked_for(client, pair, keys, language, text):
    answer = client.get(SUGGESTIONS, headers={**keys[0].headers, "Accept-Language": language})
    assert answer.json()["results"][0]["signals"][0]["label"] == text


def test_key_of_another_company_sees_nothing(client, pair):
    stranger = company_key("read", "interests")
    assert get(client, SUGGESTIONS, stranger).json()["results"] == []
    assert get(client, f"{SUGGESTIONS}{pair.synergy.uid}/", stranger).status_code == 404
    assert get(client, f"{INTERESTS}{pair.synergy.uid}/", stranger).status_code == 404
    for step in ("dismiss", "undo"):
        assert post(client, f"{INTERESTS}{pair.synergy.uid}/{step}/", stranger, {"reason": "known"} if step == "dismiss" else {}).status_code == 404
    assert say_yes(client, stranger, pair).status_code == 422
    pair.synergy.refresh_from_db()
    assert pair.synergy.state == State.SUGGESTED


def test_key_speaks_for_its_company_though_its_maker_acts_for_several(client, pair):
    """The naive way, asking what the person may see, shows and answers for the other company."""
    MembershipFactory(company=pair.asking, user=pair.offerer, role=Role.MEMBER)
    third = MembershipFactory(user=pair.offerer)
    offering, other = (
        company_key("read", "interests", company=pair.offering, user=pair.offerer),
        company_key("read", "interests", company=third.company, user=pair.offerer),
    )
    assert Synergy.objects.of(pair.offerer).count() == 1
    assert get(client, SUGGESTIONS, other).json()["results"] == []
    naive = pair.synergy.side_to_answer({pair.asking.pk, pair.offering.pk})
    assert naive == Side.DEMAND
    answer = say_yes(client, offering, pair)
    assert (answer.status_code, answer.json()["side"]) == (201, "offer")
    pair.synergy.refresh_from_db()
    assert pair.synergy.offer_interest_at
    assert pair.synergy.demand_interest_at is None


def test_partners_key_has_no_suggestions(client, pair):
    made = partner_key("read", "interests", "federation")
    for path in (SUGGESTIONS, INTERESTS):
        answer = get(client, path, made)
        assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")


def test_scopes_are_needed_and_named(client, pair):
    reads = company_key("read", company=pair.asking, user=pair.asker)
    interests = company_key("interests", company=pair.asking, user=pair.asker)
    uid = pair.synergy.uid
    refused = [
        (get(client, SUGGESTIONS, interests), "read"),
        (get(client, INTERESTS, reads), "interests"),
        (get(client, f"{INTERESTS}{uid}/", reads), "interests"),
        (say_yes(client, reads, pair), "interests"),
        (post(client, f"{INTERESTS}{uid}/dismiss/", reads, {"reason": "known"}), "interests"),
        (post(client, f"{INTERESTS}{uid}/undo/", reads), "interests"),
    ]
    for answer, scope in refused:
        assert answer.status_code == 403
        assert scope in answer.json()["detail"]
    assert client.get(SUGGESTIONS).status_code == 401


def test_tabs_are_those_of_the_inbox(client, pairs):
    made_pairs = pairs(4)
    first = made_pairs[0]
    key = company_key("read", "interests", company=first.asking, user=first.asker)
    waiting, answered, mutual, closed = made_pairs
    operations.express_interest(answered.synergy, by=first.asker)
    operations.express_interest(mutual.synergy, by=mutual.offerer)
    operations.express_interest(mutual.synergy, by=first.asker)
    operations.dismiss(closed.synergy, by=first.asker, reason="known")
    found = {
        tab: {item["uid"] for item in get(client, SUGGESTIONS, key, **({"state": tab} if tab else {})).json()["results"]}
        for tab in ("", "waiting", "answered", "mutual", "closed", "more")
    }
    uid = {name: str(one.synergy.uid) for name, one in (("waiting", waiting), ("answered", answered), ("mutual", mutual), ("closed", closed))}
    assert found == {"": {uid["waiting"], uid["answered"], uid["mutual"]}, "more": set(), **{name: {one} for name, one in uid.items()}}


def test_suggestions_of_one_listing(client, pairs):
    first, second = pairs(2)
    key = company_key("read", company=first.asking, user=first.asker)
    assert [item["uid"] for item in get(client, SUGGESTIONS, key, listing=str(second.demand.uid)).json()["results"]] == [str(second.synergy.uid)]
    for wrong in ("x", str(first.offer.uid), str(uuid.uuid4()), ""):
        assert get(client, SUGGESTIONS, key, listing=wrong).status_code == 400


def test_pages_hold_every_suggestion_once_in_the_order_of_the_inbox(client, pairs):
    made_pairs = pairs(7)
    first = made_pairs[0]
    for number, one in enumerate(made_pairs):
        Synergy.objects.filter(pk=one.synergy.pk).update(score=50 + number // 2)
    operations.express_interest(made_pairs[2].synergy, by=made_pairs[2].offerer)
    key = company_key("read", company=first.asking, user=first.asker)
    expected = [str(one.uid) for one in Synergy.objects.of(first.asker).current().listed_for(first.asker).best_for(first.asker)]
    assert expected[0] == str(made_pairs[2].synergy.uid)
    path, found = f"{SUGGESTIONS}?limit=2", []
    while path:
        answer = client.get(path, headers=key.headers)
        body = answer.json()
        found += [item["uid"] for item in body["results"]]
        assert ('rel="next"' in answer.get("Link", "")) is bool(body["next"])
        path = body["next"] and body["next"].removeprefix("http://testserver")
    assert found == expected


@pytest.mark.parametrize("path", [SUGGESTIONS, INTERESTS])
def test_lists_ask_the_same_number_of_queries_for_one_and_three(client, pairs, path):
    made_pairs = pairs(3)
    first = made_pairs[0]
    key = company_key("read", "interests", company=first.asking, user=first.asker)
    for one in made_pairs:
        operations.express_interest(one.synergy, by=one.offerer)
    get(client, path, key)
    numbers = []
    for limit in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            assert len(get(client, path, key, limit=limit).json()["results"]) == limit
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 6


def test_etag_spares_what_is_known(client, pair, keys):
    first = get(client, SUGGESTIONS, keys[0])
    again = client.get(SUGGESTIONS, headers={**keys[0].headers, "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Synergy.objects.update(score=12)
    assert client.get(SUGGESTIONS, headers={**keys[0].headers, "If-None-Match": first["ETag"]}).status_code == 200
    assert "private" in first["Cache-Control"]


def test_only_the_members_asked_for(client, pair, keys):
    assert get(client, SUGGESTIONS, keys[0], fields="score,other.title,own.uid").json()["results"] == [
        {"score": 86.4, "other": {"title": OFFER["title"]}, "own": {"uid": str(pair.demand.uid)}}
    ]
    assert get(client, SUGGESTIONS, keys[0], fields="contact").status_code == 400


@pytest.mark.parametrize("query", [{"state": "x"}, {"page": "2"}, {"cursor": "x"}, {"limit": "0"}, {"limit": "9" * 30}, {"fields": "nothing"}])
def test_parameter_that_is_wrong_is_a_400(client, pair, keys, query):
    answer = get(client, SUGGESTIONS, keys[0], **query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_listing_that_is_no_longer_public_is_not_shown(client, pair, keys):
    operations.express_interest(pair.synergy, by=pair.asker)
    change(pair.offer, state=ListingState.WITHDRAWN)
    item = get(client, f"{SUGGESTIONS}{pair.synergy.uid}/", keys[0]).json()
    assert (item["other"], item["reasons"], item["is_open"]) == (None, [], False)
    assert OFFER["title"] not in str(item)
    assert say_yes(client, keys[1], pair).status_code == 409


# --- Interests ----------------------------------------------------------------------------------------------------------


def test_contact_data_comes_only_when_both_said_yes(client, pair, keys):
    asking, offering = keys
    paths = [SUGGESTIONS, INTERESTS, f"{SUGGESTIONS}{pair.synergy.uid}/", f"{INTERESTS}{pair.synergy.uid}/"]

    def leaks():
        return [word for made in keys for path in paths for word in CONTACT if word in get(client, path, made).content.decode()]

    assert not leaks()
    first = say_yes(client, asking, pair)
    assert (first.status_code, first.json()["state"], first.json()["contact"]) == (201, "interest", None)
    assert first["Location"].endswith(f"{INTERESTS}{pair.synergy.uid}/")
    assert not leaks()
    second = say_yes(client, offering, pair)
    assert second.json()["contact"] == {"company": "Comerciants de Rubí", "name": "Alba Asking", "email": "alba@asking.example", "phone": "+34 600 111 111"}
    assert get(client, f"{INTERESTS}{pair.synergy.uid}/", asking).json()["contact"]["email"] == "oriol@offering.example"
    # Lists never hold any.
    for made in keys:
        for path in (SUGGESTIONS, INTERESTS, f"{SUGGESTIONS}{pair.synergy.uid}/"):
            assert not [word for word in CONTACT if word in get(client, path, made).content.decode()]


def test_contact_data_goes_away_with_the_yes_of_a_dismissed_pair(client, pair, keys):
    asking, offering = keys
    say_yes(client, asking, pair)
    say_yes(client, offering, pair)
    assert post(client, f"{INTERESTS}{pair.synergy.uid}/dismiss/", asking, {"reason": "other_thing"}).json()["contact"] is None
    assert get(client, f"{INTERESTS}{pair.synergy.uid}/", offering).json()["contact"] is None


def test_saying_yes_twice_is_saying_it_once(client, pair, keys):
    assert [say_yes(client, keys[0], pair).status_code for _ in range(2)] == [201, 200]
    assert Mail.objects.filter(to=pair.offerer.email).exclude(key__startswith="api-key").count() == 1


def test_idempotency_key_answers_again_what_was_answered(client, pair, keys):
    first, again = (say_yes(client, keys[0], pair, **{"Idempotency-Key": "abc"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert post(client, INTERESTS, keys[0], {"suggestion": str(uuid.uuid4())}, **{"Idempotency-Key": "abc"}).status_code == 422


def test_no_is_told_without_its_reason(client, pair, keys):
    asking, offering = keys
    say_yes(client, offering, pair)
    told = post(client, f"{INTERESTS}{pair.synergy.uid}/dismiss/", asking, {"reason": "known", "comment": "Fa anys"})
    assert (told.status_code, told.json()["dismissed_by"], told.json()["can_undo"]) == (200, "us", True)
    theirs = get(client, f"{INTERESTS}{pair.synergy.uid}/", offering)
    assert (theirs.json()["dismissed_by"], theirs.json()["can_undo"]) == ("them", False)
    assert "known" not in theirs.content.decode()
    assert "Fa anys" not in theirs.content.decode()
    refused = say_yes(client, asking, pair)
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (409, "conflict")


def test_yes_and_no_can_be_taken_back(client, pair, keys):
    asking, offering = keys
    undo = f"{INTERESTS}{pair.synergy.uid}/undo/"
    assert post(client, undo, asking).status_code == 409
    say_yes(client, asking, pair)
    assert (post(client, undo, asking).status_code, Synergy.objects.get().state) == (200, "suggested")
    post(client, f"{INTERESTS}{pair.synergy.uid}/dismiss/", asking, {"reason": "timing"})
    assert post(client, undo, offering).status_code == 409
    assert (post(client, undo, asking).json()["dismissed_by"], Synergy.objects.get().state) == (None, "suggested")
    for made in keys:
        say_yes(client, made, pair)
    assert post(client, undo, asking).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"suggestion": "x"},
        {"suggestion": 5},
        {"suggestion": None},
        {"suggestion": str(uuid.UUID(int=5)), "more": 1},
        [],
        "x",
        {"suggestion": str(uuid.UUID(int=5))},
    ],
)
def test_body_that_is_wrong_is_a_422(client, pair, keys, body):
    answer = client.post(INTERESTS, body if isinstance(body, str) else json.dumps(body), content_type="application/json", headers=keys[0].headers)
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [{}, {"reason": "x"}, {"reason": "known", "comment": "a" * 501}, {"reason": ["known"]}])
def test_reason_for_a_no_is_one_of_ours(client, pair, keys, body):
    assert post(client, f"{INTERESTS}{pair.synergy.uid}/dismiss/", keys[0], body).status_code == 422
    assert Synergy.objects.get().state == State.SUGGESTED


def test_program_cannot_say_yes_to_a_company_of_a_partner(client, pair, keys):
    """Personal data cross only with a person's consent, which no key can give."""
    Listing.objects.filter(pk=pair.offer.pk).update(origin=Origin.PARTNER, source_uri="https://partner.example/id/listing/1", source_name="Partner")
    answer = say_yes(client, keys[0], pair)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (422, "consent-missing")
    assert str(pair.synergy.uid) in answer.json()["detail"]
    assert Synergy.objects.get().state == State.SUGGESTED


def test_interests_are_those_with_a_yes(client, pairs):
    first, second, third = pairs(3)
    key = company_key("interests", company=first.asking, user=first.asker)
    operations.express_interest(first.synergy, by=first.asker)
    operations.express_interest(second.synergy, by=second.offerer)
    found = get(client, INTERESTS, key).json()["results"]
    assert [item["uid"] for item in found] == [str(second.synergy.uid), str(first.synergy.uid)]
    assert third.synergy.state == State.SUGGESTED
    assert "contact" not in found[0]


@pytest.mark.django_db(transaction=True)
def test_both_say_yes_at_once(client):
    pair = make_pair()
    keys = [company_key("interests", company=pair.asking, user=pair.asker), company_key("interests", company=pair.offering, user=pair.offerer)]
    answers = at_once(*[lambda made=made: say_yes(Client(), made, pair) for made in keys])
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Synergy.objects.get().state == State.MUTUAL
    # The second one in any case; the first one too, if the other was done before it was answered.
    assert any(answer.json()["contact"] for answer in answers)


def test_key_whose_maker_left_reads_no_contact_data(client, pair, keys):
    for made in keys:
        say_yes(client, made, pair)
    MembershipFactory(company=pair.asking, role=Role.OWNER)
    pair.asking.memberships.filter(user=pair.asker).delete()
    assert get(client, f"{INTERESTS}{pair.synergy.uid}/", keys[0]).status_code == 401
    assert ApiKey.objects.usable().count() == 2

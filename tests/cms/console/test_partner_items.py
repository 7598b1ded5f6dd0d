"""What came from partners, in the console: quarantine, removals that wait, duplicates, overlays, messages, interests."""

import datetime
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.federation import overlays, quarantine
from marketplace.federation.items import Fault
from marketplace.federation.models import (
    Checkpoint,
    Delivery,
    DeliveryAttempt,
    DuplicateCandidate,
    Hook,
    IncomingInterest,
    OutgoingInterest,
    Overlay,
    QuarantinedItem,
    RemoteListing,
)
from marketplace.federation.models.interests import sealed
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from tests.cms.console.partnering import came, connected, item, onlooker
from tests.factories import CompanyFactory, ListingFactory

QUARANTINE, DUPLICATES = reverse("console_partner_quarantine"), reverse("console_partner_duplicates")


@pytest.fixture
def partner(curator):
    return connected(by=curator)


def same_queries(console, address, more):
    """Whether the page takes as many queries after `more` rows were made."""
    console.get(address)
    with CaptureQueriesContext(connection) as one:
        assert console.get(address).status_code == 200
    more()
    with CaptureQueriesContext(connection) as three:
        assert console.get(address).status_code == 200
    return len(one) == len(three)


# --- Quarantine -----------------------------------------------------------------------------------------------------------


def fault(partner, number, code="bad-date", raw='{"name": "Xapa", "validThrough": "31/02/2027"}'):
    quarantine.put(partner, [Fault(uri=f"{partner.base_url}/id/listing/{number}", code=code, message=f"Fault {number} of it.", raw=raw)])
    return QuarantinedItem.objects.get(uri__endswith=f"/{number}")


def shown(answer):
    return {row.pk for row in answer.context["object_list"]}


def test_quarantine_is_searched_and_filtered(console, curator, partner):
    other = connected("Third", by=curator)
    date, place, theirs = fault(partner, 1), fault(partner, 2, "unknown-place"), fault(other, 3)
    quarantine.settle(partner, [date.uri])
    assert shown(console.get(QUARANTINE)) == {place.pk, theirs.pk}
    assert shown(console.get(QUARANTINE, {"settled": "settled"})) == {date.pk}
    assert shown(console.get(QUARANTINE, {"partner": partner.pk})) == {place.pk}
    assert shown(console.get(QUARANTINE, {"code": "bad-date"})) == {theirs.pk}
    assert shown(console.get(QUARANTINE, {"q": "Fault 2"})) == {place.pk}
    for nonsense in ({"partner": "x"}, {"code": "no such"}, {"p": "9" * 30}, {"settled": "x"}):
        assert console.get(QUARANTINE, nonsense).status_code == 200


def test_quarantine_takes_as_many_queries_for_three_as_for_one(console, partner):
    fault(partner, 1)
    assert same_queries(console, QUARANTINE, lambda: (fault(partner, 2), fault(partner, 3)))


def test_an_item_shows_what_came_and_what_to_do(console, partner):
    one = fault(partner, 1, raw='{"name":"<script>alert(1)</script>"}')
    page = console.get(reverse("console_partner_quarantined", args=[one.pk])).content.decode()
    assert "Fault 1 of it." in page
    assert "&quot;name&quot;: &quot;&lt;script&gt;" in page
    word = fault(partner, 2, "unknown-sector", raw="no json at all")
    page = console.get(reverse("console_partner_quarantined", args=[word.pk])).content.decode()
    assert reverse("console_partner_mapping", args=[partner.uid]) in page
    assert "no json at all" in page


def test_many_items_are_tried_again_or_set_aside(console, partner):
    Checkpoint.objects.create(partner=partner, state={"cursor": "abc"})
    items = [fault(partner, number) for number in range(4)]
    console.post(QUARANTINE, {"act": "settle", "id": [items[0].pk, items[1].pk]})
    assert set(QuarantinedItem.objects.filter(resolved_at=None)) == set(items[2:])
    assert Checkpoint.objects.get().state == {"cursor": "abc"}
    console.post(reverse("console_partner_quarantined", args=[items[2].pk]), {"act": "retry"})
    assert set(QuarantinedItem.objects.filter(resolved_at=None)) == {items[3]}
    assert Checkpoint.objects.get().state == {}


@pytest.mark.parametrize("ids", [[], ["x"], ["9" * 40], ["-1"], ["\0"]])
def test_nothing_ticked_is_no_error_of_ours(console, partner, ids):
    assert console.post(QUARANTINE, {"act": "retry", "id": ids}).status_code == 302


def test_who_only_looks_settles_nothing(client, partner):
    client.force_login(onlooker())
    one = fault(partner, 1)
    assert 'value="settle"' not in client.get(QUARANTINE).content.decode()
    client.post(QUARANTINE, {"act": "settle", "id": [one.pk]})
    client.post(reverse("console_partner_quarantined", args=[one.pk]), {"act": "settle"})
    assert QuarantinedItem.objects.get().resolved_at is None


# --- Removals that wait ---------------------------------------------------------------------------------------------------


@pytest.fixture
def held(partner):
    came(partner, *(item(partner, number) for number in range(5)))
    RemoteListing.objects.filter(uri__regex="/[0-2]$").update(leaving=RemoteListing.MISSING)
    Checkpoint.objects.create(partner=partner, held_at=timezone.now(), held_count=3, held_of=5)
    return reverse("console_partner_held", args=[partner.uid])


def test_what_would_vanish_is_listed(console, held):
    page = console.get(held).content.decode()
    assert [f"sèrie {number}" in page for number in range(5)] == [True, True, True, False, False]


def test_removals_are_let_go_or_kept(console, partner, held):
    console.post(held, {"act": "discard"})
    assert not RemoteListing.objects.exclude(leaving="").exists()
    Checkpoint.objects.update(held_at=timezone.now(), held_count=3)
    console.post(held, {"act": "release"})
    assert Checkpoint.objects.get().held_at is None
    assert list(partner.events.order_by("-pk").values_list("action", flat=True)[:2]) == ["sweep_released", "sweep_discarded"]
    assert console.post(held, {"act": "release"}).status_code == 302


# --- Duplicates -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(partner):
    came(partner, item(partner, 1))
    return DuplicateCandidate.objects.create(first=ListingFactory(live=True), second=Listing.objects.get(origin="partner"), similarity=0.8)


def test_a_curator_says_that_two_are_one(client, pair):
    client.force_login(onlooker())
    assert pair.second.title in client.get(DUPLICATES).content.decode()
    address = reverse("console_partner_duplicate", args=[pair.pk])
    page = client.get(address).content.decode()
    assert pair.first.title in page
    assert pair.second.title in page
    client.post(address, {"act": "same"})
    pair.refresh_from_db()
    pair.second.refresh_from_db()
    assert (pair.decision, pair.second.state) == ("same", State.REJECTED)
    assert client.post(address, {"act": "different"}).status_code == 302
    pair.refresh_from_db()
    assert pair.decision == "same"


def test_two_that_are_not_one_stay(console, pair):
    console.post(reverse("console_partner_duplicate", args=[pair.pk]), {"act": "different"})
    pair.second.refresh_from_db()
    assert pair.second.state == State.PUBLISHED


def test_duplicates_take_as_many_queries_for_three_as_for_one(console, partner, pair):
    def more():
        came(partner, item(partner, 1), item(partner, 2), item(partner, 3))
        for listing in Listing.objects.filter(origin="partner").exclude(pk=pair.second_id):
            DuplicateCandidate.objects.create(first=ListingFactory(live=True), second=listing, similarity=0.7)

    assert same_queries(console, DUPLICATES, more)


# --- Overlays -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def listing(partner):
    came(partner, item(partner, 1))
    return Listing.objects.get(origin="partner")


def laid(overlay=None, **changes):
    return {"tags": "", "language": "", "title": "", "description": "", "reason": "", "seen": overlay.modified.isoformat() if overlay else ""} | changes


def test_a_curator_hides_tags_and_translates(client, listing):
    client.force_login(onlooker())
    address = reverse("console_partner_listing", args=[listing.uid])
    assert address in client.get(reverse("console_review", args=[listing.uid])).content.decode()
    client.post(address, laid(tags="planxa", language="es", title="Estampación de chapa", description="Piezas estampadas de acero y aluminio."))
    listing.refresh_from_db()
    assert (listing.title, listing.language, "planxa" in listing.keyword_list, listing.state) == ("Estampación de chapa", "es", True, State.PUBLISHED)
    page = client.get(address).content.decode()
    assert "Estampació de xapa, sèrie 1" in page
    client.post(address, laid(Overlay.objects.get(), hidden="on", reason="Not for here"))
    listing.refresh_from_db()
    assert listing.state == State.REJECTED


def test_two_curators_over_one_listing_learn_of_each_other(console, curator, listing):
    mine = laid(tags="mine")
    overlays.change(listing, {"tags": "theirs"}, by=curator)
    page = console.post(reverse("console_partner_listing", args=[listing.uid]), mine)
    assert page.status_code == 422
    for word in ("mine", "theirs"):
        assert word in page.content.decode()
    assert Overlay.objects.get().tags == "theirs"
    console.post(reverse("console_partner_listing", args=[listing.uid]), mine | {"seen": page.context["form"]["seen"].value()})
    assert Overlay.objects.get().tags == "mine"


def test_a_translation_says_its_language(console, listing):
    page = console.post(reverse("console_partner_listing", args=[listing.uid]), laid(title="Estampación"))
    assert page.context["form"].errors.keys() == {"language"}


def test_a_listing_of_our_own_has_no_overlay(console, db):
    assert console.get(reverse("console_partner_listing", args=[ListingFactory(live=True).uid])).status_code == 404


# --- Messages -------------------------------------------------------------------------------------------------------------


def message(partner, number=1, state="sent"):
    hook, _ = Hook.objects.get_or_create(partner=partner, defaults={"url": f"{partner.base_url}/hook", "is_active": True})
    made = Delivery.objects.create(hook=hook, message_id=f"message-{number}", type="listing.changed", body=json.dumps({"n": number}), state=state, attempts=1)
    DeliveryAttempt.objects.create(delivery=made, status=500, error="Oops")
    return made


def test_a_message_is_sent_again(console, partner):
    first, second = message(partner, 1, "failed"), message(partner, 2)
    address = reverse("console_partner_messages", args=[partner.uid])
    page = console.get(address).content.decode()
    assert "message-1" in page
    assert "Oops" in page
    assert "message-2" not in console.get(address, {"state": "failed"}).content.decode()
    console.post(address, {"act": "replay", "message": first.pk})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("waiting", "sent")
    console.post(address, {"act": "since", "since": (timezone.localtime() - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")})
    second.refresh_from_db()
    assert second.state == "waiting"


@pytest.mark.parametrize("since", ["", "yesterday", "0000-00-00T00:00", "99999-01-01T00:00", "\0"])
def test_a_moment_that_is_none_gets_a_word(console, partner, since):
    message(partner)
    assert console.post(reverse("console_partner_messages", args=[partner.uid]), {"act": "since", "since": since}).status_code == 422


def test_a_message_of_another_partner_is_not_found(console, curator, partner):
    theirs = message(connected("Third", by=curator))
    for pk in (theirs.pk, "x", "9" * 40):
        assert console.post(reverse("console_partner_messages", args=[partner.uid]), {"act": "replay", "message": pk}).status_code == 404


def test_messages_take_as_many_queries_for_three_as_for_one(console, partner):
    message(partner)
    assert same_queries(console, reverse("console_partner_messages", args=[partner.uid]), lambda: (message(partner, 2), message(partner, 3)))


# --- Interests ------------------------------------------------------------------------------------------------------------


def interests(partner, number):
    listing = ListingFactory(live=True)
    OutgoingInterest.objects.create(
        partner=partner, company=CompanyFactory(), mine=listing, theirs=listing, remote_uri=f"{partner.base_url}/id/listing/{number}",
        sealed_body=sealed({"contact": {"name": "Neus Nom", "email": "neus@firm.example"}}), consent_text="Yes.", consent_version="1",
    )  # fmt: skip
    IncomingInterest.objects.create(
        partner=partner, remote_uid=listing.uid, listing=listing, company_name="Teixits, SL",
        sealed_contact=sealed({"name": "Neus Nom", "email": "neus@firm.example"}),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["console_partner_interests", "console_partner_interests_in"])
def test_interests_are_listed_without_contact_data(console, partner, name):
    interests(partner, 1)
    page = console.get(reverse(name), {"state": ["waiting", "received"]}).content.decode()
    assert partner.name in page
    assert "Neus" not in page
    assert "neus@firm.example" not in page
    assert same_queries(console, reverse(name), lambda: (interests(partner, 2), interests(partner, 3)))

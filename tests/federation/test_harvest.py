"""Partners are read page by page; what they show is here, what they take away is gone, and the same page twice changes nothing."""

import datetime

import pytest
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.core.models import Change
from marketplace.federation import harvest
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import Checkpoint, HarvestRun, Partner, QuarantinedItem, RemoteCompany, RemoteListing
from marketplace.listings.enums import Origin, State
from marketplace.listings.models import Listing, Transition

pytestmark = pytest.mark.django_db


def read(partner):
    """A visit now, to the end of what the partner has."""
    Checkpoint.objects.filter(partner=partner).update(next_at=timezone.now())
    done = harvest.visit(partner)
    checkpoint = Checkpoint.objects.get(partner=partner)
    if checkpoint.state.get("cursor") and checkpoint.last_success_at and checkpoint.next_at <= timezone.now() + datetime.timedelta(seconds=1):
        done += harvest.visit(partner)
    return done


def here(partner):
    """The titles by state of what is here of the partner."""
    rows = Listing.objects.filter(of_partner__partner=partner, origin=Origin.PARTNER).values_list("source_uri", "state")
    return {uri.rpartition("/")[2]: state for uri, state in rows}


def live(partner):
    return {number for number, state in here(partner).items() if state == State.PUBLISHED}


def test_first_visit_takes_the_snapshot_then_the_changes(origin, partner):
    for number in range(5):
        origin.put(number)
    origin.take_away(3)
    partner.reader_options = {"limit": 2}
    partner.save()
    assert harvest.run_once() == 4
    assert live(partner) == {"0", "1", "2", "4"}
    checkpoint = Checkpoint.objects.get(partner=partner)
    assert (checkpoint.state, checkpoint.generation, checkpoint.in_snapshot, checkpoint.lease_until) == ({"cursor": "c6"}, 1, False, None)
    origin.put(7)
    assert harvest.run_once() == 1
    assert live(partner) == {"0", "1", "2", "4", "7"}
    assert harvest.run_once() == 0, "it is not due again"
    assert [run.pages for run in HarvestRun.objects.order_by("pk")] == [2, 1]


def test_listing_is_the_origins_and_has_all_that_it_says(origin, partner):
    origin.put(1)
    read(partner)
    listing = Listing.objects.get()
    assert (listing.title, listing.kind, listing.category, listing.sector_id, listing.place_id) == (
        "Estampació de xapa, sèrie 1",
        "offer",
        "product",
        "2229",
        "082798",
    )
    assert (listing.keywords, listing.language, listing.reach_km, listing.remote) == ("xapa, acer", "ca", 25, False)
    assert (listing.valid_until, listing.published_at.date()) == (datetime.date(2030, 6, 30), datetime.date(2026, 10, 31))
    assert (listing.origin, listing.source_uri, listing.source_name) == (Origin.PARTNER, origin.uri(1), "Other city")
    assert listing.source_url == f"{origin.url}/anuncis/1/"
    company = listing.company
    assert (company.name, company.tax_id, company.place_id, company.source_uri) == ("Taller 1, SL", None, "081878", f"{origin.url}/id/company/1")
    assert company.memberships.count() == 0
    assert [step.move for step in Transition.objects.filter(listing=listing)] == ["publish"]
    assert listing.history.count() == 1
    assert set(Change.objects.values_list("kind", "uid", "operation")) == {("company", company.uid, "upsert"), ("listing", listing.uid, "upsert")}


def test_same_pages_twice_change_nothing(origin, partner):
    for number in range(4):
        origin.put(number)
    read(partner)
    before = list(Listing.objects.order_by("pk").values()), Listing.history.count(), Change.objects.count(), Transition.objects.count(), Company.history.count()
    for _ in range(2):
        harvest.ask_snapshot(partner)
        read(partner)
    Checkpoint.objects.update(state={"cursor": "c0"})
    read(partner)
    assert before == (
        list(Listing.objects.order_by("pk").values()), Listing.history.count(), Change.objects.count(), Transition.objects.count(), Company.history.count()
    )  # fmt: skip
    assert HarvestRun.objects.latest("pk").unchanged == 4


def test_change_at_the_origin_arrives_once(origin, partner):
    origin.put(1)
    read(partner)
    origin.put(1, name="Un altre títol")
    read(partner)
    listing = Listing.objects.get()
    assert (listing.title, listing.version, listing.history.count(), Transition.objects.count()) == ("Un altre títol", 2, 2, 2)
    assert Change.objects.filter(kind="listing").count() == 2
    assert Change.objects.filter(kind="company").count() == 1


def test_tombstone_takes_the_listing_away_and_only_a_later_version_brings_it_back(origin, partner):
    origin.put(1)
    read(partner)
    origin.take_away(1)
    read(partner)
    assert here(partner) == {"1": State.WITHDRAWN}
    origin.log.append(origin.log[0])
    read(partner)
    assert here(partner) == {"1": State.WITHDRAWN}, "that was said before it was taken away"
    origin.put(1)
    read(partner)
    assert here(partner) == {"1": State.PUBLISHED}
    assert RemoteListing.objects.get().tombstoned_at is None


@pytest.mark.parametrize(("reason", "state"), [("withdrawn", State.WITHDRAWN), ("expired", State.EXPIRED), ("moderated", State.WITHDRAWN)])
def test_reason_of_a_tombstone_says_how_it_ends(reason, state, origin, partner):
    origin.put(1)
    read(partner)
    origin.take_away(1, reason)
    read(partner)
    assert here(partner) == {"1": state}
    assert RemoteListing.objects.get().reason == reason


def test_erasure_leaves_nothing(origin, partner):
    origin.put(1)
    origin.put(2)
    read(partner)
    origin.put(1, name="x")
    read(partner)
    assert QuarantinedItem.objects.filter(uri=origin.uri(1)).exists()
    uid = Listing.objects.get(source_uri=origin.uri(1)).uid
    origin.take_away(1, "erasure")
    read(partner)
    assert live(partner) == {"2"}
    assert not QuarantinedItem.objects.exists()
    assert set(Listing.history.values_list("source_uri", flat=True)) == {origin.uri(2)}
    assert set(Company.history.values_list("name", flat=True)) == set(Company.objects.values_list("name", flat=True)) == {"Taller 2, SL"}
    assert RemoteCompany.objects.count() == 1
    assert Change.objects.filter(uid=uid).latest("pk").operation == "delete"
    stone = RemoteListing.objects.get(uri=origin.uri(1))
    assert (stone.listing, stone.digest, stone.fingerprint, stone.reason) == (None, "", "", "erasure")


def test_statements_do_not_grow_with_the_page(origin, partner, django_assert_max_num_queries):
    def statements(numbers):
        for number in numbers:
            origin.put(number)
        Checkpoint.objects.get_or_create(partner=partner)
        Checkpoint.objects.update(state={"cursor": f"c{len(origin.log) - len(numbers)}"}, generation=1)
        with django_assert_max_num_queries(1000) as context:
            harvest.visit(partner)
        return len(context)

    assert statements([1]) == statements([2, 3, 4]), "new ones"
    assert statements([1]) == statements([2, 3, 4]), "changed ones"


def test_paused_partner_is_not_asked(origin, partner):
    origin.put(1)
    Partner.objects.update(state=PartnerState.PAUSED)
    assert harvest.run_once() == 0
    partner.refresh_from_db()
    assert harvest.visit(partner) == 0
    assert not Listing.objects.exists()


def test_listings_of_an_ended_partnership_are_withdrawn(origin, partner):
    origin.put(1)
    read(partner)
    Partner.objects.update(state=PartnerState.ENDED)
    assert harvest.run_once() == 1
    assert here(partner) == {"1": State.WITHDRAWN}
    assert harvest.run_once() == 0


def test_failure_waits_longer_each_time_and_is_kept(origin, partner):
    origin.site.pages["/api/federation/v1/snapshot"] = 500
    pauses = []
    for _ in range(4):
        harvest.visit(partner)
        pauses.append((Checkpoint.objects.get().next_at - timezone.now()).total_seconds())
    assert all(0.75 * 60 * 2**place < pause < 1.3 * 60 * 2**place for place, pause in enumerate(pauses))
    checkpoint = Checkpoint.objects.get()
    assert (checkpoint.failures, checkpoint.error_code, checkpoint.last_success_at) == (4, "http-500", None)
    assert HarvestRun.objects.latest("pk").error_code == "http-500"


def test_partner_that_says_when_to_come_back_is_heard(origin, partner):
    origin.site.pages["/api/federation/v1/snapshot"] = (429, {"Retry-After": "7200"}, b"")
    harvest.visit(partner)
    assert 7100 < (Checkpoint.objects.get().next_at - timezone.now()).total_seconds() < 7300


def test_success_forgets_the_failures(origin, partner):
    origin.twist = lambda _lines: b"<html>"
    harvest.visit(partner)
    assert Checkpoint.objects.get().error_code == "bad-page"
    origin.twist = None
    read(partner)
    assert (Checkpoint.objects.get().failures, Checkpoint.objects.get().error) == (0, "")


def test_nudge_makes_it_due(origin, partner):
    read(partner)
    assert harvest.run_once() == 0
    origin.put(1)
    harvest.nudge(partner)
    assert harvest.run_once() == 1


def test_expired_cursor_reads_the_snapshot_and_goes_on(origin, partner):
    for number in range(3):
        origin.put(number)
    read(partner)
    origin.log = [item for item in origin.log if item["uri"] != origin.uri(2)]
    for number in range(3, 20):
        origin.put(number)
    origin.expire_before = len(origin.log)
    Checkpoint.objects.update(next_at=timezone.now())
    harvest.visit(partner)
    assert Checkpoint.objects.get().state == {"cursor": f"c{len(origin.log)}"}
    # 1 of 3 is more than a fifth: it is held.
    assert (live(partner), Checkpoint.objects.get().held_count) == ({str(number) for number in range(20)}, 1)

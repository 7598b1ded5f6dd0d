"""What nobody foresaw, and what nobody can read, keeps the rest of a partner from us for a while only."""

import pytest
from django.db import OperationalError

from marketplace.federation import harvest, quarantine, writing
from marketplace.federation.enums import PartnerAction
from marketplace.federation.models import Checkpoint, HarvestRun, PartnerEvent, QuarantinedItem
from tests.federation.test_harvest import live, read

pytestmark = pytest.mark.django_db
PATIENCE = harvest.PATIENCE


@pytest.fixture
def strange(monkeypatch):
    """Listings of this title break our own program."""
    guilty, fill = set(), writing._Work._fill

    def broken(work, listing, draft, company):
        if draft.values["title"] in guilty:
            raise KeyError(draft.values["title"])
        return fill(work, listing, draft, company)

    monkeypatch.setattr(writing._Work, "_fill", broken)
    return guilty


def codes():
    return dict(QuarantinedItem.objects.filter(resolved_at=None).values_list("uri", "code"))


def test_one_strange_item_does_not_stop_its_partner(origin, partner, strange):
    """As long as nobody is patient (the naive harvester is for ever) nothing of the page comes, an erasure behind it neither."""
    origin.put("gone")
    read(partner)
    strange |= {"Strange"}
    for number in range(20):
        origin.put(number, **({"name": "Strange"} if number in (7, 13) else {}))
    origin.take_away("gone", "erasure")
    for failures in range(1, PATIENCE + 1):
        read(partner)
        checkpoint = Checkpoint.objects.get()
        assert (live(partner), checkpoint.failures, checkpoint.error_code) == ({"gone"}, failures, "internal")
    read(partner)
    assert live(partner) == {str(number) for number in range(20)} - {"7", "13"}
    assert codes() == dict.fromkeys((origin.uri(7), origin.uri(13)), "unforeseen")
    assert (Checkpoint.objects.get().failures, HarvestRun.objects.latest("pk").quarantined) == (0, 2)
    strange.clear()
    origin.put(7)
    read(partner)
    assert codes() == {origin.uri(13): "unforeseen"}, "a good version settles it"


def test_a_page_none_of_which_can_be_written_waits_for_us(origin, partner, strange):
    """To set all of it aside would lose it, since the cursor goes on."""
    read(partner)
    strange |= {"Strange"}
    for number in range(5):
        origin.put(number, name="Strange")
    for _ in range(PATIENCE + 2):
        read(partner)
    assert (codes(), Checkpoint.objects.get().failures) == ({}, PATIENCE + 2)
    strange.clear()
    read(partner)
    assert live(partner) == {"0", "1", "2", "3", "4"}


def test_a_single_strange_item_is_set_aside(origin, partner, strange):
    read(partner)
    strange |= {"Strange"}
    origin.put(1, name="Strange")
    for _ in range(PATIENCE + 1):
        read(partner)
    assert (codes(), Checkpoint.objects.get().failures) == ({origin.uri(1): "unforeseen"}, 0)


def test_a_database_that_is_away_is_no_items_fault(origin, partner, monkeypatch):
    origin.put(1)
    Checkpoint.objects.create(partner=partner, failures=PATIENCE, error_code="internal")

    def away(*_arguments):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(writing._Work, "_fill", away)
        read(partner)
    assert (codes(), Checkpoint.objects.get().failures) == ({}, PATIENCE + 1)


# --- A page that cannot be read ---------------------------------------------------------------------------------------------


def test_an_unreadable_page_is_gone_round_by_the_snapshot(origin, partner):
    """The page of changes at our cursor is no JSON, however often it is asked for: the naive harvester asks for ever."""
    origin.put(1)
    read(partner)
    HarvestRun.objects.update(started_at="2026-01-01T00:00Z")
    origin.put(2)
    origin.twist = lambda page: page if isinstance(page, list) else b'{"items": ['
    for failures in range(1, PATIENCE + 1):
        assert Checkpoint.objects.get().state == {"cursor": "c1"}
        read(partner)
        assert (live(partner), Checkpoint.objects.get().failures) == ({"1"}, failures)
    assert PartnerEvent.objects.get().action == PartnerAction.SNAPSHOT_ASKED, "the partner's page tells"
    harvest.visit(partner)
    assert (live(partner), Checkpoint.objects.get().state) == ({"1", "2"}, {"cursor": "c2"})
    # Should the next page be as bad, everything is not read again every few minutes.
    for _ in range(3 * PATIENCE):
        read(partner)
    assert (Checkpoint.objects.get().state, PartnerEvent.objects.count()) == ({"cursor": "c2"}, 1)
    origin.twist = None
    read(partner)
    assert Checkpoint.objects.get().failures == 0


# --- Too much ---------------------------------------------------------------------------------------------------------------


def test_what_is_more_than_we_take_waits(origin, partner, settings):
    settings.FEDERATION_MOST_LISTINGS = 5
    for number in range(8):
        origin.put(number)
    read(partner)
    assert (len(live(partner)), set(codes().values()), len(codes())) == (5, {"too-many"}, 3)
    waiting = {uri.rpartition("/")[2] for uri in codes()}
    # Changes and removals go on, and make room.
    shown = sorted(live(partner))
    origin.put(shown[0], name="Un altre títol")
    origin.take_away(shown[1])
    read(partner)
    origin.put(min(waiting))
    read(partner)
    assert live(partner) == {*shown, min(waiting)} - {shown[1]}
    settings.FEDERATION_MOST_LISTINGS = 200
    harvest.ask_snapshot(partner)
    read(partner)
    assert (len(live(partner)), codes()) == (7, {})


def test_naively_a_partner_fills_the_database(origin, partner, settings):
    assert settings.FEDERATION_MOST_LISTINGS > quarantine.MOST
    for number in range(8):
        origin.put(number)
    read(partner)
    assert len(live(partner)) == 8

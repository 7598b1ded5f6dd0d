"""When more than a fifth would go at once, a person says whether. Nothing else waits for that."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from marketplace.federation import brake, harvest, operations, writing
from marketplace.federation.enums import PartnerAction
from marketplace.federation.harvest import LeaseLostError
from marketplace.federation.models import Checkpoint, HarvestRun, PartnerEvent, RemoteListing
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from tests.factories import UserFactory
from tests.federation.origins import listing_of
from tests.federation.test_harvest import here, live, read

pytestmark = pytest.mark.django_db


def fill(origin, count):
    for number in range(count):
        origin.put(number)
    return {str(number) for number in range(count)}


def forget(origin, *numbers):
    """They vanish without a word, as from a restored database or a table."""
    gone = {origin.uri(number) for number in numbers}
    origin.log = [item for item in origin.log if item["uri"] not in gone]


def look_again(partner):
    harvest.ask_snapshot(partner)
    harvest.visit(partner)
    return Checkpoint.objects.get(partner=partner)


# --- Sweep ----------------------------------------------------------------------------------------------------------------


def test_what_a_snapshot_does_not_show_goes(origin, partner):
    everything = fill(origin, 10)
    read(partner)
    forget(origin, 3, 4)
    checkpoint = look_again(partner)
    assert live(partner) == everything - {"3", "4"}, "a fifth is not more than a fifth"
    assert (checkpoint.held_at, HarvestRun.objects.latest("pk").ended) == (None, 2)


def test_more_than_a_fifth_waits_for_a_person(origin, partner):
    everything = fill(origin, 10)
    read(partner)
    forget(origin, 3, 4, 5)
    checkpoint = look_again(partner)
    assert live(partner) == everything
    assert (checkpoint.held_count, checkpoint.held_of, checkpoint.held_at is not None) == (3, 10, True)
    assert HarvestRun.objects.latest("pk").held == 3
    # The rest goes on: what is new arrives, what changes changes.
    origin.put(11)
    read(partner)
    assert live(partner) == everything | {"11"}


def test_naive_sweep_by_time_of_reading_empties_the_market(origin, partner):
    """What other harvesters do: delete all that was not touched since the run began, complete or not."""
    fill(origin, 10)
    read(partner)
    began = timezone.now()
    origin.twist = lambda lines: [*lines[:1], *lines[1:3], {"end": True, "count": 2}]
    look_again(partner)
    RemoteListing.objects.filter(seen=Checkpoint.objects.get().generation).update(harvested_at=timezone.now())
    assert RemoteListing.objects.filter(harvested_at__lt=began).count() == 8, "it would delete eight of ten without a question"
    assert len(live(partner)) == 10


def test_new_listings_do_not_hide_how_much_goes(origin, partner):
    fill(origin, 10)
    read(partner)
    forget(origin, *range(10))
    for number in range(100, 200):
        origin.put(number)
    assert look_again(partner).held_count == 10, "all of them, not 10 of 110"


def test_snapshot_that_breaks_off_sweeps_nothing(origin, partner):
    everything = fill(origin, 10)
    partner.reader_options = {"limit": 3}
    partner.save()
    read(partner)
    pages = []

    def cut(lines):
        pages.append(1)
        return lines if len(pages) == 1 else b"".join(b"{}\n" for _ in range(2))

    origin.twist = cut
    checkpoint = look_again(partner)
    assert (checkpoint.error_code, checkpoint.in_snapshot) == ("bad-page", True)
    assert live(partner) == everything
    origin.twist = None
    harvest.visit(partner)
    assert (live(partner), Checkpoint.objects.get().generation) == (everything, 2), "the same snapshot went on"


@pytest.mark.parametrize("cut", [lambda lines: lines[:-1], lambda lines: [*lines[:2], lines[-1]], lambda lines: lines[:1]], ids=["end", "middle", "head"])
def test_snapshot_cut_in_the_middle_is_no_snapshot(cut, origin, partner):
    everything = fill(origin, 6)
    read(partner)
    origin.twist = cut
    assert look_again(partner).error_code == "cut-page"
    assert live(partner) == everything


def test_released_sweep_is_carried_out(origin, partner):
    everything = fill(origin, 10)
    read(partner)
    forget(origin, 3, 4, 5)
    look_again(partner)
    assert brake.release_sweep(partner, by=None) == 3
    harvest.run_once()
    assert live(partner) == everything - {"3", "4", "5"}
    assert Checkpoint.objects.get().held_at is None
    assert PartnerEvent.objects.get().action == PartnerAction.SWEEP_RELEASED
    with pytest.raises(ValidationError) as raised:
        brake.release_sweep(partner, by=None)
    assert raised.value.code == "not-held"


def test_discarded_sweep_leaves_them(origin, partner):
    everything = fill(origin, 10)
    read(partner)
    forget(origin, 3, 4, 5)
    look_again(partner)
    assert brake.discard_sweep(partner, by=None) == 3
    harvest.run_once()
    assert live(partner) == everything
    assert look_again(partner).held_count == 3, "the partner still does not show them"


def test_what_is_shown_again_is_held_no_more(origin, partner):
    everything = fill(origin, 10)
    read(partner)
    log = list(origin.log)
    forget(origin, 3, 4, 5)
    look_again(partner)
    origin.log = [item for item in log if item["uri"] != origin.uri(5)]
    checkpoint = look_again(partner)
    assert (live(partner), checkpoint.held_at) == (everything - {"5"}, None), "1 of 10 needs no question"
    assert not RemoteListing.objects.exclude(leaving="").exists()


def test_curator_who_does_not_look_after_partners_may_not_decide(origin, partner):
    fill(origin, 3)
    read(partner)
    forget(origin, 1)
    look_again(partner)
    for decide in (brake.release_sweep, brake.discard_sweep):
        with pytest.raises(PermissionDenied):
            decide(partner, by=UserFactory())


def test_sweeps_of_a_day_count_together(origin, partner):
    """A table that is read every hour and loses a sixth each time. Each sweep by itself is no more than a fifth: naively counted nobody is ever asked."""
    fill(origin, 60)
    read(partner)
    shares = []
    for first in range(0, 50, 10):
        before = len(live(partner))
        forget(origin, *range(first, first + 10))
        look_again(partner)
        shares.append((before - len(live(partner))) / before)
    assert (len(live(partner)), Checkpoint.objects.get().held_count) == (50, 40), "after the first ten a person is asked"
    assert shares[0] < brake.SHARE, "what a naive brake looks at"
    RemoteListing.objects.exclude(tombstoned_at=None).update(tombstoned_at=timezone.now() - 2 * brake.WINDOW)
    origin.log = [origin.item(listing_of(origin, number)) for number in range(20, 60)]
    assert (look_again(partner).held_count, len(live(partner))) == (0, 40), "a day later ten more are no more than a fifth"


def test_swept_listings_go_some_at_a_time(origin, partner, monkeypatch):
    """A fifth of a large partner is never one transaction; killed in between, the rest goes at the next visit."""
    fill(origin, 60)
    read(partner)
    forget(origin, *range(10))
    lots, take_away = [], writing.take_away

    def counted(rows):
        lots.append(len(rows))
        if len(lots) == 3:
            raise LeaseLostError
        return take_away(rows)

    monkeypatch.setattr(writing, "take_away", counted)
    monkeypatch.setattr(brake.let_go, "__kwdefaults__", {"limit": 4})
    look_again(partner)
    assert (lots, len(live(partner)), Checkpoint.objects.get().held_at) == ([0, 4, 4], 56, None)
    read(partner)
    assert (lots, len(live(partner))) == ([0, 4, 4, 4, 2, 0, 0], 50)


def test_listings_whose_last_day_passed_are_swept_without_a_question(origin, partner):
    fill(origin, 10)
    read(partner)
    Listing.objects.exclude(source_uri=origin.uri(9)).update(valid_until=timezone.localdate() - timezone.timedelta(days=1))
    forget(origin, *range(9))
    assert (look_again(partner).held_at, live(partner)) == (None, {"9"})


# --- Tombstones -------------------------------------------------------------------------------------------------------------


def test_flood_of_tombstones_waits_for_a_person(origin, partner):
    everything = fill(origin, 60)
    read(partner)
    for number in range(40):
        origin.take_away(number)
    origin.put(60)
    partner.reader_options = {"limit": 10}
    partner.save()
    read(partner)
    # The first page holds 10 of 60, which is less than a fifth; from the second on it is more.
    assert live(partner) == (everything | {"60"}) - {str(number) for number in range(10)}
    assert Checkpoint.objects.get().held_count == 30
    assert Checkpoint.objects.get().lag == 0, "the feed was read on"
    assert brake.release_sweep(partner, by=None) == 30
    harvest.run_once()
    assert live(partner) == {str(number) for number in range(40, 61)}
    for number in range(40, 43):
        origin.take_away(number)
    read(partner)
    assert Checkpoint.objects.get().held_at is None, "those of before the release count no more"


def test_naive_reader_without_a_brake_loses_everything(origin, partner, monkeypatch):
    fill(origin, 60)
    read(partner)
    for number in range(60):
        origin.take_away(number)
    monkeypatch.setattr(brake, "SHARE", 1)
    read(partner)
    assert live(partner) == set()


def test_tombstones_by_and_by_count_together(origin, partner):
    fill(origin, 60)
    read(partner)
    for number in range(40):
        origin.take_away(number)
        read(partner)
    assert len(live(partner)) == 48, "12 of 60 are a fifth"
    assert Checkpoint.objects.get().held_count == 28


def test_few_tombstones_of_a_small_partner_are_no_flood(origin, partner):
    fill(origin, 8)
    read(partner)
    for number in range(6):
        origin.take_away(number)
    read(partner)
    assert live(partner) == {"6", "7"}


def test_erasures_are_never_held(origin, partner):
    fill(origin, 60)
    read(partner)
    for number in range(60):
        origin.take_away(number, "erasure")
    read(partner)
    assert not Listing.objects.exists()
    assert not Listing.history.exists()
    assert Checkpoint.objects.get().held_at is None


def test_listings_whose_last_day_passed_are_not_held(origin, partner):
    fill(origin, 60)
    read(partner)
    Listing.objects.update(valid_until=timezone.localdate() - timezone.timedelta(days=1))
    for number in range(60):
        origin.take_away(number, "expired")
    read(partner)
    assert set(here(partner).values()) == {State.EXPIRED}
    assert Checkpoint.objects.get().held_at is None


def test_held_tombstone_is_off_when_the_listing_changes(origin, partner):
    everything = fill(origin, 60)
    read(partner)
    for number in range(60):
        origin.take_away(number)
    read(partner)
    assert live(partner) == everything
    origin.log.append({**origin.log[0], "version": 30})
    read(partner)
    assert Checkpoint.objects.get().held_count == 60, "that was said before the tombstone"
    origin.put(0, name="Hi torna a ser")
    read(partner)
    brake.release_sweep(partner, by=None)
    harvest.run_once()
    assert live(partner) == {"0"}


@pytest.mark.parametrize("reason", ["withdrawn", "expired", "moderated"])
def test_no_word_for_it_empties_the_market_a_little_at_a_time(origin, partner, reason):
    """A naive count leaves out all that came as “expired”; listings that could be shown for months then go ten at a time, and nobody is asked."""
    everything = fill(origin, 40)
    read(partner)
    for first in range(0, 40, 10):
        for number in range(first, first + 10):
            origin.take_away(number, reason)
        read(partner)
    assert len(live(partner)) == 30, "after the first ten a person is asked"
    assert Checkpoint.objects.get().held_count == 30
    counted_naively = RemoteListing.objects.exclude(tombstoned_at=None).exclude(reason__in=["erasure", "expired"]).count()
    assert (counted_naively == 0) == (reason == "expired"), "nothing would seem to have gone"
    assert everything > live(partner)


# --- What the origin says so that it shows no more ---------------------------------------------------------------------------


@pytest.mark.parametrize("twist", [{"validThrough": "2020-01-01"}, {"@type": "Demand"}], ids=["a last day that is past", "what we do not take"])
def test_no_change_of_a_listing_goes_past_the_brake(origin, partner, twist):
    """Listings that were good until 2030 end in 2020 all of a sudden: naively these are no removals."""
    partner = operations.change(partner, {"take_kinds": ["offer"]}, seen=partner.version, by=None)
    everything = fill(origin, 60)
    read(partner)
    for number in range(60):
        origin.put(number, **twist)
    read(partner)
    assert (live(partner), Checkpoint.objects.get().held_count) == (everything, 60)
    assert set(Listing.objects.values_list("kind", "valid_until__year")) == {("offer", 2030)}, "as they were"
    for number in range(30):
        origin.put(number)
    read(partner)
    assert Checkpoint.objects.get().held_count == 60
    assert brake.release_sweep(partner, by=None) == 60
    read(partner)
    assert live(partner) == {str(number) for number in range(30)}
    for number in range(30, 60):
        origin.put(number)
    read(partner)
    assert live(partner) == everything, "back with a later version"


def test_our_own_choice_asks_nobody(origin, partner):
    fill(origin, 60)
    read(partner)
    partner.refresh_from_db()
    partner = operations.change(partner, {"take_kinds": ["demand"]}, seen=partner.version, by=None)
    read(partner)
    assert (live(partner), Checkpoint.objects.get().held_at) == (set(), None)


def test_listings_that_were_over_anyway_ask_nobody(origin, partner):
    fill(origin, 60)
    read(partner)
    Listing.objects.update(valid_until=timezone.localdate() - timezone.timedelta(days=1))
    for number in range(60):
        origin.put(number, validThrough="2020-01-01")
    read(partner)
    assert (set(here(partner).values()), Checkpoint.objects.get().held_at) == ({State.EXPIRED}, None)

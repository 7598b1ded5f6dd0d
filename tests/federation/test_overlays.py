"""What curators lay over a partner's listing, what they say of duplicates, and how long what is gone is kept."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.federation import duplicates, harvest, overlays, quarantine, retention
from marketplace.federation.enums import Decision
from marketplace.federation.models import DuplicateCandidate, HarvestRun, Overlay, QuarantinedItem, RemoteListing
from marketplace.listings.enums import State
from marketplace.listings.models import Listing, Transition
from marketplace.synergies.models import Synergy
from tests.concurrency import at_once
from tests.factories import ListingFactory, UserFactory
from tests.federation.test_applying import long_here, second  # noqa: F401 - fixture
from tests.federation.test_harvest import here, live, read
from tests.listings.test_federated import curator  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db
SPANISH = {"language": "es", "title": "Estampación de chapa", "description": "Piezas estampadas de acero y aluminio, hasta dos milímetros."}


@pytest.fixture
def listing(origin, partner):
    origin.put(1)
    read(partner)
    return Listing.objects.get()


def texts():
    return Listing.objects.values_list("title", "language", "keywords").get()


def test_translation_and_tags_stay_on_top_of_every_later_visit(origin, partner, listing, curator):  # noqa: F811
    overlays.change(listing, SPANISH | {"tags": "chapa, estampación"}, by=curator)
    assert texts() == ("Estampación de chapa", "es", "chapa, estampación, xapa, acer")
    origin.put(1, name="Un altre títol d'allà", keywords=["ferro"])
    read(partner)
    assert texts() == ("Estampación de chapa", "es", "chapa, estampación, ferro")
    assert Overlay.objects.get().original["title"] == "Un altre títol d'allà"
    overlays.change(listing, {"title": "", "description": "", "tags": ""}, by=curator)
    assert texts() == ("Un altre títol d'allà", "ca", "ferro")


def test_hidden_listing_stays_hidden_until_it_is_shown_again(origin, partner, listing, curator):  # noqa: F811
    overlays.change(listing, {"hidden": True, "reason": "Not for this market"}, by=curator)
    assert here(partner) == {"1": State.REJECTED}
    assert Transition.objects.latest("pk").reason == "Not for this market"
    origin.put(1, name="Un altre títol d'allà")
    read(partner)
    assert here(partner) == {"1": State.REJECTED}
    overlays.change(listing, {"hidden": False}, by=curator)
    assert here(partner) == {"1": State.PUBLISHED}
    assert texts()[0] == "Un altre títol d'allà"


def test_overlay_is_for_curators_and_for_partners_listings(origin, partner, listing, curator):  # noqa: F811
    with pytest.raises(PermissionDenied):
        overlays.change(listing, {"hidden": True}, by=UserFactory())
    with pytest.raises(ValidationError):
        overlays.change(ListingFactory(live=True), {"hidden": True}, by=curator)
    with pytest.raises(ValidationError) as raised:
        overlays.change(listing, {"title": "Estampación de chapa", "language": ""}, by=curator)
    assert set(raised.value.message_dict) == {"language"}
    origin.take_away(1)
    read(partner)
    with pytest.raises(ValidationError):
        overlays.change(listing, {"tags": "late"}, by=curator)


@pytest.mark.django_db(transaction=True)
def test_of_two_curators_at_the_same_moment_one_learns_of_the_other(origin, partner, listing, curator):  # noqa: F811
    """Both have looked before either saves. Naively, compared before the lock, the last one wins and nobody learns of it."""
    looked = overlays.stamp(None)

    def save(tags, seen):
        try:
            return overlays.change(listing, {"tags": tags}, by=curator, seen=seen).tags
        except overlays.StaleOverlayError:
            return "stale"

    told = at_once(*(lambda tags=tags: save(tags, looked) for tags in ("one", "two", "three")))
    assert told.count("stale") == 2
    assert Overlay.objects.get().tags in told
    naive = at_once(*(lambda tags=tags: save(tags, None) for tags in ("four", "five")))
    assert sorted(naive) == ["five", "four"], "each thinks that it is saved"


def test_overlay_goes_with_an_erased_listing(origin, partner, listing, curator):  # noqa: F811
    overlays.change(listing, SPANISH, by=curator)
    origin.take_away(1, "erasure")
    read(partner)
    assert not Overlay.objects.exists()


# --- Duplicates -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(origin, partner, second):  # noqa: F811
    origin.put(1)
    second.put(1)
    read(partner)
    long_here()
    read(second.partner)
    return DuplicateCandidate.objects.get()


def test_different_ones_are_both_shown(pair, second, curator):  # noqa: F811
    duplicates.decide(pair, Decision.DIFFERENT, by=curator)
    assert here(second.partner) == {"1": State.PUBLISHED}
    with pytest.raises(ValidationError):
        duplicates.decide(pair, Decision.SAME, by=curator)


def test_same_one_is_hidden_and_stays_so(pair, partner, second, curator):  # noqa: F811
    duplicates.decide(pair, Decision.SAME, by=curator)
    second.put(1, keywords=["nou"])
    read(second.partner)
    assert (live(partner), here(second.partner)) == ({"1"}, {"1": State.REJECTED})


def test_only_curators_decide(pair):
    with pytest.raises(PermissionDenied):
        duplicates.decide(pair, Decision.SAME, by=UserFactory())


@pytest.mark.parametrize(
    ("one", "other", "alike"), [("", "", 0), ("a b c", "a b c", 0), ("xapa fina", "Xapa FINA", 1), ("una xapa fina", "una xapa grossa", 0.5)]
)
def test_similarity_is_the_share_of_common_words(one, other, alike):
    assert duplicates.similarity(one, other) == alike


# --- How long it is kept ------------------------------------------------------------------------------------------------------


def age(days):
    RemoteListing.objects.update(tombstoned_at=timezone.now() - datetime.timedelta(days=days))


def test_content_of_what_is_gone_is_erased_after_a_month(origin, partner, listing):
    origin.take_away(1)
    read(partner)
    age(29)
    harvest.run_daily()
    assert Listing.objects.exists()
    age(31)
    harvest.run_daily()
    assert not Listing.objects.exists()
    assert not Listing.history.exists()
    assert not Company.objects.exists()
    stone = RemoteListing.objects.get()
    assert (stone.reason, stone.version, stone.digest, stone.fingerprint) == ("withdrawn", 2, "", "")
    age(399)
    harvest.run_daily()
    assert RemoteListing.objects.exists()
    age(401)
    harvest.run_daily()
    assert not RemoteListing.objects.exists()


def test_what_people_have_a_contact_because_of_keeps_its_title(origin, partner, listing):
    user = UserFactory()
    synergy = Synergy.objects.create(offer=listing, demand=ListingFactory(live=True, demand=True), score=70, engine_version="1")
    synergy.events.create(step="interest", by=user)
    origin.take_away(1)
    read(partner)
    age(31)
    for _ in range(2):
        harvest.run_daily()
    listing.refresh_from_db()
    assert (listing.title, listing.description, listing.keywords) == ("Estampació de xapa, sèrie 1", "Estampació de xapa, sèrie 1", "")
    assert not Listing.history.filter(id=listing.pk).exists()
    assert Synergy.objects.exists()


def test_old_visits_and_faults_are_thrown_away(origin, partner):
    origin.put(1, category="Coses")
    read(partner)
    HarvestRun.objects.update(started_at=timezone.now() - 2 * retention.KEEP_VISITS)
    QuarantinedItem.objects.update(last_seen=timezone.now() - 2 * quarantine.KEEP_OPEN)
    assert harvest.run_daily() > 1
    assert (HarvestRun.objects.exists(), QuarantinedItem.objects.exists()) == (False, False)


def test_partner_of_nothing_but_faults_fills_no_more_than_its_share(origin, partner, monkeypatch):
    monkeypatch.setattr(quarantine, "MOST", 3)
    for number in range(6):
        origin.put(number, category="Coses")
    read(partner)
    assert QuarantinedItem.objects.count() == 3
    assert HarvestRun.objects.order_by("pk").first().quarantined == 6

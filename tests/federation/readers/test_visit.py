"""From a source to listings here: a visit of the harvester with each reader, and a partner's words on their way through a curator."""

import pytest
from django.utils import timezone

from marketplace.federation import harvest, mapping
from marketplace.federation.enums import MappingState, PartnerState
from marketplace.federation.models import Checkpoint, Mapping, QuarantinedItem, RemoteListing
from marketplace.federation.readers import reading
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from tests.factories import UserFactory

from .sources import LISTINGS, SOURCES, partner_of

pytestmark = pytest.mark.django_db
EACH = pytest.mark.parametrize("source", [source for source in SOURCES if source.name in ("csv", "xlsx", "rss", "json", "json-pages", "web")], ids=str)
CSV = SOURCES[0]


def connected(site, source, **options):
    partner = partner_of(site, source, **options)
    partner.state = PartnerState.ACTIVE
    partner.save()
    return partner


def visit(partner):
    Checkpoint.objects.filter(partner=partner).update(next_at=timezone.now())
    harvest.visit(partner)
    checkpoint = Checkpoint.objects.get(partner=partner)
    assert checkpoint.lease_until is None
    return checkpoint


def live(partner):
    return set(Listing.objects.filter(of_partner__partner=partner, state=State.PUBLISHED).values_list("title", flat=True))


@EACH
def test_listings_come_and_go(site, source):
    site.pages = source.pages(site, LISTINGS)
    partner = connected(site, source)
    assert visit(partner).error == ""
    assert live(partner) == {one["title"] for one in LISTINGS}
    listing = Listing.objects.get(title=LISTINGS[2]["title"])
    assert (listing.kind, listing.sector_id, listing.place_id, listing.language, listing.company.name) == (
        "offer",
        "7112",
        "081846",
        "es",
        "Enginyeria Solell, SL",
    )
    versions = dict(Listing.objects.values_list("title", "version"))
    visit(partner)
    assert dict(Listing.objects.values_list("title", "version")) == versions
    site.pages = source.pages(site, [*LISTINGS[1:], {**LISTINGS[0], "id": "104", "title": "Motlles per a injecció de plàstics"}])
    checkpoint = visit(partner)
    # One of three is more than the brake lets go by itself.
    assert (checkpoint.held_count, checkpoint.held_of) == (1, 3)
    assert "Motlles per a injecció de plàstics" in live(partner)


@EACH
def test_broken_source_takes_nothing_away(site, source):
    site.pages = source.pages(site, LISTINGS)
    partner = connected(site, source)
    visit(partner)
    for pages in (source.pages(site, []), {}, {source.main: (500, {}, b"")}):
        site.pages = pages
        checkpoint = visit(partner)
        assert checkpoint.error
        assert checkpoint.held_count == 0
        assert len(live(partner)) == 3
    site.pages = source.pages(site, LISTINGS)
    assert visit(partner).error == ""


@EACH
def test_entry_that_cannot_be_read_any_more_stays(site, source):
    site.pages = source.pages(site, LISTINGS)
    partner = connected(site, source)
    visit(partner)
    site.pages = source.pages(site, [{**LISTINGS[0], "until": "quan es pugui"}, *LISTINGS[1:]])
    assert visit(partner).held_count == 0
    assert len(live(partner)) == 3
    assert QuarantinedItem.objects.get(resolved_at=None).code == "bad-date"


@EACH
def test_run_of_many_rounds_comes_to_its_end(site, source, monkeypatch):
    """A worker has no more than a moment for each partner; the naive reader, which begins anew each time, never ends."""
    monkeypatch.setattr(reading, "BATCH", 1)
    site.pages = source.pages(site, LISTINGS)
    partner = connected(site, source)
    for _round in range(6):
        harvest.visit(partner, until=0)
        if Checkpoint.objects.get(partner=partner).last_success_at:
            break
    assert len(live(partner)) == 3
    assert Checkpoint.objects.get(partner=partner).last_success_at


def test_naive_reader_never_ends(site, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 1)
    monkeypatch.setattr(reading, "_behind", lambda *_: {})
    site.pages = CSV.pages(site, LISTINGS)
    partner = connected(site, CSV)
    for _round in range(6):
        harvest.visit(partner, until=0)
    assert len(live(partner)) == 1


def test_unknown_word_waits_for_a_person_and_comes_then(site):
    site.pages = CSV.pages(site, [LISTINGS[0], {**LISTINGS[1], "sector": "Metall i mecanitzats"}, {**LISTINGS[2], "sector": "METALL I MECANITZATS"}])
    partner = connected(site, CSV)
    visit(partner)
    assert live(partner) == {LISTINGS[0]["title"]}
    assert set(QuarantinedItem.objects.values_list("code", flat=True)) == {"unknown-sector"}
    word = Mapping.objects.get()
    assert (word.label, word.sector_id, word.state) == ("Metall i mecanitzats", "25", MappingState.PROPOSED)
    mapping.confirm(word, by=UserFactory(is_superuser=True))
    harvest.run_once()
    assert live(partner) == {one["title"] for one in LISTINGS}
    assert set(Listing.objects.values_list("sector_id", flat=True)) == {"2229", "25"}
    assert not QuarantinedItem.objects.filter(resolved_at=None).exists()


def test_corrected_meaning_moves_the_listings(site):
    site.pages = CSV.pages(site, [LISTINGS[0], {**LISTINGS[1], "sector": "Metall i mecanitzats"}])
    partner, admin = connected(site, CSV), UserFactory(is_superuser=True)
    visit(partner)
    mapping.confirm(Mapping.objects.get(), by=admin)
    harvest.run_once()
    mapping.confirm(Mapping.objects.get(), "2562", by=admin)
    harvest.run_once()
    assert set(Listing.objects.values_list("sector_id", flat=True)) == {"2229", "2562"}


def test_default_holds_until_somebody_decides(site):
    site.pages = CSV.pages(site, [{**LISTINGS[0], "sector": "Grup 3", "place": "Arreu"}])
    partner, admin = connected(site, CSV), UserFactory(is_superuser=True)
    partner.default_sector_id, partner.default_place_id = "8299", "080193"
    partner.save()
    visit(partner)
    assert Listing.objects.values_list("sector_id", "place_id").get() == ("8299", "080193")
    mapping.confirm(Mapping.objects.get(scheme="sector"), "2229", by=admin)
    mapping.ignore(Mapping.objects.get(scheme="place"), by=admin)
    harvest.run_once()
    assert Listing.objects.values_list("sector_id", "place_id").get() == ("2229", "080193")


def test_kind_by_the_partners_own_word(site):
    site.pages = CSV.pages(site, [{**LISTINGS[0], "kind": "Wunsch"}, LISTINGS[1]])
    partner = connected(site, CSV)
    visit(partner)
    assert live(partner) == {LISTINGS[1]["title"]}
    mapping.confirm(Mapping.objects.get(scheme="kind"), "demand", by=UserFactory(is_superuser=True))
    harvest.run_once()
    assert Listing.objects.get(title=LISTINGS[0]["title"]).kind == "demand"


def test_partner_cannot_take_the_listing_of_another(site):
    """Two partners on one host: the second names the first one's addresses."""
    site.pages = CSV.pages(site, LISTINGS)
    first = connected(site, CSV)
    visit(first)
    second = partner_of(site, CSV)
    second.name, second.state = "Another", PartnerState.ACTIVE
    second.save()
    visit(second)
    assert not RemoteListing.objects.filter(partner=second).exists()
    assert set(QuarantinedItem.objects.filter(partner=second).values_list("code", flat=True)) == {"forged-owner"}

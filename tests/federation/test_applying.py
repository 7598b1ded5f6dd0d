"""What a partner says becomes a listing here, is mended where that is harmless, or is refused with a word that helps."""

import json
import sys
import uuid

import pytest
from django.core.validators import URLValidator
from django.utils import timezone

from marketplace.companies.models import Company, Place, Sector
from marketplace.core.models import Change
from marketplace.federation import applying, checking, duplicates, harvest, operations
from marketplace.federation.checking import UnfitError
from marketplace.federation.client import Fault, digest_of, parse
from marketplace.federation.enums import PartnerState
from marketplace.federation.identities import identity
from marketplace.federation.items import Item
from marketplace.federation.models import Checkpoint, DuplicateCandidate, Partner, QuarantinedItem, RemoteCompany, RemoteListing
from marketplace.federation.taking import Taking
from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from tests.factories import CompanyFactory, ListingFactory, company_tax_id
from tests.federation.origins import Origin, listing_of
from tests.federation.test_harvest import here, live, read

pytestmark = pytest.mark.django_db
BASE = "https://other.example"


@pytest.fixture
def other(db):
    """A partner that is asked nothing."""
    return Partner.objects.create(name="Other city", base_url=BASE, state=PartnerState.ACTIVE)


class Elsewhere(Origin):
    url = BASE


def draft(partner, **changes):
    """What becomes of a listing with these changes; None leaves a name out."""
    listing = listing_of(Elsewhere(None), 1) | changes
    listing = {name: value for name, value in listing.items() if value is not None}
    item = Item(op="upsert", uri=listing["@id"], version=1, digest=digest_of(listing), listing=listing)
    taking = Taking(partner)
    checking.check(item, taking)
    return applying.read(item, taking)


def fault(partner, **changes):
    with pytest.raises(UnfitError) as raised:
        draft(partner, **changes)
    assert raised.value.message
    return raised.value.code


# --- Mended ---------------------------------------------------------------------------------------------------------------


def test_long_title_is_cut_and_stays_whole_in_the_description(other):
    title = "Estampació de xapa fina " * 8
    made = draft(other, name=title)
    assert len(made.values["title"]) <= 120
    assert made.values["title"].endswith("…")
    assert made.values["description"].startswith(title.strip())


def test_missing_title_is_the_first_sentence(other):
    assert draft(other, name=None, description="Busquem nau industrial. Amb pati.").values["title"] == "Busquem nau industrial"


def test_missing_description_is_the_title(other):
    assert draft(other, description=None).values["description"] == "Estampació de xapa, sèrie 1"


def test_markup_is_taken_out_and_a_plain_sign_stays(other):
    made = draft(other, name="<b>Xapa</b> &amp; acer", description="<p>Un</p><script>alert(1)</script><p>Dos < tres</p>")
    assert (made.values["title"], made.values["description"]) == ("Xapa & acer", "Un\n\nDos < tres")
    assert draft(other, description="De 2 < 3 mm & més").values["description"] == "De 2 < 3 mm & més"


def test_control_signs_are_taken_out(other):
    assert draft(other, name="Xa\0pa\x07 i acer").values["title"] == "Xapa i acer"


def test_long_description_is_cut_at_a_sentence(other):
    text = draft(other, description="Fem peces d'acer inoxidable. " * 400).values["description"]
    assert len(text) <= 6000
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("said", "expected"),
    [("ca", "ca"), ("es-ES", "es"), ("EN", "en"), ("cat", "ca"), ("fr", "es"), (None, "es"), ({"@type": "Language", "alternateName": "ca"}, "ca"), (7, "es")],
)
def test_language_is_ours_or_the_partners_usual_one(said, expected, other):
    other.default_language = "es"
    assert draft(other, inLanguage=said).values["language"] == expected


@pytest.mark.parametrize(("said", "expected"), [(25, 25), (0.2, 1), (5000, 1000), (-3, None), ("25", None), (True, None), (None, None)])
def test_reach_is_within_what_a_listing_can_say(said, expected, other):
    assert draft(other, **{"mp:reachKm": said}).values["reach_km"] == expected


def test_reach_is_read_from_schema_orgs_circle(other):
    assert draft(other, **{"mp:reachKm": None, "areaServed": {"@type": "GeoCircle", "geoRadius": 12_000}}).values["reach_km"] == 12


def test_keywords_fit(other):
    assert draft(other, keywords=["un", "dos", "un", 7, {"x": 1}, "a, b", "llarg " * 60]).values["keywords"] == "un, dos, 7, a  b"
    assert draft(other, keywords="un, dos").values["keywords"] == "un, dos"


def test_page_elsewhere_is_left_out(other):
    assert draft(other, url="https://phishing.example/").page == ""
    assert draft(other, url="javascript:alert(1)").page == ""
    assert draft(other, url=f"{BASE}/a").page == f"{BASE}/a"


def test_place_of_schema_org_alone_is_understood(other):
    assert draft(other, **{"mp:place": None, "areaServed": {"@type": "City", "name": "Terrassa"}}).values["place_id"] == "082798"
    assert draft(other, **{"mp:place": "L'Hospitalet de Llobregat"}).values["place_id"] == "081017"


def test_defaults_of_the_partner_fill_in(other):
    other.default_sector, other.default_place = Sector.objects.get(pk="62"), Place.objects.get(pk="081878")
    made = draft(other, category="Coses", **{"mp:place": {"name": "Kyiv"}, "areaServed": None})
    assert (made.values["sector_id"], made.values["place_id"]) == ("62", "081878")


def test_company_without_an_address_of_its_own_gets_one(other):
    made = draft(other, offeredBy={"name": "Taller Roca"})
    assert made.company.uri == draft(other, offeredBy={"@id": "https://somebody.example/id/company/1", "name": "taller roca"}).company.uri
    assert made.company.uri.startswith(applying.SYNTHETIC)
    assert draft(other, offeredBy=None).company.values["name"] == "Other city"


def test_size_and_web_of_the_company_are_checked(other):
    owner = {"name": "Taller", "mp:size": "gigantic", "url": "javascript:alert(1)"}
    company = draft(other, offeredBy=owner).company
    assert "size" not in company.values
    assert company.values["web"] == ""


# --- Refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"@type": "Person"}, "no-kind"),
        ({"@type": None}, "no-kind"),
        ({"@type": {"a": 1}}, "no-kind"),
        ({"name": "x", "description": None}, "no-title"),
        ({"name": {"a": "b"}, "description": ["c"]}, "no-title"),
        ({"category": {"codeValue": "99999", "name": "Coses rares"}}, "unknown-sector"),
        ({"category": None}, "unknown-sector"),
        ({"mp:place": {"name": "Kyiv"}, "areaServed": None}, "unknown-place"),
        ({"validThrough": "tomorrow"}, "bad-date"),
        ({"validThrough": "0001-01-01"}, "bad-date"),
        ({"validThrough": "9999-12-31T23:59:59-14:00"}, "bad-date"),
        ({"validThrough": 20301231}, "bad-date"),
        ({"validFrom": "2026-13-45"}, "bad-date"),
        ({"@id": "https://third.example/id/listing/1"}, "foreign-origin"),
        ({"@id": "http://testserver/id/listing/1"}, "loop"),
        ({"@id": "HTTP://TESTSERVER/id/listing/1"}, "loop"),
        ({"@id": "urn:uuid:1"}, "foreign-origin"),
        ({"@id": "https://other.example:8443/1"}, "foreign-origin"),
        ({"@id": "https://other.example@evil.example/1"}, "foreign-origin"),
        ({"@id": "https://[other.example/1"}, "bad-uri"),
        ({"@id": f"{BASE}/{'a' * 500}"}, "bad-uri"),
        ({"@id": f"{BASE}/a b"}, "bad-uri"),
        ({"@id": f"{BASE}/ñ"}, "bad-uri"),
    ],
)
def test_listing_that_says_too_little_or_too_much_is_refused(changes, code, other):
    assert fault(other, **changes) == code


def test_digest_has_to_be_that_of_the_listing(other):
    listing = listing_of(Elsewhere(None), 1)
    taking = Taking(other)
    item = Item(op="upsert", uri=listing["@id"], version=1, digest="sha-256:" + "0" * 64, listing=listing)
    with pytest.raises(UnfitError, match="sha-256:"):
        checking.check(item, taking)
    with pytest.raises(UnfitError) as raised:
        checking.check(Item(op="upsert", uri=f"{BASE}/2", version=1, digest=digest_of(listing), listing=listing), taking)
    assert raised.value.code == "other-id"


@pytest.mark.parametrize("odd", ["\ud800", float("nan"), float("inf"), 2**60])
def test_what_has_no_canonical_form_is_refused(odd, other):
    listing = listing_of(Elsewhere(None), 1) | {"mp:odd": odd}
    with pytest.raises(UnfitError) as raised:
        checking.check(Item(op="upsert", uri=listing["@id"], version=1, digest="sha-256:" + "0" * 64, listing=listing), Taking(other))
    assert raised.value.code == "not-canonical"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"op": "delete"}, "bad-op"),
        ({"uri": 7}, "bad-uri"),
        ({"uri": ""}, "bad-uri"),
        ({"version": 0}, "bad-version"),
        ({"version": True}, "bad-version"),
        ({"version": 2**63}, "bad-version"),
        ({"version": "3"}, "bad-version"),
        ({"updated_at": "0001-01-01T00:00:00+14:00"}, "bad-date"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "bad-date"),
        ({"updated_at": "2026-01-01T00:00:00"}, "bad-date"),
        ({"updated_at": 5}, "bad-date"),
        ({"digest": "md5:1"}, "bad-digest"),
        ({"listing": []}, "no-listing"),
        ({"op": "tombstone", "reason": "bored"}, "bad-reason"),
        ({"op": "tombstone", "reason": ["erasure"]}, "bad-reason"),
    ],
)
def test_item_of_the_wrong_shape_is_a_fault(change, code):
    good = {"op": "upsert", "uri": f"{BASE}/1", "version": 1, "updated_at": "2026-01-01T00:00:00Z", "digest": "sha-256:" + "a" * 64, "listing": {}}
    assert isinstance(parse(good), Item)
    found = parse(good | change)
    assert isinstance(found, Fault)
    assert (found.code, bool(found.message)) == (code, True)


@pytest.mark.parametrize("value", [None, 1, "x", [], True])
def test_item_that_is_no_object_is_a_fault(value):
    assert parse(value).code == "not-an-item"


# --- Who a company is -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "value", "expected"),
    [
        ("NIF", company_tax_id(7), ("NIF", company_tax_id(7))),
        ("nif", f"es {company_tax_id(7)}", ("NIF", company_tax_id(7))),
        ("VAT", f"ES{company_tax_id(7)}", ("NIF", company_tax_id(7))),
        ("VAT", "FR40303265045", ("VAT", "FR40303265045")),
        ("EUID", "ESB08005.123456", ("EUID", "ESB08005.123456")),
        ("NIF", "12345678Z", ("", "")),
        ("VAT", "ES12345678Z", ("", "")),
        ("NIF", "X1234567L", ("", "")),
        ("NIF", "B12345678", ("", "")),
        ("DUNS", "1", ("", "")),
        (7, "B1", ("", "")),
        ("NIF", "B1\0", ("", "")),
    ],
)
def test_identity_is_of_legal_persons_only(scheme, value, expected):
    assert identity({"@type": "PropertyValue", "propertyID": scheme, "value": value}) == expected


# --- Whose it is, and what came before ------------------------------------------------------------------------------------


def quarantined():
    return dict(QuarantinedItem.objects.filter(resolved_at=None).values_list("uri", "code"))


def test_bad_item_does_not_stop_the_rest(origin, partner):
    origin.put(1)
    origin.put(2, category="Coses")
    origin.add({"op": "upsert", "uri": origin.uri(3), "version": "three"})
    origin.log[-1]["version"] = 3.5
    origin.put(4)
    read(partner)
    assert live(partner) == {"1", "4"}
    assert quarantined() == {origin.uri(2): "unknown-sector", origin.uri(3): "bad-version"}
    row = QuarantinedItem.objects.get(uri=origin.uri(2))
    assert "Coses" in row.item
    assert "Coses" in row.message


def test_same_fault_again_is_one_row_and_a_good_item_settles_it(origin, partner):
    origin.put(1, category="Coses")
    for _ in range(3):
        harvest.ask_snapshot(partner)
        harvest.visit(partner)
    assert QuarantinedItem.objects.get().times >= 3
    origin.put(1)
    read(partner)
    assert quarantined() == {}
    assert live(partner) == {"1"}


def test_bad_version_of_a_known_listing_leaves_the_good_one(origin, partner):
    for number in range(3):
        origin.put(number)
    read(partner)
    origin.put(1, category="Coses")
    harvest.ask_snapshot(partner)
    read(partner)
    assert live(partner) == {"0", "1", "2"}, "its origin still has it"
    assert quarantined() == {origin.uri(1): "unknown-sector"}


def test_forged_owner_is_refused(origin, partner, settings):
    """Two partners share a host: neither may write over what the other brought."""
    origin.put(1)
    read(partner)
    before = Listing.objects.values().get()
    thief = Partner.objects.create(name="Thief", base_url=origin.url, state=PartnerState.ACTIVE)
    origin.put(1, name="Now it is mine, all mine", version=10**9)
    harvest.visit(thief)
    assert Listing.objects.values().get() == before
    assert quarantined() == {origin.uri(1): "forged-owner"}
    origin.take_away(1, "erasure", version=10**10)
    Checkpoint.objects.filter(partner=thief).update(state={"cursor": "c0"})
    harvest.visit(thief)
    assert Listing.objects.values().get() == before


def test_loop_is_refused(origin, partner):
    """The partner gives back what it took from us, and what it took from a third."""
    own = ListingFactory(live=True)
    before = Listing.objects.values().get()
    for uri in (f"http://testserver/id/listing/{own.uid}", "https://third.example/id/listing/1"):
        origin.add(origin.item(listing_of(origin, 1) | {"@id": uri}))
        origin.add({"op": "tombstone", "uri": uri, "version": 10**9, "updated_at": None, "reason": "erasure"})
    Checkpoint.objects.create(partner=partner, state={"cursor": "c0"})
    origin.changes, origin.log = origin.changes, origin.log
    harvest.visit(partner)
    assert Listing.objects.values().get() == before
    assert quarantined() == {f"http://testserver/id/listing/{own.uid}": "loop", "https://third.example/id/listing/1": "foreign-origin"}


def test_lower_version_is_ignored_and_the_same_with_another_text_is_quarantined(origin, partner):
    origin.put(1, version=5)
    read(partner)
    origin.put(1, version=4, name="Un títol d'abans")
    read(partner)
    assert Listing.objects.get().title == "Estampació de xapa, sèrie 1"
    assert quarantined() == {}
    origin.put(1, version=5, name="Un títol d'ara mateix")
    read(partner)
    assert Listing.objects.get().title == "Estampació de xapa, sèrie 1"
    assert quarantined() == {origin.uri(1): "same-version"}


def test_of_one_page_the_newest_counts_and_two_of_one_version_are_a_fault(origin, partner):
    Checkpoint.objects.create(partner=partner, state={"cursor": "c0"})
    items = [origin.item(listing_of(origin, 1) | {"name": f"Títol número {place}"}, version=version) for place, version in enumerate((2, 3, 1, 3))]
    origin.log = items
    origin.twist = lambda document: document | {"items": items}
    harvest.visit(partner)
    assert Listing.objects.get().title == "Títol número 1"
    assert quarantined() == {origin.uri(1): "same-version"}


def test_left_out_for_a_time_comes_back_as_it_was(origin, partner):
    """A partner that gives us less says “withdrawn” at the version that we have; when it gives it again, it is the same version."""
    item = origin.put(1)
    read(partner)
    origin.take_away(1, version=item["version"])
    read(partner)
    assert here(partner) == {"1": State.WITHDRAWN}
    origin.add(item)
    harvest.ask_snapshot(partner)
    read(partner)
    assert here(partner) == {"1": State.PUBLISHED}


def test_erased_listing_comes_back_with_a_later_version_only(origin, partner):
    item = origin.put(1)
    read(partner)
    origin.take_away(1, "erasure")
    read(partner)
    origin.add(item)
    read(partner)
    assert not Listing.objects.exists()
    origin.put(1)
    read(partner)
    assert live(partner) == {"1"}


def test_expired_listing_is_not_taken_and_one_that_is_here_ends(origin, partner):
    origin.put(1, validThrough="2026-01-31")
    origin.put(2)
    read(partner)
    assert here(partner) == {"2": State.PUBLISHED}
    origin.put(2, validThrough="2026-01-31")
    read(partner)
    assert here(partner) == {"2": State.EXPIRED}
    origin.put(2)
    read(partner)
    assert here(partner) == {"2": State.PUBLISHED}


# --- What we take -----------------------------------------------------------------------------------------------------------


def test_only_what_is_wanted_is_taken_and_the_rest_removed(origin, partner):
    origin.put(1)
    origin.put(2, **{"@type": "Demand", "offeredBy": None, "mp:soughtBy": {"name": "Taller 2"}})
    origin.put(3, category={"inCodeSet": "NACE Rev. 2", "codeValue": "62"})
    origin.put(4, **{"mp:place": {"identifier": "080193", "name": "Barcelona"}})
    read(partner)
    assert live(partner) == {"1", "2", "3", "4"}
    for takes, kept in (
        ({"take_kinds": ["demand"]}, {"2"}),
        ({"take_kinds": [], "take_sectors": ["C"]}, {"1", "2", "4"}),
        ({"take_places": ["080193"]}, {"4"}),
        ({"take_places": [], "take_sectors": []}, {"1", "2", "3", "4"}),
    ):
        partner = operations.change(partner, takes, seen=partner.version, by=None)
        read(partner)
        # Nothing of it is new at its origin: what is wanted again comes back as it was.
        assert live(partner) == kept
        assert Checkpoint.objects.get().held_at is None, "what we do not want is no accident"


def test_partner_whose_listings_wait_for_a_curator(origin, partner):
    Partner.objects.update(publishes=False)
    partner.refresh_from_db()
    origin.put(1)
    read(partner)
    assert here(partner) == {"1": State.SUBMITTED}
    Listing.objects.update(state=State.PUBLISHED)
    origin.put(1, name="Un títol de després")
    read(partner)
    assert here(partner) == {"1": State.PUBLISHED}, "a curator let it in"


def test_rejected_listing_stays_rejected(origin, partner):
    origin.put(1)
    read(partner)
    Listing.objects.update(state=State.REJECTED)
    origin.put(1, name="Un títol de després")
    read(partner)
    assert (here(partner), Listing.objects.get().title) == ({"1": State.REJECTED}, "Un títol de després")
    origin.take_away(1)
    read(partner)
    origin.put(1)
    read(partner)
    assert here(partner) == {"1": State.REJECTED}


# --- Companies ------------------------------------------------------------------------------------------------------------


def test_companies_are_one_row_however_many_listings(origin, partner):
    owner = listing_of(origin, 1)["offeredBy"]
    for number in range(4):
        origin.put(number, offeredBy=owner, category={"codeValue": ("2229", "62")[number % 2]})
    read(partner)
    company = Company.objects.get()
    assert company.listings.count() == 4
    origin.put(0, offeredBy=owner | {"name": "Taller Nou, SL"})
    read(partner)
    company.refresh_from_db()
    assert (company.name, company.version, company.history.count()) == ("Taller Nou, SL", 2, 2)
    assert Change.objects.filter(kind="company").count() == 2


def test_number_of_a_natural_person_is_nowhere(origin, partner):
    owner = listing_of(origin, 1)["offeredBy"]
    number = company_tax_id(9)
    origin.put(1, offeredBy=owner | {"identifier": {"@type": "PropertyValue", "propertyID": "NIF", "value": "12345678Z"}})
    origin.put(2, offeredBy=owner | {"@id": f"{origin.url}/id/company/2", "identifier": {"@type": "PropertyValue", "propertyID": "NIF", "value": number}})
    read(partner)
    assert set(RemoteCompany.objects.values_list("scheme", "identifier")) == {("", ""), ("NIF", number)}
    assert set(Company.objects.values_list("tax_id", flat=True)) == {None}
    assert "12345678Z" not in json.dumps([*map(str, Company.objects.values()), *map(str, Company.history.values()), *map(str, RemoteCompany.objects.values())])


# --- Duplicates -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def second(origin, settings):
    """Another partner on this machine, which shows the same."""
    from tests.federation.origins import origin as serve_origin  # noqa: PLC0415 - the fixture has its name

    with serve_origin() as second:
        settings.OUTGOING_ALLOWED_HOSTS = [*settings.OUTGOING_ALLOWED_HOSTS, second.site.host]
        second.partner = Partner.objects.create(name="Chamber", base_url=second.url, state=PartnerState.ACTIVE)
        yield second


def long_here():
    """What is here has been here since before the others were read last."""
    RemoteListing.objects.update(harvested_at=timezone.now() - 2 * duplicates.MARGIN)


def test_same_text_at_two_partners_is_shown_once(origin, partner, second):
    origin.put(1)
    second.put(1)
    read(partner)
    long_here()
    read(second.partner)
    assert (live(partner), here(second.partner)) == ({"1"}, {"1": State.SUBMITTED})
    candidate = DuplicateCandidate.objects.get()
    assert (candidate.first.source_name, candidate.second.source_name, candidate.similarity) == ("Other city", "Chamber", 1)
    second.put(1, keywords=["nou"])
    read(second.partner)
    assert here(second.partner) == {"1": State.SUBMITTED}, "until a person has looked"


def test_who_copies_what_is_new_and_is_read_first_wins_nothing(origin, partner, second):
    """Naively who came first is shown and the other waits: a partner that copies from the other's site and is read more often takes its listings' places."""
    read(partner)
    read(second.partner)
    origin.put(1)
    second.put(1)
    read(second.partner)
    read(partner)
    naively_first = RemoteListing.objects.order_by("pk").first()
    assert naively_first.partner == second.partner
    assert (live(partner), live(second.partner)) == ({"1"}, {"1"}), "nobody can say who copied whom"
    candidate = DuplicateCandidate.objects.get()
    assert (candidate.first.source_name, candidate.second.source_name) == ("Chamber", "Other city"), "so a curator does"
    assert duplicates.SIMILAR < candidate.similarity < 1
    # Once both were read since, the one that has it later is the copy.
    origin.put(2)
    read(partner)
    long_here()
    read(second.partner)
    second.put(2)
    read(second.partner)
    assert (live(partner), here(second.partner)["2"]) == ({"1", "2"}, State.SUBMITTED)


def test_similar_text_of_the_same_company_is_for_a_person(origin, partner, second):
    number = company_tax_id(7)
    ident = {"identifier": {"@type": "PropertyValue", "propertyID": "NIF", "value": number}}
    own = ListingFactory(
        live=True, company=CompanyFactory(tax_id=number), title="Estampació de xapa, sèrie 1",
        description="Peces estampades d'acer i alumini, fins a dos mil·límetres de gruix.",
    )  # fmt: skip
    ListingFactory(live=True, company=own.company, title="Lloguer d'una sala de reunions", description="Sala per a vint persones amb projector i cafè.")
    ListingFactory(live=True, demand=True, company=own.company, title=own.title, description=own.description)
    origin.put(1, offeredBy=listing_of(origin, 1)["offeredBy"] | ident)
    second.put(1, name="Estampació de xapa, sèrie U", offeredBy=listing_of(second, 1)["offeredBy"] | ident)
    read(partner)
    read(second.partner)
    assert (live(partner), live(second.partner)) == ({"1"}, {"1"}), "nothing is hidden by itself"
    pairs = {(one.first.source_name, one.second.source_name) for one in DuplicateCandidate.objects.all()}
    assert pairs == {("", "Other city"), ("", "Chamber"), ("Other city", "Chamber")}
    assert all(0.6 <= one.similarity < 1 for one in DuplicateCandidate.objects.all())


def test_page_again_proposes_nothing_twice(origin, partner, second):
    origin.put(1)
    second.put(1)
    for one in (partner, second.partner, partner, second.partner):
        harvest.ask_snapshot(one)
        read(one)
    assert DuplicateCandidate.objects.count() == 1


# --- Texts that break programs -----------------------------------------------------------------------------------------------


def test_strange_signs_reach_neither_database_nor_stop_the_rest(origin, partner):
    origin.put(1)
    for place, odd in enumerate(("\ud800", "\0", "\udfff\ud800", "\N{RIGHT-TO-LEFT OVERRIDE}x", "\uffff"), start=2):
        listing = listing_of(origin, place) | {"description": f"Peces d'acer {odd} i d'alumini", "keywords": [odd]}
        try:
            digest = digest_of(listing)
        except ValueError:
            digest = "sha-256:" + "0" * 64
        origin.version += 1
        origin.add({"op": "upsert", "uri": origin.uri(place), "version": origin.version, "digest": digest, "listing": listing})
    origin.add({"op": "upsert", "uri": "\ud800\0", "version": 1, "digest": "\0", "listing": {"\ud800": 1}})
    read(partner)
    assert live(partner) == {"1", "3", "5", "6"}
    assert "\0" not in Listing.objects.get(source_uri=origin.uri(3)).description
    assert sorted(quarantined().values()) == ["bad-digest", "not-canonical", "not-canonical"]


def test_numbers_beyond_everything_are_faults(origin, partner):
    origin.put(1)
    odd = b'{"op":"upsert","uri":"%s","version":%s,"digest":"sha-256:%s","listing":{"x":NaN,"y":%s}}'
    raw = odd % (origin.uri(2).encode(), b"1", b"0" * 64, b"9" * 6000)
    origin.twist = lambda lines: b"\n".join([json.dumps(lines[0]).encode(), json.dumps(lines[1]).encode(), raw, b"{]", b'{"end":true,"count":3}'])
    harvest.visit(partner)
    assert live(partner) == {"1"}
    assert sorted(QuarantinedItem.objects.values_list("code", flat=True)) == ["not-an-item", "not-canonical"]


def test_listing_name_is_a_uri_of_any_form(origin, partner):
    uid = uuid.uuid4()
    origin.put(str(uid))
    read(partner)
    assert RemoteListing.objects.get().uri == origin.uri(str(uid))
    assert RemoteListing.objects.get().harvested_at <= timezone.now()


@pytest.mark.parametrize("sign", ["\0", "\x07", "\ud800"])
def test_addresses_that_no_database_takes_are_none(sign):
    """Django's validator lets them pass; in PostgreSQL one such listing would stop all that come after it."""
    address = f"{BASE}/page/{sign}"
    URLValidator(schemes=["https"])(address)
    assert applying._web(address, 500) == ""
    assert applying._web(f"{BASE}/page/x", 500) == f"{BASE}/page/x"


def test_an_id_of_lists_in_lists_is_a_fault_of_its_item_alone(other):
    """As deep as the reader of JSON just takes: to write it out takes more than is left."""
    deep: list = []
    for _ in range(sys.getrecursionlimit() - 20):
        deep = [deep]
    with pytest.raises(RecursionError):
        str(deep)
    item = Item(op="upsert", uri=f"{BASE}/id/listing/1", version=1, digest="", listing={"@id": deep})
    with pytest.raises(UnfitError) as raised:
        checking.check(item, Taking(other))
    assert raised.value.code == "other-id"
    assert checking.fault_of(item, raised.value).raw

"""What goes out of this node: which changes become entries, with which reasons, and what a reader of the log gets."""

import datetime
import hashlib
import io
import json
import uuid

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from marketplace.accounts import privacy
from marketplace.companies import operations as companies
from marketplace.core import changelog
from marketplace.federation import cursors, export, personal
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import FeedEntry, Partner
from marketplace.listings import operations
from marketplace.listings.enums import Kind, Origin, State
from marketplace.listings.models import Listing
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory, UserFactory
from tests.federation import feeding
from tests.federation.canonical import canonical_json

#: On SQLite. PostgreSQL never shows what is not committed: test_feed_postgresql.py.
pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return MembershipFactory().user


@pytest.fixture
def curator(django_user_model):
    return UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def reader():
    return feeding.partner()


def live(**fields) -> Listing:
    """A live listing that the log knows of."""
    listing = ListingFactory(live=True, **fields)
    touch(listing)
    return listing


def touch(*listings):
    with transaction.atomic():
        changelog.append_many("listing", [listing.uid for listing in listings])


def entries() -> dict:
    return {str(entry.uid): (entry.op, entry.reason) for entry in FeedEntry.objects.all()}


def uri(listing) -> str:
    return f"http://testserver/id/listing/{listing.uid}"


# --- Which changes become entries ---------------------------------------------------------------------------------------


def test_live_listing_becomes_an_upsert_with_its_digest(reader):
    listing = live()
    feeding.follow()
    (item,) = reader.read()
    assert item.keys() == {"op", "uri", "version", "updated_at", "expires_at", "digest", "listing"}
    assert (item["op"], item["uri"]) == ("upsert", uri(listing))
    assert item["listing"]["@id"] == item["uri"]
    # RFC 8785 written anew for the test, not by the library that made it.
    assert item["digest"] == "sha-256:" + hashlib.sha256(canonical_json(item["listing"]).encode()).hexdigest()
    assert datetime.datetime.fromisoformat(item["expires_at"]).astimezone().date() == listing.valid_until


@pytest.mark.parametrize("state", [State.DRAFT, State.SUBMITTED, State.WITHDRAWN, State.REJECTED])
def test_listing_that_was_never_exported_makes_no_tombstone(reader, state):
    touch(ListingFactory(state=state))
    feeding.follow()
    assert reader.read() == []


def test_harvested_listing_is_never_exported(reader):
    mine, theirs = live(), live(origin=Origin.PARTNER, source_uri="https://other.example.org/id/listing/1")
    feeding.follow()
    assert [item["uri"] for item in reader.read()] == [uri(mine)]
    Listing.objects.filter(pk=theirs.pk).update(state=State.WITHDRAWN)
    touch(theirs)
    feeding.follow()
    assert reader.read() == []


def test_unchanged_edit_makes_no_new_entry_and_a_change_makes_one_higher(reader, owner):
    listing = live(company=owner.memberships.get().company)
    feeding.follow()
    (first,) = reader.read()
    operations.edit(listing, {"title": listing.title}, by=owner)
    feeding.follow()
    assert reader.read() == []
    operations.edit(listing, {"title": "Pantalles facials, ara amb visera"}, by=owner)
    feeding.follow()
    (second,) = reader.read()
    assert second["version"] > first["version"]
    assert second["digest"] != first["digest"]
    assert FeedEntry.objects.count() == 1, "one row a listing"


def test_changed_company_reaches_the_entries(reader, owner):
    company = owner.memberships.get().company
    live(company=company)
    feeding.follow()
    reader.read()
    companies.edit(company, {"name": "Nom nou, SL", "place": company.place, "sector": company.sector}, by=owner)
    feeding.follow()
    assert [item["listing"]["offeredBy"]["name"] for item in reader.read()] == ["Nom nou, SL"]


def test_version_rises_over_a_pruned_tombstone_and_a_restored_database(reader):
    """A counter of our own would begin at 1 again, and partners ignore a version lower than theirs."""
    listing = live()
    feeding.follow()
    (before,) = reader.read()
    FeedEntry.objects.all().delete()
    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=2)):
        touch(listing)
        feeding.follow()
    assert FeedEntry.objects.get().version > before["version"]


def test_two_changes_within_a_second_have_two_versions(reader, owner):
    listing = live(company=owner.memberships.get().company)
    versions = []
    with time_machine.travel(timezone.now(), tick=False):
        for title in ("El primer títol", "El segon títol", "El tercer títol"):
            operations.edit(listing, {"title": title}, by=owner)
            feeding.follow()
            versions.append(FeedEntry.objects.get().version)
    assert versions == [versions[0], versions[0] + 1, versions[0] + 2]


def test_uri_stays_when_the_site_moves(reader, settings):
    listing = live()
    feeding.follow()
    (before,) = reader.read()
    settings.SITE_URL = "https://new.example.org"
    assert export.export_all() == 1
    reader.cursor = ""
    (after,) = reader.read()
    assert after["uri"] == after["listing"]["@id"] == before["uri"] == uri(listing)
    assert after["listing"]["url"].startswith("https://new.example.org/")


# --- Tombstones ---------------------------------------------------------------------------------------------------------


def end(listing, state):
    Listing.objects.filter(pk=listing.pk).update(state=state)
    touch(listing)


def expire(listing):
    Listing.objects.filter(pk=listing.pk).update(valid_until=timezone.localdate() - datetime.timedelta(days=1))
    operations.expire_overdue()


ENDINGS = {
    "withdrawn": lambda listing: end(listing, State.WITHDRAWN),
    "closed": lambda listing: end(listing, State.CLOSED),
    "back to draft": lambda listing: end(listing, State.DRAFT),
    "changes requested": lambda listing: end(listing, State.CHANGES_REQUESTED),
    "rejected": lambda listing: end(listing, State.REJECTED),
    "expired": expire,
    "hidden": lambda listing: companies.set_hidden(listing.company, True, by=UserFactory(is_superuser=True)),
    "deleted": lambda listing: operations.erase([listing], by=None),
}
REASONS = {"rejected": "moderated", "hidden": "moderated", "expired": "expired", "deleted": "erasure"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_listing_that_ends_becomes_a_tombstone_with_its_reason_and_no_content(reader, ending):
    listing = live()
    feeding.follow()
    (upsert,) = reader.read()
    ENDINGS[ending](listing)
    feeding.follow()
    (tombstone,) = reader.read()
    assert tombstone.keys() == {"op", "uri", "version", "updated_at", "reason"}
    assert (tombstone["op"], tombstone["uri"], tombstone["reason"]) == ("tombstone", uri(listing), REASONS.get(ending, "withdrawn"))
    assert tombstone["version"] > upsert["version"]
    entry = FeedEntry.objects.get()
    assert (entry.digest, entry.kind, entry.sector_path, entry.place, entry.expires_at) == ("", "", "", "", None)
    assert listing.title not in entry.text
    assert reader.state == {}


def test_erased_account_erases_its_companys_listings_also_those_that_had_ended(reader, owner):
    """Hidden by a curator is another matter: that is moderation."""
    company = owner.memberships.get().company
    running, ended, other = live(company=company), live(company=company), live()
    feeding.follow()
    reader.read()
    operations.close(ended, by=owner)
    feeding.follow()
    assert [item["reason"] for item in reader.read()] == ["withdrawn"]
    privacy.erase(owner)
    feeding.follow()
    assert {item["uri"]: item["reason"] for item in reader.read()} == {uri(running): "erasure", uri(ended): "erasure"}
    assert reader.state.keys() == {uri(other)}


def test_listing_that_comes_back_is_an_upsert_again(reader, owner):
    listing = live(company=owner.memberships.get().company)
    feeding.follow()
    expire(listing)
    feeding.follow()
    operations.renew(listing, by=owner)
    feeding.follow()
    (item,) = reader.read()
    assert item["op"] == "upsert"
    assert FeedEntry.objects.count() == 1


def test_tombstone_is_written_again_only_for_a_reason_that_says_more(reader):
    listing = live()
    feeding.follow()
    end(listing, State.WITHDRAWN)
    feeding.follow()
    reader.read()
    end(listing, State.CLOSED)
    feeding.follow()
    assert reader.read() == []
    operations.erase([listing], by=None)
    feeding.follow()
    assert [item["reason"] for item in reader.read()] == ["erasure"]


def test_export_can_be_repeated_and_batches_cost_the_same_queries(django_assert_max_num_queries):
    listings = [live() for _ in range(12)]
    uids = [listing.uid for listing in listings]
    with django_assert_max_num_queries(12) as first:
        export.export(uids[:1])
    with django_assert_max_num_queries(len(first)):
        export.export(uids)
    ids = set(FeedEntry.objects.values_list("id", flat=True))
    assert export.export(uids) == 0
    assert set(FeedEntry.objects.values_list("id", flat=True)) == ids


def test_refresh_feed_brings_what_the_log_did_not_tell(reader):
    listing = ListingFactory(live=True)
    feeding.follow()
    assert reader.read() == []
    call_command("refresh_feed", stdout=(told := io.StringIO()))
    assert told.getvalue().startswith("1 ")
    assert [item["uri"] for item in reader.read()] == [uri(listing)]


# --- Personal data ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tax_id", "is_told"),
    [("B10000007", True), ("G12345674", True), ("12345678Z", False), ("X1234567L", False), ("K1234567A", False), ("M1234567A", False), (None, False)],
)
def test_nif_is_told_of_legal_persons_only(reader, tax_id, is_told):
    live(company=CompanyFactory(tax_id=tax_id))
    feeding.follow()
    (item,) = reader.read()
    assert item["listing"]["offeredBy"].get("identifier") == ({"@type": "PropertyValue", "propertyID": "NIF", "value": tax_id} if is_told else None)


@pytest.mark.parametrize("tax_id", ["12345678Z", "X1234567L", None])
def test_of_who_may_be_a_natural_person_nothing_personal_is_told(reader, tax_id):
    """Personal data cross with an interest only. Naively the name of a self-employed person is that of a company, and texts are nobody's."""
    naive = {"name": "Maria Vila Soler", "description": "Sóc la Maria Vila.", "web": "https://mariavila.example"}
    company = CompanyFactory(tax_id=tax_id, **naive)
    live(
        company=company,
        title="Traduccions, 612 345 678",
        description="Escriviu a maria@vila.example o truqueu al +34 612 345 678.",
        keywords="maria@vila.example",
    )
    feeding.follow()
    item = reader.read()[0]
    assert item["listing"]["offeredBy"].keys() <= {"@type", "@id", "mp:size", "address"}
    for secret in ("Maria", "Vila", "mariavila", "vila.example", "612 345"):
        assert secret not in json.dumps(item, ensure_ascii=False)
    assert item["listing"]["name"] == f"Traduccions, {personal.TAKEN_OUT}"


def test_a_legal_persons_texts_have_no_contact_data_either(reader):
    live(company=CompanyFactory(description="Truqueu al 937 000 111."), description="Escriviu a oficina@empresa.example.")
    feeding.follow()
    told = reader.read()[0]["listing"]
    assert (told["description"], told["offeredBy"]["description"]) == (f"Escriviu a {personal.TAKEN_OUT}.", f"Truqueu al {personal.TAKEN_OUT}.")
    assert told["offeredBy"]["name"]


def test_no_contact_data_leave_the_node(reader):
    company = CompanyFactory(contact_name="Maria Contacte", contact_email="maria@contacte.example", contact_phone="937 000 111")
    live(company=company, author=UserFactory(name="Autor Ocult", email="autor@ocult.example"))
    live(company=company, demand=True)
    feeding.follow()
    told = json.dumps([reader.read(), reader.snapshot()], ensure_ascii=False)
    for secret in ("Contacte", "contacte.example", "937 000 111", "Ocult", "ocult.example"):
        assert secret not in told
    assert {item["listing"]["@type"]: "mp:soughtBy" in item["listing"] for item in reader.snapshot()[1:-1]} == {"Offer": False, "Demand": True}


# --- Reading ------------------------------------------------------------------------------------------------------------


def test_reader_at_any_cursor_sees_each_listing_once_with_its_newest_state(reader, owner):
    company = owner.memberships.get().company
    listings = [live(company=company) for _ in range(5)]
    feeding.follow()
    begun = reader.page(limit=2)
    assert [item["uri"] for item in begun["items"]] == [uri(listing) for listing in listings[:2]]
    operations.edit(listings[0], {"title": "Un títol ben nou"}, by=owner)
    feeding.follow()
    reader.cursor = begun["cursor"]
    assert [item["uri"] for item in reader.read(limit=2)] == [uri(listing) for listing in (*listings[2:], listings[0])]


def test_no_news_give_the_same_cursor_and_304(reader):
    live()
    feeding.follow()
    reader.read()
    empty = reader.get(feeding.URLS["changes"], cursor=reader.cursor)
    assert (empty.json()["items"], empty.json()["cursor"], empty.json()["more"]) == ([], reader.cursor, False)
    assert f"cursor={reader.cursor}" in empty["Link"]
    assert empty["Link"].endswith('rel="next"')
    unchanged = reader.get(feeding.URLS["changes"], cursor=reader.cursor, headers={"If-None-Match": empty["ETag"]})
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", empty["ETag"])
    live()
    feeding.follow()
    assert reader.get(feeding.URLS["changes"], cursor=reader.cursor, headers={"If-None-Match": empty["ETag"]}).status_code == 200


def test_link_leads_to_the_end_by_itself(reader):
    for _ in range(5):
        live()
    feeding.follow()
    address, items = f"{feeding.URLS['changes']}?limit=2", []
    for _ in range(3):
        response = reader.get(address)
        items += response.json()["items"]
        address = response["Link"].partition(">")[0][1:]
    assert len({item["uri"] for item in items}) == len(items) == 5


def test_changes_take_gzip(reader):
    for _ in range(5):
        live()
    feeding.follow()
    plain = reader.get(feeding.URLS["changes"])
    packed = reader.get(feeding.URLS["changes"], headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert packed["ETag"] == plain["ETag"]
    assert "Content-Encoding" not in reader.get(feeding.URLS["changes"], headers={"Accept-Encoding": "gzip;q=0, identity"})


@pytest.mark.parametrize("limit", ["", "0", "-1", "1001", "x", "1.5", "٣", "9" * 30, " 2", "1e3"])
def test_limit_that_is_none_says_what_to_give(reader, limit):
    response = reader.get(feeding.URLS["changes"], limit=limit)
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "limit"


BROKEN = [
    "x",
    "é",
    "AAAA",
    "e30",
    "W10",
    "WzEsMiwzXQ",
    "a" * 500,
    "WyJhIiwxLDEsMSwxLDEsTmFOXQ",
    "WyJhIiwtMSwxLDEsMSwxLDFd",
    "WyJhIiwxLDEsMSwxLDEsOTIyMzM3MjAzNjg1NDc3NTgwOF0",
    "%00",
    "\ud800",
]


@pytest.mark.parametrize("cursor", BROKEN)
def test_broken_cursor_is_a_400(reader, cursor):
    encoded = cursor.encode("utf-8", "surrogatepass").decode("latin-1")
    for address, name in ((feeding.URLS["changes"], "cursor"), (feeding.URLS["snapshot"], "after")):
        response = reader.get(address, **{name: encoded})
        assert response.status_code == 400, response.content
        assert response["Content-Type"] == "application/problem+json"


def expired(reader) -> str:
    response = reader.get(feeding.URLS["changes"], cursor=reader.cursor)
    assert response.status_code == 410, response.content
    problem = response.json()
    assert problem["type"].endswith("/cursor-expired")
    assert problem["snapshot"] == "http://testserver/api/federation/v1/snapshot"
    assert response["Link"] == '<http://testserver/api/federation/v1/snapshot>; rel="snapshot"'
    return problem["detail"]


def test_cursor_before_pruned_tombstones_has_expired(reader, settings):
    staying, going = live(), live()
    feeding.follow()
    reader.read()
    uptodate = feeding.partner(2)
    end(going, State.WITHDRAWN)
    feeding.follow()
    uptodate.read()
    with time_machine.travel(timezone.now() + datetime.timedelta(days=settings.FEDERATION_TOMBSTONE_DAYS - 1)):
        assert export.prune() == 0
    assert reader.page()["items"] != []
    with time_machine.travel(timezone.now() + datetime.timedelta(days=settings.FEDERATION_TOMBSTONE_DAYS + 1)):
        assert export.prune() == 1
    assert "400" in expired(reader)
    assert uptodate.read() == [], "who had read the tombstone goes on"
    fresh = feeding.partner(3)
    assert [item["uri"] for item in fresh.read(limit=1)] == [uri(staying)], "who begins after it needs none of it"
    live()
    feeding.follow()
    assert len(fresh.read(limit=1)) == 1
    lines = reader.snapshot()
    reader.cursor = lines[0]["as_of"]
    assert reader.read() == []


def test_tombstones_pruned_while_a_page_is_read_are_not_missing_without_a_sign(reader, settings, monkeypatch):
    going = live()
    feeding.follow()
    reader.read()
    end(going, State.WITHDRAWN)
    feeding.follow()

    def prune_first(cursor, log_partner, valid=cursors.valid):
        with time_machine.travel(timezone.now() + datetime.timedelta(days=settings.FEDERATION_TOMBSTONE_DAYS + 1)):
            export.prune()
        return valid(cursor, log_partner)

    monkeypatch.setattr(cursors, "valid", prune_first)
    expired(reader)
    assert FeedEntry.objects.count() == 0


def test_cursor_of_another_partner_node_or_choice_has_expired(reader, settings):
    live()
    feeding.follow()
    reader.read()
    other = feeding.partner(2)
    other.cursor = reader.cursor
    assert "another reader" in expired(other)
    feeding.give(reader.partner, give_kinds=["demand"])
    assert "has changed" in expired(reader)


def test_cursor_from_before_a_restore_has_expired(reader):
    """The database is one of yesterday: its ids go back, and what the reader has seen since is not in it."""
    first = live()
    feeding.follow()
    kept = list(FeedEntry.objects.values())
    live()
    feeding.follow()
    reader.read()
    FeedEntry.objects.exclude(uid=first.uid).delete()
    assert len(kept) == 1
    assert "ahead" in expired(reader)


def test_listing_is_not_missed_when_a_copy_of_the_servers_files_was_put_back(reader):
    """It looks like the same history, and its log has passed the reader's place again before that one comes."""
    lost = live()
    feeding.follow()
    reader.read()
    place = FeedEntry.objects.get(uid=lost.uid).pk
    FeedEntry.objects.all().delete()
    Listing.objects.filter(pk=lost.pk).delete()
    missed, later = live(), live()
    feeding.follow()
    FeedEntry.objects.filter(uid=missed.uid).update(id=place)
    assert [item["uri"] for item in reader.page()["items"]] == [uri(later)], "what would happen: one is never seen"
    before = {entry.uid: entry.version for entry in FeedEntry.objects.all()}

    call_command("refresh_feed", "--restored", stdout=io.StringIO())

    assert "database was restored" in expired(reader)
    after = {entry.uid: entry.version for entry in FeedEntry.objects.all()}
    assert after.keys() == before.keys() == {missed.uid, later.uid}
    assert all(after[uid] > before[uid] for uid in before)


# --- Who may read -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*feeding.URLS.values(), f"/api/federation/v1/listings/{uuid.UUID(int=7)}"])
def test_feed_is_for_active_partners_that_are_given_something(reader, client, address):
    assert client.get(address).status_code == 401
    Partner.objects.update(state=PartnerState.PAUSED)
    assert reader.get(address).status_code == 403
    Partner.objects.update(state=PartnerState.ACTIVE, gives=False)
    refused = reader.get(address)
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    Partner.objects.update(gives=True, state=PartnerState.ENDED)
    assert reader.get(address).status_code == 401


def test_feed_takes_no_key_without_the_scope(reader):
    key = reader.partner.client.keys.get()
    key.scopes = ["interests"]
    key.save()
    refused = reader.get(feeding.URLS["changes"])
    assert refused.status_code == 403
    assert "federation" in refused.json()["detail"]


# --- What is given ------------------------------------------------------------------------------------------------------


def test_partner_is_given_its_kinds_sectors_and_places_only(owner):
    company = owner.memberships.get().company
    wanted = live(company=company, sector_id="2229", place_id="082798")
    demand, branch, place = live(company=company, demand=True), live(sector_id="6201"), live(place_id="081878")
    feeding.follow()
    reader = feeding.partner(give_kinds=["offer"], give_sectors=["22"], give_places=["082798"])
    everything = feeding.partner(2)
    items = reader.read()
    (given,) = (item for item in items if item["op"] == "upsert")
    assert {item["uri"]: item["op"] for item in items} == {uri(wanted): "upsert"} | {uri(other): "tombstone" for other in (demand, branch, place)}
    assert [line["uri"] for line in reader.snapshot()[1:-1]] == [uri(wanted)]
    assert reader.snapshot()[0]["total"] == 1
    assert (reader.one(wanted).status_code, reader.one(demand).status_code) == (200, 410)
    assert len(everything.read()) == 4

    operations.edit(wanted, {"kind": Kind.DEMAND}, by=owner)
    feeding.follow()
    (gone,) = reader.read()
    assert (gone["op"], gone["reason"], gone["uri"]) == ("tombstone", "withdrawn", uri(wanted))
    assert reader.state == {}
    (changed,) = everything.read()
    assert changed["op"] == "upsert"
    assert given["version"] <= gone["version"] < changed["version"], "it takes away what was given, and can come back"


def test_sector_covers_its_branch_and_no_other_that_begins_alike():
    """22 is a division, 2 would be none; section C holds it, section B does not."""
    live(sector_id="2229")
    feeding.follow()
    for number, (code, is_given) in enumerate({"C": True, "22": True, "222": True, "2229": True, "221": False, "B": False, "2221": False}.items()):
        reader = feeding.partner(number, give_sectors=[code])
        assert (reader.read()[0]["op"] == "upsert") is is_given, code
        assert (reader.snapshot()[0]["total"] == 1) is is_given, code


# --- One listing, and names ---------------------------------------------------------------------------------------------


def test_one_listing_has_an_etag_and_is_gone_with_its_tombstone(reader, owner):
    listing = live(company=owner.memberships.get().company)
    assert reader.one(listing).status_code == 404
    feeding.follow()
    found = reader.one(listing)
    assert found.json() == reader.read()[0]
    assert reader.one(listing, **{"If-None-Match": found["ETag"]}).status_code == 304
    operations.edit(listing, {"title": "Pantalles d'una altra mena"}, by=owner)
    feeding.follow()
    assert reader.one(listing, **{"If-None-Match": found["ETag"]}).status_code == 200
    operations.erase([listing], by=None)
    feeding.follow()
    gone = reader.one(listing, **{"If-None-Match": found["ETag"]})
    assert (gone.status_code, gone.json()["op"], gone.json()["reason"]) == (410, "tombstone", "erasure")


def test_uris_lead_to_the_pages_and_are_gone_with_them(client, curator):
    listing = live()
    assert client.get(f"/id/listing/{uuid.uuid4()}").status_code == 404
    assert client.get(f"/id/listing/{ListingFactory().uid}").status_code == 404
    found = client.get(f"/id/listing/{listing.uid}")
    assert (found.status_code, found["Location"]) == (303, listing.get_absolute_url())
    assert client.get(f"/id/listing/{listing.uid}", headers={"Accept-Language": "en"})["Location"].startswith("/en/")
    assert client.get(f"/id/company/{listing.company.uid}").status_code == 303
    feeding.follow()
    companies.set_hidden(listing.company, True, by=curator)
    assert client.get(f"/id/company/{listing.company.uid}").status_code == 410
    assert client.get(f"/id/listing/{listing.uid}").status_code == 410
    operations.erase([listing], by=None)
    feeding.follow()
    assert client.get(f"/id/listing/{listing.uid}").status_code == 410


# --- Discovery ----------------------------------------------------------------------------------------------------------


def test_discovery_names_node_parts_and_terms_for_everybody(client):
    response = client.get("/.well-known/marketplace-federation")
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == "*"
    told = response.json()
    assert told["node_id"] == client.get("/.well-known/marketplace-federation").json()["node_id"]
    assert told["base_url"] == "http://testserver"
    assert told["feed_url"] == told["endpoints"]["changes"] == "http://testserver/api/federation/v1/changes"
    assert told["taxonomies"] == {"sectors": "NACE Rev. 2", "places": "INE municipalities"}
    assert told["languages"] == ["ca", "es", "en"]
    assert told["tombstone_retention_days"] == 400
    assert all(key["key"] for key in told["webhook_public_keys"])


def test_context_explains_every_word_of_ours(client, reader):
    live()
    live(demand=True)
    feeding.follow()
    response = client.get("/api/federation/v1/context")
    assert (response["Content-Type"], response["Access-Control-Allow-Origin"]) == ("application/ld+json", "*")
    used = {name for item in reader.read() for name in names(item["listing"]) if name.startswith("mp:")}
    assert used == {name for name in response.json()["@context"] if name.startswith("mp:")}


def names(value) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(names, value.values()))
    return set().union(*map(names, value)) if isinstance(value, list) else set()


# --- What it costs ------------------------------------------------------------------------------------------------------


def test_reading_costs_the_same_queries_however_many_rows(reader, monkeypatch, django_assert_num_queries, django_assert_max_num_queries):
    # What keys are used for is written now and then.
    monkeypatch.setattr("marketplace.rest.usage.FLUSH_SECONDS", 10**6)
    live()
    feeding.follow()
    reader.read()
    for address in feeding.URLS.values():
        with django_assert_max_num_queries(10) as one:
            assert reader.get(address, limit=5).status_code == 200
        for _ in range(2):
            live()
        feeding.follow()
        with django_assert_num_queries(len(one)):
            assert reader.get(address, limit=5).status_code == 200

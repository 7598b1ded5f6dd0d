import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.core.models import Change, Mail
from marketplace.imports import operations
from marketplace.imports.candidates import Options
from marketplace.imports.errors import FileError, MappingError
from marketplace.imports.models import Import, ImportRow
from marketplace.listings import operations as listing_operations
from marketplace.listings.models import Listing, Transition
from marketplace.synergies.models import Synergy, SynergyEvent
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory, UserFactory, company_tax_id

from .conftest import HEADER, csv_of, good


def outcomes(source):
    return list(source.rows.values_list("number", "outcome"))


def numbered(count, **cells):
    """Rows of different companies."""
    return [
        good(**{"NIF": company_tax_id(2_000_000 + n), "Nom de l'empresa": f"Taller {n} SL", "Títol": f"Bates impermeables, lot {n}"} | cells)
        for n in range(count)
    ]


def test_good_rows_land_and_bad_ones_say_why(run):
    source = run(csv_of([good(), good(NIF="B10000001"), good(NIF="B10000016", **{"Nom de l'empresa": "Altra SL"})]))
    assert source.state == "done"
    assert outcomes(source) == [(2, "created"), (3, "error"), (4, "created")]
    assert "NIF" in source.rows.get(number=3).messages[0]["text"]
    assert Listing.objects.count() == Company.objects.count() == 2


def test_imported_listing_waits_for_a_curator_with_its_history(run, curator):
    run(csv_of([good()]))
    listing = Listing.objects.get()
    assert (listing.state, listing.origin, listing.author) == ("submitted", "import", curator)
    assert listing.created.isoformat() == "2020-03-24T09:15:32+00:00"
    assert timezone.now() - listing.submitted_at < datetime.timedelta(minutes=1)
    assert list(listing.transitions.order_by("id").values_list("move", flat=True)) == ["edit", "submit"]
    assert listing.history.get().history_user == curator
    assert Change.objects.filter(uid=listing.uid).count() == 1


def test_published_import_is_live_at_once(run):
    run(csv_of([good()]), publish=True)
    listing = Listing.objects.live().get()
    assert list(listing.transitions.order_by("id").values_list("move", flat=True)) == ["edit", "submit", "publish"]
    assert listing.version == 3


def test_publishing_import_mails_the_people_of_companies_that_are_here(run):
    MembershipFactory(company=CompanyFactory(tax_id="B10000008"))
    run(csv_of([good(), *numbered(2)]), publish=True)
    assert Mail.objects.count() == 1


def test_listings_of_the_curators_own_company_wait_for_somebody_else(run, curator):
    MembershipFactory(company=CompanyFactory(tax_id="B10000008"), user=curator)
    run(csv_of([good(), *numbered(1)]), publish=True)
    assert sorted(Listing.objects.values_list("state", flat=True)) == ["published", "submitted"]


def test_company_is_matched_by_nif_and_left_as_it_is(run):
    company = CompanyFactory(tax_id="B10000008", name="Vallparadís")
    run(csv_of([good(NIF="es-b1000000-8")]))
    assert Listing.objects.get().company == company
    company.refresh_from_db()
    assert company.name == "Vallparadís"


def test_companies_without_nif_are_one_by_name_and_place(run):
    rows = [good(NIF="", **{"Nom de l'empresa": name, "Títol": f"Bates impermeables {name}", "Municipi": place})
            for name, place in (("Acme, S.L.", "Rubí"), ("ACME SL", "Rubí"), ("Acme SL", "Sabadell"), ("Acme SA", "Rubí"))]  # fmt: skip
    run(csv_of(rows))
    assert sorted(Company.objects.values_list("tax_id", "place__name")) == [(None, "Rubí"), (None, "Rubí"), (None, "Sabadell")]
    run(csv_of([[*row[:7], "Un altre títol ben diferent", *row[8:]] for row in rows]))
    assert Company.objects.count() == 3


def test_company_without_nif_is_never_taken_for_a_registered_one(run):
    CompanyFactory(name="Confeccions Vallparadís, SL")
    run(csv_of([good(NIF="")]))
    assert Company.objects.count() == 2


@pytest.mark.parametrize("publish", [False, True])
def test_same_file_twice_changes_nothing(run, publish):
    content = csv_of([good(), good(NIF="", **{"Nom de l'empresa": "Sense NIF"})])
    run(content, publish=publish)
    before = (Company.objects.count(), list(Listing.objects.values()), Change.objects.count(), Transition.objects.count())
    second = run(content, publish=publish)
    assert outcomes(second) == [(2, "unchanged"), (3, "unchanged")]
    assert (Company.objects.count(), list(Listing.objects.values()), Change.objects.count(), Transition.objects.count()) == before


def test_same_row_twice_in_a_file_lands_once(run):
    source = run(csv_of([good(), good()]))
    assert outcomes(source) == [(2, "created"), (3, "unchanged")]


def with_id(number, **cells):
    return [str(number), *good(**cells)]


def test_changed_text_under_the_same_identifier_updates_the_listing(run):
    header = ["ID", *HEADER]
    run(csv_of([with_id(7)], header=header), publish=True)
    second = run(csv_of([with_id(7, Descripció="Ara en fem mil per setmana, també per a particulars.")], header=header))
    assert outcomes(second) == [(2, "updated")]
    listing = Listing.objects.get()
    assert listing.description.startswith("Ara en fem mil")
    assert listing.state == "published"
    assert Change.objects.filter(uid=listing.uid).count() == 2


def test_update_leaves_what_a_person_wrote_here(run):
    header = ["ID", *HEADER]
    run(csv_of([with_id(7)], header=header))
    listing = Listing.objects.get()
    person = MembershipFactory(company=listing.company).user
    listing_operations.edit(listing, {"title": "Bates que hem corregit nosaltres"}, by=person)
    second = run(csv_of([with_id(7, Descripció="Un text nou que ve del formulari una altra vegada.")], header=header))
    assert outcomes(second) == [(2, "kept")]
    listing.refresh_from_db()
    assert listing.title == "Bates que hem corregit nosaltres"


def test_update_leaves_a_listing_that_is_over(run, curator):
    header = ["ID", *HEADER]
    run(csv_of([with_id(7)], header=header))
    listing_operations.reject(Listing.objects.get(), by=curator, reason="No escau.")
    second = run(csv_of([with_id(7, Descripció="Un text nou que ve del formulari una altra vegada.")], header=header))
    assert outcomes(second) == [(2, "kept")]


def test_row_with_two_halves_makes_two_listings(run):
    header = ["Empresa", "NIF", "Municipi", "Què ofereix?", "Què necessita?"]
    source = run(
        csv_of([["X SL", "B10000008", "Rubí", "Gel hidroalcohòlic en garrafes de 5 litres.", "Etiquetes impermeables per a les garrafes."]], header=header)
    )
    assert list(source.rows.values_list("number", "part", "outcome")) == [(2, "demand", "created"), (2, "offer", "created")]


def test_import_costs_the_same_queries_with_5_and_50_rows(run):
    def queries(rows):
        with CaptureQueriesContext(connection) as captured:
            run(csv_of(rows))
        return len(captured)

    few = queries(numbered(5))
    assert queries([[*row[:7], f"Altres bates {n}", *row[8:]] for n, row in enumerate(numbered(50))]) <= few + 2


def test_preview_tells_what_would_happen_and_writes_nothing(curator):
    CompanyFactory(tax_id="B10000008")
    source = operations.upload("a.csv", csv_of([good(), good(NIF="B10000001"), *numbered(3)]), by=curator)
    result = operations.preview(source)
    assert {str(outcome): count for outcome, count in result.counts.items()} == {"created": 4, "error": 1}
    assert result.companies == 3
    assert (Company.objects.count(), Listing.objects.count(), ImportRow.objects.count()) == (1, 0, 0)


def test_file_that_is_no_table_is_not_kept(curator):
    with pytest.raises(FileError):
        operations.upload("a.csv", b"", by=curator)
    assert Import.objects.count() == 0


def test_three_missing_columns_are_named_before_anything_runs(curator):
    source = operations.upload("a.csv", csv_of([["x", "y"]], header=["Edat", "Color"]), by=curator)
    with pytest.raises(MappingError) as refused:
        operations.decide(source, source.mapping, Options(), by=curator)
    assert len(refused.value.messages) == 3


def test_only_curators_import(db):
    person = UserFactory()
    with pytest.raises(PermissionDenied):
        operations.upload("a.csv", csv_of([good()]), by=person)


def test_start_twice_runs_once(curator):
    source = operations.upload("a.csv", csv_of([good()]), by=curator)
    operations.start(source, by=curator)
    with pytest.raises(operations.NotNowError):
        operations.start(source, by=curator)
    assert operations.run_once() == 1
    assert operations.run_once() == 0
    source.refresh_from_db()
    assert (source.state, source.position, Listing.objects.count()) == ("done", 1, 1)


def test_worker_takes_over_an_import_whose_worker_died(curator):
    source = operations.upload("a.csv", csv_of(numbered(3)), by=curator)
    operations.start(source, by=curator)
    Import.objects.update(state="running", lease_until=timezone.now() + datetime.timedelta(minutes=1), attempts=1)
    assert operations.run_once() == 0
    Import.objects.update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    assert operations.run_once() == 3
    assert Listing.objects.count() == 3


def test_import_that_keeps_dying_is_given_up_with_a_reason(curator):
    source = operations.upload("a.csv", csv_of(numbered(1)), by=curator)
    Import.objects.update(state="running", attempts=operations.MAX_ATTEMPTS)
    assert operations.run_once() == 0
    source.refresh_from_db()
    assert (source.state, bool(source.error)) == ("failed", True)


def test_fault_in_a_batch_is_noted_and_the_import_is_tried_again(curator, monkeypatch):
    source = operations.upload("a.csv", csv_of(numbered(3)), by=curator)
    operations.start(source, by=curator)
    with monkeypatch.context() as patch:
        patch.setattr(operations.listings, "create_many", lambda *_args, **_options: 1 / 0)
        assert operations.run_once() == 0
    source.refresh_from_db()
    assert (source.state, source.position, Listing.objects.count(), Company.objects.count()) == ("running", 0, 0, 0)
    assert "ZeroDivisionError" in source.error
    Import.objects.update(lease_until=None)
    assert operations.run_once() == 3


def test_long_import_gives_the_others_their_turn_between_batches(curator, monkeypatch):
    monkeypatch.setattr(operations, "BATCH", 2)
    monkeypatch.setattr(operations, "ROUND_SECONDS", 0)
    source = operations.upload("a.csv", csv_of(numbered(5)), by=curator)
    operations.start(source, by=curator)
    assert [operations.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert Listing.objects.count() == 5


# --- Undo -----------------------------------------------------------------------------------------------------------------


def test_undo_takes_back_listings_and_companies_with_tombstones(run, curator):
    source = run(csv_of(numbered(3)), publish=True)
    uids = set(Listing.objects.values_list("uid", flat=True))
    undone = operations.undo(source, by=curator)
    assert (undone.state, Listing.objects.count(), Company.objects.count()) == ("undone", 0, 0)
    assert set(Change.objects.filter(operation="delete", kind="listing").values_list("uid", flat=True)) == uids
    assert undone.undone["listings"] == undone.undone["companies"] == 3


def test_undo_leaves_what_was_touched_since_and_names_it(run, curator):
    source = run(csv_of(numbered(3)))
    touched = Listing.objects.order_by("id").first()
    listing_operations.publish(touched, by=curator)
    undone = operations.undo(source, by=curator).undone
    assert [listing["title"] for listing in undone["kept_listings"]] == [touched.title]
    assert [company["name"] for company in undone["kept_companies"]] == [touched.company.name]
    assert list(Listing.objects.all()) == [touched]


def test_undo_leaves_companies_that_have_people_or_were_there_before(run, curator):
    old = CompanyFactory(tax_id="B10000008")
    source = run(csv_of([good(), *numbered(2)]))
    joined = Company.objects.exclude(pk=old.pk).first()
    MembershipFactory(company=joined)
    operations.undo(source, by=curator)
    assert set(Company.objects.all()) == {old, joined}
    assert Listing.objects.count() == 0


def test_undo_leaves_a_listing_that_somebody_answered(run, curator):
    source = run(csv_of(numbered(2)), publish=True)
    wanted, other = Listing.objects.order_by("id")
    synergy = Synergy.objects.create(offer=wanted, demand=ListingFactory(demand=True, live=True), score=60)
    SynergyEvent.objects.create(synergy=synergy, step="interest", by=curator)
    Synergy.objects.create(offer=other, demand=synergy.demand, score=50)
    undone = operations.undo(source, by=curator).undone
    assert [listing["uid"] for listing in undone["kept_listings"]] == [str(wanted.uid)]
    assert not Listing.objects.filter(pk=other.pk).exists()


def test_undone_file_can_be_imported_again(run, curator):
    content = csv_of(numbered(2))
    operations.undo(run(content), by=curator)
    assert outcomes(run(content)) == [(2, "created"), (3, "created")]


def test_undo_twice_is_refused(run, curator):
    source = run(csv_of(numbered(1)))
    operations.undo(source, by=curator)
    with pytest.raises(operations.NotNowError):
        operations.undo(source, by=curator)


def test_export_comes_back_as_what_is_here_already(run):
    from marketplace.imports import export  # noqa: PLC0415

    run(csv_of([good(Títol="=Bates que semblen una fórmula"), *numbered(2)]), publish=True)
    content = b"".join(export.stream_csv(Listing.objects.for_display()))
    second = run(content, "listings.csv")
    assert {outcome for _, outcome in outcomes(second)} == {"unchanged"}
    assert Listing.objects.count() == 3

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import expect

from marketplace.imports import operations
from marketplace.imports.models import Import
from marketplace.listings.models import Listing
from tests.imports.conftest import csv_of, good


def upload(console, content, name="respostes.csv"):
    return console.post(reverse("console_import_upload"), {"file": SimpleUploadedFile(name, content)})


def address(source, name="console_import"):
    return reverse(name, args=[source.uid])


def choices(source, **changes):
    """What the mapping page sends when nothing is corrected."""
    columns = {f"column{number}": source.mapping.get(column, "") for number, column in enumerate(source.reading["columns"])}
    return columns | {"kind": "", "category": "solution", "sector": "", "place": ""} | changes


def test_way_from_the_file_to_the_listings(console, curator):
    answer = upload(console, csv_of([good(), good(NIF="B10000001")]))
    source = Import.objects.get()
    assert answer.url == address(source)
    mapping = console.get(address(source))
    assert [row["column"] for row in mapping.context["mapping_form"].rows] == source.reading["columns"]
    assert console.post(address(source), choices(source)).url == address(source, "console_import_preview")
    preview = console.get(address(source, "console_import_preview"))
    assert {outcome.value: count for outcome, _, count in preview.context["counts"] if count} == {"created": 1, "error": 1}
    assert Listing.objects.count() == 0
    assert console.post(address(source, "console_import_preview")).url == address(source)
    progress = console.get(address(source)).content.decode()
    assert "data-progress" in progress
    operations.run_once()
    results = console.get(address(source)).content.decode()
    assert "NIF" in results
    assert "data-progress" not in results
    assert Listing.objects.get().author == curator


def test_file_that_cannot_be_read_is_refused_at_the_field(console):
    answer = upload(console, b"\xd0\xcf\x11\xe0 old Excel", "respostes.xls")
    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert Import.objects.count() == 0


def test_file_that_is_too_large_is_refused(console):
    assert upload(console, b"x" * (10 * 2**20 + 1)).context["form"].errors["file"]


def test_columns_that_are_not_enough_are_named_and_nothing_is_lost(console):
    upload(console, csv_of([good()]))
    source = Import.objects.get()
    answer = console.post(address(source), choices(source) | {f"column{number}": "" for number in range(len(source.reading["columns"]))} | {"place": "Rubí"})
    assert len(answer.context["mapping_form"].non_field_errors()) == 3
    assert answer.context["options_form"]["place"].value() == "Rubí"


def test_unknown_place_for_all_rows_is_refused(console):
    upload(console, csv_of([good()]))
    source = Import.objects.get()
    assert console.post(address(source), choices(source, place="Macondo")).context["options_form"].errors["place"]


def test_publish_option_is_kept(console):
    upload(console, csv_of([good()]))
    source = Import.objects.get()
    console.post(address(source), choices(source, publish="on", place="Rubí", sector="22"))
    source.refresh_from_db()
    assert source.options == {"publish": True, "kind": "", "sector": "22", "place": "081846", "category": "solution"}


def test_second_click_on_run_does_not_run_it_twice(console):
    upload(console, csv_of([good()]))
    source = Import.objects.get()
    for _ in range(2):
        console.post(address(source, "console_import_preview"))
    while operations.run_once():
        pass
    console.post(address(source, "console_import_preview"))
    assert operations.run_once() == 0
    assert Listing.objects.count() == 1


def test_same_file_again_is_announced(console):
    for _ in range(2):
        upload(console, csv_of([good()]))
        source = Import.objects.first()
        console.post(address(source, "console_import_preview"))
        operations.run_once()
    upload(console, csv_of([good()]))
    assert console.get(address(Import.objects.first())).context["same"] is not None
    assert Listing.objects.count() == 1


def test_undo_asks_first_and_then_takes_back(console):
    upload(console, csv_of([good()]))
    source = Import.objects.get()
    console.post(address(source, "console_import_preview"))
    operations.run_once()
    assert console.get(address(source, "console_import_undo")).status_code == 200
    assert Listing.objects.count() == 1
    console.post(address(source, "console_import_undo"))
    assert Listing.objects.count() == 0
    assert console.get(address(source)).status_code == 200


def test_draft_can_be_forgotten_and_a_run_one_cannot(console):
    upload(console, csv_of([good()]))
    source = Import.objects.get()
    assert console.get(address(source, "console_import_discard")).status_code == 405
    console.post(address(source, "console_import_preview"))
    console.post(address(source, "console_import_discard"))
    assert Import.objects.count() == 1
    upload(console, csv_of([good()]))
    console.post(address(Import.objects.first(), "console_import_discard"))
    assert Import.objects.count() == 1


def test_rows_can_be_read_and_filtered(console):
    upload(console, csv_of([good(), good(NIF="B10000001")]))
    source = Import.objects.get()
    console.post(address(source, "console_import_preview"))
    operations.run_once()
    rows = console.get(address(source, "console_import_rows_results"), {"outcome": "error"}).context["object_list"]
    assert [row.number for row in rows] == [3]


@pytest.mark.parametrize("name", ["console_import", "console_import_preview", "console_import_undo", "console_import_rows"])
def test_imports_are_closed_to_others(client, console, name, django_user_model):
    upload(console, csv_of([good()]))
    client.force_login(django_user_model.objects.create_user("person@firm.example"))
    assert client.get(address(Import.objects.get(), name)).status_code == 302


def test_list_costs_the_same_queries_with_1_and_3_imports_and_never_loads_the_files(console):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            console.get(reverse("console_imports"))
        return captured.captured_queries

    upload(console, csv_of([good()]))
    queries()
    one = queries()
    for _ in range(2):
        upload(console, csv_of([good()]))
    three = queries()
    assert len(one) == len(three)
    assert not any('"content"' in query["sql"] for query in three)


@pytest.mark.django_db(transaction=True)
def test_progress_page_turns_into_the_results_by_itself(page, live_server, client, curator):
    source = operations.upload("a.csv", csv_of([good()]), by=curator)
    operations.start(source, by=curator)
    client.force_login(curator)
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])
    page.goto(f"{live_server.url}{reverse('console_import', args=[source.uid])}")
    expect(page.locator("[data-progress]")).to_have_count(1)
    operations.run_once()
    page.locator("[data-progress]").wait_for(state="detached")
    page.locator("dd", has_text="1").first.wait_for()


@pytest.mark.django_db(transaction=True)
def test_ready_made_reason_goes_into_the_text_box(page, live_server, client, curator, waiting):
    (listing,) = waiting(1)
    client.force_login(curator)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page.goto(f"{live_server.url}{reverse('console_review', args=[listing.uid])}")
    page.locator("details summary").first.click()
    page.locator("details[open] select").select_option("contact")
    expect(page.locator("details[open] textarea")).to_have_value(re.compile(".{40}"))
    page.locator("details[open] button").click()
    page.wait_for_url("**/console/review/")
    listing.refresh_from_db()
    assert listing.state == "changes_requested"

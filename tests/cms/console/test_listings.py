import csv
import datetime
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from tests.factories import CompanyFactory, ListingFactory


def shown(answer):
    return [listing.pk for listing in answer.context["object_list"]]


def test_queue_shows_what_waits_oldest_first(console, waiting):
    young, old = waiting(2)
    old.submitted_at = timezone.now() - datetime.timedelta(days=4)
    old.save()
    ListingFactory(live=True)
    ListingFactory()
    answer = console.get(reverse("console_waiting"))
    assert shown(answer) == [old.pk, young.pk]
    assert "4 " in answer.content.decode()


@pytest.mark.parametrize("name", ["console_waiting", "console_listings", "console_companies"])
def test_list_costs_the_same_queries_with_1_and_3_rows(console, waiting, name):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            console.get(reverse(name))
        return len(captured)

    waiting(1)
    queries()  # what is cached once a process
    one = queries()
    waiting(2)
    assert queries() == one


@pytest.mark.parametrize(
    ("query", "facts"),
    [
        ({"kind": "demand"}, {"kind": "demand"}),
        ({"category": "space"}, {"category": "space"}),
        ({"section": "I"}, {"sector_id": "5610"}),
        ({"language": "es"}, {"language": "es"}),
        ({"origin": "import"}, {"origin": "import"}),
        ({"q": "geltextil"}, {"title": "Geltextil per a hotels"}),
    ],
)
def test_queue_filter_leaves_what_it_names(console, waiting, query, facts):
    waiting(2)
    (wanted,) = waiting(1, **facts)
    assert shown(console.get(reverse("console_waiting_results"), query)) == [wanted.pk]


def test_queue_filters_by_company_and_age(console, waiting):
    waiting(1)
    (wanted,) = waiting(1, company=CompanyFactory(name="Fusteria Puig"))
    wanted.submitted_at = timezone.now() - datetime.timedelta(days=8)
    wanted.save()
    assert shown(console.get(reverse("console_waiting"), {"company": "puig"})) == [wanted.pk]
    assert shown(console.get(reverse("console_waiting"), {"age": "7"})) == [wanted.pk]
    assert shown(console.get(reverse("console_waiting"), {"age": "30"})) == []


def test_all_listings_filters_by_state(console, waiting):
    waiting(1)
    live = ListingFactory(live=True)
    assert shown(console.get(reverse("console_listings"), {"state": "published"})) == [live.pk]
    assert len(shown(console.get(reverse("console_listings")))) == 2


def test_text_of_a_listing_is_escaped_in_the_list(console, waiting):
    waiting(1, title="<script>alert(1)</script> 🧴 مرحبا")
    page = console.get(reverse("console_waiting")).content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "🧴 مرحبا" in page


def test_csv_download_holds_no_formula(console, waiting):
    waiting(1, title="=HYPERLINK(1)", description="+34 937 000 000 és el telèfon que truca @tothom")
    answer = console.get(reverse("console_waiting"), {"export": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["title"] == "'=HYPERLINK(1)"
    assert row["description"].startswith("'+34")


def test_xlsx_download_holds_texts_and_no_formula(console, waiting):
    waiting(1, title="=HYPERLINK(1)")
    answer = console.get(reverse("console_waiting"), {"export": "xlsx"})
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    names = [cell.value for cell in sheet[1]]
    cell = sheet[2][names.index("title")]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")

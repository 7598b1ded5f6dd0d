"""Up to four aids side by side."""

import datetime
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from tests.cms.aid.factories import finder, funder, make_aid, translate_aid

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english(settings, tmp_path):
    """The texts below are those of the templates, whatever their translations say."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    with translation.override("en"):
        yield


def aid(title, **fields):
    return make_aid(title, language="en", **fields)


def compare(*numbers, more=""):
    response = Client().get(finder("en").address("compare") + "?" + "&".join([*(f"a={number}" for number in numbers), *([more] if more else [])]))
    assert response.status_code == 200
    return response


def text(response):
    return unescape(response.content.decode())


def rows(response):
    return {str(row.label): (row.cells, row.differs) for row in response.context["rows"]}


def test_rows_say_what_differs():
    today = timezone.localdate()
    call = [{"deadline": today + datetime.timedelta(days=40)}]
    first = aid("Grant", amount_max=10_000, share_max=50, calls=call)
    second = aid("Loan", kind="loan", amount_max=10_000, sectors=["C"], calls=call)
    found = rows(compare(first.pk, second.pk))
    assert found["What you get"] == (["Grant", "Loan"], True)
    assert found["How much"] == (["up to 10,000\u00a0€"] * 2, False)
    assert found["Share of the cost"] == (["at most 50\u00a0% of the cost", "–"], True)
    assert found["Sectors"] == (["All sectors", "Manufacturing"], True)
    assert "Whole budget" not in found


def test_table_has_headers_for_rows_and_columns():
    page = text(compare(aid("Grant").pk, aid("Loan", kind="loan").pk))
    assert page.count('<th scope="col">') == 2
    assert page.count('<th scope="row">') == len(compare(aid("A").pk, aid("B", kind="loan").pk).context["rows"]) + 1
    assert "(differs)" in page


def test_order_is_that_of_choosing_and_each_can_be_taken_away():
    first, second = aid("Grant"), aid("Loan", kind="loan")
    page = compare(second.pk, first.pk, more="q=shop&page=2")
    assert [item.page.title for item, _url in page.context["items"]] == ["Loan", "Grant"]
    assert [url for _item, url in page.context["items"]] == [f"?q=shop&a={first.pk}", f"?q=shop&a={second.pk}"]
    assert page.context["back"] == finder("en").get_url() + f"?q=shop&page=2&a={second.pk}&a={first.pk}"


def test_link_from_another_language_compares_the_same():
    first = make_aid("Subvenció")
    translate_aid(first, "en", "A grant")
    page = compare(first.pk)
    assert [item.page.title for item, _url in page.context["items"]] == ["A grant"]
    assert [url for _item, url in page.context["items"]] == ["?"]
    assert page.context["translations"]["ca"] == finder("ca").address("compare") + f"?a={first.pk}"


def test_a_fifth_is_left_out_and_told():
    numbers = [aid(f"Number {number}").pk for number in range(5)]
    page = compare(*numbers)
    assert len(page.context["items"]) == 4
    assert "You can compare up to 4." in text(page)


@pytest.mark.parametrize("query", ["", "?a=", "?a=x", "?a=99999", "?a=-1", "?a=1.5", "?x=1", "?a=" + "9" * 400])
def test_nothing_to_compare_says_how(query):
    response = Client().get(finder("en").address("compare") + query)
    assert response.status_code == 200
    assert "Nothing to compare yet" in text(response)


def test_what_is_gone_is_told():
    kept, gone = aid("Kept"), aid("Gone")
    gone.unpublish()
    assert "1 of those you chose is no longer here." in text(compare(kept.pk, gone.pk))


def test_queries_do_not_grow():
    def queries(*numbers):
        compare(*numbers)
        with CaptureQueriesContext(connection) as captured:
            compare(*numbers)
        return len(captured)

    numbers = [aid(f"Number {number}", sectors=["C", "G"], places=["082798"], funders=[funder(f"F{number}")]).pk for number in range(4)]
    assert queries(numbers[0]) == queries(*numbers) <= 16


def test_chosen_in_the_finder_stay_chosen():
    first, second = aid("Grant"), aid("Loan", kind="loan")
    page = Client().get(finder("en").get_url() + f"?kind=loan&a={first.pk}&a={second.pk}")
    body = text(page)
    assert f'<input type="hidden" name="a" value="{first.pk}">' in body
    assert f'id="a-{second.pk}" value="{second.pk}" checked' in body
    assert page.context["compare_url"] == finder("en").address("compare") + f"?kind=loan&a={first.pk}&a={second.pk}"

"""The page of one aid."""

import datetime
import json
import re
from decimal import Decimal
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from cms.aid import words
from cms.aid.models import AidIndexPage, RelatedRow
from cms.aid.states import standing
from tests.cms.aid.factories import finder, funder, make_aid
from tests.cms.pages.conftest import page_cache  # noqa: F401 - fixture
from tests.factories import CompanyFactory, MembershipFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english(settings, tmp_path):
    """The texts below are those of the templates, whatever their translations say."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    with translation.override("en"):
        yield


def day(offset):
    return timezone.localdate() + datetime.timedelta(days=offset)


def aid(title="Going digital", **fields):
    return make_aid(title, language="en", **fields)


def shown(page, client=None):
    response = (client or Client()).get(page.get_url())
    assert response.status_code == 200
    return response


def text(response):
    return re.sub(r"\s+", " ", unescape(response.content.decode()))


def data(response):
    return {part["@type"]: part for part in map(json.loads, re.findall(r'<script type="application/ld\+json">(.*?)</script>', response.content.decode()))}


# --- Words ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "amount", "written"),
    [("en", "10000", "10,000 €"), ("ca", "10000", "10.000 €"), ("es", "1234567.5", "1.234.567,50 €"), ("en", "0.5", "0.50 €")],
)
def test_euros_are_written_as_in_the_language(language, amount, written):
    with translation.override(language):
        assert words.euros(Decimal(amount)).replace("\u00a0", " ") == written


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"amount_max": 10_000, "share_max": 50}, "up to 10,000 €, at most 50 % of the cost"),
        ({"amount_min": 1000, "amount_max": 5000}, "from 1,000 € to 5,000 €"),
        ({"amount_min": 4000, "amount_max": 4000}, "4,000 €"),
        ({"amount_min": 500}, "from 500 €"),
        ({"share_max": 30}, "at most 30 % of the cost"),
        ({}, ""),
    ],
)
def test_how_much_is_said_in_one_line(facts, said):
    assert words.how_much(aid(**facts)).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("opens", "deadline", "exhausted", "said"),
    [
        (-5, 12, None, "Closes in 12 days, on 16 May"),
        (-5, 1, None, "Closes tomorrow, on 5 May"),
        (-5, 0, None, "Closes today"),
        (-5, None, None, "Open until the budget is used up"),
        (7, 30, None, "Opens in 7 days, on 11 May"),
        (-500, -400, None, "Closed on 31 March 2019"),
        (-5, 30, -1, "The budget was used up on 3 May"),
    ],
)
@time_machine.travel(datetime.datetime(2020, 5, 4, 12, tzinfo=datetime.UTC))
def test_when_is_said_in_one_sentence(opens, deadline, exhausted, said):
    dates = {"opens_on": opens, "deadline": deadline, "exhausted_on": exhausted}
    page = aid(calls=[{name: day(offset) for name, offset in dates.items() if offset is not None}])
    assert words.when(standing(page.calls.all(), day(0)), day(0)) == said


# --- The page -----------------------------------------------------------------------------------------------------------------


def test_page_has_all_facts():
    page = aid(
        summary="Half of your web shop.", amount_max=10_000, share_max=50, budget=250_000, beneficiaries=["company"], sizes=["micro"], sectors=["G"], places=["082798"],
        procedure_url="https://seu.example/1", procedure_name="Ask online", legal_base="Order 12/2026", legal_base_url="https://law.example/12",
        contact_email="office@city.example", contact_phone="93 739 70 00", funders=[funder("Generalitat (exemple)", url="https://gov.example/")],
        calls=[{"opens_on": day(-5), "deadline": day(30), "number": "712345", "url": "https://bdns.example/712345", "budget": 90_000}],
    )  # fmt: skip
    said = text(shown(page)).replace("\u00a0", " ")
    for fact in (
        "Half of your web shop.", "Closes in 30 days", "up to 10,000 €", "at most 50 % of the cost", "250,000 €", "Companies", "Up to 9 people", "Terrassa", "Generalitat (exemple)",
        "https://seu.example/1", "Ask online", "Order 12/2026", "https://law.example/12", "office@city.example", "tel:+34937397000", "712345", "https://bdns.example/712345", "90,000 €",
    ):  # fmt: skip
        assert fact in said, fact


def test_closed_aid_says_so_first_and_points_to_one_like_it():
    old = aid("Digital shops", calls=[{"deadline": day(-10)}], procedure_url="https://seu.example/1")
    aid("Digital shops again")
    page = text(shown(old))
    assert "You can no longer ask for this aid" in page
    assert page.index("You can no longer ask") < page.index('id="aid-title"')
    assert "Digital shops again" in page
    assert "https://seu.example/1" not in page


def test_aid_between_two_calls_points_to_the_next():
    page = text(shown(aid(calls=[{"deadline": day(-10)}, {"opens_on": day(20), "deadline": day(50)}])))
    assert "The last call has closed. The next one is announced." in page
    assert "Opens in 20 days" in page


def test_page_says_when_it_was_checked_and_when_that_is_too_long_ago():
    fresh, stale = aid(reviewed_on=day(-5)), aid(reviewed_on=day(-400), review_days=90)
    assert "Checked on" in text(shown(fresh))
    assert "Something may have changed" not in text(shown(fresh))
    assert "Something may have changed" in text(shown(stale))


def test_related_aid_is_what_the_editor_chose_and_still_open():
    chosen, gone, like = aid("Chosen", kind="loan"), aid("Closed", calls=[{"deadline": day(-1)}]), aid("Digital too")
    page = aid("Going digital")
    page.related_rows = [RelatedRow(aid=gone), RelatedRow(aid=chosen)]
    page.save_revision().publish()
    assert [item.page.title for item in shown(page).context["related"]] == ["Chosen", "Digital too"]
    assert like.title in text(shown(page))


def test_search_engines_get_a_grant_and_a_service():
    page = aid(
        amount_min=1000, amount_max=5000, procedure_url="https://seu.example/1", summary="Ends </script> here", calls=[{"deadline": day(3), "number": "712345"}]
    )
    found = data(shown(page))
    assert found["MonetaryGrant"]["amount"] == {"@type": "MonetaryAmount", "currency": "EUR", "minValue": "1000.00", "maxValue": "5000.00"}
    assert found["MonetaryGrant"]["funder"][0]["name"] == "Ajuntament (exemple)"
    assert found["MonetaryGrant"]["identifier"] == ["712345"]
    assert found["GovernmentService"]["availableChannel"]["serviceUrl"] == "https://seu.example/1"
    assert found["GovernmentService"]["description"] == "Ends </script> here"
    assert len(found["BreadcrumbList"]["itemListElement"]) == 3


@pytest.mark.parametrize(
    ("kind", "types"), [("loan", {"LoanOrCredit", "GovernmentService"}), ("advice", {"GovernmentService"}), ("award", {"MonetaryGrant", "GovernmentService"})]
)
def test_search_engines_get_what_it_is(kind, types):
    assert set(data(shown(aid(kind=kind)))) - {"BreadcrumbList"} == types


def test_preview_of_a_page_never_saved_works():
    page = aid()
    draft = page.save_revision().as_object()
    draft.title = "Another title"
    draft.calls = []
    response = draft.make_preview_request()
    assert response.status_code == 200
    assert "Another title" in text(response)
    assert "You can ask all year" in text(response)


def test_visitors_are_asked_whether_they_can_have_it_only_where_there_are_rules():
    assert "Can you have it?" in text(shown(aid(sizes=["micro"])))
    assert "Can you have it?" not in text(shown(aid()))


def test_members_see_what_holds_for_their_company(client):
    membership = MembershipFactory(company=CompanyFactory(size="large", name="Big, SA"))
    client.force_login(membership.user)
    page = aid(sizes=["micro"])
    assert "For Big, SA" in text(shown(page, client))
    assert "Not for you" in text(shown(page, client))
    assert "Big, SA" not in text(shown(page))


def test_page_turns_at_midnight():
    page = aid()
    now = datetime.datetime(2026, 11, 22, 21, 0, tzinfo=datetime.UTC)
    assert page.fresh_until(now) == datetime.datetime(2026, 11, 22, 23, 0, tzinfo=datetime.UTC)
    assert AidIndexPage().fresh_until(now) == page.fresh_until(now)


def queries_of(page):
    shown(page)
    with CaptureQueriesContext(connection) as captured:
        response = Client().get(page.get_url() + "?unknown=1")
    assert response.status_code == 200
    return len(captured)


def test_page_needs_at_most_fifteen_queries_however_many_aids_there_are(page_cache):  # noqa: F811
    """Without the rows kept in memory it would be five more, and each funder and sector one."""
    page = aid(sectors=["C", "G"], places=["082798"], funders=[funder("A"), funder("B")])
    before = queries_of(page)
    for number in range(30):
        aid(f"Going digital {number}", sectors=["C"], funders=[funder(f"F{number}")])
    assert queries_of(page) == before <= 15


def test_finder_page_is_the_only_parent():
    assert finder("en").allowed_subpage_models()[0].__name__ == "AidPage"

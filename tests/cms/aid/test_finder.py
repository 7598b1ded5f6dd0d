"""The finder on the embedded engine; without its index there is no engine, and the page must still serve."""

import datetime
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.html import escape

from cms.aid.filters import AidFilter
from cms.aid.models import Funder
from marketplace.listings.filters import MAX_TEXT
from search import index
from tests.cms.aid.factories import finder, funder, make_aid, translate_aid
from tests.cms.pages.conftest import page_cache  # noqa: F401 - fixture
from tests.factories import CompanyFactory, MembershipFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _in_english():
    """The texts below are those of the templates, whatever their translations say."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _own_index(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"


def day(offset):
    return timezone.localdate() + datetime.timedelta(days=offset)


def aid(title, **fields):
    return make_aid(title, language="en", **fields)


def search(query="", *, client=None, status=200, headers=None):
    response = (client or Client()).get(finder("en").get_url() + query, headers=headers or {})
    assert response.status_code == status, response
    return response


def text(response):
    return unescape(response.content.decode())


def titles(response):
    return [item.page.title for item in response.context["found"].items]


def options(response, facet):
    return [(option["value"], option["count"], option["checked"]) for option in response.context["groups"][facet].options]


@pytest.fixture
def offers():
    """Six aids in the index: three open, one all year, one announced, one closed."""
    funds = funder("Fons europeu (exemple)", name_en="European fund (example)", level="european")
    aid("Going digital for shops", summary="Web shops and payment by card.", sectors=["G"], sizes=["micro", "small"], beneficiaries=["company"], calls=[{"opens_on": day(-5), "deadline": day(30), "number": "712345"}])  # fmt: skip
    aid("Solar panels for factories", sectors=["C"], funders=[funds], calls=[{"opens_on": day(-5), "deadline": day(5)}])
    aid("Loan for investments", kind="loan", calls=[{"opens_on": day(-5), "deadline": day(60)}])
    aid("Help with exports", kind="advice", calls=[])
    aid("First employee", beneficiaries=["self_employed"], sizes=["micro"], calls=[{"opens_on": day(9), "deadline": day(90)}])
    aid("Repairs after the flood", calls=[{"opens_on": day(-90), "deadline": day(-1)}])
    index.rebuild()


# --- Finding ----------------------------------------------------------------------------------------------------------------


def test_finder_shows_what_closes_first_and_hides_what_has_closed(offers):
    page = search()
    assert titles(page) == ["Solar panels for factories", "Going digital for shops", "Loan for investments", "Help with exports", "First employee"]
    assert "1 more has closed." in text(page)
    assert titles(search("?ended=1"))[-1] == "Repairs after the flood"


def test_text_is_found_with_a_slip_and_marked(offers):
    page = search("?q=digtal")
    assert titles(page) == ["Going digital for shops"]
    assert "<mark>digital</mark>" in text(page)


def test_text_finds_only_aid_of_the_language(offers):
    make_aid("Digital per a botigues", language="ca")
    index.rebuild()
    assert titles(search("?q=digital")) == ["Going digital for shops"]


def test_official_number_finds_its_aid(offers):
    assert titles(search("?q=712345")) == ["Going digital for shops"]


def test_relevance_is_an_order_only_with_a_text(offers):
    assert [option["value"] for option in search().context["sorts"]] == ["", "newest"]
    assert [option["value"] for option in search("?q=shops").context["sorts"]] == ["", "deadline", "newest"]
    assert titles(search("?sort=newest"))[0] == "First employee"


def test_a_closed_aid_is_found_by_its_state(offers):
    assert titles(search("?state=closed")) == ["Repairs after the flood"]


# --- Facets -----------------------------------------------------------------------------------------------------------------


def test_facets_count_what_each_would_give_without_their_own_filter(offers):
    page = search("?kind=loan")
    assert options(page, "kind") == [("grant", 3, False), ("loan", 1, True), ("advice", 1, False)]
    assert options(page, "state") == [("open", 1, False)]


def test_aid_for_anybody_counts_for_everybody(offers):
    page = search()
    assert {value: count for value, count, _on in options(page, "beneficiary")}["cooperative"] == 3
    assert titles(search("?beneficiary=self_employed")) == ["Solar panels for factories", "Loan for investments", "Help with exports", "First employee"]
    assert {value: count for value, count, _on in options(page, "size")}["large"] == 3


@pytest.mark.parametrize("code", ["C", "22", "2229"])
def test_sector_finds_aid_for_it_for_what_is_above_it_and_for_all(offers, code):
    assert titles(search(f"?sector={code}")) == ["Solar panels for factories", "Loan for investments", "Help with exports", "First employee"]


def test_sections_finds_aid_for_a_part_of_it(offers):
    aid("Moulds for plastics", sectors=["222"], calls=[{"deadline": day(1)}])
    assert titles(search("?sector=C"))[0] == "Moulds for plastics"
    assert "Moulds for plastics" not in titles(search("?sector=10"))


def test_funder_and_level_filter(offers):
    number = Funder.objects.get(level="european").pk
    assert titles(search(f"?funder={number}")) == titles(search("?level=european")) == ["Solar panels for factories"]
    assert options(search(), "level") == [("municipal", 4, False), ("european", 1, False)]


def test_every_count_is_what_ticking_gives(offers):
    """The naive way, counting after the own filter, gives other numbers as soon as one is ticked."""
    for start in ("?", "?kind=grant", "?size=micro&beneficiary=company", "?state=open"):
        page = search(start)
        for facet in ("kind", "state", "beneficiary", "size", "level", "sector"):
            own = [value for name, value in parse_qsl(start.lstrip("?")) if name == facet]
            for value, count, _on in options(page, facet):
                others = [f"{name}={given}" for name, given in parse_qsl(start.lstrip("?")) if name != facet]
                alone = search("?" + "&".join([*others, f"{facet}={value}"]))
                assert alone.context["found"].total == count, (start, facet, value, own)


def test_chips_take_their_filter_away(offers):
    page = search("?kind=loan&size=micro&sort=newest")
    assert [(chip.label, chip.url) for chip in page.context["chips"]] == [
        ("Loan", "?size=micro&sort=newest"),
        ("Micro: up to 9 people", "?kind=loan&sort=newest"),
    ]
    assert page.context["clear_url"] == "?sort=newest"


def test_nothing_found_says_what_would_help(offers):
    page = search("?kind=loan&sector=G&state=announced")
    assert titles(page) == []
    assert [(chip.name, number) for chip, number in page.context["ways_out"]] == [("kind", 1), ("state", 1)]
    assert "No aid fits all these filters" in text(page)
    closed = search("?q=flood")
    assert [(chip.name, number) for chip, number in closed.context["ways_out"]] == [("ended", 1)]


# --- The address ------------------------------------------------------------------------------------------------------------


def test_untidy_address_is_made_short(offers):
    response = search("?q=&kind=loan&sort=deadline&page=1", status=302)
    assert response.url == finder("en").get_url() + "?kind=loan"


def test_parameters_are_the_shortest_that_mean_the_same():
    wanted = AidFilter({"q": "  web   shop ", "kind": "loan", "sort": "relevance", "page": "1", "fit": "yes", "utm_source": "mail"})
    assert wanted.parameters() == [("q", "web shop"), ("kind", "loan")]
    assert wanted.ignored == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?kind=gift", "There is no such choice in “What you get”."),
        ("?sector=ZZ", "There is no such choice in “Sector”."),
        ("?funder=999999", "There is no such choice in “Funder”."),
        ("?funder=1e5", "There is no such choice in “Funder”."),
        ("?colour=red", "We do not know this part of the address."),
        ("?page=0", "Page: "),
        ("?page=abc", "Page: "),
        ("?sort=nearest", "Order: "),
        ("?company=12", "Company: "),
        (f"?q={'a' * 10_000}", f"We searched for its first {MAX_TEXT} characters."),
        ("?page=900", "There are not so many pages."),
        ("?a=1&a=2&a=3&a=4&a=5", "You can compare up to 4."),
        ("?a=99999999999999999999", "There is no such choice in “To compare”."),
    ],
)
def test_what_is_not_understood_is_told_and_the_rest_works(offers, query, told):
    page = search(query)
    assert told in text(page)


def test_nul_is_refused(offers):
    assert search("?q=%00", status=400)


def test_text_cannot_become_markup(offers):
    assert escape("<script>alert(1)</script>") in search("?q=<script>alert(1)</script>").content.decode()


def test_tracking_is_not_told(offers):
    assert "We do not know" not in text(search("?utm_source=mail&fbclid=1"))


def test_htmx_gets_what_changes(offers):
    page = search("?kind=loan", headers=HTMX)
    assert "<html" not in text(page)
    assert page["HX-Push-Url"] == finder("en").get_url() + "?kind=loan"
    assert 'id="facets-content" hx-swap-oob' in text(page)


def test_languages_lead_to_the_same_search(offers):
    page = search("?kind=loan")
    assert page.context["translations"]["ca"] == finder("ca").get_url() + "?kind=loan"


def test_what_is_not_published_is_in_no_list(offers):
    draft = aid("A draft", live=False)
    assert "A draft" not in titles(search("?sort=newest"))
    draft.save_revision().publish()
    assert titles(search("?sort=newest"))[0] == "A draft"


# --- The engine is away -------------------------------------------------------------------------------------------------------


def test_without_an_engine_words_of_titles_are_found_and_it_is_said():
    aid("Going digital for shops")
    aid("Préstec per a inversió", kind="loan")
    page = search("?q=PRESTEC inver")
    assert titles(page) == ["Préstec per a inversió"]
    assert "The search is not at its best right now" in text(page)
    assert options(page, "kind") == [("loan", 1, False)]


def test_without_an_engine_and_without_a_text_nothing_is_missing():
    aid("Going digital for shops")
    assert "not at its best" not in text(search())


# --- For my company -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def member(client):
    """Somebody of a small plastics company, signed in."""
    membership = MembershipFactory(company=CompanyFactory(sector_id="2229", size="small"))
    client.force_login(membership.user)
    client.company = membership.company
    return client


def test_my_company_sees_what_fits_first_with_the_reason(offers, member):
    page = search(f"?company={member.company.uid}", client=member)
    fits = [(item.page.title, item.fit) for item in page.context["found"].items]
    assert fits == [
        ("Solar panels for factories", "yes"), ("Loan for investments", "yes"), ("Help with exports", "yes"), ("Going digital for shops", "no"), ("First employee", "no"),
    ]  # fmt: skip
    assert "You can ask for it" in text(page)
    assert "It asks for: " in text(page)
    assert options(page, "fit") == [("yes", 3, False), ("no", 2, False)]
    assert titles(search(f"?company={member.company.uid}&fit=no", client=member)) == ["Going digital for shops", "First employee"]


def test_what_a_member_sees_is_kept_by_nobody(offers, member):
    assert "no-store" in search(client=member)["Cache-Control"]


def test_another_company_is_refused_and_all_aid_is_shown(offers, member):
    page = search(f"?company={CompanyFactory().uid}&fit=no&sort=fit", client=member)
    assert len(titles(page)) == 5
    assert "for a company that is not yours" in text(page)


def test_visitors_are_invited_and_learn_nothing_of_a_company(offers, member):
    page = search(f"?company={member.company.uid}&fit=yes")
    assert len(titles(page)) == 5
    assert "Sign in to see what fits it" in text(page)
    assert member.company.name not in text(page)


# --- Speed --------------------------------------------------------------------------------------------------------------------


def queries_of(path):
    Client().get(path)
    with CaptureQueriesContext(connection) as captured:
        assert Client().get(path).status_code == 200
    return len(captured)


def test_finder_needs_as_many_queries_for_thirty_as_for_one():
    aid("Number 0")
    index.rebuild()
    before = [queries_of(finder("en").get_url() + query) for query in ("", "?q=number", "?kind=grant&size=micro")]
    for number in range(1, 31):
        aid(f"Number {number}", sectors=["C", "G"], places=["082798"], funders=[funder(f"Funder {number}")])
    index.rebuild()
    after = [queries_of(finder("en").get_url() + query) for query in ("", "?q=number", "?kind=grant&size=micro")]
    assert after == before
    assert max(after) <= 15
    assert len(titles(search())) == 20
    assert len(titles(search("?page=2"))) == 11


def test_rows_are_kept_until_something_is_published(page_cache, django_capture_on_commit_callbacks):  # noqa: F811
    """With the rows kept for ever the new aid would be missing, and with them read each time this would be slower."""
    aid("First")
    address = finder("en").get_url()
    first = queries_of(address + "?unknown=1")
    assert first <= 10
    with django_capture_on_commit_callbacks(execute=True):
        second = aid("Second")
    assert "Second" in text(search("?unknown=1"))
    with django_capture_on_commit_callbacks(execute=True):
        second.unpublish()
    assert "Second" not in text(search("?unknown=1"))


def test_feed_has_the_newest_first(offers):
    feed = Client().get(search().context["addresses"]["feed"])
    assert feed["Content-Type"].startswith("application/atom+xml")
    body = feed.content.decode()
    assert body.index("First employee") < body.index("Going digital for shops")
    assert "Repairs after the flood" not in body


def test_version_of_another_language_has_its_own_finder(offers):
    page = make_aid("Ajut per a botigues")
    translate_aid(page, "en", "Aid for corner shops")
    assert "Aid for corner shops" in titles(search("?sort=newest"))
    assert urlsplit(search().context["translations"]["ca"]).path == finder("ca").get_url()

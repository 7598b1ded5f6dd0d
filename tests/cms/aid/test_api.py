"""Aid for programs."""

import datetime
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from wagtail.models import Page, PageViewRestriction
from wagtail.rich_text import RichText

from cms.aid.filters import AidFilter
from cms.aid.finder import find
from cms.pages import exported
from marketplace.companies.models import Company
from search import index
from tests.cms.aid.factories import finder, funder, make_aid, translate_aid
from tests.rest.keys import company_key, partner_key

pytestmark = pytest.mark.django_db

AID = "/api/v1/aid/"


@pytest.fixture(autouse=True)
def _own_index(settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"


def day(offset):
    return timezone.localdate() + datetime.timedelta(days=offset)


def get(client, path=AID, language="en", key=None, **query):
    return client.get(path, query, headers={"Accept-Language": language, **(key.headers if key else {})})


def titles(answer):
    assert answer.status_code == 200, answer.content
    return [one["title"] for one in answer.json()["results"]]


@pytest.fixture
def offers():
    """Six aids: three open, one all year, one announced, one closed."""
    funds = funder("Fons europeu (exemple)", name_en="European fund (example)", level="european")
    for title, fields in {
        "Going digital for shops": {
            "sectors": ["G"],
            "sizes": ["micro", "small"],
            "beneficiaries": ["company"],
            "calls": [{"opens_on": day(-5), "deadline": day(30), "number": "712345"}],
        },
        "Solar panels for factories": {"sectors": ["C"], "funders": [funds], "calls": [{"opens_on": day(-5), "deadline": day(5)}]},
        "Loan for investments": {"kind": "loan", "calls": [{"opens_on": day(-5), "deadline": day(60)}]},
        "Help with exports": {"kind": "advice", "calls": []},
        "First employee": {"beneficiaries": ["self_employed"], "sizes": ["micro"], "calls": [{"opens_on": day(9), "deadline": day(90)}]},
        "Repairs after the flood": {"calls": [{"opens_on": day(-90), "deadline": day(-1)}]},
    }.items():
        make_aid(title, language="en", **fields)


def test_list_has_the_finders_order_without_what_has_closed(client, offers):
    assert titles(get(client)) == ["Solar panels for factories", "Going digital for shops", "Loan for investments", "Help with exports", "First employee"]
    assert len(titles(get(client, ended="true"))) == 6


def test_filters_find_what_the_finder_finds(client, offers):
    index.rebuild()
    for query in (
        {"kind": ["grant", "loan"]},
        {"state": ["closing_soon"]},
        {"state": ["closed"]},
        {"beneficiary": ["company"]},
        {"size": ["large"]},
        {"sector": ["2562"]},
        {"level": ["european"]},
        {"sort": ["newest"]},
        {"q": ["712345"]},
        {"q": ["solar"]},
        {"kind": ["loan"], "level": ["european"]},
    ):
        expected = find(AidFilter(MultiValueDict(query)), finder("en"))
        answer = get(client, **query)
        assert titles(answer) == [one.page.title for one in expected.all_items], query
        assert answer.json()["total"] == expected.total


def test_facts_are_told(client):
    page = make_aid(
        "Going digital", language="en", summary="Web shops.", sectors=["G"], places=["082798"], sizes=["micro"], beneficiaries=["company"], amount_min="500", amount_max="2000.50",
        share_max=60, budget="100000", reviewed_on=day(-3), calls=[{"opens_on": day(-5), "deadline": day(30), "number": "712345", "budget": "5000", "url": "https://bases.example/1"}],
    )  # fmt: skip
    [one] = get(client).json()["results"]
    call = page.calls.get()
    assert one | {"published_at": "", "updated_at": ""} == {
        "uid": str(page.translation_key), "language": "en", "url": f"http://testserver{page.get_url()}", "title": "Going digital", "summary": "Web shops.", "kind": "grant",
        "kind_label": "Grant", "state": "open", "state_label": "Open", "opens_on": day(-5).isoformat(), "deadline": day(30).isoformat(), "days_left": 30,
        "funders": [{"id": funder().pk, "name": "Ajuntament (exemple)", "level": "municipal", "url": ""}], "beneficiaries": ["company"], "sizes": ["micro"],
        "sectors": [{"code": "G", "label": "Wholesale and retail trade; repair of motor vehicles and motorcycles"}], "places": [{"code": "082798", "name": "Terrassa"}],
        "amount_min": "500.00", "amount_max": "2000.50", "share_max": 60, "budget": "100000.00",
        "calls": [{"uid": str(call.uid), "number": "712345", "state": "open", "opens_on": day(-5).isoformat(), "deadline": day(30).isoformat(), "exhausted_on": None,
                   "budget": "5000.00", "url": "https://bases.example/1"}],
        "example": False, "checked_on": day(-3).isoformat(), "published_at": "", "updated_at": "",
    }  # fmt: skip
    whole = get(client, f"{AID}{page.translation_key}/").json()
    assert {name: whole[name] for name in one} == one


def test_texts_come_as_html_and_as_words_in_the_language_asked_for(client):
    page = make_aid(
        "Ajut", body=[("heading", {"text": "Què paga", "level": "h2", "anchor": "que-paga"}), ("text", RichText('<p>Fins al <b>60 %</b>. <a href="https://x.example/?a=1&amp;b=2">Bases</a></p><ul><li>Un</li><li>Dos</li></ul>'))],
        procedure_name="Sol·licitud", procedure_url="https://seu.example/1", legal_base="Ordre 1", legal_base_url="https://dogc.example/1",
    )  # fmt: skip
    spanish = translate_aid(page, "es", "Ayuda", body=[("text", RichText("<p>Hasta el 60 %.</p>"))])
    catalan = get(client, f"{AID}{page.translation_key}/", "ca").json()
    assert (catalan["language"], catalan["title"], catalan["procedure"]) == ("ca", "Ajut", {"name": "Sol·licitud", "url": "https://seu.example/1"})
    assert catalan["body"]["plain"] == "Què paga\nFins al 60 %. Bases\nUn\nDos"
    assert "<h2>Què paga</h2>" in catalan["body"]["html"]
    assert '<p>Fins al <b>60 %</b>. <a href="https://x.example/?a=1&amp;b=2">Bases</a></p>' in catalan["body"]["html"]
    assert "class=" not in catalan["body"]["html"]
    assert [one["language"] for one in catalan["translations"]] == ["ca", "es"]
    assert catalan["how_to_apply"] == {"html": "", "plain": ""}
    found = get(client, f"{AID}{page.translation_key}/", "es").json()
    assert (found["language"], found["title"], found["body"]["plain"], found["url"]) == (
        "es",
        "Ayuda",
        "Hasta el 60 %.",
        f"http://testserver{spanish.get_url()}",
    )
    # What is not translated comes in the language there is, in lists not at all.
    assert get(client, f"{AID}{page.translation_key}/", "en").json()["title"] == "Ajut"
    assert [titles(get(client, language=language)) for language in ("ca", "es", "en")] == [["Ajut"], ["Ayuda"], []]


def _hide(page, how):
    if how == "draft":
        page.unpublish()
    elif how == "restricted":
        PageViewRestriction.objects.create(page=page, restriction_type=PageViewRestriction.LOGIN)
    elif how == "restricted above":
        PageViewRestriction.objects.create(page=Page.objects.get(pk=page.get_parent().pk), restriction_type=PageViewRestriction.PASSWORD, password="x")
    elif how == "deleted":
        page.delete()


@pytest.mark.parametrize("how", ["draft", "restricted", "restricted above", "deleted"])
def test_what_is_not_public_is_not_there(client, how):
    page = make_aid("Secret plan", language="en")
    version = translate_aid(page, "es", "Plan secreto")
    assert titles(get(client)) == ["Secret plan"]
    _hide(page, how)
    for key in (None, company_key("read"), partner_key("federation", "read")):
        assert "Secret plan" not in get(client, key=key, ended="true").content.decode()
        whole = get(client, f"{AID}{page.translation_key}/", key=key)
        assert "Secret plan" not in whole.content.decode()
        assert whole.json()["title"] == "Plan secreto"
        assert [one["language"] for one in whole.json()["translations"]] == ["es"]
    _hide(version, "draft" if how == "deleted" else how)
    assert get(client, f"{AID}{page.translation_key}/").status_code == 404


def test_draft_of_a_published_page_is_not_told(client):
    page = make_aid("As published", language="en")
    page.title = "As drafted"
    page.save_revision()
    assert "As drafted" not in get(client).content.decode()
    assert get(client, f"{AID}{page.translation_key}/").json()["title"] == "As published"


def test_pages_hold_every_aid_once_both_ways(client, offers):
    for sort, limit in (("deadline", 1), ("newest", 2), ("deadline", 5), ("newest", 6)):
        _walk(client, sort, limit)


def _walk(client, sort, limit):
    whole = titles(get(client, ended="true", sort=sort))
    path, there, last = f"{AID}?ended=true&sort={sort}&limit={limit}", [], None
    while path:
        answer = client.get(path, headers={"Accept-Language": "en"})
        there += titles(answer)
        last, path = answer.json(), answer.json()["next"]
    assert there == whole
    back, path = [one["title"] for one in last["results"]], last["previous"]
    while path:
        answer = client.get(path, headers={"Accept-Language": "en"})
        back = titles(answer) + back
        path = answer.json()["previous"]
    assert back == whole


def test_walk_goes_on_when_the_last_seen_aid_is_gone(client, offers):
    whole = titles(get(client))
    first = get(client, limit=2)
    Page.objects.get(title=whole[1]).specific.delete()
    rest = client.get(first.json()["next"], headers={"Accept-Language": "en"})
    # A cursor that only counts would leave one out.
    assert titles(first) + titles(rest) == whole[:4]


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "x"}, {"sector": "ZZ"}, {"funder": "9" * 30}, {"ended": "perhaps"}, {"sort": "price"}, {"sort": "relevance"}, {"sort": "fit"}, {"fit": "yes"}, {"limit": "0"},
        {"cursor": "x"}, {"fields": "officer"}, {"page": "2"}, {"company": str(uuid.uuid4())}, {"facets": "1"}, {"q": ["a", "b"]}, {"kind": ["grant"] * 31}, {"q": "x" * 500},
    ],
)  # fmt: skip
def test_parameter_that_is_wrong_is_a_400_that_names_it(client, query):
    answer = get(client, **query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    if "cursor" not in query:
        assert [error["parameter"] for error in answer.json()["errors"]] == list(query)


def test_facets_count_what_each_filter_would_give(client, offers):
    found = get(client, facets="true", kind="loan").json()
    assert {option["value"]: option["count"] for option in found["facets"]["kind"]} == {"grant": 3, "loan": 1, "advice": 1}
    assert "facets" not in get(client).json()


def test_companys_key_learns_what_fits_it(client):
    made = company_key("read")
    Company.objects.filter(pk=made.company.pk).update(size="small")
    make_aid("For small ones", language="en", sizes=["small"])
    make_aid("For large ones", language="en", sizes=["large"])
    assert titles(get(client, key=made, fit=["yes", "unknown"])) == ["For small ones"]
    by_fit = get(client, key=made, sort="fit").json()["results"]
    assert [(one["title"], one["fit"]) for one in by_fit] == [("For small ones", by_fit[0]["fit"]), ("For large ones", "no")]
    assert "fit" not in get(client, key=made).json()["results"][0]
    refused = get(client, key=company_key("write"), fit="yes")
    assert (refused.status_code, "read" in refused.json()["detail"]) == (403, True)
    assert get(client, key=partner_key("read"), fit="yes").status_code == 400


def test_list_asks_the_same_number_of_queries_for_one_and_three(client):
    numbers = []
    for more in (1, 2):
        for number in range(more):
            make_aid(f"Aid {number}", language="en", sectors=["C", "G"], places=["082798"])
        get(client)
        with CaptureQueriesContext(connection) as queries:
            get(client)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 8


def test_etag_and_fields(client, offers):
    first = get(client, fields="title,calls.deadline")
    assert first.json()["results"][0] == {"title": "Solar panels for factories", "calls": [{"deadline": day(5).isoformat()}]}
    again = client.get(AID, {"fields": "title,calls.deadline"}, headers={"Accept-Language": "en", "If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_contact_of_people_is_not_told(client, admin_user):
    page = make_aid("Aid", language="en", contact_email="marta@office.example", contact_phone="93 000 00 00", officer=admin_user)
    for path in (AID, f"{AID}{page.translation_key}/"):
        content = get(client, path).content.decode()
        assert not [word for word in ("marta@", "93 000", admin_user.email) if word in content]


def test_unknown_aid_is_a_404(client):
    answer = get(client, f"{AID}{uuid.uuid4()}/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


# --- Export -------------------------------------------------------------------------------------------------------------


def test_export_leaves_nothing_that_runs_or_points_nowhere():
    html = exported.semantic(
        '<div class="x"><script>alert(1)</script><p onclick="x()">A <a href="javascript:x()">b</a> <a href="/c/" class="y">c</a> <a href="#d">d</a></p>'
        '<svg><use href="#i"/></svg><img src="/media/a.png" alt="A" srcset="/b 2x" onerror="x()"><iframe src="https://x.example"></iframe><!-- e --></div>'
    )
    assert html == '<p>A <a>b</a> <a href="http://testserver/c/">c</a> <a>d</a></p><img alt="A" src="http://testserver/media/a.png"/>'


def test_words_keep_the_lines_of_a_table():
    assert exported.plain("<table><tr><th>A</th><td>1</td></tr><tr><th>B</th><td>2</td></tr></table><p>C<br>D</p>") == "A\t1\nB\t2\nC\nD"

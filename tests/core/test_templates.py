"""The frame, the components and the tags they stand on."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django import forms
from django.apps import apps
from django.conf import settings
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.test import Client
from django.urls import path, reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace.core import views
from marketplace.core.forms import ChoiceCards
from marketplace.core.templatetags import look
from marketplace.urls import urlpatterns as site_urls
from tests.factories import UserFactory

CORE = Path(apps.get_app_config("core").path)
#: A test's URLconf is this file: the site, and the gallery, which the site itself shows only with DEBUG.
urlpatterns = [path("gallery/", views.gallery), *site_urls]


def soup(html):
    return BeautifulSoup(html, "html.parser")


def show(source, **context):
    return soup(Template("{% load look %}" + source).render(Context(context)))


# --- Tags and filters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "words"),
    [(None, ""), (0, "100 m"), (0.6, "600 m"), (0.96, "1 km"), (1.0, "1 km"), (1.24, "1,2 km"), (9.97, "10 km"), (34.4, "34 km")],
)
def test_kilometres_reads_like_a_person_says_it(distance, words):
    with translation.override("ca"):
        assert look.kilometres(distance) == words


@pytest.mark.parametrize(
    ("spans", "html"),
    [
        ([], "&lt;b&gt; gel &amp; gel"),
        ([[4, 7]], "&lt;b&gt; <mark>gel</mark> &amp; gel"),
        ([[10, 13], [4, 7]], "&lt;b&gt; <mark>gel</mark> &amp; <mark>gel</mark>"),
        ([[4, 7], [5, 9]], "&lt;b&gt; <mark>gel &amp;</mark> gel"),
        ([[-5, 3], [10, 99], [7, 7]], "<mark>&lt;b&gt;</mark> gel &amp; <mark>gel</mark>"),
    ],
)
def test_marked_escapes_the_text_and_keeps_its_spans_apart(spans, html):
    assert look.marked("<b> gel & gel", spans) == html


@pytest.mark.parametrize(("name", "html"), [("Marketplace Terrassa", "Marketplace <b>Terrassa</b>"), ("<i>", "<b>&lt;i&gt;</b>")])
def test_brand_sets_the_last_word_in_bold(name, html):
    assert look.brand(name) == html


def test_pagination_keeps_the_rest_of_the_query(rf):
    with translation.override("en"):
        html = show("{% pagination number=7 total=261 page_size=20 %}", request=rf.get("/", {"q": "gel & co", "kind": ["offer", "demand"], "page": "7"}))
    links = {link.get_text(strip=True): link["href"] for link in html.select("a")}
    assert links["Next page"] == "?q=gel+%26+co&kind=offer&kind=demand&page=8"
    assert html.select_one("[aria-current=page]").contents[-1].strip() == "7"


def test_pagination_of_one_page_is_nothing(rf):
    assert show("{% pagination number=1 total=20 page_size=20 %}", request=rf.get("/")).find() is None


def test_pagination_stops_where_the_search_engine_does(rf):
    html = show("{% pagination number=1 total=1000000 page_size=20 %}", request=rf.get("/"))
    pages = [int(number) for link in html.select("a[href]") for number in re.findall(r"page=(\d+)", link["href"])]
    assert max(pages) == look.DEEPEST_RESULT // 20


def test_bar_chart_has_its_table():
    html = show("{% bar_chart title='Vacancies' rows=rows unit='Number' label='Sector' %}", rows=[("Health", 8), ("Care <homes>", 2), ("None", 0)])
    assert [[cell.get_text() for cell in row.select("th, td")] for row in html.select("tbody tr")] == [["Health", "8"], ["Care <homes>", "2"], ["None", "0"]]
    assert [bar["width"] for bar in html.select("rect.bar")] == ["100.0%", "25.0%", "0.0%"]


def test_bar_chart_of_nothing_but_zeros_does_not_divide_by_them():
    assert [bar["width"] for bar in show("{% bar_chart title='' rows=rows %}", rows=[("A", 0)]).select("rect.bar")] == ["0.0%"]


# --- The language switcher ---------------------------------------------------------------------------------------------------


def switcher(response):
    return {link["hreflang"]: link["href"] for link in soup(response.content).select(".languages a[hreflang]")}


@pytest.mark.django_db
def test_language_switcher_stays_on_the_page_with_its_query(client):
    with translation.override("ca"):
        response = client.get(reverse("account_login"), {"next": "/a?b=c"})
    addresses = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            addresses[code] = reverse("account_login") + "?next=%2Fa%3Fb%3Dc"
    assert switcher(response) == addresses


@pytest.mark.django_db
def test_language_switcher_of_a_missing_page_leads_home(rf):
    request = rf.get("/media-that-is-not-here.png")
    links = look.language_links(Context({"request": request}))
    assert [link.url for link in links] == ["/", "/es/", "/en/"]


def test_language_switcher_takes_a_pages_own_translations(rf):
    context = Context({"request": rf.get("/"), "translations": {"es": "/es/inicio/"}})
    assert [link.url for link in look.language_links(context)] == ["/", "/es/inicio/", "/en/"]


@pytest.mark.django_db
def test_language_switcher_after_a_refused_form_leads_to_the_empty_form(client):
    with translation.override("en"):
        address = reverse("account_login") + "?next=/a"
    assert switcher(client.post(address, {}))["en"] == address.partition("?")[0]


# --- Forms -------------------------------------------------------------------------------------------------------------------


class Sample(forms.Form):
    title = forms.CharField(help_text="In one sentence.")
    note = forms.CharField(required=False)
    kind = forms.ChoiceField(choices=[("", "---"), ("offer", "An offer"), ("demand", "A demand")], widget=ChoiceCards(hints={"offer": "I have <it>."}))
    terms = forms.BooleanField()

    def clean(self):
        raise forms.ValidationError("Together they make no sense.")


def test_fields_say_which_are_optional_and_point_to_their_words():
    html = soup(Sample({}).as_div())
    assert [field.select_one("label, legend").contents[0] for field in html.select(".field:has(.optional)")] == ["Note"]
    title = html.select_one("#id_title")
    assert title["aria-describedby"].split() == ["id_title_helptext", "id_title_error"]
    assert all(html.find(id=name) for name in title["aria-describedby"].split())
    assert title["aria-invalid"] == "true"


def test_choice_cards_leave_out_the_empty_option_and_escape_hints():
    html = soup(str(Sample()["kind"]))
    assert [option["value"] for option in html.select("input")] == ["offer", "demand"]
    assert [hint.get_text() for hint in html.select(".hint")] == ["I have <it>."]
    assert len(html.select("label")) == len(html.select("label > input")) == 2


def test_error_summary_leads_to_each_field():
    form = Sample({})
    summary = soup(render_to_string("components/error_summary.html", {"form": form}))
    fields = soup(form.as_div())
    targets = [link["href"].removeprefix("#") for link in summary.select("a")]
    assert targets == ["id_title", "id_kind_1", "id_terms"]
    assert all(fields.find(id=target) for target in targets)
    assert "Together they make no sense." in summary.get_text()


def test_error_summary_of_a_good_form_is_nothing():
    assert soup(render_to_string("components/error_summary.html", {"form": forms.Form({})})).find() is None


# --- What every template keeps ------------------------------------------------------------------------------------------------------

TEMPLATES = sorted(file for package in ("marketplace", "cms") for file in (settings.BASE_DIR / package).glob("**/templates/**/*.html"))
PUBLIC = [template for template in TEMPLATES if "console" not in template.parts]


@pytest.mark.parametrize("template", PUBLIC, ids=lambda template: template.relative_to(settings.BASE_DIR).as_posix())
def test_public_templates_need_no_inline_script_or_style(template):
    source = re.sub(r"{% comment %}.*?{% endcomment %}", "", template.read_text(), flags=re.DOTALL)
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=[\"']|<script(?![^>]*\bsrc=)(?![^>]*application/(?:ld\+)?json)", source) == []


def test_every_icon_that_a_template_names_is_drawn():
    drawn = set(re.findall(r'<symbol id="([a-z]+)"', (CORE / "static/img/icons.svg").read_text()))
    named = {name for template in TEMPLATES for name in re.findall(r'{% icon "([a-z_]+)"', template.read_text())}
    assert named - drawn == set()


def test_every_component_is_on_the_list():
    folder = CORE / "templates/components"
    listed = set(re.findall(r"`([a-z_]+\.html)`", (folder / "README.md").read_text()))
    parts = {"header.html", "footer.html", "brand.html", "languages.html", "facet_option.html", "pagination.html", "bar_chart.html", "base.html"}
    files = {file.name for file in folder.glob("*.html") if not file.name.startswith("gallery")}
    assert files - parts == listed - parts


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_the_last_error_pages_need_no_context(name):
    html = get_template(name).render()
    for address in re.findall(r'href="(/static/[^"]+)"', html):
        assert address.startswith(settings.STATIC_URL)
        assert (CORE / "static" / address.removeprefix(settings.STATIC_URL)).is_file()
    assert [part["lang"] for part in soup(html).select("p[lang]")] == ["es", "en"]


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ca", "es", "en"])
@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_reset_password_done", "account_email_verification_sent"]
)
def test_account_pages_wear_the_look(client, language, name):
    with translation.override(language):
        html = soup(client.get(reverse(name)).content)
    assert html.html["lang"] == language
    assert len(html.select("main h1")) == 1
    assert html.select_one("header .brand")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_email", "account_change_password", "mfa_index", "account_logout"])
def test_ones_own_account_pages_wear_the_look(client, name):
    client.force_login(UserFactory())
    html = soup(client.get(reverse(name)).content)
    assert len(html.select("main h1")) == 1


@pytest.mark.django_db
def test_a_page_that_is_not_there_says_so_in_its_language(client):
    response = client.get("/en/nothing-here/")
    assert response.status_code == 404
    assert soup(response.content).html["lang"] == "en"


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_with_a_way_on():
    response = Client(enforce_csrf_checks=True).post(reverse("account_login"), {})
    assert response.status_code == 403
    assert soup(response.content).select_one("main .actions a")["href"] == reverse("account_login")


# --- In a browser ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def gallery_address(live_server, settings):
    settings.ROOT_URLCONF = __name__
    return live_server.url + "/gallery/"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", ["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_components_are_accessible_and_never_wider_than_the_screen(new_page, gallery_address, width, scheme):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    page = new_page(width, color_scheme=scheme, bypass_csp=True)
    page.goto(gallery_address)
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.django_db(transaction=True)
def test_menu_and_filters_open_without_scripts(new_page, gallery_address):
    page = new_page("narrow", java_script_enabled=False)
    page.goto(gallery_address)
    for opener, what in ((".menu-toggle", ".menu-links"), (".facets-toggle", "#facets-content")):
        expect(page.locator(what)).not_to_be_visible()
        page.click(opener)
        expect(page.locator(what)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(what)).not_to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_question_is_asked_before_a_form_is_sent(new_page, gallery_address):
    page = new_page()
    page.goto(gallery_address)
    sent = []
    page.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    send = page.get_by_role("button", name="Envia a revisió")
    send.click()
    page.locator("dialog button[value='']").click()
    assert sent == []
    send.click()
    with page.expect_navigation():
        page.locator("dialog button[value=yes]").click()
    assert sent == ["POST"]


@pytest.mark.django_db(transaction=True)
def test_second_press_sends_nothing(new_page, live_server):
    page = new_page()
    page.goto(live_server.url + reverse("account_login"))
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.fill("#id_login", "nobody@firm.example")
    page.fill("#id_password", "a long pass phrase")
    with page.expect_navigation():
        page.evaluate("() => { const form = document.querySelector('main form'); form.requestSubmit(); form.requestSubmit(); }")
    assert len(sent) == 1
    # What to correct has the focus, so that a screen reader starts there.
    expect(page.locator(":focus")).to_have_class("errors")


MAILS = sorted(file.relative_to(CORE / "templates").as_posix() for file in (CORE / "templates").glob("*/email/*.txt") if not file.name.startswith("base_"))


@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("language", ["ca", "es", "en"])
def test_account_mails_are_plain_text(name, language):
    context = {
        "site_name": "Fusta & Ferro",
        "email": "o'neill@firm.example",
        "activate_url": "https://x.example/?a=1&b=2",
        "password_reset_url": "https://x.example/?a&b",
    }
    with translation.override(language):
        text = render_to_string(name, context)
    assert text.strip()
    assert "&amp;" not in text
    assert "&#x27;" not in text
    assert name.endswith("_message.txt") == ("Fusta & Ferro" in text)

"""Pages for when something is not there, not allowed or broken."""

import pytest
from defusedxml import ElementTree
from django.conf import settings as django_settings
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.views import defaults

from cms.pages.models import NewsIndexPage, NewsPage
from tests.cms.pages.factories import home, make_page
from tests.factories import UserFactory

LANGUAGES = [("/", "ca"), ("/es/", "es"), ("/en/", "en")]


@pytest.mark.django_db
@pytest.mark.parametrize(("root", "language"), LANGUAGES)
def test_not_found_speaks_the_language_of_the_address_and_leads_on(client, root, language):
    parent = home(language)
    section = make_page(NewsIndexPage, parent, title="Section", show_in_menus=True)
    response = client.get(f"{root}no-such-page/")
    html = response.content.decode()
    assert response.status_code == 404
    assert f'<html lang="{language}">' in html
    assert f'<a class="chip" href="{section.get_url()}">Section</a>' in html
    assert 'role="search"' in html
    assert '<meta name="robots" content="noindex">' in html


@pytest.mark.django_db
def test_not_found_sends_nobody_to_another_page_that_is_not_there(client):
    """The switcher leads to the home pages: the address exists in no language."""
    html = client.get("/no-such-page/").content.decode()
    assert 'href="/es/no-such-page/"' not in html
    assert 'href="/es/"' in html


@pytest.mark.django_db
def test_page_without_a_translation_leads_to_the_other_home(client):
    page = make_page(NewsPage)
    html = client.get(page.get_url()).content.decode()
    assert 'hreflang="es" href=' not in html
    assert f'<link rel="alternate" hreflang="ca" href="http://testserver{page.get_url()}">' in html
    assert '<a href="/es/" lang="es"' in html


def test_broken_page_needs_no_database(client, settings):
    """No fixture for the database here: any query would fail the test."""
    response = defaults.server_error(RequestFactory().get("/"))
    html = response.content.decode()
    assert response.status_code == 500
    for words in ("Alguna cosa ha fallat", "Algo ha fallado", "Something went wrong"):
        assert words in html
    assert " style=" not in html
    assert "<script" not in html


def test_broken_page_uses_files_that_are_there():
    from django.contrib.staticfiles import finders  # noqa: PLC0415 - used here only

    for template in ("400.html", "500.html"):
        for part in render_to_string(template).split('"/static/')[1:]:
            assert finders.find(part.split('"')[0])


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "code"), [("403.html", "403"), ("429.html", "429"), ("413.html", "413"), ("403_csrf.html", "403")])
def test_every_error_page_says_what_to_do(rf, name, code):
    request = rf.get("/")
    request.user = UserFactory()
    html = render_to_string(name, {"request": request, "user": request.user}, request)
    assert f'<p class="code">{code}</p>' in html
    assert 'class="actions"' in html


@pytest.mark.django_db
def test_too_many_attempts_end_on_our_page(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    answers = [client.post(reverse("account_login"), {"login": "a@b.example", "password": "x"}) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert '<p class="code">429</p>' in answers[-1].content.decode()


@pytest.mark.django_db
def test_sitemap_names_the_translations_and_when_a_page_was_published(client):
    page = make_page(NewsIndexPage)
    spanish = page.copy_for_translation(home("es").locale)
    spanish.save_revision().publish()
    draft = make_page(NewsPage, page)
    draft.unpublish()
    sitemap = ElementTree.fromstring(client.get("/sitemap-pages.xml").content)
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    urls = {url.findtext("s:loc", namespaces=names): url for url in sitemap.findall("s:url", names)}
    entry = urls[f"{django_settings.SITE_URL}{page.get_url()}"]
    assert entry.findtext("s:lastmod", namespaces=names) == timezone.localdate(page.last_published_at).isoformat()
    alternates = {link.get("hreflang"): link.get("href") for link in entry.findall("x:link", names)}
    assert alternates == {one.locale.language_code: f"{django_settings.SITE_URL}{one.get_url()}" for one in (page, spanish)}
    assert f"{django_settings.SITE_URL}{draft.get_url()}" not in urls

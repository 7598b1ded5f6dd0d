"""What makes kept pages stale: a publish, at once and whatever happens in between."""

import threading

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from wagtail.models import PageViewRestriction, Site

from cms.pages.cache import generations, middleware, purge
from cms.pages.models import HomePage, StandardPage
from marketplace.core import changelog
from marketplace.core.models import Change
from search import index
from tests import concurrency
from tests.cms.pages.caching import ADDRESS, a_page, publish, quickly, text

#: Everything here publishes for real: what happens after a commit is what is tested.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("page_cache")]


def changes_of_page() -> int:
    return Change.objects.filter(kind="page", uid=a_page().translation_key).count()


def test_publishing_shows_at_once(client):
    client.get(ADDRESS)
    publish(a_page(), title="Una altra")
    assert "Una altra" in text(client.get(ADDRESS))
    assert changes_of_page() > 0


def test_change_of_a_page_shows_in_the_menus_of_the_others(client):
    client.get("/")
    publish(a_page(), title="Una altra")
    assert "Una altra" in text(client.get("/"))


def test_draft_purges_nothing(client):
    client.get(ADDRESS)
    page = a_page()
    page.title = "Un esborrany"
    page.save_revision()
    assert "Un esborrany" not in text(quickly(client, ADDRESS))
    assert changes_of_page() == 0


def test_what_is_taken_away_is_gone_at_once(client):
    page = a_page()
    for take_away in (page.unpublish, page.delete):
        client.get(ADDRESS)
        take_away()
        assert client.get(ADDRESS).status_code == 404
        if take_away == page.unpublish:
            publish(page)


def test_page_made_private_is_gone_at_once(client):
    client.get(ADDRESS)
    restriction = PageViewRestriction.objects.create(page=a_page(), restriction_type=PageViewRestriction.LOGIN)
    assert client.get(ADDRESS).status_code == 302
    restriction.delete()
    assert client.get(ADDRESS).status_code == 200


def test_moved_page_is_gone_from_its_old_address(client):
    client.get(ADDRESS)
    page, parent = a_page(), StandardPage.objects.get(slug="condicions")
    page.move(parent, pos="last-child")
    assert client.get(ADDRESS).status_code in (301, 404)
    assert client.get("/condicions/privacitat/").status_code == 200


def test_new_name_of_an_address_moves_the_page(client):
    client.get(ADDRESS)
    publish(a_page(), slug="dades")
    assert client.get(ADDRESS).status_code in (301, 302, 404)
    assert client.get("/dades/").status_code == 200


def test_change_of_the_site_itself_makes_all_stale():
    before = generations.read()
    Site.objects.get(is_default_site=True).save()
    assert generations.read()["page"] != before["page"]


def test_nothing_is_stale_before_the_commit_and_all_after_it():
    before = generations.read()
    with transaction.atomic():
        publish(a_page(), title="Una altra")
        assert generations.read() == before
    assert generations.read()["page"] != before["page"]
    assert generations.read()["listing"] == before["listing"]


def test_crash_between_commit_and_purge_is_made_good_by_the_worker(client, monkeypatch):
    purge.run_once()
    client.get(ADDRESS)
    with monkeypatch.context() as patch:
        patch.setattr(generations, "renew", lambda _kinds: None)
        publish(a_page(), title="Una altra")
    assert "Una altra" not in text(quickly(client, ADDRESS)), "the naive way, with nobody reading the log, stays stale"
    assert purge.run_once() > 0
    assert "Una altra" in text(client.get(ADDRESS))


def test_home_page_is_stale_when_a_listing_changes_and_a_text_is_not(client, monkeypatch):
    monkeypatch.setattr(HomePage, "shown_kinds", ("page", "listing"), raising=False)
    client.get("/")
    client.get(ADDRESS)
    with transaction.atomic():
        changelog.append("listing", a_page().translation_key)
    while purge.run_once():
        pass
    quickly(client, ADDRESS)
    with pytest.raises(AssertionError):
        quickly(client, "/")


def test_token_thrown_out_by_the_cache_purges_and_brings_nothing_old_back(client, page_cache):
    client.get(ADDRESS)
    before = generations.read()
    publish(a_page(), title="Una altra")
    page_cache.delete(generations._name("page"))
    assert "Una altra" in text(client.get(ADDRESS))
    assert generations.read()["page"] != before["page"]


# --- Two at once ------------------------------------------------------------------------------------------------------------


def test_slow_visitor_from_before_the_publish_leaves_no_old_page(client, monkeypatch):
    assert "Una altra" in text(_page_after_a_slow_visitor(client, monkeypatch))


def test_naive_cache_that_reads_the_tokens_after_rendering_serves_the_old_page(client, monkeypatch):
    def keep(request, response, key, _tokens, started):
        return real(request, response, key, generations.read(), started)

    real = middleware._keep
    monkeypatch.setattr(middleware, "_keep", keep)
    assert "Una altra" not in text(_page_after_a_slow_visitor(client, monkeypatch))


def _page_after_a_slow_visitor(client, monkeypatch) -> HttpResponse:
    """What comes when somebody began to read the page before it was published anew, and was finished after."""
    began, published = threading.Event(), threading.Event()
    render = StandardPage.serve

    def slow(self, request, *args, **kwargs):
        response = render(self, request, *args, **kwargs).render()
        if threading.current_thread().name == "slow":
            began.set()
            assert published.wait(10)
        return response

    monkeypatch.setattr(StandardPage, "serve", slow)

    def visit():
        threading.current_thread().name = "slow"
        return Client().get(ADDRESS)

    def publish_meanwhile():
        assert began.wait(10)
        publish(a_page(), title="Una altra")
        published.set()

    visit_result, publish_result = concurrency.at_once(visit, publish_meanwhile)
    assert (visit_result.status_code, publish_result) == (200, None)
    return client.get(ADDRESS)


def test_what_pages_search_for_is_renewed_behind_the_index(monkeypatch):
    before = generations.read()
    with transaction.atomic():
        changelog.append("aid", a_page().translation_key)
    purge.run_once()
    assert generations.read()["aid"] == before["aid"], "the index has not read it yet: who searched now would find the old"
    index.run_once()
    purge.run_once()
    after = generations.read()
    assert after["aid"] != before["aid"]
    assert after["comment"] == before["comment"]

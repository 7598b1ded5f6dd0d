"""What anonymous visitors get from the page cache, and who never does."""

import gzip

import brotli
import pytest
import time_machine
from django.core.cache import caches
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils.http import http_date, parse_http_date
from wagtail.models import PageViewRestriction

from cms.pages.cache import generations, middleware, requests
from cms.pages.models import StandardPage
from tests.cms.pages.caching import ADDRESS, a_page, kept, no_queries, publish, quickly, text
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("page_cache")]


# --- Served again ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/es/", "/en/", ADDRESS])
def test_second_visitor_costs_no_query_and_gets_the_same(client, address):
    first = client.get(address)
    second = quickly(Client(), address)
    assert (second.status_code, second.content) == (200, first.content)
    assert {name: value for name, value in second.items() if name != "Last-Modified"} == dict(first.items())
    assert second["Content-Security-Policy"]
    assert second["X-Frame-Options"] == "DENY"


def test_page_sets_no_cookie_and_says_how_it_may_be_kept(client):
    response = client.get("/")
    assert response.cookies == {}
    assert response["Vary"] == "Accept-Encoding, Cookie, HX-Request"
    assert response["Cache-Control"] == "public, max-age=0, must-revalidate"


def test_head_is_answered_from_the_page(client):
    page = client.get(ADDRESS)
    with no_queries():
        head = client.head(ADDRESS)
    assert (head.content, head["Content-Length"], head["ETag"]) == (b"", str(len(page.content)), page["ETag"])


def test_head_alone_keeps_nothing(client, page_cache):
    client.head(ADDRESS)
    assert kept(page_cache) == 0


@pytest.mark.parametrize(
    ("accepts", "encoding", "decode"),
    [("gzip, deflate, br, zstd", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress), ("br;q=0, gzip", "gzip", gzip.decompress), ("", None, bytes)],
)
def test_page_comes_compressed_as_the_browser_likes_it(client, accepts, encoding, decode):
    plain = client.get(ADDRESS)
    response = client.get(ADDRESS, headers={"accept-encoding": accepts})
    assert response.get("Content-Encoding") == encoding
    assert decode(response.content) == plain.content
    assert response["Content-Length"] == str(len(response.content))


def test_answer_to_somebody_who_is_signed_in_is_not_compressed(client):
    client.force_login(UserFactory())
    assert "Content-Encoding" not in client.get(ADDRESS, headers={"accept-encoding": "gzip, br"})


# --- Conditional requests -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_browser_that_has_the_page_gets_304_until_it_changes(client):
    tag = client.get(ADDRESS)["ETag"]
    assert tag.startswith('W/"')
    again = quickly(client, ADDRESS, headers={"if-none-match": tag, "accept-encoding": "br"})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    publish(a_page(), title="Una altra")
    changed = client.get(ADDRESS, headers={"if-none-match": tag})
    assert (changed.status_code, "Una altra" in text(changed)) == (200, True)


@pytest.mark.django_db(transaction=True)
def test_date_alone_is_enough_and_never_hides_a_change_in_the_same_second(client):
    with time_machine.travel("2026-11-22 10:00:00.100Z", tick=False) as clock:
        assert "Last-Modified" not in client.get(ADDRESS)
        publish(a_page(), title="Una altra")
        client.get(ADDRESS)
        clock.shift(1)
        modified = client.get(ADDRESS)["Last-Modified"]
        assert modified == "Sun, 22 Nov 2026 10:00:00 GMT"
        assert quickly(client, ADDRESS, headers={"if-modified-since": modified}).status_code == 304
        assert quickly(client, ADDRESS, headers={"if-modified-since": http_date(parse_http_date(modified) - 1)}).status_code == 200


def test_page_rendered_anew_and_still_the_same_is_not_modified(client):
    with time_machine.travel("2026-11-22 10:00Z", tick=False) as clock:
        client.get(ADDRESS)
        clock.shift(60)
        before = client.get(ADDRESS)
        generations.renew(["page"])
        after = client.get(ADDRESS)
    assert (after["ETag"], after["Last-Modified"]) == (before["ETag"], before["Last-Modified"])


def test_proxy_is_told_how_long_and_never_past_the_next_quarter(client, settings):
    settings.PAGE_CACHE_PROXY_SECONDS = 300
    with time_machine.travel("2026-11-22 10:01Z", tick=False) as clock:
        assert client.get(ADDRESS)["Cache-Control"] == "public, max-age=0, must-revalidate, s-maxage=300"
        clock.shift(13 * 60)
        assert client.get(ADDRESS)["Cache-Control"] == "public, max-age=0, must-revalidate, s-maxage=60"


# --- People who are known --------------------------------------------------------------------------------------------------


def test_person_signed_in_gets_their_own_page_and_leaves_none(client):
    person = UserFactory(name="Mercè Rodoreda")
    client.force_login(person)
    mine = client.get(ADDRESS)
    assert "Mercè Rodoreda" in text(mine)
    assert mine["Cache-Control"] == "private, max-age=0, must-revalidate"
    assert "Cookie" in mine["Vary"]
    assert "Mercè Rodoreda" not in text(Client().get(ADDRESS))
    assert "Mercè Rodoreda" in text(client.get(ADDRESS))


def test_naive_cache_that_looks_at_no_cookie_tells_everybody_the_name(client, monkeypatch):
    monkeypatch.setattr(requests, "is_anonymous", lambda request: request.method == "GET")
    monkeypatch.setattr(HttpResponse, "cookies", {}, raising=False)
    client.force_login(UserFactory(name="Mercè Rodoreda"))
    # The page of somebody signed in holds a form with a token; without one it would be kept. This is what the key prevents.
    monkeypatch.setattr(middleware, "may_be_kept", lambda *_: True)
    client.get(ADDRESS)
    assert "Mercè Rodoreda" in text(Client().get(ADDRESS))


@pytest.mark.parametrize("headers", [{"hx-request": "true"}, {"authorization": "Basic eA=="}])
def test_pieces_and_credentials_take_no_part(client, page_cache, headers):
    client.get(ADDRESS, headers=headers)
    assert kept(page_cache) == 0


def test_waiting_message_is_shown_to_whom_it_is_for(page_cache):
    client = Client()
    client.cookies["messages"] = "x"
    client.get(ADDRESS)
    assert kept(page_cache) == 0


# --- What is not kept -------------------------------------------------------------------------------------------------------


def _kept(response, *, meta=(), known=True) -> bool:
    request = RequestFactory().get("/")
    request.META |= dict(meta)
    if known:
        requests.take_part(request)
    return middleware.may_be_kept(request, response)


def test_only_plain_public_answers_are_kept():
    cookie, private, nonce = HttpResponse(), HttpResponse(headers={"Cache-Control": "private"}), HttpResponse()
    cookie.set_cookie("sessionid", "x")
    nonce["Content-Security-Policy"] = "script-src 'nonce-abc'"
    assert _kept(HttpResponse("x"))
    assert not _kept(HttpResponse("x"), known=False)
    assert not _kept(HttpResponse("x"), meta={"CSRF_COOKIE_NEEDS_UPDATE": False})
    assert not any(map(_kept, [cookie, private, nonce, HttpResponse(status=404), HttpResponse(b"x" * (2**20 + 1))]))


def test_missing_page_is_not_kept(client, page_cache):
    assert client.get("/no-hi-es/").status_code == 404
    assert kept(page_cache) == 0


def test_page_that_asks_for_a_password_is_not_kept(client, page_cache):
    PageViewRestriction.objects.create(page=a_page(), restriction_type=PageViewRestriction.PASSWORD, password="secret")
    assert client.get(ADDRESS).status_code == 200
    assert kept(page_cache) == 0


def test_view_that_declares_a_kind_nobody_knows_is_told():
    with pytest.raises(ValueError, match="lisitng"):
        requests.take_part(RequestFactory().get("/"), ("lisitng",))


# --- Keys -----------------------------------------------------------------------------------------------------------------


def test_tracking_parameters_make_no_key_and_stand_in_no_link(client):
    StandardPage.objects.filter(locale__language_code="en", translation_key=a_page().translation_key).delete()
    poisoned = client.get(f"{ADDRESS}?utm_source=evil&fbclid=evil")
    assert "evil" not in text(poisoned)
    assert quickly(Client(), ADDRESS).content == poisoned.content


def test_unknown_parameters_are_rendered_and_never_kept(client, page_cache):
    client.get(f"{ADDRESS}?evil=1")
    assert kept(page_cache) == 0


def test_declared_parameters_are_kept_in_any_order_and_bounded_in_number(client, page_cache, monkeypatch):
    monkeypatch.setattr(StandardPage, "query_names", ("page", "topic"), raising=False)
    client.get(f"{ADDRESS}?topic=a&page=2")
    quickly(client, f"{ADDRESS}?page=2&topic=a&utm_medium=mail")
    for number in range(150):
        assert client.get(f"{ADDRESS}?page={number}").status_code == 200
    assert kept(page_cache) <= requests.SLOTS


def test_parameters_that_share_a_place_never_share_a_page(client, monkeypatch):
    monkeypatch.setattr(StandardPage, "query_names", ("page",), raising=False)
    monkeypatch.setattr(requests, "SLOTS", 1)
    template = StandardPage.get_context
    monkeypatch.setattr(
        StandardPage, "get_context", lambda self, request, *a, **k: template(self, request, *a, **k) | {"site_name": f"<{request.GET.get('page')}>"}
    )
    assert "&lt;1&gt;" in text(client.get(f"{ADDRESS}?page=1"))
    assert "&lt;2&gt;" in text(client.get(f"{ADDRESS}?page=2"))


def test_query_too_long_takes_no_part(client, page_cache):
    client.get(f"{ADDRESS}?page={'1' * 500}")
    client.get(f"{ADDRESS}?page=%ff")
    assert kept(page_cache) == 0


def test_strange_hosts_fill_no_cache_and_reach_nobody(client, page_cache, settings):
    settings.ALLOWED_HOSTS = ["testserver", ".example"]
    for host in ("evil.example", "testserver:1234", "testserver:4321"):
        assert client.get("/", headers={"host": host, "x-forwarded-host": "evil.example"}).status_code == 200
    assert kept(page_cache) == 0
    client.get("/", headers={"x-forwarded-host": "evil.example"})
    assert "evil.example" not in text(client.get("/"))


def test_host_that_is_not_ours_is_refused_as_ever(client):
    assert client.get("/", headers={"host": "nowhere.test"}).status_code == 400


def test_https_and_http_are_pages_of_their_own(client):
    assert 'href="http://testserver/es/"' in text(client.get("/"))
    assert 'href="https://testserver/es/"' in text(client.get("/", secure=True))


def test_language_is_that_of_the_address_whatever_the_browser_prefers(client):
    client.cookies["django_language"] = "es"
    assert '<html lang="ca">' in text(client.get("/", headers={"accept-language": "en"}))
    assert '<html lang="ca">' in text(quickly(Client(), "/", headers={"accept-language": "es"}))
    assert '<html lang="es">' in text(client.get("/es/", headers={"accept-language": "ca"}))


# --- The clock -----------------------------------------------------------------------------------------------------------


def test_when_the_quarter_ends_one_renders_and_the_others_get_the_page_of_before(client, monkeypatch):
    rendered = []
    render = StandardPage.serve

    def counted(self, request, *args, **kwargs):
        rendered.append(1)
        # The others come while this one is busy.
        nested = [Client().get(ADDRESS).status_code for _ in range(3)] if len(rendered) == 2 else []
        assert nested in ([], [200, 200, 200])
        return render(self, request, *args, **kwargs)

    monkeypatch.setattr(StandardPage, "serve", counted)
    with time_machine.travel("2026-11-22 10:14:58Z", tick=False) as clock:
        client.get(ADDRESS)
        clock.shift(4)
        client.get(ADDRESS)
        quickly(client, ADDRESS)
    assert len(rendered) == 2


def test_clock_makes_pages_stale_at_the_quarter_and_where_a_page_says_so(client, monkeypatch):
    with time_machine.travel("2026-11-22 10:01Z", tick=False) as clock:
        client.get(ADDRESS)
        clock.move_to("2026-11-22 10:14:59Z")
        quickly(client, ADDRESS)
        clock.move_to("2026-11-22 10:15:11Z")
        with pytest.raises(AssertionError):
            quickly(client, ADDRESS)
        monkeypatch.setattr(StandardPage, "fresh_until", lambda _self, now: now.replace(minute=20, second=0, microsecond=0))
        generations.renew(["page"])
        client.get(ADDRESS)
        clock.move_to("2026-11-22 10:19:59Z")
        quickly(client, ADDRESS)
        clock.move_to("2026-11-22 10:20:11Z")
        with pytest.raises(AssertionError):
            quickly(client, ADDRESS)


# --- Trouble ----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_cache_that_is_away_makes_the_site_slow_and_not_dead(client, settings, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    settings.CACHES = settings.CACHES | {"pages": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path)}}
    broken = caches["pages"]
    broken._dir = str(tmp_path / "file")
    assert client.get(ADDRESS).status_code == 200
    publish(a_page(), title="Una altra")
    assert "Una altra" in text(client.get(ADDRESS))
    assert "The page cache failed" in caplog.text


def test_without_a_cache_pages_come_as_ever(client, settings):
    settings.CACHES = settings.CACHES | {"pages": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert client.get(ADDRESS).status_code == client.get(ADDRESS).status_code == 200


def test_another_release_and_another_database_have_pages_of_their_own(settings, monkeypatch):
    release = requests.release()
    requests.release.cache_clear()
    settings.CITY_NAME = "Sabadell"
    try:
        assert requests.release() != release
    finally:
        requests.release.cache_clear()
    name = generations.database()
    monkeypatch.setitem(settings.DATABASES, "default", settings.DATABASES["default"] | {"NAME": "another"})
    assert generations.database() != name

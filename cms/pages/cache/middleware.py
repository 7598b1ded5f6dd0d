"""The way of a request through the page cache."""

import logging
import math
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

from . import entries, generations, requests
from .entries import Entry
from .generations import Tokens
from .requests import Key

logger = logging.getLogger(__name__)
#: So long a page that the clock has made old is still served to others, while one of them waits for the new one.
GRACE = 10
OK = 200


class PageCacheMiddleware:
    """Answer anonymous visitors from the cache, and keep what may be kept.

    Stands before sessions, languages and all that needs the database, and behind what sends visitors to HTTPS. It keeps the
    answer as the middleware below it has made it, with its security headers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve what is kept, or render and keep."""
        key = requests.key(request)
        if key is None:
            return _private(request, self.get_response(request))
        entry = _tried(_look_up, key)
        if entry is not None and (entry.fresh_until > time.time() or not _tried(_claim, key)):
            return entry.response(request)
        started = time.time()
        # Before anything is read from the database: what changes from here on makes the page stale that we are about to render.
        tokens = _tried(generations.read)
        response = self.get_response(request)
        if tokens is None:
            return response
        if not may_be_kept(request, response):
            if entry is not None or hasattr(request, "page_cache_part"):
                # It may have been kept before: a page that was taken away must not come back.
                _tried(generations.store().delete_many, [key.place, _busy(key)])
            return _private(request, response)
        return _tried(_keep, request, response, key, tokens, started) or response


def may_be_kept(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether the answer is the same for everybody who asks this."""
    control = response.get("Cache-Control", "")
    return (
        request.method == "GET"
        and response.status_code == OK
        and not response.streaming
        and requests.may_be_kept(request)
        and not response.cookies
        # A form with a token of this visitor; the middleware that sets it leaves the mark.
        and "CSRF_COOKIE_NEEDS_UPDATE" not in request.META
        and not any(word in control for word in ("private", "no-store", "no-cache"))
        # An allowance for this one answer's inline scripts.
        and "'nonce-" not in response.get("Content-Security-Policy", "")
        and not response.has_header("Content-Encoding")
        and len(response.content) <= entries.LARGEST
    )


def _look_up(key: Key) -> Entry | None:
    entry = generations.store().get(key.place)
    return entry if entry is not None and entry.address == key.address and generations.hold(entry.tokens) else None


def _keep(request: HttpRequest, response: HttpResponse, key: Key, tokens: Tokens, started: float) -> HttpResponse:
    store, part = generations.store(), request.page_cache_part
    shown = {kind: tokens[kind] for kind in part.kinds}
    # Counted from the beginning: an office that opened meanwhile is still closed on this page.
    fresh_until = min(entries.next_quarter(started), part.until or math.inf)
    entry = entries.make(response, address=key.address, tokens=shown, fresh_until=fresh_until, before=store.get(key.place))
    # A page that was overtaken would be recognised by its tokens; kept, it would only push out the newer one.
    if generations.hold(shown):
        store.set(key.place, entry, timeout=max(fresh_until - time.time(), 0) + GRACE)
    store.delete(_busy(key))
    return entry.response(request)


def _claim(key: Key) -> bool:
    """Whether this request is the one that renders the page anew."""
    return generations.store().add(_busy(key), 1, timeout=GRACE)


def _busy(key: Key) -> str:
    return f"{key.place}:busy"


def _private(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer to one visitor: a page that others get from the cache must not be kept by a proxy for this one."""
    if hasattr(request, "page_cache_part"):
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, max_age=0, must_revalidate=True)
        patch_vary_headers(response, ("Cookie", "HX-Request"))
    return response


def _tried(call: Callable, *args: object) -> object:
    """What `call` gives; None when the cache is away: the site is slower then, not down."""
    try:
        return call(*args)
    except Exception:
        logger.exception("The page cache failed in %s", getattr(call, "__name__", call))
        return None

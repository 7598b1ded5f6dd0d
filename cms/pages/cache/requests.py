"""Whose requests take part in the page cache, and under which key.

The key has to hold all of a request that can change the page, and nothing with which a stranger could fill the cache or
choose what others see: only hosts that the site is known by, only parameters that the page declares, in one order.
"""

import functools
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from . import generations

#: Parameters that mailings and advertisers append. No page reads them; they are taken away, so that they neither make a key nor
#: stand in a link of the kept page.
TRACKING = re.compile(r"utm_\w+|fbclid|gclid|gbraid|wbraid|dclid|msclkid|mc_[ce]id|pk_\w+|mtm_\w+|_gl|_ga")
LONGEST_QUERY, MOST_PARAMETERS = 400, 20
#: So many variants of an address with parameters are kept: who makes up thousands pushes out only these.
SLOTS = 64
MESSAGES_COOKIE = "messages"
#: The code and texts that make the pages: a new release renders anew.
RELEASE_FOLDERS, RELEASE_FILES = ("cms", "marketplace", "search", "locale"), {".py", ".html", ".css", ".js", ".svg", ".mo"}


@dataclass(frozen=True, slots=True)
class Key:
    """Where an answer is kept, and the whole address that it answers: others may have the same place."""

    place: str
    address: str


@dataclass(frozen=True, slots=True)
class Part:
    """How a page takes part: the kinds it shows, the parameters it reads, and when it changes by itself (Unix time)."""

    kinds: frozenset[str]
    query: frozenset[str]
    until: float | None


def key(request: HttpRequest) -> Key | None:
    """Where the answer is looked for; None for requests that take no part, found out without a query."""
    if not is_anonymous(request) or (host := _known_host(request)) is None:
        return None
    query = canonical_query(request)
    if query is None:
        return None
    page = f"{request.scheme}\n{host}\n{request.path}"
    slot = f"{zlib.crc32(query.encode()) % SLOTS}" if query else "page"
    return Key(f"page:{release()}:{hashlib.sha256(page.encode()).hexdigest()}:{slot}", f"{page}\n{query}")


def is_anonymous(request: HttpRequest) -> bool:
    """Whether the answer can be the same for everybody: nobody known asks, and no message waits for them. htmx asks for pieces of pages."""
    return (
        request.method in ("GET", "HEAD")
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
        and MESSAGES_COOKIE not in request.COOKIES
        and "HTTP_AUTHORIZATION" not in request.META
        and "HTTP_HX_REQUEST" not in request.META
    )


def canonical_query(request: HttpRequest) -> str | None:
    """The query without tracking, sorted; None where it is too long or no text."""
    given = request.META.get("QUERY_STRING", "")
    if not given:
        return ""
    if len(given) > LONGEST_QUERY:
        return None
    try:
        pairs = parse_qsl(given, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict")
    except ValueError:
        return None
    # Sorted by name alone: the last of two values is the one that counts.
    return urlencode(sorted(((name, value) for name, value in pairs if not TRACKING.fullmatch(name)), key=lambda pair: pair[0]))


def _known_host(request: HttpRequest) -> str | None:
    """The host, if it is one of few. ALLOWED_HOSTS may hold patterns and says nothing of the port: any number makes a new host."""
    try:
        host = request.get_host().lower()
    except DisallowedHost:
        return None
    if host == urlsplit(settings.SITE_URL).netloc.lower():
        return host
    name = host.removesuffix(f":{request.META.get('SERVER_PORT', '')}")
    return host if name in settings.ALLOWED_HOSTS else None


@functools.cache
def release() -> str:
    """Tells this release's pages from those of another: its files, the names in its settings, the database."""
    files = (file for folder in RELEASE_FOLDERS for file in sorted((Path(settings.BASE_DIR) / folder).rglob("*")) if file.suffix in RELEASE_FILES)
    states = ((str(file), (state := file.stat()).st_mtime_ns, state.st_size) for file in files)
    names = (settings.SITE_NAME, settings.CITY_NAME, settings.SITE_URL, generations.database())
    return hashlib.sha256(repr((names, list(states))).encode()).hexdigest()[:12]


def take_part(request: HttpRequest, kinds: Iterable[str] = ("page",), query: Iterable[str] = (), until: float | None = None) -> None:
    """Let the answer to this request be kept, if the page knows all its parameters: `query`, their names.

    From here on the request has its query in the key's form, so that the page is a function of the key. `until`: when the clock
    makes another page of it, if that is before the next quarter of an hour.
    """
    part = Part(frozenset(kinds) | {"page", "image"}, frozenset(query), until)
    if unknown := part.kinds - generations.KINDS:
        message = f"No page can show {', '.join(sorted(unknown))}: see cms.pages.cache.generations.KINDS."
        raise ValueError(message)
    request.page_cache_part = part
    canonical = canonical_query(request)
    if canonical is not None and is_anonymous(request):
        request.META["QUERY_STRING"] = canonical
        request.__dict__.pop("GET", None)


def may_be_kept(request: HttpRequest) -> bool:
    """Whether the page takes part and knows every parameter of this request."""
    part: Part | None = getattr(request, "page_cache_part", None)
    return part is not None and request.GET.keys() <= part.query


def cached_page(*kinds: str, query: Iterable[str] = ()) -> Callable:
    """Decorator of a public view whose answer may be kept for anonymous visitors; see `take_part`."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            take_part(request, kinds, query)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate

"""What holds for every address of the API, whichever view answers, and where none does."""

from collections.abc import Callable, Iterable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marketplace.core.middleware import LARGEST_REQUEST, announced, throw_away_body

from . import languages
from .problems import BY_STATUS, Problem, response

Handler = Callable[[HttpRequest], HttpResponse]

#: Addresses for programs; the pages for people among them are named in PAGES.
PREFIXES = ("/api/", "/.well-known/")
PAGES = ("/api/docs/", "/api/problems/")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
BAD_REQUEST = 400
#: An answer of data that a browser shows all the same runs nothing, loads nothing and stands in no frame.
CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"


class ApiMiddleware:
    """Answers programs in the language they asked for, and turns every page that tells an error into a problem.

    From here programs go a way of their own, settings.API_MIDDLEWARE: what follows in settings.MIDDLEWARE (sessions, forms, the page cache, redirects)
    is for people with a browser, and took a third of an answer's time.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.programs = chain(settings.API_MIDDLEWARE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; put a problem in place of an error's page."""
        if not is_for_programs(request):
            return self.get_response(request)
        language = languages.asked(request)
        # Stays: an answer that is written as it is sent speaks it too. The next request activates its own.
        translation.activate(language)
        problem = _refused(request)
        given = response(request, problem) if problem else self.programs(request)
        if given.status_code >= BAD_REQUEST and _is_page(given):
            with translation.override(language):
                given = _told(request, given)
        given.headers.setdefault("Content-Language", language)
        given.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        patch_vary_headers(given, ("Accept-Language",))
        return given

    def process_view(self, request: HttpRequest, _view: object, _args: object, _kwargs: object) -> None:
        """The API's pages too speak the language asked for: their address names none."""
        if request.path.startswith(PAGES):
            translation.activate(languages.asked(request))


class _Views(BaseHandler):
    """Django's own way from the address to the view and its answer, with no middleware."""

    _view_middleware = _template_response_middleware = _exception_middleware = ()


def chain(names: Iterable[str]) -> Handler:
    """The views behind these middlewares, the first outermost, as Django strings settings.MIDDLEWARE together.

    Raises ImproperlyConfigured for one that wants to be called elsewhere than on the way in and out.
    """
    handler = convert_exception_to_response(_Views()._get_response)  # noqa: SLF001 - the one method that is the whole inner part
    for name in reversed(list(names)):
        middleware = import_string(name)(handler)
        if hooks := [hook for hook in ("process_view", "process_exception", "process_template_response") if hasattr(middleware, hook)]:
            raise ImproperlyConfigured(f"API_MIDDLEWARE: {name} has {hooks[0]}, which nobody would call.")
        handler = convert_exception_to_response(middleware)
    return handler


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address is one of the API."""
    return request.path.startswith(PREFIXES) and not request.path.startswith(PAGES)


def _refused(request: HttpRequest) -> Problem | None:
    """What is refused before anything of it is read."""
    if request.content_type in FORMS:
        # It would be taken apart and written to disk for nobody.
        return Problem("unsupported-media-type")
    if request.headers.get("Transfer-Encoding") and not request.headers.get("Content-Length"):
        # A body whose length nobody knows would be read as none.
        return Problem("length-required")
    if announced(request) > LARGEST_REQUEST:
        throw_away_body(request)
        return Problem("too-large")
    return None


def _is_page(given: HttpResponse) -> bool:
    return not given.streaming and given.get("Content-Type", "text/html").startswith("text/html")


def _told(request: HttpRequest, given: HttpResponse) -> HttpResponse:
    """The problem that an error's page stands for."""
    problem = response(request, _problem(request, given))
    for name in ("Allow", "Retry-After", "WWW-Authenticate", "Vary", "X-Frame-Options"):
        if name in given:
            problem[name] = given[name]
    return problem


def _problem(request: HttpRequest, given: HttpResponse) -> Problem:
    code = BY_STATUS.get(given.status_code, "internal-error" if given.status_code >= 500 else "invalid-request")  # noqa: PLR2004 - HTTP's classes
    if isinstance(given, HttpResponseNotAllowed):
        return Problem(code, _("%(method)s is not possible here.") % {"method": (request.method or "")[:20]})
    return Problem(code, status=given.status_code)

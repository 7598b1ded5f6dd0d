"""What holds for every address of the API, whichever view answers, and where none does."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import translation
from django.utils.translation import gettext as _

from . import languages
from .problems import BY_STATUS, Problem, response

#: Addresses for programs; the pages for people among them are named in PAGES.
PREFIXES = ("/api/", "/.well-known/")
PAGES = ("/api/docs/", "/api/problems/")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
BAD_REQUEST = 400


class ApiMiddleware:
    """Answers in the language that the program asked for, and turns every page that tells an error into a problem.

    Stands before all that may refuse a request by itself (a NUL in the address, a wrong host, too large a form).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; put a problem in place of an error's page."""
        if request.content_type in FORMS and is_for_programs(request):
            # Before anything of it is read: what it holds would be taken apart and written to disk for nobody.
            with translation.override(languages.asked(request)):
                return response(request, Problem("unsupported-media-type"))
        given = self.get_response(request)
        if not is_for_programs(request) or given.status_code < BAD_REQUEST or not _is_page(given):
            return given
        with translation.override(languages.asked(request)):
            problem = response(request, _problem(request, given))
        for name in ("Allow", "Retry-After", "WWW-Authenticate", "Vary"):
            if name in given:
                problem[name] = given[name]
        problem["Content-Language"] = languages.asked(request)
        return problem

    def process_view(self, request: HttpRequest, _view: object, _args: object, _kwargs: object) -> HttpResponse | None:
        """Speak the program's language from here on; refuse a body whose length nobody knows, for it would be read as none."""
        if not request.path.startswith(PREFIXES):
            return None
        # The pages too: their address names no language.
        translation.activate(languages.asked(request))
        if request.headers.get("Transfer-Encoding") and not request.headers.get("Content-Length"):
            return response(request, Problem("length-required"))
        return None


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address is one of the API."""
    return request.path.startswith(PREFIXES) and not request.path.startswith(PAGES)


def _is_page(given: HttpResponse) -> bool:
    return not given.streaming and given.get("Content-Type", "text/html").startswith("text/html")


def _problem(request: HttpRequest, given: HttpResponse) -> Problem:
    code = BY_STATUS.get(given.status_code, "internal-error" if given.status_code >= 500 else "invalid-request")  # noqa: PLR2004 - HTTP's classes
    if isinstance(given, HttpResponseNotAllowed):
        return Problem(code, _("%(method)s is not possible here.") % {"method": (request.method or "")[:20]})
    return Problem(code, status=given.status_code)

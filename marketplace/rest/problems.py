"""What a program is told when something is wrong: application/problem+json (RFC 9457), with a sentence that says what to change.

DRF views raise `Problem` (or what Django and DRF raise anyway); plain views return `response(request, problem)`.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One type of problem: the status it usually comes with, its name, and what to do about it."""

    status: int
    title: Promise
    advice: Promise


KINDS: dict[str, Kind] = {
    "invalid-request": Kind(400, _("The request cannot be understood"), _("Read the detail: it names the part that is wrong.")),
    "invalid-json": Kind(400, _("The body is not valid JSON"), _("Send one JSON object as RFC 8259 has it, in UTF-8, without NaN, and each name once.")),
    "invalid-parameter": Kind(
        400, _("A parameter of the address is wrong"), _("Each entry of “errors” names a parameter. Correct it or leave it out: nothing is ignored in silence.")
    ),
    "invalid-cursor": Kind(
        400,
        _("The cursor is not one of ours"),
        _("Take the cursor from “next” or the Link header, unchanged and with the same other parameters. Or begin without one."),
    ),
    "invalid-signature": Kind(401, _("The signature is wrong"), _("Sign the body as it is sent, with the key that was agreed, and a clock that is right.")),
    "not-authenticated": Kind(401, _("A key is needed"), _("Send “Authorization: Bearer KEY” with a key that is neither expired nor revoked.")),
    "forbidden": Kind(
        403, _("This is not allowed with your key"), _("Use a key with the scope that the detail names, of the company or partner it belongs to.")
    ),
    "not-found": Kind(404, _("There is nothing here"), _("Look at the address. What was never public is not here for others.")),
    "method-not-allowed": Kind(405, _("This address does not take this method"), _("The Allow header lists those it takes.")),
    "conflict": Kind(409, _("This is not possible in the present state"), _("Fetch the present state, then decide again.")),
    "illegal-move": Kind(409, _("This step is not possible now"), _("Fetch the listing: its state says which steps are left.")),
    "request-in-progress": Kind(409, _("The same request is still being worked on"), _("Wait a moment and send it again with the same Idempotency-Key.")),
    "gone": Kind(410, _("It was here and is gone"), _("Take it out of your records. It does not come back under this address.")),
    "cursor-expired": Kind(410, _("The cursor is too old"), _("Read the snapshot, then go on from the cursor it gives.")),
    "length-required": Kind(411, _("The length of the body is missing"), _("Send Content-Length; a body in chunks is not read.")),
    "precondition-failed": Kind(
        412, _("Somebody changed it meanwhile"), _("Fetch it again, put your change into what is there now, and send the new ETag in If-Match.")
    ),
    "too-large": Kind(413, _("The request is too large"), _("Send less at once; the detail names the limit.")),
    "unsupported-media-type": Kind(415, _("Only JSON is read here"), _("Send the body as application/json.")),
    "invalid-content": Kind(422, _("The content is not accepted"), _("Each entry of “errors” points to a value (RFC 6901) and says what to change.")),
    "idempotency-key-reused": Kind(
        422, _("This Idempotency-Key was used for another request"), _("Use a new key for each new request, and the old one only to send the same again.")
    ),
    "consent-missing": Kind(422, _("The person's consent is missing"), _("Personal data is taken only with the consent it was given under.")),
    "precondition-required": Kind(428, _("If-Match is missing"), _("Fetch it first and send its ETag in If-Match, so that nobody's change is lost.")),
    "too-many-requests": Kind(429, _("Too many requests"), _("Wait as many seconds as Retry-After says.")),
    "internal-error": Kind(500, _("Something went wrong on our side"), _("It is not your request. Try again later; if it stays, tell us.")),
    "unavailable": Kind(503, _("This is out of order for a moment"), _("Try again later, as Retry-After says.")),
}

#: What codes of Django's ValidationError mean for the whole request; any other is "invalid-content".
MEANT_BY = {"illegal_move": "illegal-move", "stale": "precondition-failed"}

#: For exceptions of DRF that carry no more than their status.
BY_STATUS = {
    400: "invalid-request", 401: "not-authenticated", 403: "forbidden", 404: "not-found", 405: "method-not-allowed", 409: "conflict", 410: "gone",
    411: "length-required", 412: "precondition-failed", 413: "too-large", 415: "unsupported-media-type", 422: "invalid-content",
    428: "precondition-required", 429: "too-many-requests", 500: "internal-error", 503: "unavailable",
}  # fmt: skip

#: What only a request that slipped through the checks can raise deep inside: a number or a text that no database takes.
SLIPPED_THROUGH = (RecursionError, OverflowError, UnicodeError, DataError)


class Problem(exceptions.APIException):
    """A problem of one of KINDS. `detail` says what to change; `errors` are dicts with "pointer" or "parameter", "detail" and "code"."""

    def __init__(
        self,
        code: str,
        detail: str | Promise = "",
        *,
        status: int | None = None,
        errors: Iterable[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status_code = status or KINDS[code].status
        self.detail = detail or KINDS[code].advice
        self.errors = list(errors)
        self.headers = dict(headers or {})
        Exception.__init__(self, code)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def as_dict(self, instance: str = "") -> dict[str, Any]:
        """The members of RFC 9457, in the language of this moment."""
        body = {"type": type_uri(self.code), "title": str(KINDS[self.code].title), "status": self.status_code, "detail": str(self.detail)}
        if instance:
            body["instance"] = instance
        if self.errors:
            body["errors"] = [{name: str(value) for name, value in error.items()} for error in self.errors]
        return body


def type_uri(code: str) -> str:
    """The address that names a type of problem, and explains it."""
    return f"{settings.SITE_URL}/api/problems/{code}"


def invalid_parameter(name: str, detail: str | Promise, code: str = "invalid") -> Problem:
    """The problem of one parameter of the address."""
    return Problem("invalid-parameter", detail, errors=[{"parameter": name, "detail": detail, "code": code}])


def response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The answer that tells `problem`; for plain views, and for DRF's through `exception_handler`."""
    body = json.dumps(problem.as_dict(instance=escape_uri_path(request.path)), ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(body.encode("utf-8", "replace"), status=problem.status_code, content_type=MEDIA_TYPE, headers=problem.headers)


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER; None (a 500) for what is our own fault."""
    problem = problem_of(exception)
    return problem and response(context["request"], problem)


def problem_of(exception: Exception) -> Problem | None:  # noqa: PLR0911 - a table of exceptions, one line each
    """The problem that an exception stands for; None for what no request should be able to cause."""
    match exception:
        case Problem():
            return exception
        case ValidationError():
            return _of_validation(exception)
        case Http404() | ObjectDoesNotExist():
            return Problem("not-found")
        case PermissionDenied():
            return Problem("forbidden", str(exception))
        case RequestDataTooBig():
            return Problem("too-large")
        case exceptions.APIException():
            return _of_drf(exception)
        case SuspiciousOperation():
            return Problem("invalid-request", str(exception))
    if isinstance(exception, SLIPPED_THROUGH):
        logger.warning("A value that no check refused: %r", exception)
        return Problem("invalid-request", _("A number or a text of this request is beyond what we can keep."))
    return None


def _of_validation(exception: ValidationError) -> Problem:
    """The problem of a form, a model or an operation that refused."""
    if hasattr(exception, "error_dict"):
        return Problem("invalid-content", errors=[_entry(name, error) for name, errors in exception.error_dict.items() for error in errors])
    codes = {error.code for error in exception.error_list}
    kind = next((MEANT_BY[code] for code in codes if code in MEANT_BY), "invalid-content")
    return Problem(kind, " ".join(exception.messages))


def _entry(name: str, error: ValidationError) -> dict[str, str]:
    return {"pointer": "" if name == NON_FIELD_ERRORS else pointer(name), "detail": " ".join(error.messages), "code": error.code or "invalid"}


def _of_drf(exception: exceptions.APIException) -> Problem:
    headers = {}
    if getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = exception.auth_header
    if getattr(exception, "wait", None) is not None:
        headers["Retry-After"] = str(max(1, int(exception.wait + 0.999)))
    code = BY_STATUS.get(exception.status_code, "invalid-request")
    if isinstance(exception, exceptions.ValidationError):
        return Problem("invalid-content", errors=list(_entries(exception.detail)), headers=headers)
    if isinstance(exception, exceptions.Throttled) and headers.get("Retry-After"):
        return Problem(code, headers=headers)
    return Problem(code, str(exception.detail), headers=headers)


def _entries(detail: object, path: tuple[object, ...] = ()) -> Iterator[dict[str, str]]:
    """The leaves of a serializer's errors, each with the pointer to its value."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _entries(inner, path if name == "non_field_errors" else (*path, name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list of texts is about the value itself, a list of dicts about its items.
            yield from _entries(inner, (*path, index) if isinstance(inner, dict | list) else path)
    else:
        yield {"pointer": pointer(*path), "detail": str(detail), "code": getattr(detail, "code", "invalid")}


def pointer(*path: object) -> str:
    """A JSON pointer (RFC 6901): ("listings", 0, "title") → "/listings/0/title"."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)

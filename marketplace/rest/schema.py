"""How the API describes itself: OpenAPI 3.1 at /api/v1/schema/.

A view says what is its own (`extend_schema`); what holds for all of them is added here: the language header, the problems that any
request can meet, the key and its scopes. `document` is `extend_schema` with our shapes for what the API has everywhere.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.serializers import Serializer, URLField

from .middleware import PREFIXES
from .problems import KINDS, MEDIA_TYPE

HEADER, QUERY = OpenApiParameter.HEADER, OpenApiParameter.QUERY
WITH_BODY = {"post", "put", "patch"}
#: What any request can be answered, and what one with a body, an id in its address, or a scope can.
ALWAYS = ("400", "429")
BODY = ("411", "413", "415", "422")
PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What is wrong and what to change (RFC 9457). “type” is the address of an explanation.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail", "code"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body (RFC 6901), like “/title”."},
                    "parameter": {"type": "string", "description": "Which parameter of the address."},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}

ACCEPT_LANGUAGE = OpenApiParameter(
    "Accept-Language", str, HEADER, description="ca (without it), es or en: the language of labels and problems. Texts of listings stay in their own.",
)  # fmt: skip
CONTENT_LANGUAGE = OpenApiParameter("Content-Language", str, HEADER, response=True, description="The language of labels.")
RATE_LIMIT = OpenApiParameter("RateLimit", str, HEADER, response=True, description="How many requests are left (r), and for how many seconds (t).")
RATE_LIMIT_POLICY = OpenApiParameter("RateLimit-Policy", str, HEADER, response=True, description="How many requests (q) in how many seconds (w).")
FIELDS = OpenApiParameter(
    "fields", str, QUERY, description="Only these members, separated by commas; a dot leads into an object: “title,company.name”.",
)  # fmt: skip
CURSOR = OpenApiParameter("cursor", str, QUERY, description="Where to go on: from “next”, “previous” or the Link header, unchanged.")
LINK = OpenApiParameter("Link", str, HEADER, response=["200"], description='The next and the previous page (RFC 8288): <…>; rel="next", <…>; rel="prev".')
ETAG = OpenApiParameter("ETag", str, HEADER, response=["200", "201", "304"], description="What this version is called, for If-None-Match and If-Match.")
LOCATION = OpenApiParameter("Location", str, HEADER, response=["201"], description="Where it is now.")
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, HEADER, description="ETags that are already there: 304 without a body if it is still one of them.")
IF_MATCH = OpenApiParameter("If-Match", str, HEADER, description="The ETag of the version that you change: 412 if somebody was faster.")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}, HEADER,
    description="A new value of your own, like a UUID. Sent again with the same body within a day, it is answered the same and nothing is made twice.",
)  # fmt: skip
NOT_MODIFIED = OpenApiResponse(description="It is still the version that If-None-Match names.")


def limit(default: int, most: int) -> OpenApiParameter:
    """The parameter that says how many."""
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return OpenApiParameter("limit", schema, QUERY, description=f"How many at most, up to {most}.")


def problem(*codes: str) -> OpenApiResponse:
    """The answer with one of these problems, for the `responses` of extend_schema."""
    return OpenApiResponse({**PROBLEM_REFERENCE}, description=_titles(codes))


def _titles(codes: tuple[str, ...]) -> str:
    return "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes)


class Sparse(Serializer):
    """The base of shapes of which `fields` may choose: no member of them is always there."""


class PageOut(Serializer):
    """The base of lists: their ways on. A list adds its `results`, and what its search tells besides."""

    next = URLField(allow_null=True)
    previous = URLField(allow_null=True)


class AutoSchema(SpectacularSchema):
    """drf-spectacular's, with what all our operations have."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        """Parameters and headers of every operation."""
        return [ACCEPT_LANGUAGE, CONTENT_LANGUAGE, RATE_LIMIT, RATE_LIMIT_POLICY, *super().get_override_parameters()]

    def get_serializer_name(self, serializer: Serializer, direction: str) -> str:
        """Without the ending by which our code tells what it gives from what it takes; requests get one of their own."""
        return super().get_serializer_name(serializer, direction).removesuffix("Out").removesuffix("In")

    def _map_basic_serializer(self, serializer: Serializer, direction: str) -> dict[str, Any]:
        described = super()._map_basic_serializer(serializer, direction)
        if isinstance(serializer, Sparse):
            described.pop("required", None)
        return described

    def get_tags(self) -> list[str]:
        """What the view says, else the first part of the address."""
        return [self.view.schema_tag] if hasattr(self.view, "schema_tag") else super().get_tags()


def ours_only(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Preprocessing hook: without the addresses that the console's own pages talk to."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIXES)]


def add_problems(result: dict[str, Any], **_kwargs: object) -> dict[str, Any]:
    """Postprocessing hook: the schema of a problem, and on every operation the problems that it can be answered."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            for status in _statuses(path, method, operation):
                codes = tuple(code for code, kind in KINDS.items() if str(kind.status) == status)
                responses.setdefault(status, {"description": _titles(codes), "content": {MEDIA_TYPE: {"schema": PROBLEM_REFERENCE}}})
            for status, answer in responses.items():
                _mark(status, answer)
            operation["responses"] = dict(sorted(responses.items()))
    return _plain(result)


def _plain(part: object) -> object:
    """Without drf-spectacular's own marks, by which it would make a component of each list of choices."""
    if isinstance(part, dict):
        return {name: _plain(inner) for name, inner in part.items() if name != "x-spec-enum-id"}
    return [_plain(inner) for inner in part] if isinstance(part, list) else part


def _mark(status: str, answer: dict[str, Any]) -> None:
    """A described problem has the media type of problems, and an answer without a body none."""
    content = answer.get("content", {})
    if status >= "400" and "application/json" in content:
        content[MEDIA_TYPE] = content.pop("application/json")
    if status == "429":
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}} | answer.get("headers", {})


def _statuses(path: str, method: str, operation: Mapping[str, Any]) -> list[str]:
    found = [*ALWAYS]
    if operation.get("security"):
        found += ["401", "403"]
    if "{" in path:
        found.append("404")
    if method in WITH_BODY:
        found += BODY
    return found

"""What explains the API: its schema (OpenAPI 3.1), the page that shows it, the pages of its problems."""

import json
from functools import cache

import yaml
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from .answers import etag, has
from .problems import KINDS, Problem, response

MEDIA_TYPE_YAML = "application/yaml"


@cache
def _schema(*, as_yaml: bool) -> bytes:
    """The schema, made once a process: it takes a second and changes with a release."""
    with translation.override("en"):
        content = SchemaGenerator().get_schema(public=True)
        text = json.dumps(content, ensure_ascii=False, default=str)
    # By way of JSON, so that YAML's writer meets nothing but plain types.
    return (yaml.safe_dump(json.loads(text), allow_unicode=True, sort_keys=False) if as_yaml else text).encode()


@require_safe
@cache_control(public=True, max_age=300)
def schema(request: HttpRequest) -> HttpResponse:
    """The schema in JSON."""
    return _sent(request, _schema(as_yaml=False), "application/json")


@require_safe
@cache_control(public=True, max_age=300)
def schema_in_yaml(request: HttpRequest) -> HttpResponse:
    """The schema in YAML."""
    return _sent(request, _schema(as_yaml=True), MEDIA_TYPE_YAML)


def _sent(request: HttpRequest, content: bytes, media_type: str) -> HttpResponse:
    headers = {"ETag": etag(content), "Access-Control-Allow-Origin": "*"}
    if has(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(content, content_type=media_type, headers=headers)


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The schema to read and to try out (Swagger UI, served by ourselves)."""
    return render(request, "rest/docs.html")


@require_safe
def problems(request: HttpRequest, code: str = "") -> HttpResponse:
    """What the types of problems mean, for the person who writes the program; one of them first if its address was opened."""
    if code and code not in KINDS:
        return response(request, Problem("not-found"))
    return render(request, "rest/problems.html", {"kinds": KINDS.items(), "code": code, "chosen": KINDS.get(code)})

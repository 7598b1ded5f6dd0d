"""Whether the service is well: in a word for load balancers, in full for those who run it."""

import logging
import secrets
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from marketplace.core import lags
from search import status

from . import metrics, shown
from .judging import READER_BAD
from .rules import can_look
from .state import State, collect

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponse]


def _down_without_database(view: View) -> View:
    """503 and nothing else when the database does not answer."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("health: the database does not answer: %s", error)
            return JsonResponse({"status": "down"}, status=503)

    return answer


def _for_operators(view: View) -> View:
    """For programs that show METRICS_TOKEN as a bearer token, and for people who may see it in the console. Others are told nothing."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if not (_shows_token(request) or can_look(request.user)):
            return HttpResponse("Show the token of METRICS_TOKEN: Authorization: Bearer …\n", status=401, content_type="text/plain", headers=_CHALLENGE)
        return view(request)

    return answer


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="operation"'}


def _shows_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and scheme.lower() == "bearer" and secrets.compare_digest(token.strip().encode(), wanted.encode())


@require_safe
@never_cache
@_down_without_database
def health(request: HttpRequest) -> JsonResponse:
    """200 as long as the database answers, else 503; `status` is ok, degraded or down. Nobody learns more here.

    "degraded": the chosen search engine does not answer, so the site works with the simpler search; or what people see is a quarter of an hour old.
    """
    is_late = lags.oldest_seconds(without=status.unused_readers()) > READER_BAD.total_seconds()
    return JsonResponse({"status": "ok" if status.chosen_answers() and not is_late else "degraded"})


@require_safe
@never_cache
@_down_without_database
@_for_operators
def details(request: HttpRequest) -> HttpResponse:
    """Everything, as JSON; as text with `?format=text` or for who accepts nothing but text."""
    state: State = collect()
    if request.GET.get("format") == "text" or request.headers.get("Accept", "").startswith("text/plain"):
        return HttpResponse(shown.as_text(state), content_type="text/plain; charset=utf-8")
    return JsonResponse(shown.as_json(state))


@require_safe
@never_cache
@_down_without_database
@_for_operators
def prometheus(request: HttpRequest) -> HttpResponse:
    """Everything, for Prometheus."""
    return HttpResponse(metrics.exposition(collect()), content_type=CONTENT_TYPE_PLAIN_0_0_4)

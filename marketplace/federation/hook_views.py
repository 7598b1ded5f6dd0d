"""The two addresses of the messages: where a partner says that it wants them, and where ours arrive."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.rest import parsers, schema, throttling
from marketplace.rest.problems import Problem

from . import hooks, signing
from .export import rfc3339
from .giving import reader_of
from .models import Delivery, Hook
from .receiving import MAX_BYTES, GoneError, RefusedError, receive

HOOK = {
    "type": "object",
    "required": ["url", "state"],
    "properties": {
        "url": {"type": "string", "format": "uri"},
        "state": {"type": "string", "enum": ["checking", "active", "off"]},
        "reason": {"type": "string", "description": "Why it is off."},
        "checked_at": {"type": ["string", "null"], "format": "date-time"},
        "failing_since": {"type": ["string", "null"], "format": "date-time"},
        "waiting": {"type": "integer", "description": "Messages that are still to be delivered."},
    },
}
REGISTRATION = {"type": "object", "required": ["url"], "properties": {"url": {"type": "string", "format": "uri", "maxLength": 500}}}
ACCEPTED = {"type": "object", "properties": {"status": {"type": "string"}, "challenge": {"type": "string", "description": "Of a hook.ping, given back."}}}
SIGNED = [
    OpenApiParameter(signing.ID, str, OpenApiParameter.HEADER, required=True, description="The same at every attempt."),
    OpenApiParameter(signing.TIMESTAMP, str, OpenApiParameter.HEADER, required=True, description="Seconds since 1970, of this attempt."),
    OpenApiParameter(signing.SIGNATURE, str, OpenApiParameter.HEADER, required=True, description="v1a,<base64>; several with spaces between them."),
]
CREATED = 202


class HookView(APIView):
    """Where the asking partner wants to be told of changes."""

    schema_tag = "federation"
    max_bytes = 4096

    @extend_schema(operation_id="federation_hook_get", responses={200: HOOK, 404: schema.problem("not-found")})
    def get(self, request: Request) -> Response:
        """How it is with the hook."""
        hook = Hook.objects.filter(partner=reader_of(request)).first()
        if hook is None:
            raise Problem("not-found", _("You have not registered an address here."))
        return Response(_told(hook))

    @extend_schema(
        operation_id="federation_hook_put",
        request={"application/json": REGISTRATION},
        responses={200: HOOK, CREATED: HOOK, 422: schema.problem("invalid-content")},
    )
    def put(self, request: Request) -> Response:
        """Register an address: it gets a signed `hook.ping` with a challenge, and is active when it has given that back."""
        partner = reader_of(request)
        url = request.data.get("url") if isinstance(request.data, dict) else None
        if not isinstance(url, str) or not url:
            detail = _("Send {“url”: “https://…”}: where you want to be told.")
            raise Problem("invalid-content", detail, errors=[{"pointer": "/url", "detail": detail, "code": "required"}])
        hook = hooks.register(partner, url)
        return Response(_told(hook), status=200 if hook.is_active else CREATED)

    @extend_schema(operation_id="federation_hook_delete", request=None, responses={204: OpenApiResponse(description="Nothing is sent any more.")})
    def delete(self, request: Request) -> Response:
        """Take the address away, and with it what was still to be sent."""
        hooks.remove(reader_of(request))
        return Response(status=204)


class WebhooksView(APIView):
    """Where partners tell us that something changed at theirs. The signature is the key: there is no other."""

    schema_tag = "federation"
    authentication_classes = ()

    @extend_schema(
        operation_id="federation_webhooks",
        auth=[],
        parameters=SIGNED,
        request=OpenApiTypes.OBJECT,
        responses={200: ACCEPTED, 401: schema.problem("invalid-signature"), 410: schema.problem("gone"), 413: schema.problem("too-large")},
    )
    def post(self, request: Request) -> HttpResponse:
        """Take a message (Standard Webhooks 1.0, v1a). One that came before is answered the same and does nothing."""
        raw: HttpRequest = request._request  # noqa: SLF001 - the signature is over the raw body, which DRF would parse
        body = parsers.read(raw, raw, MAX_BYTES)
        try:
            return Response(receive(raw.headers, body))
        except RefusedError as error:
            # 429 instead, from an address that tries too often.
            throttling.spend_failure(raw)
            raise Problem("invalid-signature") from error
        except GoneError as error:
            raise Problem("gone", _("This partnership has ended. Send nothing more.")) from error


def _told(hook: Hook) -> dict:
    return {
        "url": hook.url,
        "state": hook.state,
        **({"reason": hook.get_off_reason_display()} if hook.off_reason else {}),
        "checked_at": hook.checked_at and rfc3339(hook.checked_at),
        "failing_since": hook.failing_since and rfc3339(hook.failing_since),
        "waiting": hook.deliveries.filter(state=Delivery.State.WAITING).exclude(type=hooks.PING).count(),
    }

"""Who asks: by a key in `Authorization: Bearer …` (RFC 6750), or nobody. There is no other way in, cookies neither, so no CSRF.

Each request looks its key up: what is revoked, expired or whose owner has left works nowhere from that moment on. Finding out who asks also counts
the request (see throttling), so that refused ones count too.
"""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication

from . import holders, keys, throttling
from .models import ApiKey
from .permissions import require
from .problems import Problem

REALM = 'Bearer realm="api"'


class KeyAuthentication(BaseAuthentication):
    """For DRF: request.auth is the ApiKey, request.user who made it (a company's) or nobody (a partner's)."""

    def authenticate(self, request) -> tuple[object, ApiKey] | None:
        """The key's user and the key; None where no key was sent. Raises the Problems 401 and 429."""
        key = identify(request._request)  # noqa: SLF001 - DRF has no other way to the request that middleware sees
        return None if key is None else (user_of(key), key)

    def authenticate_header(self, request) -> str:
        """What a 401 asks for; with it DRF tells 401 from 403."""
        return REALM


def authenticate(request: HttpRequest, scope: str) -> ApiKey:
    """For plain views: the key of a request, which has `scope`. Raises the Problems 401, 403 and 429."""
    key = identify(request)
    if key is None:
        raise _refusal(_("Send your key: “Authorization: Bearer mpk_…”."), error="")
    require(key, scope)
    return key


def identify(request: HttpRequest) -> ApiKey | None:
    """Whose request this is; None where it brings no key. Counts it, once however often it is asked; raises the Problems 401 and 429."""
    if not hasattr(request, "api_key"):
        request.api_key = None
        header = request.headers.get("Authorization", "")
        if header:
            request.api_key = _found(request, header)
        throttling.spend(request, request.api_key)
    return request.api_key


def user_of(key: ApiKey) -> object:
    """In whose name a key's requests act."""
    holder = holders.of(key)
    return key.made_by if holder and holder.acts_for_maker else AnonymousUser()


def _found(request: HttpRequest, header: str) -> ApiKey:
    try:
        return _key(header)
    except Problem:
        throttling.spend_failure(request)
        raise


def _key(header: str) -> ApiKey:
    scheme, _space, secret = header.partition(" ")
    if scheme.lower() != "bearer":
        raise _refusal(_("Send the key as “Authorization: Bearer mpk_…”; other ways are not known here."))
    secret = secret.strip()
    prefix = keys.prefix_of(secret)
    if prefix is None:
        raise _refusal(_("This is not a key of this marketplace, or not all of it: a key begins with “mpk_” and has %(n)d characters.") % {"n": keys.LENGTH})
    key = (
        ApiKey.objects.filter(prefix=prefix)
        .select_related("made_by", "client", *(f"client__{holder.name}" for holder in holders.holders()))
        .with_acts()
        .first()
    )
    if key is None or not keys.is_secret_of(secret, key):
        raise _refusal(_("There is no such key."))
    if key.revoked_at is not None:
        raise _refusal(_("This key has been revoked. Use another one."))
    if key.expires_at is not None and key.expires_at <= timezone.now():
        raise _refusal(_("This key has expired. Make a new one."))
    if not key.acts:
        raise _refusal(_("This key does not work any more: who made it has left, or its owner is not public. Make a new one."))
    return key


def _refusal(detail: str, *, error: str = "invalid_token") -> Problem:
    # RFC 6750, 3.1: a request without a key is told the scheme and no error.
    asked = f'{REALM}, error="{error}"' if error else REALM
    return Problem("not-authenticated", detail, headers={"WWW-Authenticate": asked})


class KeyScheme(OpenApiAuthenticationExtension):
    """How OpenAPI describes it."""

    target_class = "marketplace.rest.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """HTTP's Bearer."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key: `mpk_…`. Companies make theirs in “my space”, partners get theirs from the Innovation Service.",
        }

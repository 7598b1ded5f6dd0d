"""A creation that may be sent twice: with an Idempotency-Key, the second time is answered like the first and makes nothing.

After draft-ietf-httpapi-idempotency-key-header-07. The key is reserved in a transaction of its own, so that a parallel request sees it and is told
409; then what is made and what is answered are committed together, so that a crash leaves either both or neither. Only successes are kept: who was
refused corrects the request and may send it under the same key.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from .models import ApiClient, IdempotentRequest
from .problems import Problem

KEPT = timedelta(days=1)
#: So long a request may take at most; after that whoever sent it again takes over, and the first one cannot commit any more.
LEASE = timedelta(minutes=2)
_KEY = re.compile(r"[!-~]{1,255}")
#: What is answered again besides the body.
HEADERS = ("Location", "ETag", "Content-Language")


def key_of(request: Request) -> str | None:
    """The request's Idempotency-Key; raises a Problem for one that cannot be one."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem("invalid-request", _("Idempotency-Key: 1 to 255 visible ASCII characters, a UUID for example."))
    return key


def once(request: Request, make: Callable[[], HttpResponse], *, together: bool = True) -> HttpResponse:
    """What `make` answers, or what it answered when the same request came under this key before.

    `make` runs in the transaction in which its answer is kept; with `together=False` it commits as it goes, and has to see to it that a second
    run, after a crash in the middle, does no harm. Without a key it simply runs.
    """
    key = key_of(request)
    if key is None:
        return make()
    row, earlier = _reserved(request.auth.client, key, _fingerprint(request))
    if earlier:
        return _again(row)
    try:
        if together:
            with transaction.atomic():
                return _kept(row, make())
        return _kept(row, make())
    except BaseException:
        _mine(row).delete()
        raise


def prune() -> int:
    """Forget the answers that nobody may ask for again; how many. For the worker's daily round: they may hold personal data."""
    return IdempotentRequest.objects.filter(created__lt=timezone.now() - KEPT).delete()[0]


def _fingerprint(request: Request) -> str:
    content = json.dumps([request.method, request.path, request.query_params.urlencode(), request.data], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _mine(row: IdempotentRequest):
    """The reservation, as long as nobody took it over: `created` is renewed with each."""
    return IdempotentRequest.objects.filter(pk=row.pk, created=row.created, status=None)


def _reserved(client: ApiClient, key: str, fingerprint: str) -> tuple[IdempotentRequest, bool]:
    """A reservation of ours, or the row of the earlier request and True. Raises the Problems 409 and 422."""
    now = timezone.now()
    IdempotentRequest.objects.filter(client=client, created__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotentRequest.objects.create(client=client, key=key, fingerprint=fingerprint, created=now), False
    except IntegrityError:
        row = IdempotentRequest.objects.filter(client=client, key=key).first()
    if row is not None and row.fingerprint != fingerprint:
        raise Problem("idempotency-key-reused")
    if row is not None and row.status is not None:
        return row, True
    if row is None or row.created > now - LEASE or not _mine(row).update(created=now):
        raise Problem("request-in-progress", headers={"Retry-After": "1"})
    row.created = now
    return row, False


def _kept(row: IdempotentRequest, made: HttpResponse) -> HttpResponse:
    """`made`, noted for the next time."""
    headers = {name: made[name] for name in HEADERS if name in made}
    if not _mine(row).update(status=made.status_code, headers=headers, body=made.content.decode()):
        raise Problem("request-in-progress", headers={"Retry-After": "1"})
    return made


def _again(row: IdempotentRequest) -> HttpResponse:
    return HttpResponse(
        row.body,
        status=row.status,
        content_type="application/json",
        headers={**row.headers, "Cache-Control": "private, no-cache", "Idempotency-Replayed": "true"},
    )

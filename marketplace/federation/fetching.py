"""Asking a partner: only over https, only its own hosts, with its key to nobody else, and never anywhere that an answer sends us.

Below it is `core.outgoing`, which lets no address pass that is not public and cuts what is too large or too slow.
"""

import functools
from dataclasses import replace
from urllib.parse import urlsplit

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.core import outgoing, sealing
from marketplace.core.addresses import AddressError, Reason, parse
from marketplace.core.outgoing import Answer, Call, Resolver

from .items import Fetch
from .models import Partner

__all__ = ["Answer", "Call", "Fetch", "Refusal", "fetch", "fetcher", "hosts_of"]

NOT_MODIFIED, FIRST_REDIRECT, FIRST_ERROR = 304, 300, 400


class Refusal(models.TextChoices):
    """Why a partner is not asked, beside the reasons of core.addresses."""

    NOT_SECURE = "not_secure", _("The address has to begin with https://.")
    OTHER_HOST = "other_host", _("The address is on a host that is not among the partner's.")
    REDIRECTED = "redirected", _("The address redirects to another one, which is not followed here. Use the address where it ends.")


def fetcher(partner: Partner, *, resolver: Resolver = outgoing.resolve) -> Fetch:
    """`fetch` for this partner, as readers get it."""
    return functools.partial(fetch, partner, resolver=resolver)


def fetch(partner: Partner, url: str, call: Call | None = None, *, resolver: Resolver = outgoing.resolve) -> Answer:
    """What the partner answers at `url`, of whatever status but a redirect; raises AddressError, whose reason is one of core.addresses or a Refusal.

    The key it gave us goes along to the host of its base address, to no other of its hosts; an Authorization of the caller's own goes
    nowhere else either.
    """
    target = parse(url)
    if target.scheme != "https" and not target.is_allowed:
        raise AddressError(Refusal.NOT_SECURE, url)
    if target.netloc not in hosts_of(partner, target.scheme):
        raise AddressError(Refusal.OTHER_HOST, url, target.netloc)
    call = call or Call()
    headers = {name: value for name, value in call.headers.items() if name.lower() != "authorization"}
    if target.netloc == _netloc(target.scheme, urlsplit(partner.base_url).netloc):
        headers = _authorization(partner) | dict(call.headers)
    try:
        answer = outgoing.fetch(url, replace(call, headers=headers, max_redirects=0), resolver=resolver)
    except AddressError as error:
        if error.reason == Reason.REDIRECTS:
            raise AddressError(Refusal.REDIRECTED, url, error.detail) from error
        raise
    if FIRST_REDIRECT <= answer.status < FIRST_ERROR and answer.status != NOT_MODIFIED:
        # A POST that is redirected, or 300 with several addresses to choose from.
        raise AddressError(Refusal.REDIRECTED, url, f"{answer.status} {answer.headers.get('Location', '')[:200]}")
    return answer


def hosts_of(partner: Partner, scheme: str = "https") -> set[str]:
    """The partner's hosts in the one spelling in which addresses are compared: lower-case ASCII, no port where it is the usual one."""
    return {netloc for host in partner.hosts if (netloc := _netloc(scheme, host))}


def _netloc(scheme: str, host: str) -> str:
    try:
        return parse(f"{scheme}://{host}").netloc
    except AddressError:
        return ""


def _authorization(partner: Partner) -> dict[str, str]:
    return {"Authorization": f"Bearer {sealing.unseal(partner.sealed_key)}"} if partner.sealed_key else {}

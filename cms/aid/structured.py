"""An aid in the words of schema.org: what is given (MonetaryGrant, LoanOrCredit), and the service by which one gets it (GovernmentService)."""

from typing import Any

from django.conf import settings

from cms.pages import structured

from . import compare
from .enums import Kind, Level
from .models import AidPage, Funder
from .states import ALIVE, ASKABLE

CURRENCY = "EUR"
#: What a kind of aid is to schema.org; for the others there is the service alone.
TYPES = {Kind.GRANT: "MonetaryGrant", Kind.AWARD: "MonetaryGrant", Kind.LOAN: "LoanOrCredit"}


def about(page: AidPage, address: str) -> list[dict[str, Any]]:
    """The service, and the grant or loan if it is one. `address` is the page's own."""
    address = structured.absolute(address)
    funders = [_funder(funder) for funder in page.funders]
    service = {
        "@type": "GovernmentService",
        "@id": f"{address}#service",
        "name": page.title,
        "description": page.summary,
        "url": address,
        "serviceType": str(page.get_kind_display()),
        "provider": funders,
        "serviceOperator": structured.organization(),
        "audience": {"@type": "BusinessAudience", "audienceType": compare.beneficiaries(page)},
        "areaServed": [place.name for place in page.places] or settings.CITY_NAME,
        "availableChannel": _channel(page),
        "termsOfService": page.legal_base_url,
        "hoursAvailable": _open_days(page),
    }
    if page.kind not in TYPES:
        return [service]
    given = {
        "@type": TYPES[page.kind],
        "@id": f"{address}#aid",
        "name": page.title,
        "description": page.summary,
        "url": address,
        "amount": _amount(page),
        "identifier": [call.number for call in page.calls.all() if call.number],
    }
    given |= {"funder": funders} if given["@type"] == "MonetaryGrant" else {"provider": funders}
    return [given, service]


def _funder(funder: Funder) -> dict[str, Any]:
    kind = "Organization" if funder.level == Level.PRIVATE else "GovernmentOrganization"
    return {"@type": kind, "name": funder.name, "url": funder.url}


def _amount(page: AidPage) -> dict[str, Any] | None:
    if page.amount_min is None and page.amount_max is None:
        return None
    low, high = (str(amount) if amount is not None else None for amount in (page.amount_min, page.amount_max))
    return {"@type": "MonetaryAmount", "currency": CURRENCY, "minValue": low, "maxValue": high}


def _channel(page: AidPage) -> dict[str, Any] | None:
    return (
        {"@type": "ServiceChannel", "name": page.procedure_name, "serviceUrl": page.procedure_url}
        if page.procedure_url and page.standing.state in ALIVE
        else None
    )


def _open_days(page: AidPage) -> dict[str, Any] | None:
    """When one can ask: schema.org has opening hours for that, with the days between which they hold."""
    call = page.standing.call
    if call is None or page.standing.state not in ASKABLE or not call.deadline:
        return None
    return {"@type": "OpeningHoursSpecification", "validFrom": structured.moment(call.opens_on), "validThrough": structured.moment(call.deadline)}

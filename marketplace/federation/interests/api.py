"""Interests over HTTP, for partners' programs: sent, asked about, taken back. Each sees its own only; for all others there is nothing (404)."""

import uuid

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.federation import fetching
from marketplace.federation.enums import PartnerState
from marketplace.federation.giving import Choice
from marketplace.federation.models import FeedEntry, IncomingInterest, Partner, RemoteListing
from marketplace.listings.enums import Origin
from marketplace.listings.models import Listing
from marketplace.rest import schema
from marketplace.rest.models import Scope
from marketplace.rest.permissions import HasScope
from marketplace.rest.problems import Problem, pointer

from . import receiving, wire
from .enums import TOLD, State

CREATED, NO_CONTENT = 201, 204
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.UUID,
    OpenApiParameter.HEADER,
    required=True,
    description="A new UUID for each interest. It is the interest's id from then on; sent again with the same body, nothing is made twice.",
)
UID = OpenApiParameter("uid", OpenApiTypes.UUID, OpenApiParameter.PATH)
REASON = OpenApiParameter(
    "reason",
    str,
    OpenApiParameter.QUERY,
    enum=["withdrawn", receiving.ERASURE],
    description="Whether the company took it back, or a person's data have to go. The data are deleted either way.",
)


class InterestOut(serializers.Serializer):
    """How an interest stands."""

    id = serializers.UUIDField()
    listing = serializers.CharField(allow_blank=True, help_text="Its address for programs; empty once it is gone from here.")
    state = serializers.ChoiceField(choices=list(TOLD))
    receivedAt = serializers.DateTimeField()  # noqa: N815 - JSON's name
    answeredAt = serializers.DateTimeField(required=False)  # noqa: N815 - JSON's name
    contact = wire.ContactIn(required=False)


class InterestView(APIView):
    """What both addresses share."""

    schema_tag = "federation"
    permission_classes = [HasScope]
    read_scope = write_scope = Scope.INTERESTS
    max_bytes = 2**16

    @property
    def partner(self) -> Partner:
        """Whose key it is. Raises Problem 403 for a company's."""
        partner = getattr(self.request.auth.client, "partner", None)
        if partner is None:
            raise Problem("forbidden", _("This is for partner marketplaces. Your key belongs to a company: use the API under /api/v1/."))
        return partner


class Interests(InterestView):
    """Where interests in a listing are sent."""

    @extend_schema(
        operation_id="federation_send_interest",
        parameters=[UID, KEY],
        request=wire.InterestIn,
        responses={201: InterestOut, 404: schema.problem("not-found"), 410: schema.problem("gone")},
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Take an interest of a company at the partner's in a listing here. The listing's company is told; its contact is given only if it says yes."""
        partner = self.partner
        if partner.state != PartnerState.ACTIVE:
            raise Problem("forbidden", _("This partnership is not active now. Ask the marketplace's office."))
        key = _key(request)
        listing = _listing(uid, partner)
        if not isinstance(request.data, dict):
            raise Problem("invalid-content", _("The body has to be one JSON object."))
        data = _checked(request.data, partner, listing)
        interest, is_new = receiving.receive(partner, listing, key, data, fingerprints=wire.fingerprints([str(uid), request.data]))
        response = Response(_told(interest), status=CREATED)
        response["Location"] = settings.SITE_URL + reverse("federation_interest", args=[interest.remote_uid])
        if not is_new:
            response["Idempotent-Replayed"] = "true"
        return _private(response)


class Interest(InterestView):
    """One interest that the partner sent."""

    @extend_schema(operation_id="federation_interest", parameters=[UID], responses={200: InterestOut})
    def get(self, request: Request, uid: uuid.UUID) -> Response:
        """How it stands; with the contact of the company here once that said yes, and as long as nobody took anything back."""
        interest = IncomingInterest.objects.filter(partner=self.partner, remote_uid=uid).select_related("listing").first()
        if interest is None:
            raise Problem("not-found")
        return _private(Response(_told(interest)))

    @extend_schema(
        operation_id="federation_withdraw_interest", parameters=[UID, REASON], responses={204: OpenApiResponse(description="Nothing of it is kept any more.")}
    )
    def delete(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """Take it back, at any time: contact data and message are deleted at once. Also for one that has not arrived, which is refused from then on."""
        reason = request.GET.get("reason", "withdrawn")
        if reason not in ("withdrawn", receiving.ERASURE):
            raise Problem(
                "invalid-parameter", _("The reason is “withdrawn” or “erasure”."), errors=[{"parameter": "reason", "detail": reason[:40], "code": "invalid"}]
            )
        receiving.forget(self.partner, uid, is_erasure=reason == receiving.ERASURE)
        return _private(Response(status=NO_CONTENT))


def _key(request: Request) -> uuid.UUID:
    text = request.headers.get("Idempotency-Key", "")
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Problem("invalid-request", _("Send a new UUID as Idempotency-Key: it is the interest's id from then on.")) from None


def _listing(uid: uuid.UUID, partner: Partner) -> Listing:
    """A listing that originated here, is live and given to the partner. Raises Problem: 410 if it was once, 404 if not."""
    listing = Listing.objects.select_related("company", "sector").exclude(origin=Origin.PARTNER).filter(uid=uid).first()
    entry = FeedEntry.objects.filter(uid=uid).first()
    is_given = partner.gives and (Choice.of(partner).includes(listing.kind, listing.sector.path, listing.place_id) if listing else entry is not None)
    if not is_given or (entry is None and not (listing and listing.is_live)):
        raise Problem("not-found")
    if listing is None or not listing.is_live:
        raise Problem("gone", _("This listing is not public any more."))
    return listing


def _checked(body: dict, partner: Partner, listing: Listing) -> dict:
    """The body, of the right shape, about this listing, from the partner's own company. Raises Problem 422 with a pointer to each fault."""
    if not isinstance(body.get("consent"), dict):
        raise Problem("consent-missing", errors=[{"pointer": "/consent", "detail": _("What did the person agree to, and when?"), "code": "required"}])
    reader = wire.InterestIn(data=body)
    reader.is_valid(raise_exception=True)
    data = reader.validated_data
    faults = []
    if data["listing"] not in (f"{settings.SITE_URL}/id/listing/{listing.uid}", str(listing.uid)):
        faults.append((("listing",), _("This is not the address of the listing that the interest is sent to."), "other-listing"))
    for name in ("@id", "url"):
        address = data["own"].get(name)
        if address and not wire.is_of(address, fetching.hosts_of(partner, address.partition(":")[0].lower())):
            faults.append((("own", name), _("The address is on a host that is not among the partner's."), "other-host"))
    if RemoteListing.objects.filter(uri=data["own"]["@id"]).exclude(partner=partner).exists():
        faults.append((("own", "@id"), _("This listing is another partner's."), "other-owner"))
    if wire.KINDS[data["own"]["@type"]] == listing.kind:
        faults.append((("own", "@type"), _("An offer and a demand go together, not two of the same kind."), "same-kind"))
    if faults:
        raise Problem("invalid-content", errors=[{"pointer": pointer(*path), "detail": detail, "code": code} for path, detail, code in faults])
    return data


def _told(interest: IncomingInterest) -> dict:
    """As the partner sees it."""
    uri = f"{settings.SITE_URL}/id/listing/{interest.listing.uid}" if interest.listing else ""
    told = {"id": str(interest.remote_uid), "listing": uri, "state": interest.state, "receivedAt": interest.created.isoformat()}
    if interest.answered_at:
        told["answeredAt"] = interest.answered_at.isoformat()
    if interest.state == State.ACCEPTED:
        told["contact"] = interest.answer
    return told


def _private(response: Response) -> Response:
    response["Cache-Control"] = "no-store"
    return response

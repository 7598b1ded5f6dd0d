"""A company's own listings for programs: all of them in every state, the steps in their life, many operations at once."""

import uuid
from dataclasses import replace
from typing import ClassVar

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request

from marketplace.companies.models import Company
from marketplace.rest import idempotency, paging, schema, selection
from marketplace.rest.answers import answer
from marketplace.rest.models import Scope
from marketplace.rest.problems import Problem, invalid_parameter
from marketplace.rest.views import ApiView

from . import rows, writing
from .api import DEFAULT_LIMIT, EXAMPLE, MAX_LIMIT, OWN_MEMBERS, TAG
from .enums import State
from .models import Listing
from .serializers import BatchIn, BatchOut, OwnListingOut, OwnListingPageOut, ReasonIn


class OwnListings(ApiView):
    """The listings of the key's company in every state."""

    schema_tag = TAG
    read_scope = (Scope.READ, Scope.WRITE)

    @extend_schema(
        operation_id="listOwnListings",
        summary="The company's own listings",
        description="In every state, the newest first.",
        parameters=[
            OpenApiParameter("state", {"type": "array", "items": {"type": "string", "enum": State.values}}, description="Only those in these states."),
            schema.limit(DEFAULT_LIMIT, MAX_LIMIT), schema.CURSOR, schema.FIELDS, schema.IF_NONE_MATCH, schema.ETAG, schema.LINK,
        ],
        responses={200: OwnListingPageOut, 304: schema.NOT_MODIFIED},
        auth=[{"key": ["read"]}, {"key": ["write"]}],
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """A page of them."""
        paging.refuse_unknown(request, ("state", "limit", "cursor", "fields"))
        paging.refuse_repeated(request, ("limit", "cursor", "fields"))
        states = request.query_params.getlist("state")
        if unknown := [state for state in states if state not in State.values]:
            raise invalid_parameter(
                "state", _("“%(state)s” is no state. There are: %(states)s.") % {"state": unknown[0][:40], "states": ", ".join(State.values)}
            )
        fields = selection.chosen(request, OWN_MEMBERS)
        limit = paging.limit_of(request, default=DEFAULT_LIMIT, most=MAX_LIMIT)
        listings = Listing.objects.filter(company=writing.company_of(request))
        if states:
            listings = listings.filter(state__in=states)
        page = paging.keyset(request, rows.own(listings), order=("-id",), limit=limit, positions=[rows.POSITIONS["id"]])
        body, headers = paging.body(request, replace(page, rows=[selection.pruned(row, fields) for row in rows.written_own(page.rows)]))
        return answer(request, body, headers=headers)


class Step(ApiView):
    """One step in a listing's life."""

    schema_tag = TAG
    move: ClassVar[str] = ""

    def taken(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """Take the step."""
        listing = writing.own_listing(request, uid)

        def take() -> HttpResponse:
            taken = writing.step(listing, self.move, request.data, by=request.user, if_match=request.headers.get("If-Match"))
            return answer(request, rows.own_one(taken), version=taken.version)

        return idempotency.once(request, take)


def _step(move: str, summary: str, *, with_reason: bool = False) -> type[Step]:
    """The view of one step; each has an address and a description of its own."""

    @extend_schema(
        operation_id=f"{move}Listing",
        summary=summary,
        description="If-Match is not required here: a step that the present state does not allow is refused.",
        parameters=[schema.IDEMPOTENCY_KEY, schema.IF_MATCH, schema.ETAG],
        request=ReasonIn if with_reason else None,
        responses={200: OwnListingOut, 409: schema.problem("illegal-move", "request-in-progress"), 412: schema.problem("precondition-failed")},
        auth=[{"key": ["write"]}],
    )
    def post(self: Step, request: Request, uid: uuid.UUID) -> HttpResponse:
        return self.taken(request, uid)

    return type(f"{move.title()}Step", (Step,), {"move": move, "post": post})


SubmitStep = _step("submit", "Send a draft for review")
RenewStep = _step("renew", "A whole period from today")
ReopenStep = _step("reopen", "Make it a draft again")
CloseStep = _step("close", "Close: found what was looked for", with_reason=True)
WithdrawStep = _step("withdraw", "Take it back", with_reason=True)


class Batch(ApiView):
    """Many operations in one request."""

    schema_tag = TAG

    @extend_schema(
        operation_id="batchListings",
        summary="Up to 500 operations at once",
        description=(
            "Each is done for itself, in their order; what fails stops no other. The answer (207) has a result for each, with the status of the single request. With an "
            "Idempotency-Key the whole batch can be sent again: it is answered the same, and after a crash in the middle nothing is created twice."
        ),
        parameters=[schema.IDEMPOTENCY_KEY],
        request=BatchIn,
        responses={207: BatchOut, 409: schema.problem("request-in-progress")},
        examples=[
            OpenApiExample(
                "Create and submit",
                request_only=True,
                value={"operations": [{"op": "create", "listing": EXAMPLE.value}, {"op": "submit", "uid": "0193f6a0-5b1c-7c3e-9d55-0a4c2a6b1f00"}]},
            )
        ],
        auth=[{"key": ["write"]}],
    )
    def post(self, request: Request) -> HttpResponse:
        """Do them all."""
        company = writing.company_of(request)
        operations = checked_operations(request.data)
        return idempotency.once(request, lambda: self._done(request, company, operations), together=False)

    def _done(self, request: Request, company: Company, operations: list[object]) -> HttpResponse:
        key = idempotency.key_of(request)
        results = [writing.result(company, operation, by=request.user, again=(key, number) if key else None) for number, operation in enumerate(operations)]
        failed = sum("problem" in one for one in results)
        return answer(request, {"results": results, "succeeded": len(results) - failed, "failed": failed}, status=207)


def checked_operations(data: object) -> list[object]:
    """The list of a batch; its items are looked at one by one later."""
    if isinstance(data, dict) and isinstance(many := data.get("operations"), list) and len(many) > writing.MOST_OPERATIONS:
        raise Problem("too-large", _("A batch has at most %(n)d operations, this one has %(many)d.") % {"n": writing.MOST_OPERATIONS, "many": len(many)})
    return writing.valid(BatchIn, data)["operations"]

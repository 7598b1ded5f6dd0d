"""Suggestions and interests for programs of a company: the same operations and the same disclosure as on the pages."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from marketplace.companies.models import Company
from marketplace.listings import rows
from marketplace.listings.models import Listing
from marketplace.rest import idempotency, paging, schema, selection
from marketplace.rest.answers import answer
from marketplace.rest.links import absolute, pattern
from marketplace.rest.models import Scope
from marketplace.rest.problems import Problem, invalid_parameter
from marketplace.rest.views import ApiView

from . import operations, reasons
from .cards import Card
from .disclosure import contact_for
from .enums import State
from .models import Synergy
from .querysets import SynergyQuerySet
from .serializers import AnswersOut, DismissIn, SuggestionInterestIn, SuggestionInterestOut, SuggestionInterestPageOut, SuggestionOut, SuggestionPageOut

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
TABS = ("waiting", "answered", "mutual", "closed", "more")
ORDER = ("-they_wait", "-worth", "-id")
TAG = "suggestions and interests"
MEMBERS, INTEREST_MEMBERS, LIST_MEMBERS = selection.tree(SuggestionOut), selection.tree(SuggestionInterestOut), selection.tree(AnswersOut)
READING = [schema.FIELDS, schema.IF_NONE_MATCH, schema.ETAG]
CONFLICTS = {409: schema.problem("conflict"), 422: schema.problem("invalid-content", "consent-missing")}


class CompanyView(ApiView):
    """A view for keys of companies."""

    schema_tag = TAG
    read_scope = Scope.INTERESTS
    write_scope = Scope.INTERESTS

    @property
    def company(self) -> Company:
        """The key's company; a partner's key is refused."""
        company = getattr(self.api_client, "company", None)
        if company is None:
            raise Problem("forbidden", _("This key belongs to a partner. Suggestions and interests are a company's own."))
        return company

    def mine(self) -> SynergyQuerySet:
        """All that concerns the company."""
        return Synergy.objects.of(self.company)

    def one(self, uid: uuid.UUID) -> Synergy:
        """That one; 404 for whatever is not the company's."""
        synergy = self.mine().for_display().filter(uid=uid).first()
        if synergy is None:
            raise Http404
        return synergy

    def page(self, request: Request, synergies: SynergyQuerySet, write: Callable[[Card, dict | None], dict], members: selection.Tree) -> HttpResponse:
        """A page of synergies, as `write` gives them."""
        wanted = selection.chosen(request, members)
        limit = paging.limit_of(request, default=DEFAULT_LIMIT, most=MAX_LIMIT)
        found = paging.keyset(request, synergies.best_for(self.company).values_list("they_wait", "worth", "id"), order=ORDER, limit=limit, positions=[0, 1, 2])
        by_id = Synergy.objects.for_display().in_bulk([row[2] for row in found.rows])
        cards = [_card(by_id[row[2]], self.company) for row in found.rows if row[2] in by_id]
        results = [selection.pruned(one, wanted) for one in _written(cards, write)]
        body, headers = paging.body(request, replace(found, rows=results))
        return answer(request, body, headers=headers)


class Suggestions(CompanyView):
    """What fits the company's listings."""

    read_scope = Scope.READ

    @extend_schema(
        operation_id="listSuggestions",
        summary="Suggestions with their reasons",
        description="Of all listings of the key's company, first those where the other company waits for an answer, then the best for both.",
        parameters=[
            OpenApiParameter(
                "state",
                {"type": "string", "enum": list(TABS)},
                description=(
                    "waiting: the company has still to answer; answered: the other one has; mutual: both said yes; closed: set aside; more: fit too, but are suggested "
                    "to others first. Without it: all but the last two."
                ),
            ),
            OpenApiParameter("listing", {"type": "string", "format": "uuid"}, description="Only those of this listing of the company."),
            schema.limit(DEFAULT_LIMIT, MAX_LIMIT), schema.CURSOR, schema.LINK, *READING,
        ],
        responses={200: SuggestionPageOut, 304: schema.NOT_MODIFIED},
        auth=[{"key": ["read"]}],
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """A page of them."""
        names = ("state", "listing", "limit", "cursor", "fields")
        paging.refuse_unknown(request, names)
        paging.refuse_repeated(request, names)
        tab = request.query_params.get("state")
        if tab is not None and tab not in TABS:
            raise invalid_parameter("state", _("One of these: %(names)s.") % {"names": ", ".join(TABS)})
        synergies = self.mine()
        if "listing" in request.query_params:
            synergies = synergies.with_listing(self._listing(request.query_params["listing"]))
        return self.page(request, synergies.behind(tab or "", self.company), _suggestion, MEMBERS)

    def _listing(self, text: str) -> Listing:
        try:
            uid = uuid.UUID(text)
        except ValueError as error:
            raise invalid_parameter("listing", _("Not a UUID.")) from error
        listing = Listing.objects.filter(uid=uid, company=self.company).first()
        if listing is None:
            raise invalid_parameter("listing", _("The company has no such listing."), "unknown")
        return listing


class OneSuggestion(CompanyView):
    """One suggestion."""

    read_scope = Scope.READ

    @extend_schema(
        operation_id="getSuggestion",
        summary="One suggestion",
        parameters=READING,
        responses={200: SuggestionOut, 304: schema.NOT_MODIFIED},
        auth=[{"key": ["read"]}],
    )
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """It, with its reasons."""
        paging.refuse_unknown(request, ("fields",))
        paging.refuse_repeated(request, ("fields",))
        wanted = selection.chosen(request, MEMBERS)
        [written] = _written([_card(self.one(uid), self.company)], _suggestion)
        return answer(request, selection.pruned(written, wanted))


class Interests(CompanyView):
    """What the company or another one said yes to."""

    @extend_schema(
        operation_id="listInterests",
        summary="Interests",
        description="Suggestions to which at least one side said yes, set aside or not. Contact data is in the answer for one.",
        parameters=[schema.limit(DEFAULT_LIMIT, MAX_LIMIT), schema.CURSOR, schema.LINK, *READING],
        responses={200: SuggestionInterestPageOut, 304: schema.NOT_MODIFIED},
        auth=[{"key": ["interests"]}],
    )
    def get(self, request: Request) -> HttpResponse:
        """A page of them."""
        names = ("limit", "cursor", "fields")
        paging.refuse_unknown(request, names)
        paging.refuse_repeated(request, names)
        return self.page(request, self.mine().with_interest(), _answers, LIST_MEMBERS)

    @extend_schema(
        operation_id="expressInterest",
        summary="Say yes",
        description=(
            "The other company learns of it; once both said yes, each sees the other's contact data. To a company of a partner marketplace a program cannot say yes: "
            "that takes a person's consent, on the page that the problem names."
        ),
        parameters=[schema.IDEMPOTENCY_KEY, schema.ETAG, schema.LOCATION],
        request=SuggestionInterestIn,
        responses={200: SuggestionInterestOut, 201: OpenApiResponse(SuggestionInterestOut, description="The company had not said so before."), **CONFLICTS},
        auth=[{"key": ["interests"]}],
    )
    def post(self, request: Request) -> HttpResponse:
        """Express the company's interest."""
        sent = SuggestionInterestIn(data=request.data)
        sent.is_valid(raise_exception=True)
        company = self.company
        synergy = self.mine().filter(uid=sent.validated_data["suggestion"]).first()
        if synergy is None:
            error = {"pointer": "/suggestion", "detail": _("The company has no such suggestion."), "code": "unknown"}
            raise Problem("invalid-content", errors=[error])

        def make() -> HttpResponse:
            is_new = not any(synergy.interest_at(side) for side in synergy.sides_of([company.pk]))
            done = _taken(lambda: operations.express_interest(synergy, by=request.user, company=company), synergy)
            headers = {"Location": pattern("api:interest") % synergy.uid} if is_new else {}
            return answer(request, self.interest(done), status=201 if is_new else 200, headers=headers)

        return idempotency.once(request, make)

    def interest(self, synergy: Synergy) -> dict[str, Any]:
        """Where it stands now, with contact data if both said yes."""
        return _interest(Synergy.objects.for_display().get(pk=synergy.pk), self.company, self.request.user)


class OneInterest(CompanyView):
    """Where one stands."""

    @extend_schema(
        operation_id="getInterest",
        summary="One interest, with contact data once both said yes",
        parameters=READING,
        responses={200: SuggestionInterestOut, 304: schema.NOT_MODIFIED},
        auth=[{"key": ["interests"]}],
    )
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """It; also of a suggestion on which nobody has acted."""
        paging.refuse_unknown(request, ("fields",))
        paging.refuse_repeated(request, ("fields",))
        wanted = selection.chosen(request, INTEREST_MEMBERS)
        return answer(request, selection.pruned(_interest(self.one(uid), self.company, request.user), wanted))


class Dismiss(CompanyView):
    """No."""

    @extend_schema(
        operation_id="dismissSuggestion",
        summary="Set a suggestion aside",
        description="The two are never suggested together again. The other company sees neither reason nor comment.",
        request=DismissIn,
        responses={200: SuggestionInterestOut, **CONFLICTS},
        auth=[{"key": ["interests"]}],
    )
    def post(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """Say no for the company."""
        sent = DismissIn(data=request.data)
        sent.is_valid(raise_exception=True)
        company, synergy = self.company, self.one(uid)
        done = _taken(lambda: operations.dismiss(synergy, by=request.user, company=company, **sent.validated_data), synergy)
        return answer(request, _interest(self.one(done.uid), company, request.user))


class Undo(CompanyView):
    """Neither yes nor no."""

    @extend_schema(
        operation_id="undoInterest",
        summary="Take the company's yes or no back",
        description="Not once both said yes and saw the contact data.",
        request=None,
        responses={200: SuggestionInterestOut, 409: schema.problem("conflict")},
        auth=[{"key": ["interests"]}],
    )
    def post(self, request: Request, uid: uuid.UUID) -> HttpResponse:
        """Take it back."""
        company, synergy = self.company, self.one(uid)
        done = _taken(lambda: operations.undo(synergy, by=request.user, company=company), synergy)
        return answer(request, _interest(self.one(done.uid), company, request.user))


# --- Writing ------------------------------------------------------------------------------------------------------------


def _taken(step: Callable[[], Synergy], synergy: Synergy) -> Synergy:
    """What the step gives; raises a Problem where the state does not allow it."""
    try:
        return step()
    except ValidationError as error:
        if getattr(error, "code", "") == "consent":
            detail = _("This company is at another marketplace. Before your yes goes there, a person has to agree to what is sent: %(url)s")
            raise Problem("consent-missing", detail % {"url": absolute(synergy.get_absolute_url())}) from error
        if hasattr(error, "error_dict"):
            raise
        raise Problem("conflict", " ".join(error.messages)) from error


def _card(synergy: Synergy, company: Company) -> Card:
    return Card(synergy, synergy.sides_of([company.pk])[0])


def _written(cards: list[Card], write: Callable[[Card, dict | None], dict]) -> Iterator[dict[str, Any]]:
    """Each card, with the other listing's public fields where they may be seen; one query for all of them."""
    seen = [card.theirs.pk for card in cards if not card.is_over]
    others = {row["uid"]: row for row in rows.written(rows.public(Listing.objects.filter(pk__in=seen)))} if seen else {}
    for card in cards:
        yield write(card, others.get(str(card.theirs.uid)))


def _answers(card: Card, other: dict | None) -> dict[str, Any]:
    synergy, mine = card.synergy, card.mine
    return {
        "uid": str(synergy.uid),
        "url": absolute(synergy.get_absolute_url()),
        "state": synergy.state,
        "is_open": synergy.is_open,
        "side": card.side.value,
        "own": {"uid": str(mine.uid), "url": pattern("listings:own") % mine.uid, "kind": mine.kind, "title": mine.title},
        "other": other,
        "own_interest_at": _moment(card.my_interest_at),
        "other_interest_at": _moment(card.their_interest_at),
        "mutual_at": _moment(synergy.mutual_at),
        "dismissed_by": None if synergy.state != State.DISMISSED else "us" if card.is_mine_dismissed else "them",
        "can_undo": card.can_undo,
    }


def _suggestion(card: Card, other: dict | None) -> dict[str, Any]:
    synergy = card.synergy
    return _answers(card, other) | {
        "score": round(synergy.score, 1),
        "signals": [{"name": row.name, "label": row.label, "points": row.points, "maximum": row.maximum} for row in card.signals],
        # They quote the other listing.
        "reasons": reasons.told(synergy, card.side) if other else [],
        "proposed": synergy.proposed_at is not None,
        "suggested_at": _moment(synergy.suggested_at),
    }


def _interest(synergy: Synergy, company: Company, user: object) -> dict[str, Any]:
    card = _card(synergy, company)
    [written] = _written([card], _answers)
    contact = contact_for(user, synergy, card.side)
    told = contact and {"company": contact.company, "name": contact.name, "email": contact.email, "phone": contact.phone}
    return written | {"contact": told}


def _moment(moment: object) -> str | None:
    return moment.isoformat() if moment else None

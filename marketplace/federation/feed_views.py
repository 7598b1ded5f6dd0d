"""What partners read from us: discovery, the log of changes, the snapshot, one listing; and the addresses that are the listings' names.

Answers are put together from the texts that the export has stored: nothing is serialised here.
"""

import datetime
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from itertools import chain
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.text import compress_sequence, compress_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from marketplace.companies.models import Company
from marketplace.listings.enums import Origin
from marketplace.listings.models import Listing
from marketplace.rest import languages, schema
from marketplace.rest.problems import Problem, invalid_parameter

from . import cursors, discovery, jsonld, schemas
from .accepting import takes_gzip
from .cursors import After, Cursor, Log
from .enums import Reason
from .export import tombstone_text
from .giving import Choice, reader_of
from .models import FeedEntry, Partner
from .models.feed import BEGINNING, Op

USUAL, MOST = 200, 1000
#: So many items of a snapshot are in memory at once.
CHUNK = 500
JSON, LD_JSON, LINES = "application/json", "application/ld+json", "application/x-ndjson"
#: Fast rather than small: a feed is read by few, and texts shrink to a quarter already.
GZIP_NO_PADDING = 0


class Discovery(APIView):
    """Who this node is and where its parts are."""

    schema_tag = "federation"

    @extend_schema(operation_id="federation_discovery", auth=[], responses={200: schemas.DISCOVERY})
    def get(self, request: Request) -> HttpResponse:
        """For everybody, from any page."""
        return _open_to_all(discovery.document(), JSON)


class Context(APIView):
    """The JSON-LD context of our own words."""

    schema_tag = "federation"

    @extend_schema(operation_id="federation_context", auth=[], responses={(200, LD_JSON): schemas.CONTEXT})
    def get(self, request: Request) -> HttpResponse:
        """For everybody, from any page."""
        return _open_to_all(jsonld.context(), LD_JSON)


class Reading(APIView):
    """What partners read by the megabyte."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """As DRF's, but the view lets go of the answer.

        DRF's view and request know each other; with them, many pages would stay in memory until the garbage collector comes by.
        """
        response = super().dispatch(request, *args, **kwargs)
        self.response = None
        return response


class Changes(Reading):
    """The log."""

    schema_tag = "federation"

    @extend_schema(
        operation_id="federation_changes",
        parameters=[schema.CURSOR, schema.limit(USUAL, MOST), schema.IF_NONE_MATCH, schema.ETAG, schema.LINK],
        responses={200: schemas.PAGE, 304: schema.NOT_MODIFIED, 410: schema.problem("cursor-expired")},
    )
    def get(self, request: Request) -> HttpResponse:
        """The next items behind the cursor, and where to go on."""
        partner, limit = reader_of(request), _limit(request)
        asked = cursors.asked(request)
        rows = FeedEntry.objects.settled().after(asked.position if asked else BEGINNING).in_order()[: limit + 1]
        if request.headers.get("If-None-Match"):
            # The ids tell whether the texts are needed: an entry that changes gets a new one.
            known = list(rows.values_list("transaction", "id"))
            etag = _etag(cursors.valid(asked, partner), known[:limit], has_more=len(known) > limit)
            if (unchanged := get_conditional_response(request, etag=etag)) is not None:
                unchanged["ETag"] = etag
                return _for_this_reader(unchanged)
        choice = Choice.of(partner)
        found = list(rows.values_list("transaction", "id", "text", *(() if choice.is_everything else CHOSEN_BY)))
        # Looked at after the rows were read: what is pruned in between must not be missing from a page without a sign.
        cursor = cursors.valid(asked, partner)
        page, has_more = found[:limit], len(found) > limit
        following = cursor.moved(page[-1][:2]) if page else cursor
        texts = _texts_given(page, choice)
        body = f'{{"items":[{",".join(texts)}],"cursor":"{following}","more":{"true" if has_more else "false"}}}'
        response = HttpResponse(body.encode(), content_type=JSON)
        response["ETag"] = _etag(cursor, (row[:2] for row in page), has_more=has_more)
        response["Link"] = _next(request, cursor=str(following), limit=limit)
        return _for_this_reader(_compressed(request, response))


class Snapshot(Reading):
    """All that is live."""

    schema_tag = "federation"

    @extend_schema(
        operation_id="federation_snapshot",
        parameters=[schema.limit(MOST, MOST), OpenApiParameter("after", str, description="From the Link header, unchanged."), schema.LINK],
        responses={(200, LINES): OpenApiTypes.STR, 410: schema.problem("cursor-expired")},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Lines of JSON: the cursor that goes with it, the items, the end."""
        partner, log = reader_of(request), Log.now()
        live = FeedEntry.objects.filter(Choice.of(partner).q(), op=Op.UPSERT)
        as_of, behind = _snapshot_place(request, partner, log)
        # Before any item is read: what changes from here on is in the log behind this cursor.
        head = _line({"as_of": as_of, "total": live.count()})
        if "limit" not in request.GET and behind is None:
            response = StreamingHttpResponse(_lines(head, live.texts(CHUNK)), content_type=LINES)
            if takes_gzip(request):
                response.streaming_content = compress_sequence(_joined(response.streaming_content))
                response["Content-Encoding"] = "gzip"
            return _for_this_reader(response)
        limit = _limit(request, usual=MOST)
        found = list(live.behind(behind).values_list("uid", "text")[: limit + 1])
        page = found[:limit]
        response = HttpResponse("".join(_lines(head, [[text for _uid, text in page]])).encode(), content_type=LINES)
        if len(found) > limit:
            response["Link"] = _next(request, after=str(After(as_of, page[-1][0])), limit=limit)
        return _for_this_reader(_compressed(request, response))


class OneListing(APIView):
    """One item."""

    schema_tag = "federation"

    @extend_schema(
        operation_id="federation_listing",
        parameters=[OpenApiParameter("uid", OpenApiTypes.UUID, OpenApiParameter.PATH), schema.IF_NONE_MATCH, schema.ETAG],
        responses={200: schemas.UPSERT, 304: schema.NOT_MODIFIED, 410: OpenApiResponse(schemas.GONE, description="`gone`, with its tombstone.")},
    )
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponseBase:
        """The item, or (410) its tombstone."""
        partner = reader_of(request)
        entry = FeedEntry.objects.filter(uid=uid).first()
        if entry is None:
            raise Problem("not-found")
        if entry.op == Op.TOMBSTONE:
            raise Gone(entry.text)
        if not Choice.of(partner).includes(entry.kind, entry.sector_path, entry.place):
            raise Gone(_withdrawn(entry.uri, entry.version, entry.updated_at))
        etag = f'W/"{hashlib.sha256(entry.text.encode()).hexdigest()[:32]}"'
        response = HttpResponse(entry.text.encode(), content_type=JSON, headers={"ETag": etag})
        return _for_this_reader(_compressed(request, get_conditional_response(request, etag=etag, response=response)))


class Gone(Problem):
    """410, with the tombstone's members beside the problem's."""

    def __init__(self, tombstone: str) -> None:
        super().__init__("gone", headers={"Cache-Control": "private, no-cache"})
        self.tombstone = json.loads(tombstone)

    def as_dict(self, instance: str = "") -> dict[str, object]:
        """As RFC 9457 allows."""
        return super().as_dict(instance) | self.tombstone


@require_safe
def listing_name(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """A listing's URI: leads (303) to its page; 410 when it is gone, 404 for what was never public."""
    listing = Listing.objects.exclude(origin=Origin.PARTNER).select_related("company").filter(uid=uid).first()
    if listing is not None and listing.is_live:
        return _see_other(request, listing)
    if FeedEntry.objects.filter(uid=uid).exists() or (listing is not None and listing.published_at is not None):
        return HttpResponse(_("This listing is gone."), status=410, content_type="text/plain; charset=utf-8")
    raise Http404


@require_safe
def company_name(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """A company's URI, as `listing_name`."""
    company = Company.objects.filter(uid=uid, source_uri=None).first()
    if company is not None and not company.hidden:
        return _see_other(request, company)
    if company is not None or Company.history.filter(uid=uid, source_uri=None).exists():
        return HttpResponse(_("This company is gone."), status=410, content_type="text/plain; charset=utf-8")
    raise Http404


# --- What is given ------------------------------------------------------------------------------------------------------

#: The columns that tell whether an entry is given, and what its tombstone says if not.
CHOSEN_BY = ("op", "kind", "sector_path", "place", "uri", "version", "updated_at")
_TEXT, _CHOSEN_BY = 2, slice(3, None)


def _texts_given(rows: Iterable[tuple], choice: Choice) -> list[str]:
    """The texts of the rows; of a listing that is not given, a tombstone: it may have been given before."""
    if choice.is_everything:
        return [row[_TEXT] for row in rows]
    texts = []
    for row in rows:
        op, kind, sector_path, place, *named = row[_CHOSEN_BY]
        is_given = op == Op.TOMBSTONE or choice.includes(kind, sector_path, place)
        texts.append(row[_TEXT] if is_given else _withdrawn(*named))
    return texts


def _withdrawn(uri: str, version: int, updated_at: datetime.datetime) -> str:
    """The tombstone of a listing that is not given: of the version before, which is the highest that the reader can have been given.

    With the listing's own version it could not come back, should the choice change: a partner has seen that version, as a tombstone.
    """
    return tombstone_text(uri, version - 1, updated_at, Reason.WITHDRAWN)


def _snapshot_place(request: Request, partner: Partner, log: Log) -> tuple[str, uuid.UUID | None]:
    """The cursor that goes with the snapshot, and behind which listing to go on."""
    if text := request.GET.get("after", ""):
        after = After.parse(text)
        cursors.check(cursors.parse(after.as_of), partner, log)
        return after.as_of, after.uid
    position = max(FeedEntry.objects.settled().last_position(), log.pruned)
    return str(Cursor.at(position, partner, log)), None


def _lines(head: str, chunks: Iterable[list[str]]) -> Iterator[str]:
    """The lines of a snapshot, many at once."""
    count = 0
    yield head
    for texts in chunks:
        count += len(texts)
        yield "".join(chain.from_iterable((text, "\n") for text in texts))
    yield _line({"end": True, "count": count})


def _line(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


# --- HTTP ---------------------------------------------------------------------------------------------------------------


def _limit(request: Request, usual: int = USUAL) -> int:
    text = request.GET.get("limit")
    if text is None:
        return usual
    # Digits of other scripts are numbers too, for Python.
    if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST:
        return int(text)
    raise invalid_parameter("limit", _("Give a whole number from 1 to %(most)d.") % {"most": MOST})


def _etag(cursor: Cursor, places: Iterable[tuple], *, has_more: bool) -> str:
    """Of a page of the log. Weak: the same for the page and its compressed form."""
    told = f"{cursor} {has_more} {list(map(tuple, places))}"
    return f'W/"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def _next(request: Request, **parameters: object) -> str:
    return f'<{settings.SITE_URL}{request.path}?{urlencode(parameters)}>; rel="next"'


def _for_this_reader(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Accept-Encoding"
    return response


def _open_to_all(document: dict[str, object], content_type: str) -> HttpResponse:
    response = HttpResponse(json.dumps(document, ensure_ascii=False, indent=1).encode(), content_type=content_type)
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "public, max-age=300"
    return response


def _compressed(request: Request, response: HttpResponse) -> HttpResponse:
    """The response as gzip, if asked for and worth it. Nothing secret stands beside what a reader chooses, so there is nothing to pad (BREACH)."""
    if len(response.content) > CHUNK and takes_gzip(request):
        response.content = compress_string(response.content, max_random_bytes=GZIP_NO_PADDING)
        response["Content-Encoding"] = "gzip"
    return response


def _joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    yield from parts


def _see_other(request: HttpRequest, named: Listing | Company) -> HttpResponse:
    """The page, in the language that the visitor prefers."""
    with translation.override(languages.asked(request)):
        response = HttpResponseRedirect(named.get_absolute_url())
    response.status_code = 303
    response["Vary"] = "Accept-Language"
    return response

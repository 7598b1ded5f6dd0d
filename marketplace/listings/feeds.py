"""The newest results of a search as an Atom feed: the address of the search page with "atom/" before its query string."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.html import linebreaks
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace.core.atom import Feed

from . import facets, results
from .filters import ListingFilter
from .jsonld import absolute
from .models import Listing

#: Who reads feeds reads the newest.
LENGTH = 30
#: Readers that come every few minutes need not be answered anew each time.
FRESH_SECONDS = 300


@require_safe
def search_feed(request: HttpRequest) -> HttpResponse:
    """What was found, newest first, whatever order the query string asks for. A query string that we do not understand is refused.

    The page leaves out what it does not understand and says so; a feed has nobody to say it to, and would tell of the whole market.
    """
    asked = request.GET.copy()
    asked["sort"] = "recent"
    asked.pop("page", None)
    wanted = ListingFilter(asked)
    if wanted.ignored:
        told = "\n".join(f"{part.value}: {part.message}" for part in wanted.ignored)
        return HttpResponse(told, status=400, content_type="text/plain; charset=utf-8")
    query = wanted.query_string(without=("sort",)).rstrip("?")
    feed = _feed(wanted, query)
    for row in results.look_up(wanted, page_size=LENGTH).rows:
        _add(feed, row.listing)
    response = HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
    patch_cache_control(response, public=True, max_age=FRESH_SECONDS)
    response["ETag"] = f'"{uuid.uuid5(uuid.NAMESPACE_URL, response.content.decode()).hex}"'
    return get_conditional_response(request, etag=response["ETag"], response=response)


def _feed(wanted: ListingFilter, query: str) -> Feed:
    about = ", ".join(filter(None, (wanted.values["q"], *(str(chip.label) for chip in facets.chips(wanted)))))
    title = _("Offers and demands")
    page, own = absolute(reverse("listings:search")) + query, absolute(reverse("listings:feed")) + query
    return Feed(
        title=f"{title}: {about}" if about else f"{title} · {settings.SITE_NAME}",
        link=page,
        description="",
        language=get_language(),
        feed_url=own,
        # The site's name may change, and readers would show everything as new.
        feed_guid=uuid.uuid5(uuid.NAMESPACE_URL, own).urn,
        author_name=settings.SITE_NAME,
    )


def _add(feed: Feed, listing: Listing) -> None:
    published = listing.published_at or listing.created
    feed.add_item(
        title=f"{listing.get_kind_display()}: {listing.title}",
        link=absolute(listing.get_absolute_url()),
        # Atom takes a summary for HTML.
        description=linebreaks(listing.description, autoescape=True),
        unique_id=listing.uid.urn,
        pubdate=published,
        updateddate=max(listing.modified, published),
        author_name=listing.company.name,
        categories=[listing.get_category_display(), listing.sector.label, listing.place.name],
    )

"""Sets of listings, by their business names."""

import datetime
import functools
import operator

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from marketplace.core.models import Change
from search import vectors

from .enums import State

#: Kinds of changes that make a new document of a listing.
DOCUMENT_KINDS = ("listing", "listing" + vectors.KIND_SUFFIX)

# Each word is four LIKEs on every row; nobody needs more in a search that stands in for the engine.
MOST_WORDS = 8


class ListingQuerySet(models.QuerySet):
    """Listings."""

    def live(self) -> "ListingQuerySet":
        """Published and valid today: what the public sees and what is matched."""
        return self.filter(state=State.PUBLISHED, valid_until__gte=timezone.localdate(), company__hidden=False)

    def overdue(self) -> "ListingQuerySet":
        """Published, but past their last day."""
        return self.filter(state=State.PUBLISHED, valid_until__lt=timezone.localdate())

    def expiring(self) -> "ListingQuerySet":
        """Published and about to end, so that the company should hear of it."""
        today = timezone.localdate()
        return self.filter(state=State.PUBLISHED, valid_until__range=(today, today + datetime.timedelta(days=settings.LISTING_WARNING_DAYS)))

    def waiting(self) -> "ListingQuerySet":
        """What a curator has to decide on, oldest first."""
        return self.filter(state=State.SUBMITTED).order_by("submitted_at", "id")

    def of(self, user: object) -> "ListingQuerySet":
        """Those of the companies that `user` acts for."""
        return self.filter(company__in=user.memberships.active().values("company"))

    def visible_to(self, user: object) -> "ListingQuerySet":
        """What `user` may open: live ones, those of the own companies, everything for curators."""
        if user.has_perm("listings.curate_listing"):
            return self
        live = Q(state=State.PUBLISHED, valid_until__gte=timezone.localdate(), company__hidden=False)
        if not user.is_authenticated:
            return self.filter(live)
        return self.filter(live | Q(company__in=user.memberships.active().values("company")))

    def matching(self, text: str) -> "ListingQuerySet":
        """With every word of `text` somewhere: what is left of a search when no engine answers. Accents and word forms count."""
        wanted = Q()
        for word in text.split()[:MOST_WORDS]:
            in_some_field = (Q(**{f"{field}__icontains": word}) for field in ("title", "description", "keywords", "company__name"))
            wanted &= functools.reduce(operator.or_, in_some_field)
        return self.filter(wanted)

    def with_last_change(self) -> "ListingQuerySet":
        """With `last_change`, the id of the newest line of the change log about its document (0 if none), which is the document's version.

        Others' lines about the listing, as the synergies' "rematch", do not count: the index does not follow them, and who appends them does not hold
        the row. A document that took its version from one would keep a change out that was logged before and is committed after it.
        """
        newest = Change.objects.filter(uid=OuterRef("uid"), kind__in=DOCUMENT_KINDS).order_by("-id").values("id")[:1]
        return self.annotate(last_change=Coalesce(Subquery(newest), 0))

    def current(self) -> "ListingQuerySet":
        """Those that still have something before them: not closed, withdrawn or rejected."""
        return self.exclude(state__in=(State.CLOSED, State.WITHDRAWN, State.REJECTED))

    def with_last_reason(self) -> "ListingQuerySet":
        """With `last_reason`, what was written at the last step that led to the present state ("" if nothing)."""
        last = (
            apps.get_model("listings", "Transition")
            .objects.filter(listing=OuterRef("pk"), to_state=OuterRef("state"))
            .exclude(reason="")
            .order_by("-at", "-id")
            .values("reason")[:1]
        )
        return self.annotate(last_reason=Coalesce(Subquery(last), Value(""), output_field=models.TextField()))

    def with_suggestions(self) -> "ListingQuerySet":
        """With `suggestions`, the number of synergies on their lists that nobody dismissed and whose other side is live.

        The app of synergies stands above this one, so it is met by the names of its keys only.
        """

        def count(own: str, other: str, leaving_out: Q) -> Count:
            live = {
                f"{own}__{other}__state": State.PUBLISHED,
                f"{own}__{other}__valid_until__gte": timezone.localdate(),
                f"{own}__{other}__company__hidden": False,
            }
            return Count(own, filter=Q(**live) & ~Q(**{f"{own}__state": "dismissed"}) & ~leaving_out, distinct=True)

        off_its_list = Q(synergies_as_demand__is_held_back=True, synergies_as_demand__state="suggested", synergies_as_demand__proposed_at=None)
        as_offer = count("synergies_as_offer", "demand", leaving_out=Q(pk__in=()))
        return self.annotate(suggestions=as_offer + count("synergies_as_demand", "offer", leaving_out=off_its_list))

    def for_display(self) -> "ListingQuerySet":
        """With all that a card shows, so that a list costs one query."""
        return self.select_related("company", "company__sector", "company__place", "sector", "place")

"""Sets of saved searches and of what they found, by their business names."""

from django.apps import apps
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from marketplace.listings.models import Listing

from .enums import Alert


class SavedSearchQuerySet(models.QuerySet):
    """Saved searches."""

    def of(self, user: object) -> "SavedSearchQuerySet":
        """The person's own; nobody else ever sees them."""
        return self.filter(owner=user)

    def with_news(self, user: object) -> "SavedSearchQuerySet":
        """With `news`, how many results came since the owner last looked."""
        unseen = apps.get_model("alerts", "Finding").objects.showable_to(user).unseen()
        number = unseen.filter(search=OuterRef("pk")).order_by().values("search").annotate(n=Count("pk")).values("n")
        return self.annotate(news=Coalesce(Subquery(number), 0))


class FindingQuerySet(models.QuerySet):
    """What saved searches found."""

    def showable_to(self, user: object) -> "FindingQuerySet":
        """News that is still public, and not of the person's own companies: those they know."""
        own = user.memberships.active().values("company")
        return self.filter(is_news=True, listing__in=Listing.objects.live().exclude(company__in=own))

    def unseen(self) -> "FindingQuerySet":
        """Found after the owner last looked."""
        return self.filter(at__gt=F("search__looked_at"))

    def to_tell(self) -> "FindingQuerySet":
        """News of searches with mail, found since the mail is wanted, of live listings of which the owner was not told by any search."""
        told = apps.get_model("alerts", "Mention").objects.filter(user=OuterRef("search__owner"), listing=OuterRef("listing"))
        wanted = self.filter(is_news=True, search__alert=Alert.ON, at__gt=F("search__alert_since"))
        return wanted.filter(~Exists(told), listing__in=Listing.objects.live())

"""When a company's keys work (see rest.holders)."""

from django.db.models import Exists, OuterRef, Q

from .models import Membership


class Companies:
    """A company's key acts for who made it, and so long as this person acts for the company."""

    name = "company"
    acts_for_maker = True

    def acting(self) -> Q:
        """Those of companies in sight whose maker may still act for them."""
        maker = Membership.objects.active().filter(user=OuterRef("made_by"), company__api_client=OuterRef("client"))
        return Q(client__company__hidden=False, made_by__is_active=True) & Q(Exists(maker))

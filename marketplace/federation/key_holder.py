"""When a partner's keys work (see rest.holders)."""

from django.db.models import Q

from .enums import PartnerState


class Partners:
    """A partner's key is nobody's in person: who made it in the console may leave, and lends it no rights."""

    name = "partner"
    acts_for_maker = False

    def acting(self) -> Q:
        """Those of partnerships that have not ended. What a paused one gets is up to the feed."""
        return Q(client__partner__isnull=False) & ~Q(client__partner__state=PartnerState.ENDED)

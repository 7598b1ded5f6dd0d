"""What pages of lower apps show of interests that cross."""

from dataclasses import dataclass

from django import template

from marketplace.federation.interests.enums import State
from marketplace.federation.models import IncomingInterest, OutgoingInterest
from marketplace.synergies.models import Synergy

register = template.Library()
#: Nobody needs to know how many more.
MOST_COUNTED = 99


@dataclass(frozen=True)
class Standing:
    """How a synergy with a partner's company stands over there."""

    outgoing: OutgoingInterest | None
    incoming: IncomingInterest | None

    @property
    def is_on_its_way(self) -> bool:
        """The partner has not confirmed it yet."""
        return self.outgoing is not None and self.outgoing.state == State.WAITING

    @property
    def has_failed(self) -> bool:
        """The last yes did not arrive."""
        return self.outgoing is not None and self.outgoing.state == State.FAILED


@register.simple_tag
def across(synergy: Synergy) -> Standing:
    """For a synergy's own page: two queries."""
    incoming = IncomingInterest.objects.filter(synergy=synergy).select_related("partner").first()
    return Standing(OutgoingInterest.objects.filter(synergy=synergy).select_related("partner").first(), incoming)


@register.simple_tag
def across_waiting(user: object) -> int:
    """How many interests from other marketplaces wait for the person and are on no list of synergies."""
    return IncomingInterest.objects.waiting_for(user).order_by()[:MOST_COUNTED].count()


@register.simple_tag
def across_any(user: object) -> bool:
    """Whether anything ever came from other marketplaces."""
    return IncomingInterest.objects.of(user).order_by().exists()

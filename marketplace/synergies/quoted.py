"""An offer that answers a demand, with the words that say so marked in both: for pairs that are no stored synergy, too."""

from dataclasses import dataclass
from functools import cached_property

from django.utils.safestring import SafeString

from marketplace.listings.models import Listing

from . import reasons
from .models import Synergy

#: Words that are named at most; the quotations show the rest.
MOST_WORDS = 6

#: Reasons that read the same for everybody.
NEUTRAL = {"terms", "meaning", "sector", "language"}


@dataclass
class Quoted:
    """An offer that answers a demand, with the words that say so marked in both."""

    offer: Listing
    demand: Listing
    reasons: list[dict]

    @cached_property
    def _pair(self) -> Synergy:
        # Never saved: it carries the evidence to those functions that print a synergy's.
        return Synergy(offer=self.offer, demand=self.demand, reasons=[reason for reason in self.reasons if reason["code"] in NEUTRAL])

    @cached_property
    def evidence(self) -> list[dict]:
        """What still stands in both texts."""
        return reasons.evidence(self._pair)

    @property
    def words(self) -> list[str]:
        """The demand's words that the offer answers, each once."""
        named = {pair["mine_text"].casefold(): " ".join(pair["mine_text"].split()) for pair in self.evidence}
        return list(named.values())[:MOST_WORDS]

    @property
    def title_offer(self) -> SafeString:
        """Marked."""
        return reasons.marked_title(self.offer, self.evidence, "theirs")

    @property
    def title_demand(self) -> SafeString:
        """Marked."""
        return reasons.marked_title(self.demand, self.evidence, "mine")

    @property
    def quote_offer(self) -> SafeString:
        """Marked."""
        return reasons.quotation(self.offer, self.evidence, "theirs")

    @property
    def quote_demand(self) -> SafeString:
        """Marked."""
        return reasons.quotation(self.demand, self.evidence, "mine")

    @property
    def chips(self) -> list[reasons.Chip]:
        """Why."""
        return reasons.chips(self._pair)

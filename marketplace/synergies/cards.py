"""A synergy as a person of one side sees it: what the pages and the digest print."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from marketplace.listings.models import Listing
from search.exposure import MOST_DEMANDS

from . import reasons
from .abroad import needs_consent
from .enums import Side, State
from .forms import DismissForm
from .models import Synergy

#: Up to this place in both lists, that is worth saying.
AMONG_THE_BEST = 3
#: Points; a quotation worth less is not listed.
LEAST_WORTH = 0.5


@dataclass
class Card:
    """`synergy` from `side`; texts come in the language of the moment at which they are asked for."""

    synergy: Synergy
    side: Side
    form: DismissForm | None = None

    def __post_init__(self) -> None:
        if self.form is None and self.can_dismiss:
            self.form = DismissForm(auto_id=f"{self.synergy.uid}_%s")

    @property
    def key(self) -> str:
        """What the card's ids on the page are made of."""
        return str(self.synergy.uid)

    @property
    def mine(self) -> Listing:
        """The reader's listing."""
        return self.synergy.listing(self.side)

    @property
    def theirs(self) -> Listing:
        """The other company's listing."""
        return self.synergy.listing(self.side.other)

    @property
    def my_interest_at(self) -> datetime.datetime | None:
        """Since when the reader's company is interested."""
        return self.synergy.interest_at(self.side)

    @property
    def their_interest_at(self) -> datetime.datetime | None:
        """Since when the other company is interested."""
        return self.synergy.interest_at(self.side.other)

    @property
    def is_abroad(self) -> bool:
        """The other company is at a partner marketplace: a yes needs consent first, on its own page."""
        return needs_consent(self.synergy, self.side)

    @property
    def is_mutual(self) -> bool:
        """Both said yes, so each may see the other's contact data."""
        return self.synergy.state == State.MUTUAL

    @property
    def is_dismissed(self) -> bool:
        """One of the two said no."""
        return self.synergy.state == State.DISMISSED

    @property
    def is_mine_dismissed(self) -> bool:
        """The reader's company said no."""
        return self.is_dismissed and self.synergy.dismissed_by_id == self.mine.company_id

    @property
    def is_over(self) -> bool:
        """A listing is no longer public and the two have not come together: the other one's text is not shown any more."""
        return not self.is_mutual and not self.synergy.is_open

    @property
    def waits_for_me(self) -> bool:
        """The reader has to answer."""
        return not self.is_over and not self.is_dismissed and not self.is_mutual and self.my_interest_at is None

    @property
    def can_undo(self) -> bool:
        """The reader's yes or no can be taken back."""
        if self.synergy.mutual_at:
            return False
        return self.is_mine_dismissed or (self.synergy.state == State.INTEREST and self.my_interest_at is not None)

    @property
    def can_dismiss(self) -> bool:
        """There is something left to say no to."""
        return not self.is_dismissed and not self.is_over

    # --- Words ------------------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """Where it stands, as the reader's badge."""
        if self.is_dismissed:
            return _("Set aside") if self.is_mine_dismissed else _("They said no")
        if self.is_mutual:
            return _("Both of you said yes")
        if self.is_over:
            return _("Ended")
        if self.my_interest_at:
            return _("You said yes")
        return _("They said yes") if self.their_interest_at else _("New")

    @property
    def badge(self) -> str:
        """The badge's tone, by the names that the badge knows."""
        if self.is_dismissed or (self.is_over and not self.is_mutual):
            return "closed"
        return self.synergy.state

    @property
    def tone(self) -> str:
        """The card's tone: somebody waits for the reader, or nothing is to do any more."""
        if self.is_dismissed or self.is_over:
            return "closed"
        return "needs-you" if self.waits_for_me and self.their_interest_at else ""

    @property
    def eyebrow(self) -> str:
        """When it began, and who put the two together."""
        if self.synergy.proposed_at:
            return _("Proposed by the Innovation Service %(time)s ago") % {"time": timesince(self.synergy.proposed_at, depth=1)}
        return _("Suggested %(time)s ago") % {"time": timesince(self.synergy.suggested_at, depth=1)}

    @cached_property
    def _evidence(self) -> list[dict]:
        return reasons.evidence(self.synergy)

    def _whose(self, side: Side) -> str:
        # The stored spans are "mine" in the demand.
        return "mine" if side == Side.DEMAND else "theirs"

    @property
    def title_mine(self) -> SafeString:
        """The reader's title with its evidence marked."""
        return reasons.marked_title(self.mine, self._evidence, self._whose(self.side))

    @property
    def title_theirs(self) -> SafeString:
        """The other title with its evidence marked."""
        return reasons.marked_title(self.theirs, self._evidence, self._whose(self.side.other))

    @property
    def quote_mine(self) -> SafeString:
        """What the reader's text says, evidence marked."""
        return reasons.quotation(self.mine, self._evidence, self._whose(self.side))

    @property
    def quote_theirs(self) -> SafeString:
        """What the other text says, evidence marked."""
        return reasons.quotation(self.theirs, self._evidence, self._whose(self.side.other))

    @property
    def chips(self) -> list[reasons.Chip]:
        """Why, and why not quite."""
        return sorted([*reasons.chips(self.synergy, self.side), *self._among_others()], key=lambda chip: not chip.positive)

    def _among_others(self) -> Iterator[reasons.Chip]:
        """How the pair stands among the others of both sides."""
        synergy, places = self.synergy, (self.synergy.place_for_demand, self.synergy.place_for_offer)
        if all(places) and self.waits_for_me:
            if max(places) == 1:
                yield reasons.Chip(_("The best we found for both of you"))
            elif max(places) <= AMONG_THE_BEST:
                yield reasons.Chip(_("Among the three best for both of you"))
        if synergy.is_off_the_list:
            if self.side == Side.DEMAND:
                yield reasons.Chip(_("Suggested to %(count)s others first") % {"count": MOST_DEMANDS}, positive=False)
            else:
                yield reasons.Chip(_("Not on their list: they see it once you say yes"), positive=False)

    @property
    def worth(self) -> list[dict[str, Any]]:
        """What each quotation is worth: {mine, theirs, points}, words first, the weightiest first; those found before points were told are left out."""
        mine, theirs = (f"{self._whose(side)}_text" for side in (self.side, self.side.other))
        return [{"mine": pair[mine], "theirs": pair[theirs], "points": pair["points"]} for pair in self._evidence if pair.get("points", 0) >= LEAST_WORTH]

    @property
    def signals(self) -> list[reasons.SignalRow]:
        """The sum behind the score."""
        return reasons.signal_rows(self.synergy.signals)

"""Why a pair is suggested or not: what the engine says of any offer and demand, and what one could do about it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

import search
from marketplace.listings import documents
from marketplace.listings.models import Listing

from . import reasons
from .enums import Side, State
from .models import Synergy

#: What forbids a suggestion, whatever the score.
OBSTACLES = ("company", "expired", "reach")

#: Of a signal's maximum; what gives less than this is named as weak.
WEAK = 0.3
MOST_WORDS = 6

#: Below this share of the threshold no single word would help.
STRANGERS = 0.5


@dataclass(frozen=True)
class Findings:
    """What the engine says of a pair. `reasons` are as a synergy stores them: "mine" is the demand's."""

    score: float
    threshold: float
    signals: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    obstacles: list[dict[str, Any]]
    engine_version: str


def find(offer: Listing, demand: Listing) -> Findings:
    """Ask the engine about a pair whose listings are loaded `for_display`. Raises SearchUnavailable if no engine answers."""
    told = [asdict(reason) for reason in search.why_not(documents.document(offer), documents.document(demand))]
    sums = next(reason["data"] for reason in told if reason["code"] == "score")
    return Findings(
        score=sums["score"],
        threshold=sums["threshold"],
        signals=sums["signals"],
        reasons=[reason for reason in told if reason["code"] not in (*OBSTACLES, "score")],
        obstacles=[reason for reason in told if reason["code"] in OBSTACLES],
        engine_version=sums["engine_version"],
    )


class Explanation:
    """A pair as a person of `side` reads it; None is a curator, who stands between the two."""

    def __init__(self, offer: Listing, demand: Listing, *, side: Side | None, stored: Synergy | None = None) -> None:
        self.offer, self.demand, self.side, self.stored = offer, demand, side, stored
        self.found = find(offer, demand)
        # Never saved: it carries the findings to those functions that print a synergy's.
        self.pair = Synergy(offer=offer, demand=demand, score=self.found.score, signals=self.found.signals, reasons=self.found.reasons)
        self._evidence = reasons.evidence(self.pair)

    # --- The two texts ------------------------------------------------------------------------------------------------

    @property
    def listings(self) -> list[dict[str, Any]]:
        """The two, the reader's first (the demand for a curator), each with its evidence marked."""
        sides = [self.side, self.side.other] if self.side else [Side.DEMAND, Side.OFFER]
        return [
            {
                "listing": listing,
                "label": self._label(side),
                "title": reasons.marked_title(listing, self._evidence, whose),
                "quote": reasons.quotation(listing, self._evidence, whose),
            }
            for side in sides
            for listing, whose in [(self.demand, "mine") if side == Side.DEMAND else (self.offer, "theirs")]
        ]

    def _label(self, side: Side) -> str:
        if self.side is None:
            return _("The demand") if side == Side.DEMAND else _("The offer")
        if side == self.side:
            return _("Your demand") if side == Side.DEMAND else _("Your offer")
        return _("Their demand") if side == Side.DEMAND else _("Their offer")

    @property
    def mine(self) -> Listing:
        """The reader's listing; the demand for a curator."""
        return self.offer if self.side == Side.OFFER else self.demand

    @property
    def theirs(self) -> Listing:
        """The other one."""
        return self.demand if self.side == Side.OFFER else self.offer

    @property
    def has_evidence(self) -> bool:
        """Whether anything in the one text answers the other."""
        return bool(self._evidence)

    # --- The sum ------------------------------------------------------------------------------------------------------

    @property
    def score(self) -> float:
        """0 to 100."""
        return self.found.score

    @property
    def threshold(self) -> float:
        """What a suggestion needs."""
        return self.found.threshold

    @property
    def suffices(self) -> bool:
        """Whether the score is good enough."""
        return self.found.score >= self.found.threshold

    @property
    def short_of(self) -> float:
        """How many points are missing."""
        return max(self.found.threshold - self.found.score, 0)

    @property
    def signals(self) -> list[reasons.SignalRow]:
        """The sum behind the score."""
        return reasons.signal_rows(self.found.signals)

    @property
    def chips(self) -> list[reasons.Chip]:
        """What speaks for the pair, what against it; an obstacle that is told above is not told again."""
        told = [reason for reason in self.found.reasons if reason["code"] != "missing" and not (reason["code"] == "place" and not reason["positive"])]
        pair = Synergy(offer=self.offer, demand=self.demand, score=self.score, reasons=told)
        return reasons.chips(pair, self.side or Side.DEMAND)

    @property
    def missing(self) -> list[str]:
        """Words of the demand that nothing in the offer answers."""
        return [word for reason in self.found.reasons if reason["code"] == "missing" for word in reason["data"]["terms"]][:MOST_WORDS]

    # --- What stands in the way, and what one could do ----------------------------------------------------------------

    @property
    def obstacles(self) -> list[str]:
        """What forbids a suggestion whatever the score, in sentences."""
        told = [_obstacle(reason, self.offer, self.demand) for reason in self.found.obstacles]
        expired = {reason["data"]["uid"] for reason in self.found.obstacles if reason["code"] == "expired"}
        away = [listing for listing in (self.offer, self.demand) if not listing.is_live and str(listing.uid) not in expired]
        return [*told, *(_("“%(title)s” is not public.") % {"title": listing.title} for listing in away)]

    @property
    def is_silent(self) -> bool:
        """Nothing forbids the pair, its score suffices and yet it is not stored: others came first, or the engine has not looked yet."""
        return self.suffices and not self.obstacles and self.stored is None

    @property
    def standing(self) -> str:
        """What became of the pair already; empty if it was never suggested."""
        if self.stored is None:
            return ""
        return str(_STANDINGS[State(self.stored.state)]())

    @property
    def tips(self) -> list[str]:
        """What the reader could do, the most useful first."""
        return list(_tips(self))

    @property
    def change_url(self) -> str:
        """Where the reader's own listing is changed; nothing for a curator, who has none here."""
        return reverse("listings:own", args=[self.mine.uid]) if self.side else ""


_STANDINGS = {
    State.SUGGESTED: lambda: _("These two have been suggested to each other. Nobody has answered yet."),
    State.INTEREST: lambda: _("These two have been suggested to each other, and one side said yes."),
    State.MUTUAL: lambda: _("These two have been suggested to each other, and both said yes."),
    State.DISMISSED: lambda: _("These two were suggested to each other and set aside. They are not suggested again."),
}


def _obstacle(reason: Mapping[str, Any], offer: Listing, demand: Listing) -> str:
    if reason["code"] == "company":
        return _("Both listings are of the same company.")
    if reason["code"] == "expired":
        listing = next(listing for listing in (offer, demand) if str(listing.uid) == reason["data"]["uid"])
        return _("“%(title)s” was valid until %(date)s only.") % {"title": listing.title, "date": date_format(listing.valid_until, "DATE_FORMAT")}
    km = number_format(round(reason["data"]["km"]))
    short = [listing for listing in (offer, demand) if listing.reach_km is not None and listing.reach_km < reason["data"]["km"]]
    told = ", ".join(_("“%(title)s” reaches %(reach)s km") % {"title": one.title, "reach": one.reach_km} for one in short)
    return _("They are %(km)s km apart: %(reaches)s.") % {"km": km, "reaches": told}


def _tips(told: Explanation) -> Iterator[str]:
    own = told.mine if told.side else None
    codes = {reason["code"] for reason in told.found.obstacles}
    if own and not own.is_live:
        yield _("Your listing is not public at this moment. Renew it or send it for review; only public listings are suggested.")
    if "reach" in codes:
        yield _reach_tip(told, own)
    if told.score < told.threshold * STRANGERS:
        yield _("The two texts are about different things. If they are not, say more exactly what it is, how much, where and until when.")
        return
    if told.missing:
        yield _missing_tip(told)
    weak = {signal["name"] for signal in told.found.signals if signal["points"] < WEAK * signal["maximum"]}
    if "sector" in weak and not told.suffices:
        yield _("The two sectors are far apart. Check that each listing has the sector of what it is about, not that of the company.")


def _too_short(told: Explanation, listing: Listing) -> bool:
    km = next(reason["data"]["km"] for reason in told.found.obstacles if reason["code"] == "reach")
    return listing.reach_km is not None and listing.reach_km < km


def _reach_tip(told: Explanation, own: Listing | None) -> str:
    if own is None:
        return _("Ask the company whose reach is too short whether it would come this far, or whether it can be done at a distance.")
    if _too_short(told, own):
        return _("If you would go this far, raise the reach of your listing, or tick that it is possible at a distance.")
    return _("The other company does not come this far. There is nothing to change in your listing.")


def _missing_tip(told: Explanation) -> str:
    words = {"words": ", ".join(told.missing)}
    if told.side == Side.OFFER:
        return _("If you can provide it, write it into your offer: %(words)s.") % words
    if told.side == Side.DEMAND:
        return _("Their offer says nothing about it: %(words)s. If you can do without, take it out of your demand.") % words
    return _("The offer says nothing about it: %(words)s. Ask the company whether it can, and to write so.") % words

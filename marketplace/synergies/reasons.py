"""Why a synergy was suggested, in the reader's words: pure functions that page and mail share.

The stored spans are "mine" in the demand and "theirs" in the offer (see `turned`). They hold for the texts of the moment at
which they were found; each is shown only if it still stands in the text as it is now.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from marketplace.listings.models import Listing

from .enums import Side
from .models import Synergy

LANGUAGES = {"ca": gettext_lazy("Catalan"), "es": gettext_lazy("Spanish"), "en": gettext_lazy("English")}
SIGNALS = {
    "text": gettext_lazy("Words"),
    "meaning": gettext_lazy("Meaning"),
    "sector": gettext_lazy("Sector"),
    "place": gettext_lazy("Distance"),
    "freshness": gettext_lazy("How recent"),
}

#: What one chip names at most; the rest is in the two texts.
MOST_WORDS = 4
#: Characters of a quotation, and of what is shown left and right of a word that matched.
QUOTE_LENGTH = 260
CONTEXT_LENGTH = 42
#: A listing so young is worth saying so; one so old is worth a warning.
FRESH_DAYS = 7
OLD_DAYS = 180

_TURNED = {
    "mine": "theirs",
    "theirs": "mine",
    "mine_text": "theirs_text",
    "theirs_text": "mine_text",
    "field_mine": "field_theirs",
    "field_theirs": "field_mine",
}


@dataclass(frozen=True)
class Chip:
    """One reason in a few words; `positive` says whether it speaks for the pair."""

    text: str
    positive: bool = True


@dataclass(frozen=True)
class SignalRow:
    """One line of the sum behind a score."""

    name: str
    label: str
    points: float
    maximum: float


def turned(data: Mapping[str, Any]) -> dict[str, Any]:
    """A reason's data as the other side sees it: "mine" and "theirs" change places, in its pairs too."""
    return {_TURNED.get(key, key): [turned(pair) for pair in value] if key == "pairs" else value for key, value in data.items()}


# --- Evidence -----------------------------------------------------------------------------------------------------------


def text_of(listing: Listing, field: str) -> str:
    """The text in which a field's spans count, as the engine read it."""
    return ", ".join(listing.keyword_list) if field == "keywords" else getattr(listing, field, "")


def evidence(synergy: Synergy) -> list[dict[str, Any]]:
    """The pairs of places that answer each other and that both texts still hold: words, the weightiest first, then passages."""
    return _standing(synergy, "terms") + _standing(synergy, "meaning")


def _standing(synergy: Synergy, code: str) -> list[dict[str, Any]]:
    pairs = [pair for reason in synergy.reasons if reason["code"] == code for pair in reason["data"].get("pairs", [])]
    return [pair for pair in pairs if _stands(synergy.demand, pair, "mine") and _stands(synergy.offer, pair, "theirs")]


def _stands(listing: Listing, pair: Mapping[str, Any], whose: str) -> bool:
    start, end = pair[whose]
    return 0 <= start < end and text_of(listing, pair[f"field_{whose}"])[start:end] == pair[f"{whose}_text"]


def marked_title(listing: Listing, pairs: list[Mapping[str, Any]], whose: str) -> SafeString:
    """The title with its evidence marked."""
    spans = _spans(pairs, whose, "title")
    return _marked(listing.title, 0, len(listing.title), spans)


def quotation(listing: Listing, pairs: list[Mapping[str, Any]], whose: str) -> SafeString:
    """The places of the description that matched, marked, with some words around; its beginning if there are none."""
    text = listing.description
    spans = _spans(pairs, whose, "description")
    windows = _windows(text, spans) or [_whole_words(text, 0, 160)]
    parts = [_marked(text, start, end, spans) for start, end in windows]
    before = "… " if windows[0][0] > 0 else ""
    after = " …" if windows[-1][1] < len(text.rstrip()) else ""
    return mark_safe(before + " … ".join(parts) + after)  # noqa: S308 - each part is escaped in _marked


def _spans(pairs: list[Mapping[str, Any]], whose: str, field: str) -> list[tuple[int, int, int]]:
    """(start, end, number of the pair) of one field, the weightiest first, none inside another."""
    spans: list[tuple[int, int, int]] = []
    for number, pair in enumerate(pairs):
        start, end = pair[whose]
        if pair[f"field_{whose}"] == field and not any(start < other[1] and other[0] < end for other in spans):
            spans.append((start, end, number))
    return spans


def _windows(text: str, spans: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Stretches of text around the weightiest spans, in the order of the text, together not much longer than a quotation."""
    windows: list[tuple[int, int]] = []
    for start, end, _number in spans:
        wider = [*windows, _whole_words(text, start - CONTEXT_LENGTH, end + CONTEXT_LENGTH)]
        joined: list[tuple[int, int]] = []
        for left, right in sorted(wider):
            if joined and left <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(right, joined[-1][1]))
            else:
                joined.append((left, right))
        if windows and sum(right - left for left, right in joined) > QUOTE_LENGTH:
            break
        windows = joined
    return windows


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    start, end = max(start, 0), min(end, len(text))
    while 0 < start < end and not text[start - 1].isspace():
        start += 1
    while start < end < len(text) and not text[end].isspace():
        end -= 1
    return start, end


def _marked(text: str, start: int, end: int, spans: list[tuple[int, int, int]]) -> SafeString:
    """text[start:end] escaped, with <mark> around its spans; every second pair in the other colour, the same in both texts."""
    pieces, place = [], start
    for left, right, number in sorted(spans):
        if start <= left and right <= end:
            colour = SafeString(' class="b"') if number % 2 else ""
            pieces += [_plain(text[place:left]), format_html("<mark{}>{}</mark>", colour, _plain(text[left:right]))]
            place = right
    pieces.append(_plain(text[place:end]))
    return mark_safe("".join(pieces))  # noqa: S308 - _plain and format_html escape


def _plain(text: str) -> SafeString:
    return escape(re.sub(r"\s+", " ", text))


# --- Chips --------------------------------------------------------------------------------------------------------------


def chips(synergy: Synergy, side: Side = Side.DEMAND) -> list[Chip]:
    """The reasons as a person of `side` reads them: what speaks for the pair first."""
    found = _word_chips(_standing(synergy, "terms"))
    if _standing(synergy, "meaning"):
        found.append(Chip(_("Alike in meaning")))
    for reason in synergy.reasons:
        write = _WRITERS.get(reason["code"])
        if write and (chip := write(reason["data"], synergy.offer, synergy.demand, side)):
            found.append(chip)
    return sorted(found, key=lambda chip: not chip.positive)


def told(synergy: Synergy, side: Side) -> list[dict[str, Any]]:
    """The reasons for a program of `side`: {code, positive, text, data}, "mine" and "theirs" as that side sees them, evidence only if it still stands."""
    found = []
    for reason in synergy.reasons:
        code, data = reason["code"], reason["data"]
        if code in ("terms", "meaning"):
            data = {"pairs": _standing(synergy, code)}
            chips_of = _word_chips(data["pairs"]) if code == "terms" else [Chip(_("Alike in meaning"))] if data["pairs"] else []
        else:
            write = _WRITERS.get(code)
            chips_of = [chip] if write and (chip := write(data, synergy.offer, synergy.demand, side)) else []
        if chips_of:
            text = "; ".join(chip.text for chip in chips_of)
            found.append({"code": code, "positive": chips_of[0].positive, "text": text, "data": turned(data) if side == Side.OFFER else dict(data)})
    return sorted(found, key=lambda one: not one["positive"])


def _word_chips(pairs: list[Mapping[str, Any]]) -> list[Chip]:
    same, alike = {}, {}
    for pair in pairs:
        asked, given = pair["mine_text"], pair["theirs_text"]
        if asked.casefold() == given.casefold():
            same[asked.casefold()] = asked
        else:
            alike[asked.casefold(), given.casefold()] = f"{asked} – {given}"
    found = []
    if same:
        found.append(Chip(_("Same words: %(words)s") % {"words": _listed(same.values())}))
    if alike:
        found.append(Chip(_("Words that answer each other: %(words)s") % {"words": _listed(alike.values())}))
    return found


def _listed(words: Iterable[str]) -> str:
    return ", ".join(re.sub(r"\s+", " ", str(word)) for word in list(words)[:MOST_WORDS])


def _sector(data: Mapping[str, Any], offer: Listing, demand: Listing, side: Side) -> Chip | None:
    if not data.get("shared"):
        # A shop that asks a factory is the rule, not a fault; the sum shows that the sector adds nothing.
        return None
    if offer.sector_id == demand.sector_id:
        return Chip(_("Same sector: %(sector)s") % {"sector": offer.sector.label})
    return Chip(_("Related sectors: %(one)s; %(other)s") % {"one": demand.sector.label, "other": offer.sector.label})


def _place(data: Mapping[str, Any], offer: Listing, demand: Listing, side: Side) -> Chip | None:
    if data.get("remote"):
        return Chip(_("Possible at a distance"))
    if offer.place_id == demand.place_id:
        return Chip(_("In the same town: %(place)s") % {"place": offer.place.name})
    distance = number_format(data["km"], 1 if data["km"] < 10 else 0)  # noqa: PLR2004 - "7.8 km", "34 km"
    if not data.get("within_reach", True):
        return Chip(_("%(km)s km away, too far for one of you") % {"km": distance}, positive=False)
    mine, theirs = (demand, offer) if side == Side.DEMAND else (offer, demand)
    if theirs.reach_km:
        return Chip(_("%(km)s km away, within their reach") % {"km": distance})
    if mine.reach_km:
        return Chip(_("%(km)s km away, within your reach") % {"km": distance})
    return Chip(_("%(km)s km away") % {"km": distance})


def _language(data: Mapping[str, Any], offer: Listing, demand: Listing, side: Side) -> Chip | None:
    asked, given = (str(LANGUAGES.get(data[whose], data[whose])) for whose in ("mine", "theirs"))
    return Chip(_("Two languages: %(one)s and %(other)s") % {"one": asked, "other": given})


def _freshness(data: Mapping[str, Any], offer: Listing, demand: Listing, side: Side) -> Chip | None:
    if data["days"] <= FRESH_DAYS:
        return Chip(_("Both published this week"))
    if data["days"] > OLD_DAYS:
        return Chip(_("One of the two is more than six months old"), positive=False)
    return None


def _missing(data: Mapping[str, Any], offer: Listing, demand: Listing, side: Side) -> Chip | None:
    words = {"words": _listed(data["terms"])}
    if side == Side.DEMAND:
        return Chip(_("Their offer says nothing about: %(words)s") % words, positive=False)
    return Chip(_("Your offer says nothing about: %(words)s") % words, positive=False)


_WRITERS = {"sector": _sector, "place": _place, "language": _language, "freshness": _freshness, "missing": _missing}


def signal_rows(signals: Iterable[Mapping[str, Any]]) -> list[SignalRow]:
    """The sum behind the score, named in the reader's language."""
    return [
        SignalRow(signal["name"], str(SIGNALS.get(signal["name"], pgettext("signal of a match", "Other"))), signal["points"], signal["maximum"])
        for signal in signals
    ]

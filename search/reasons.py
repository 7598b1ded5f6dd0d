"""Why two listings match, and what speaks against it: every word quoted stands in the two texts as it is quoted.

Codes and data of a `Reason` (all JSON):
- "terms": {"pairs": [{"mine": [start, end], "theirs": [start, end], "field_mine", "field_theirs", "mine_text", "theirs_text", "also", "points"}]}:
  words that answer each other; "also": [[field, start, end]] further places of the offer, "points" what the score would lose without them
- "meaning": {"pairs": [the same], "nearness"}: the passage of the offer that comes nearest to what is asked, whatever its words
- "sector": {"mine", "theirs", "shared"}: NACE codes, the deepest shared one or ""
- "place": {"km", "within_reach"}, or {"remote": true} with "km" where it is known
- "language": {"mine", "theirs"}, only when they differ
- "freshness": {"days"}: the age of the older listing
- "missing": {"terms"}: words of the demand that nothing in the offer answers
- of `why_not` only: "company" {}, "expired" {"uid"}, "reach" {"km"}, "score" {"score", "threshold", "signals": [{name, points, maximum}], "engine_version"}
"""

from dataclasses import asdict, dataclass
from datetime import date

from . import matching, meaning, wants
from .documents import ListingDocument, Reason, Suggestion
from .matching import Assessment
from .wants import Place, Span

#: What is shown: enough to judge, short enough to read.
MOST_EVIDENCE = 8
MOST_MISSING = 6
MOST_MISSING_CIRCUMSTANCES = 3

#: Passages are quoted as alike from this nearness on; most chance pairs stay below.
QUOTED_NEARNESS = 0.2

#: What a passage of the demand says is not missing if one of the offer comes so near: the better half of the good pairs.
ANSWERED_NEARNESS = 0.4


def suggestion(assessment: Assessment, *, asking: ListingDocument) -> Suggestion:
    """What is told to the owner of `asking`."""
    other = assessment.offer if asking.kind == "demand" else assessment.demand
    told = tuple(reasons(assessment, asking=asking))
    return Suggestion(other.document.uid, assessment.score, assessment.signals, told, matching.ENGINE_VERSION, assessment.vouched)


def reasons(assessment: Assessment, *, asking: ListingDocument) -> list[Reason]:
    """What speaks for the pair and what the offer lacks, as told to the owner of `asking`."""
    offer, demand = assessment.offer.document, assessment.demand.document
    other = offer if asking.kind == "demand" else demand
    told = [Reason("terms", positive=True, data={"pairs": pairs})] if (pairs := evidence(assessment, asking=asking)) else []
    if near := alike(assessment, asking=asking):
        told.append(Reason("meaning", positive=True, data={"pairs": near, "nearness": round(assessment.nearness.value, 3)}))
    if asking.sectors and other.sectors:
        shared = asking.sectors[: matching.common_levels(asking.sectors, other.sectors)]
        told.append(Reason("sector", positive=bool(shared), data={"mine": asking.sector, "theirs": other.sector, "shared": shared[-1] if shared else ""}))
    km = matching.kilometres(asking, other)
    if asking.remote or other.remote:
        told.append(Reason("place", positive=True, data={"remote": True} | ({} if km is None else {"km": round(km, 1)})))
    elif km is not None:
        within = matching.is_reachable(asking, other)
        told.append(Reason("place", positive=within, data={"km": round(km, 1), "within_reach": within}))
    if asking.language != other.language:
        told.append(Reason("language", positive=True, data={"mine": asking.language, "theirs": other.language}))
    told.append(Reason("freshness", positive=True, data={"days": matching.age_days(offer, demand, assessment.today)}))
    if lacking := missing(assessment):
        told.append(Reason("missing", positive=False, data={"terms": lacking}))
    return told


def evidence(assessment: Assessment, *, asking: ListingDocument) -> list[dict[str, object]]:
    """The weightiest places that answer each other, as they stand in the two texts; neighbours are quoted together.

    "also" are further places of the offer that answer the same words, "points" what the score would lose without all of them.
    """
    # "2" and "setmana" count a little, but convince nobody.
    telling = [answer for answer in assessment.found if wants.telling(answer.term.lemma) > wants.COMMON_WEIGHT]
    quotes = []
    for answer in (telling or assessment.found)[:MOST_EVIDENCE]:
        wanted = next(place for place in answer.term.want.places if answer.key in wants.keys_of(place.token, place.token.concepts))
        given, *also = assessment.offer.places[answer.key]
        quotes.append(_Quote(_span(wanted), _span(given), frozenset(map(_span, also))))
    return [_told(quote, assessment, asking) for quote in _joined(quotes, assessment.demand.document, assessment.offer.document)]


def alike(assessment: Assessment, *, asking: ListingDocument) -> list[dict[str, object]]:
    """The passage of the offer that comes nearest to what is asked, and the one of the demand that it answers; in the form of `evidence`.

    Its points are all that the score would lose with it, the words in it too.
    """
    near, offer, demand = assessment.nearness, assessment.offer.meaning, assessment.demand.meaning
    if near is None or near.value < QUOTED_NEARNESS:
        return []
    asked, given = meaning.asking_passage(demand, offer, near.best), offer.passages[near.best]
    quote = _Quote((asked.field, asked.start, asked.end), (given.field, given.start, given.end))
    return [_told(quote, assessment, asking)]


@dataclass(frozen=True, slots=True)
class _Quote:
    """A place of the demand, the place of the offer that answers it, and the offer's other places that do."""

    wanted: Span
    given: Span
    also: frozenset[Span] = frozenset()


def _span(place: Place) -> Span:
    return place.field, place.token.start, place.token.end


def _joined(quotes: list[_Quote], demand: ListingDocument, offer: ListingDocument) -> list[_Quote]:
    """Two that follow each other in both texts, or in one and have the same answer in the other, become one."""
    merged = True
    while merged:
        merged = False
        for first in quotes:
            second = next((other for other in quotes if _joins(first, other, demand, offer)), None)
            if second:
                quotes[quotes.index(first)] = _Quote(_together(first.wanted, second.wanted), _together(first.given, second.given), first.also | second.also)
                quotes.remove(second)
                merged = True
                break
    return quotes


def _together(one: Span, other: Span) -> Span:
    return one[0], one[1], max(one[2], other[2])


def _joins(first: _Quote, second: _Quote, demand: ListingDocument, offer: ListingDocument) -> bool:
    """Whether the second goes on where the first ends: on both sides, or on one while the other is one expression."""
    sides = [(first.wanted, second.wanted, demand), (first.given, second.given, offer)]
    steps = [_follows(a, b, document) for a, b, document in sides]
    return any(steps) and all(step or a == b for step, (a, b, _) in zip(steps, sides, strict=True))


def _follows(first: Span, second: Span, document: ListingDocument) -> bool:
    return first[0] == second[0] and 0 < second[1] - first[2] <= len(_GAP) and document.text(first[0])[first[2] : second[1]].isspace()


_GAP = "  "


def _told(quote: _Quote, assessment: Assessment, asking: ListingDocument) -> dict[str, object]:
    wanted, given = (quote.wanted, assessment.demand.document), (quote.given, assessment.offer.document)
    (mine, my_text), (theirs, their_text) = (wanted, given) if asking.kind == "demand" else (given, wanted)
    also = sorted(span for span in quote.also if not _within(span, quote.given))
    return {
        "mine": list(mine[1:]),
        "theirs": list(theirs[1:]),
        "field_mine": mine[0],
        "field_theirs": theirs[0],
        "mine_text": my_text.text(mine[0])[mine[1] : mine[2]],
        "theirs_text": their_text.text(theirs[0])[theirs[1] : theirs[2]],
        "also": [list(span) for span in also],
        "points": round(assessment.score - matching.score_without(assessment, [quote.given, *also]), 1),
    }


def _within(inner: Span, outer: Span) -> bool:
    return inner[0] == outer[0] and outer[1] <= inner[1] and inner[2] <= outer[2]


def missing(assessment: Assessment) -> list[str]:
    """The weightiest words of the demand, as they stand there, that nothing in the offer answers.

    Those of its title and keywords; of its description only when it lacks none of them, and then few, for a description
    tells circumstances too. What is said in other words, as in another language, is not missing.
    """
    answered = {answer.term.lemma for answer in assessment.found}
    lacking = [term.want.places[0] for term in assessment.terms if term.lemma not in answered and wants.telling(term.lemma) == 1]
    if assessment.nearness:
        said = meaning.answered_passages(assessment.demand.meaning, assessment.offer.meaning, at_least=ANSWERED_NEARNESS)
        lacking = [place for place in lacking if not any(_within(_span(place), (p.field, p.start, p.end)) for p in said)]
    asked_for = [place for place in lacking if place.field != "description"][:MOST_MISSING]
    document = assessment.demand.document
    return [document.text(place.field)[place.token.start : place.token.end] for place in asked_for or lacking[:MOST_MISSING_CIRCUMSTANCES]]


def obstacles(offer: ListingDocument, demand: ListingDocument, today: date) -> list[Reason]:
    """What forbids a suggestion whatever the score."""
    found = [Reason("company", positive=False)] if offer.company_uid and offer.company_uid == demand.company_uid else []
    found += [Reason("expired", positive=False, data={"uid": d.uid}) for d in (offer, demand) if d.valid_until < today]
    if not matching.is_reachable(offer, demand):
        found.append(Reason("reach", positive=False, data={"km": round(matching.kilometres(offer, demand) or 0, 1)}))
    return found


def verdict(assessment: Assessment) -> Reason:
    """The score beside what a suggestion needs, and what it is made of."""
    data = {
        "score": round(assessment.score, 1),
        "threshold": matching.THRESHOLD,
        "signals": [asdict(signal) for signal in assessment.signals],
        "engine_version": matching.ENGINE_VERSION,
    }
    return Reason("score", positive=assessment.score >= matching.THRESHOLD, data=data)

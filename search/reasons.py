"""Why two listings match, and what speaks against it: every word quoted stands in the two texts as it is quoted.

Codes and data of a `Reason` (all JSON):
- "terms": {"pairs": [{"mine": [start, end], "theirs": [start, end], "field_mine", "field_theirs", "mine_text", "theirs_text"}]}
- "sector": {"mine", "theirs", "shared"}: NACE codes, the deepest shared one or ""
- "place": {"km", "within_reach"}, or {"remote": true} with "km" where it is known
- "language": {"mine", "theirs"}, only when they differ
- "freshness": {"days"}: the age of the older listing
- "missing": {"terms"}: words of the demand that nothing in the offer answers
- of `why_not` only: "company" {}, "expired" {"uid"}, "reach" {"km"}, "score" {"score", "threshold", "signals": [{name, points, maximum}], "engine_version"}
"""

from dataclasses import asdict
from datetime import date

from . import matching
from .documents import ListingDocument, Reason, Suggestion
from .matching import Assessment, Place

#: What is shown: enough to judge, short enough to read.
MOST_EVIDENCE = 8
MOST_MISSING = 6
MOST_MISSING_CIRCUMSTANCES = 3


def suggestion(assessment: Assessment, *, asking: ListingDocument) -> Suggestion:
    """What is told to the owner of `asking`."""
    other = assessment.offer if asking.kind == "demand" else assessment.demand
    return Suggestion(other.document.uid, assessment.score, assessment.signals, tuple(reasons(assessment, asking=asking)), matching.ENGINE_VERSION)


def reasons(assessment: Assessment, *, asking: ListingDocument) -> list[Reason]:
    """What speaks for the pair and what the offer lacks, as told to the owner of `asking`."""
    offer, demand = assessment.offer.document, assessment.demand.document
    other = offer if asking.kind == "demand" else demand
    told = [Reason("terms", positive=True, data={"pairs": pairs})] if (pairs := evidence(assessment, asking=asking)) else []
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
    """The weightiest places that answer each other, as they stand in the two texts; neighbours are quoted together."""
    # "2" and "setmana" count a little, but convince nobody.
    telling = [answer for answer in assessment.found if matching.telling(answer.term.lemma) > matching.COMMON_WEIGHT]
    quoted = []
    for answer in (telling or assessment.found)[:MOST_EVIDENCE]:
        wanted = next(place for place in answer.term.want.places if answer.key in matching.keys_of(place.token))
        quoted.append((wanted, assessment.offer.places[answer.key][0]))
    mine_first = asking.kind == "demand"
    pairs = [(wanted, given) if mine_first else (given, wanted) for wanted, given in quoted]
    other = assessment.offer if mine_first else assessment.demand
    return [_pair(mine, theirs, asking, other.document) for mine, theirs in _joined(pairs, asking, other.document)]


_Span = tuple[str, int, int]  # field, start, end


def _joined(pairs: list[tuple[Place, Place]], mine: ListingDocument, theirs: ListingDocument) -> list[tuple[_Span, _Span]]:
    """The pairs as spans; two that follow each other in both texts, or in mine and have the same answer, become one."""
    spans = [tuple((place.field, place.token.start, place.token.end) for place in pair) for pair in pairs]
    merged = True
    while merged:
        merged = False
        for first in spans:
            second = next((s for s in spans if _joins(first, s, mine, theirs)), None)
            if second:
                spans[spans.index(first)] = tuple((a[0], a[1], max(a[2], b[2])) for a, b in zip(first, second, strict=True))
                spans.remove(second)
                merged = True
                break
    return spans


def _joins(first: tuple[_Span, _Span], second: tuple[_Span, _Span], mine: ListingDocument, theirs: ListingDocument) -> bool:
    """Whether the second pair goes on where the first ends: on both sides, or on one while the other is one expression."""
    steps = [_follows(a, b, document) for a, b, document in zip(first, second, (mine, theirs), strict=True)]
    return any(steps) and all(step or a == b for step, a, b in zip(steps, first, second, strict=True))


def _follows(first: _Span, second: _Span, document: ListingDocument) -> bool:
    return first[0] == second[0] and 0 < second[1] - first[2] <= len(_GAP) and document.text(first[0])[first[2] : second[1]].isspace()


_GAP = "  "


def _pair(mine: _Span, theirs: _Span, asking: ListingDocument, other: ListingDocument) -> dict[str, object]:
    return {
        "mine": list(mine[1:]),
        "theirs": list(theirs[1:]),
        "field_mine": mine[0],
        "field_theirs": theirs[0],
        "mine_text": asking.text(mine[0])[mine[1] : mine[2]],
        "theirs_text": other.text(theirs[0])[theirs[1] : theirs[2]],
    }


def missing(assessment: Assessment) -> list[str]:
    """The weightiest words of the demand, as they stand there, that nothing in the offer answers.

    Those of its title and keywords; of its description only when it lacks none of them, and then few, for a description
    tells circumstances too.
    """
    answered = {answer.term.lemma for answer in assessment.found}
    lacking = [term.want.places[0] for term in assessment.terms if term.lemma not in answered and matching.telling(term.lemma) == 1]
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

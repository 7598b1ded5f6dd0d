"""Searches and suggestions on whichever backend is chosen and answers."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from . import matching, ranking, reasons, vectors, vocabulary, wants
from .backends.base import Backend, Candidates, EngineAvoidedError, EngineUnavailableError, Frequencies
from .backends.breaker import Breaker
from .backends.embedded import EmbeddedBackend
from .documents import ListingDocument, Page, Query, Reason, Suggestion

logger = logging.getLogger(__name__)

EMBEDDED = EmbeddedBackend.name

Answer = TypeVar("Answer")

#: The candidates' scores, and how to assess one of them in full.
_Scores = tuple[Iterable[matching.Scored], Callable[[ListingDocument], matching.Assessment]]

#: How many candidates the engine fetches for the scoring. On 800 real demands 200 (and half of NEAREST) lose one of a hundred fitting offers; 400 bring nothing more.
CANDIDATES = 300

#: An offer's candidates are demands with words of their own, each to be weighed: fewer of them keep it quick.
CANDIDATES_FOR_OFFER = 100

#: How many more by meaning, that share few words or none.
NEAREST = 200


def backends() -> list[Backend]:
    """The chosen backend, then the one that stands in for it."""
    embedded = _embedded(str(settings.EMBEDDED_INDEX_PATH))
    if not settings.ELASTICSEARCH_URL:
        return [embedded]
    chosen = _elastic(settings.ELASTICSEARCH_URL, settings.SEARCH_INDEX_PREFIX, str(settings.EMBEDDED_INDEX_PATH))
    return [chosen, embedded] if settings.EMBEDDED_FALLBACK else [chosen]


@lru_cache(8)
def _elastic(url: str, prefix: str, shared: str) -> Backend:
    from .backends import elastic  # noqa: PLC0415 - the client takes 0.5 s to load, and the embedded engine does without

    # The folder of the stand-in is the one that all processes of a machine have in common.
    flag = Path(shared) / f"away-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
    return elastic.ElasticBackend(elastic.connect(url), prefix, breaker=Breaker(flag))


@lru_cache(8)
def _embedded(path: str) -> EmbeddedBackend:
    return EmbeddedBackend(path)


@vocabulary.in_force()
def find(query: Query) -> Page:
    """The listings that a person looks for. Raises SearchUnavailable if no engine answers."""
    page, degraded = _ask(lambda backend: backend.find(query))
    return replace(page, degraded=degraded)


def ask(question: Callable[[Backend], Answer]) -> Answer:
    """What the chosen backend, or its stand-in, answers to any question. Raises SearchUnavailable if no engine answers."""
    return _ask(question)[0]


def _ask(question: Callable[[Backend], Answer]) -> tuple[Answer, bool]:
    """The answer of the chosen backend, or, when it does not answer, that of its stand-in and True."""
    chosen, *others = backends()
    try:
        return question(chosen), False
    except EngineUnavailableError as error:
        _report(chosen, error)
        for other in others:
            if other.exists():
                return question(other), True
        raise


def _report(backend: Backend, error: EngineUnavailableError) -> None:
    # One line a failure, not one for every visitor while nobody asks the server.
    level = logging.DEBUG if isinstance(error, EngineAvoidedError) else logging.WARNING
    logger.log(level, "%s does not answer: %s", backend.name, error)


@vocabulary.in_force()
def suggest(
    document: ListingDocument, *, limit: int = 20, threshold: float = matching.THRESHOLD, exclude_uids: Iterable[str] = (), among: str = ""
) -> list[Suggestion]:
    """The listings of the opposite kind that answer `document`, best first. Raises SearchUnavailable if no engine answers.

    Valid today, of another company, within both sides' reach. `document` need not be in the index. `among` names another kind: of "aid", a
    demand is told what could pay for it.
    """
    today = timezone.localdate()
    (document,) = vectors.with_kept([document])
    answer, _ = _ask(
        lambda backend: suggest_on(backend, document, limit=limit, threshold=threshold, exclude_uids=tuple(exclude_uids), among=among, today=today)
    )
    return answer


def suggest_on(  # noqa: PLR0913 - those of `suggest`, with the backend and the day
    backend: Backend, document: ListingDocument, *, limit: int, threshold: float, exclude_uids: tuple[str, ...] = (), among: str = "", today: date
) -> list[Suggestion]:
    """`suggest` on one backend, as of `today`."""
    found = assessed_on(backend, document, limit=limit, threshold=threshold, exclude_uids=exclude_uids, among=among, today=today)
    return [reasons.suggestion(assessment, asking=document) for assessment in found]


def assessed_on(  # noqa: PLR0913 - as above
    backend: Backend, document: ListingDocument, *, limit: int, threshold: float, exclude_uids: tuple[str, ...] = (), among: str = "", today: date
) -> list[matching.Assessment]:
    """What `suggest_on` tells in words, in the same order."""
    taught = vocabulary.current()
    asking = wants.analysed(document, taught)
    frequencies = taught.frequencies(backend, wants.vocabulary([asking]))
    wanted = Candidates(
        terms=taught.fetching(wants.candidate_terms(asking, frequencies), answers=document.kind == "demand"),
        kind=among or ("offer" if document.kind == "demand" else "demand"),
        valid_on=today,
        exclude_company=document.company_uid,
        exclude_uids=(document.uid, *exclude_uids),
        size=CANDIDATES if document.kind == "demand" else CANDIDATES_FOR_OFFER,
        direction=tuple(asking.meaning.direction.tolist()) if asking.meaning else (),
        nearest=NEAREST,
        reach_of=document,
    )
    if not wanted.terms and not wanted.direction:
        return []
    found = [candidate for candidate, _ in backend.candidates(wanted)]
    scored, assess = _by_demand(asking, found, frequencies, today) if document.kind == "demand" else _by_offer(backend, asking, found, today)
    return [replace(assess(one.document), vouched=vouched) for one, vouched in matching.best(scored, limit=limit, threshold=threshold)]


def _by_demand(asking: wants.Analysed, found: list[ListingDocument], frequencies: Frequencies, today: date) -> _Scores:
    taught, weighing = vocabulary.current(), wants.weights(frequencies)
    terms = wants.wanted_terms(asking, weighing)

    def assess(offer: ListingDocument) -> matching.Assessment:
        return matching.assess(wants.analysed(offer, taught), asking, terms, weighing, today=today)

    return ranking.offers(asking, terms, weighing, found, taught=taught, today=today), assess


def _by_offer(backend: Backend, asking: wants.Analysed, found: list[ListingDocument], today: date) -> _Scores:
    """Each pair by what its demand wants, whoever asks."""
    taught = vocabulary.current()
    demands = [ranking.read_demand(demand, taught) for demand in found]
    weighing = wants.weights(taught.frequencies(backend, wants.by_form(ranking.keys_of(demands)))) if demands else {}

    def assess(demand: ListingDocument) -> matching.Assessment:
        wanted = wants.analysed(demand, taught)
        return matching.assess(asking, wanted, wants.wanted_terms(wanted, weighing), weighing, today=today)

    return ranking.demands(asking, demands, weighing, today=today), assess


def holding(terms: vocabulary.Terms, *, kind: str, limit: int) -> list[ListingDocument]:
    """The listings of a kind, valid today, that hold most of these terms of the index. Raises SearchUnavailable if no engine answers."""
    wanted = Candidates(terms=terms, kind=kind, valid_on=timezone.localdate(), size=limit)
    found, _ = _ask(lambda backend: backend.candidates(wanted))
    return [document for document, _ in found]


@vocabulary.in_force()
def why_not(offer: ListingDocument, demand: ListingDocument) -> list[Reason]:
    """What speaks for and against a pair, whether or not it was suggested, as told to the demand's owner.

    Besides the reasons of a suggestion: "company" (both of the same), "expired" {"uid"}, "reach" {"km"}, and last "score"
    {"score", "threshold", "signals", "engine_version"}, positive if the pair reaches the threshold. Raises SearchUnavailable if no engine answers.
    """
    today = timezone.localdate()
    taught = vocabulary.current()
    offer, demand = vectors.with_kept([offer, demand])
    wanted = wants.analysed(demand, taught)
    frequencies, _ = _ask(lambda backend: taught.frequencies(backend, wants.vocabulary([wanted])))
    weighing = wants.weights(frequencies)
    assessment = matching.assess(wants.analysed(offer, taught), wanted, wants.wanted_terms(wanted, weighing), weighing, today=today)
    return [*reasons.obstacles(offer, demand, today), *reasons.reasons(assessment, asking=demand), reasons.verdict(assessment)]

"""The engine's only door. Nobody else imports elasticsearch, tantivy or a module below this one.

page = search.find(Query(text="gel", kinds=("offer",)))
suggestions = search.suggest(document)
reasons = search.why_not(offer, demand)
"""

from .analysis import LANGUAGES, detect_language
from .backends.base import EngineUnavailableError as SearchUnavailable
from .documents import Hit, ListingDocument, Page, Query, Reason, Signal, Suggestion
from .engine import find, suggest, why_not
from .matching import ENGINE_VERSION, THRESHOLD

__all__ = [
    "ENGINE_VERSION",
    "LANGUAGES",
    "THRESHOLD",
    "Hit",
    "ListingDocument",
    "Page",
    "Query",
    "Reason",
    "SearchUnavailable",
    "Signal",
    "Suggestion",
    "detect_language",
    "find",
    "suggest",
    "why_not",
]

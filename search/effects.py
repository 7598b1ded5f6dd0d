"""What an entry of the vocabulary changes: which listings hold its expressions, and what would be suggested to them with it and without."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from . import analysis, engine, matching, vocabulary
from .documents import TEXT_FIELDS, ListingDocument
from .enums import EntryKind
from .vocabulary import CONCEPT, Rule, Vocabulary

#: At most so many listings of each kind are looked through for an expression. What holds it most often comes first.
MOST_LOOKED_THROUGH = 1_000

#: A trial asks twice for each listing: so many at most, and no new one after so many seconds, for somebody waits for the page.
MOST_TRIED = 40
TRIAL_SECONDS = 6.0

#: As many suggestions as a listing keeps.
SUGGESTIONS = 20
SHOWN = 10

#: Smaller movements of a score tell nothing.
LEAST_POINTS = 1.0


@dataclass(frozen=True, slots=True)
class Move:
    """One suggestion of a listing: its score before and after, None where it is not suggested."""

    uid: str
    before: float | None
    after: float | None

    @property
    def points(self) -> float:
        """By how much it moves; what comes or goes moves across the threshold at least."""
        return abs((self.after or matching.THRESHOLD / 2) - (self.before or matching.THRESHOLD / 2))


@dataclass(frozen=True, slots=True)
class Effect:
    """What changes for one listing, the greatest change first."""

    document: ListingDocument
    moves: tuple[Move, ...]

    @property
    def points(self) -> float:
        """How much changes in all."""
        return sum(move.points for move in self.moves)


@dataclass(frozen=True, slots=True)
class Trial:
    """The most affected listings. `affected` counts those that hold an expression, `tried` those that were asked about."""

    effects: tuple[Effect, ...]
    affected: int
    tried: int

    @property
    def is_complete(self) -> bool:
        """Whether every affected listing was asked about."""
        return self.tried == self.affected


def affected(rules: Iterable[Rule], *, limit: int) -> list[ListingDocument]:
    """Valid listings that read otherwise with these rules than without, offers and demands in turn. Raises SearchUnavailable."""
    # Of one entry before and after an edit both count.
    rules = tuple(replace(rule, name=f"{number}") for number, rule in enumerate(rules))
    if not rules:
        return []
    reading, probe = vocabulary.build(rules), _probe(rules)
    terms = probe.fetching({CONCEPT: {name: 1.0 for rule in probe.rules for name, *_ in rule.concepts}}, answers=True)
    found = [[d for d in engine.holding(terms, kind=kind, limit=MOST_LOOKED_THROUGH) if _reads_otherwise(d, reading)] for kind in ("demand", "offer")]
    return [document for document in chain.from_iterable(zip_longest(*found)) if document][:limit]


def _probe(rules: tuple[Rule, ...]) -> Vocabulary:
    """Every expression as something to find, stop phrases too."""
    return vocabulary.build(Rule(rule.name, EntryKind.TWO_WAY, rule.expressions) for rule in rules)


def _reads_otherwise(document: ListingDocument, reading: Vocabulary) -> bool:
    texts = [document.text(name) for name in TEXT_FIELDS]
    return any(reading.analyse(text, document.language) != analysis.analyse(text, document.language) for text in texts)


def trial(before: Rule | None, after: Rule | None, *, seconds: float = TRIAL_SECONDS, most: int = MOST_TRIED) -> Trial:
    """What would change if the rule `before` (None: there is none) became `after` (None: it goes). Raises SearchUnavailable.

    Nothing is written, and no other thread sees the draft.
    """
    vocabulary.check()
    with vocabulary.in_force() as now:
        names = {rule.name for rule in (before, after) if rule}
        others = [rule for rule in now.rules if rule.name not in names]
    old, new = (vocabulary.build([*others, rule] if rule else others) for rule in (before, after))
    end = time.monotonic() + seconds
    documents = affected([rule for rule in (before, after) if rule], limit=MOST_LOOKED_THROUGH)
    effects, tried = [], 0
    for document in documents[:most]:
        if tried and time.monotonic() > end:
            break
        effects.append(Effect(document, _moves(document, old, new)))
        tried += 1
    changed = sorted((effect for effect in effects if effect.moves), key=lambda effect: (-effect.points, effect.document.uid))
    return Trial(tuple(changed[:SHOWN]), len(documents), tried)


def _moves(document: ListingDocument, old: Vocabulary, new: Vocabulary) -> tuple[Move, ...]:
    before, after = (_scores(document, words) for words in (old, new))
    moves = [Move(uid, before.get(uid), after.get(uid)) for uid in before | after]
    return tuple(sorted((move for move in moves if move.points >= LEAST_POINTS), key=lambda move: (-move.points, move.uid)))


def _scores(document: ListingDocument, words: Vocabulary) -> dict[str, float]:
    with vocabulary.using(words):
        return {suggestion.uid: suggestion.score for suggestion in engine.suggest(document, limit=SUGGESTIONS)}

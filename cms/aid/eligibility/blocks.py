"""The blocks in which editors compose rules: conditions (see `clause_blocks`) and groups of them."""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.stream_block import StreamBlockValidationError, StreamValue

from . import clauses, wording
from .clause_blocks import (
    ClauseBlock,
    DeMinimisBlock,
    FormBlock,
    FoundedBlock,
    PeopleBlock,
    PlaceBlock,
    QuestionBlock,
    RevenueBlock,
    SectorBlock,
    SelfEmployedBlock,
    SizeBlock,
    UpToDateBlock,
    WhoBlock,
)
from .clauses import AllOf, AnyOf, Clause, Not, Rule
from .conflicts import Conflict, always_holds, conflict

DEEPEST = 3
MOST_CLAUSES = 20


#: Which block writes which clause, by the name in the stream.
CLAUSE_BLOCKS: dict[str, tuple[type[Clause], type[ClauseBlock]]] = {
    "sector": (clauses.SectorIn, SectorBlock),
    "size": (clauses.SizeIn, SizeBlock),
    "people": (clauses.PeopleBetween, PeopleBlock),
    "place": (clauses.PlaceIn, PlaceBlock),
    "founded": (clauses.Founded, FoundedBlock),
    "form": (clauses.FormIn, FormBlock),
    "who": (clauses.WhoIn, WhoBlock),
    "revenue": (clauses.RevenueFell, RevenueBlock),
    "self_employed": (clauses.SelfEmployedSince, SelfEmployedBlock),
    "up_to_date": (clauses.UpToDate, UpToDateBlock),
    "de_minimis": (clauses.DeMinimisBelow, DeMinimisBlock),
    "question": (clauses.Answered, QuestionBlock),
}


class PartsBlock(blocks.StreamBlock):
    """Conditions side by side; `depth` says how many groups it may still hold one in the other."""

    def __init__(self, depth: int = 0, **kwargs: object) -> None:
        children: list[tuple[str, blocks.Block]] = [(name, block(group=_("Conditions"))) for name, (_clause, block) in CLAUSE_BLOCKS.items()]
        if depth:
            children += [(name, block(depth - 1, group=_("Groups"))) for name, block in GROUP_BLOCKS.items()]
        super().__init__(children, **kwargs)

    def parts(self, value: StreamValue) -> tuple[Rule, ...]:
        """A rule for each block."""
        return tuple(child.block.rule(child.value) for child in value)

    def raw_parts(self, rules: tuple[Rule, ...]) -> list[dict[str, Any]]:
        """The blocks for some rules."""
        return [{"type": name, "value": self.child_blocks[name].raw(rule)} for rule in rules for name in [_name_of(rule)]]


class GroupBlock(blocks.StructBlock):
    """Conditions that are joined otherwise than by "all of them"."""

    def __init__(self, depth: int = 0, **kwargs: object) -> None:
        super().__init__([("parts", PartsBlock(depth, label=_("Conditions"), min_num=1, max_num=MOST_CLAUSES))], **kwargs)

    def parts(self, value: blocks.StructValue) -> tuple[Rule, ...]:
        """What is joined."""
        return self.child_blocks["parts"].parts(value["parts"])

    def _raw(self, rules: tuple[Rule, ...]) -> dict[str, Any]:
        return {"parts": self.child_blocks["parts"].raw_parts(rules)}


class AllOfBlock(GroupBlock):
    """All of them; for use within the other two."""

    class Meta:
        icon, label = "tick", _("All of these")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The group."""
        return AllOf(self.parts(value))

    def raw(self, rule: AllOf) -> dict[str, Any]:
        """Its parts."""
        return self._raw(rule.parts)


class AnyOfBlock(GroupBlock):
    """Alternatives."""

    class Meta:
        icon, label = "tasks", _("At least one of these")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The group."""
        return AnyOf(self.parts(value))

    def raw(self, rule: AnyOf) -> dict[str, Any]:
        """Its parts."""
        return self._raw(rule.parts)


class NoneOfBlock(GroupBlock):
    """Exclusions."""

    class Meta:
        icon, label = "cross", _("None of these")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The negation of "at least one of them"."""
        parts = self.parts(value)
        return Not(parts[0] if len(parts) == 1 else AnyOf(parts))

    def raw(self, rule: Not) -> dict[str, Any]:
        """What is negated."""
        return self._raw(rule.part.parts if isinstance(rule.part, AnyOf) else (rule.part,))


GROUP_BLOCKS: dict[str, type[GroupBlock]] = {"any_of": AnyOfBlock, "all_of": AllOfBlock, "none_of": NoneOfBlock}


def _name_of(rule: Rule) -> str:
    groups = {AnyOf: "any_of", AllOf: "all_of", Not: "none_of"}
    return groups.get(type(rule)) or next(name for name, (clause, _block) in CLAUSE_BLOCKS.items() if type(rule) is clause)


class RulesBlock(PartsBlock):
    """An aid's rules: all of them have to hold."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(DEEPEST - 1, **{"max_num": MOST_CLAUSES, **kwargs})

    def rule(self, value: StreamValue) -> Rule:
        """The whole as one rule; without blocks it always holds."""
        return AllOf(self.parts(value))

    def stream(self, rule: AllOf) -> list[dict[str, Any]]:
        """The reverse of `rule`: what a StreamField takes."""
        return self.raw_parts(rule.parts)

    def clean(self, value: StreamValue) -> StreamValue:
        """Each block for itself; then whether somebody can meet them all, and whether each says something."""
        value = super().clean(value)
        if told := problem(self.rule(value), timezone.localdate()):
            raise StreamBlockValidationError(non_block_errors=[told])
        return value


def contradiction(found: Conflict) -> str:
    """A sentence for the editor about a rule that nobody can meet."""
    texts = [wording.requirement(clause, positive) for clause, positive in found.clauses]
    if len(texts) < 2:  # noqa: PLR2004 - a contradiction has two sides
        return _now("No company can meet this: %(clause)s. Correct it.") % {"clause": "; ".join(texts)}
    sides = {"first": texts[0], "second": "; ".join(texts[1:])}
    return _now("No company can meet these rules: “%(first)s” contradicts “%(second)s”. Change one of them.") % sides


def problem(rule: Rule, today: datetime.date) -> str:
    """A sentence for the editor about a rule that nobody can meet, or a part of it that everybody meets; empty if it is sound."""
    if found := conflict(rule, today):
        return contradiction(found)
    for part in rule.parts if isinstance(rule, AllOf) else (rule,):
        if always_holds(part, today):
            texts = "; ".join(wording.requirement(clause) for clause in clauses.clauses_of(part))
            return _now("Every company meets this, so it says nothing: %(clause)s. Take it away or correct it.") % {"clause": texts}
    return ""


#: For AidPage.rules.
RULES_BLOCKS = RulesBlock()

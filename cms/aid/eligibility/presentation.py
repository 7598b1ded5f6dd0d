"""A verdict as pages show it: sentences, each with its mark."""

import datetime
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import wording
from .evaluation import Condition, Verdict
from .known import Profile
from .truth import Truth

TONES = {Truth.YES: "good", Truth.NO: "warm", Truth.UNKNOWN: "gold"}


def shown(verdict: Verdict, profile: Profile, today: datetime.date) -> dict[str, object]:
    """All of a verdict: title, conditions that decide it with what was known, what would change it."""
    return {
        "answer": verdict.answer.value,
        "conditions": [_condition(condition, profile) for condition in verdict.deciding],
        "changes": [[wording.remedy(one.clause, one.positive, profile.get(one.clause.fact), today) for one in change.conditions] for change in verdict.changes],
    }


def _condition(condition: Condition, profile: Profile) -> dict[str, str]:
    known = profile.get(condition.clause.fact)
    return {
        "text": wording.requirement(condition.clause, condition.positive),
        "met": condition.met.value,
        "answer": wording.answer(condition.clause.fact, known) if known is not None else "",
        "fact": condition.clause.fact,
    }


def summary(verdict: Verdict | None) -> Mapping[str, object]:
    """A verdict in a line, for lists: its words, its tone and the reason."""
    if verdict is None:
        return {}
    labels = {Truth.YES: _("You can ask for it"), Truth.NO: _("Not for you"), Truth.UNKNOWN: _("To be checked")}
    return {"answer": verdict.answer.value, "label": labels[verdict.answer], "tone": TONES[verdict.answer], "reason": reason(verdict)}


def reason(verdict: Verdict) -> str:
    """Why, in a sentence."""
    if not verdict.deciding:
        return _("It has no conditions that we can check")
    first = wording.requirement(verdict.deciding[0].clause, verdict.deciding[0].positive)
    if verdict.answer is Truth.NO:
        return _("It asks for: %(requirement)s") % {"requirement": first}
    if verdict.answer is Truth.UNKNOWN:
        more = len(verdict.deciding) - 1
        if not more:
            return _("It depends on: %(requirement)s") % {"requirement": first}
        return ngettext("It depends on: %(requirement)s, and %(n)d more", "It depends on: %(requirement)s, and %(n)d more", more) % {
            "requirement": first,
            "n": more,
        }
    count = len(verdict.deciding)
    return ngettext("You meet the condition", "You meet the %(n)d conditions", count) % {"n": count}

"""What became of two companies that both said yes: asked after 30, 90 and 180 days, told by each side, agreed when both say so.

A side that told a final outcome is not asked again. Who was asked stands in a ledger written in the transaction that queues
the mails, so a second run asks nobody twice; a run that comes late asks once, for the latest day that has passed.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.accounts.models import User

from . import notices
from .enums import NoDeal, Outcome, Side, State, Step
from .models import OutcomeAnswer, OutcomeQuestion, Synergy, SynergyEvent

ASKED_AFTER_DAYS = (30, 90, 180)
FINAL = (Outcome.AGREED, Outcome.NOT_AGREED)
MAX_COMMENT = 500


# --- Asking ---------------------------------------------------------------------------------------------------------------


def ask_due() -> int:
    """Ask every side of whom an answer is due today; how many sides were asked (none the second time the same day)."""
    return sum(_ask(pk, days) for days in sorted(ASKED_AFTER_DAYS, reverse=True) for pk in _due(days))


def _due(days: int) -> list[int]:
    """The mutual synergies of which some side was never asked for this day or a later one. Most are done: one query finds the few."""
    asked = OutcomeQuestion.objects.filter(synergy=OuterRef("pk"), days__gte=days)
    sides = [~Exists(asked.filter(side=side)) & ~_has_final(side) for side in Side]
    before = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - datetime.timedelta(days=days - 1)
    rows = Synergy.objects.mutual().filter(sides[0] | sides[1], mutual_at__lt=before)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _has_final(side: Side) -> Exists:
    """Whether the side's newest answer is a final one."""
    answers = OutcomeAnswer.objects.filter(synergy=OuterRef("pk"), side=side)
    newest = OutcomeAnswer.objects.filter(synergy=OuterRef("synergy"), side=side).order_by("-created", "-id").values("pk")[:1]
    return Exists(answers.filter(pk=Subquery(newest), outcome__in=FINAL))


@transaction.atomic
def _ask(pk: int, days: int) -> int:
    # Read again under the lock: another worker may have asked, somebody may have answered or said no.
    synergy = Synergy.objects.select_for_update(of=("self",), no_key=True).filter(pk=pk, state=State.MUTUAL).first()
    if synergy is None:
        return 0
    asked = set(synergy.questions.filter(days__gte=days).values_list("side", flat=True))
    told = standing(synergy.answers.all())
    sides = [side for side in Side if side not in asked and told.of(side) not in FINAL]
    OutcomeQuestion.objects.bulk_create([OutcomeQuestion(synergy=synergy, side=side, days=days) for side in sides])
    if sides:
        notices.asked_for_outcome(Synergy.objects.for_display().get(pk=pk), sides, days=days)
    return len(sides)


def open_questions(user: User) -> QuerySet[Synergy]:
    """The synergies of which a company of `user` was asked and has not told a final outcome since; the oldest first."""
    companies = user.memberships.active().values("company")
    open_sides = [
        Synergy.objects.filter(
            ~_has_final(side), Exists(_unanswered(side)), state=State.MUTUAL, **{f"{side.value}__company__in": companies}
        ).values("pk")
        for side in Side
    ]  # fmt: skip
    both = Synergy.objects.filter(pk__in=open_sides[0]) | Synergy.objects.filter(pk__in=open_sides[1])
    return both.for_display().order_by("mutual_at", "pk")


def _unanswered(side: Side) -> QuerySet[OutcomeQuestion]:
    """Questions to the side after which it told nothing."""
    later = OutcomeAnswer.objects.filter(synergy=OuterRef("synergy"), side=side, created__gte=OuterRef("at"))
    return OutcomeQuestion.objects.filter(~Exists(later), synergy=OuterRef("pk"), side=side)


# --- Answering ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def tell(synergy: Synergy, *, by: User, outcome: str, reason: str = "", comment: str = "") -> Synergy:
    """Say how it went, for the person's company. The newest answer of a side counts; the same one again changes nothing.

    `reason` (NoDeal) belongs to "not agreed". It and the comment are for the Innovation Service, not for the other company.
    """
    rows = Synergy.objects.select_for_update(of=("self",)).select_related("offer__company", "demand__company")
    synergy = rows.get(pk=synergy.pk)
    side = side_to_tell(synergy, by)
    if side is None:
        raise PermissionDenied
    if synergy.state != State.MUTUAL:
        raise ValidationError(_("Only when both companies said yes is there something to tell."), code="not_mutual")
    if outcome not in Outcome.values:
        raise ValidationError({"outcome": _("Choose how it went.")}, code="outcome")
    if outcome == Outcome.NOT_AGREED and reason not in NoDeal.values:
        raise ValidationError({"reason": _("Choose why you did not agree.")}, code="reason")
    told = {"outcome": outcome, "reason": reason if outcome == Outcome.NOT_AGREED else "", "comment": comment.strip()[:MAX_COMMENT]}
    last = synergy.answers.filter(side=side).last()
    asked_since = last and synergy.questions.filter(side=side, at__gt=last.created).exists()
    if last and not asked_since and all(getattr(last, name) == value for name, value in told.items()):
        return synergy
    OutcomeAnswer.objects.create(synergy=synergy, side=side, by=by, **told)
    if last is None or last.outcome != outcome:
        SynergyEvent.objects.create(synergy=synergy, step=Step.OUTCOME, company=synergy.listing(side).company, by=by)
    return synergy


def side_to_tell(synergy: Synergy, user: User) -> Side | None:
    """The side for which a person tells; who acts for both tells first for the one that has told nothing final."""
    companies = set(user.memberships.active().values_list("company", flat=True))
    sides = synergy.sides_of(companies)
    if len(sides) < len(Side):
        return sides[0] if sides else None
    told = standing(synergy.answers.all())
    return next((side for side in sides if told.of(side) not in FINAL), sides[0])


# --- What both told together ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """The newest answer of each side, and what follows from both."""

    demand: OutcomeAnswer | None = None
    offer: OutcomeAnswer | None = None

    def answer(self, side: Side) -> OutcomeAnswer | None:
        """What that side told last."""
        return self.demand if side == Side.DEMAND else self.offer

    def of(self, side: Side) -> str:
        """The outcome that the side told; empty if it told nothing."""
        answer = self.answer(side)
        return answer.outcome if answer else ""

    @property
    def is_agreed(self) -> bool:
        """Both sides say so: one's word alone is not confirmed."""
        return all(self.of(side) == Outcome.AGREED for side in Side)

    @property
    def is_contested(self) -> bool:
        """One says yes, the other no."""
        return {self.of(side) for side in Side} == set(FINAL)

    @property
    def label(self) -> str:
        """Both together in a few words."""
        told = {self.of(side) for side in Side}
        if self.is_agreed:
            return _("Agreed, both say so")
        if self.is_contested:
            return _("One says agreed, the other not")
        if Outcome.NOT_AGREED in told:
            return _("Not agreed")
        if Outcome.AGREED in told:
            return _("Agreed, one side says so")
        return _("Still talking") if Outcome.TALKING in told else _("Not told yet")


def standing(answers: Iterable[OutcomeAnswer]) -> Standing:
    """From all answers of one synergy, in whatever order."""
    newest: dict[str, OutcomeAnswer] = {}
    for answer in sorted(answers, key=lambda one: (one.created, one.pk)):
        newest[answer.side] = answer
    return Standing(**newest)


#: The three answers as buttons, with what each means for the reader.
HINTS = {
    Outcome.AGREED: gettext_lazy("An order, a contract, a loan, a joint project: whatever you do together."),
    Outcome.TALKING: gettext_lazy("Nothing is decided. We ask again later."),
    Outcome.NOT_AGREED: gettext_lazy("Tell us why, so that we can suggest better ones."),
}

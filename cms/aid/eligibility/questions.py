"""The questions a visitor reads: plain words, a kind of answer, big choices where there are few."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplace.companies.enums import Size

from . import wording
from .clauses import (
    DE_MINIMIS,
    FORM,
    FOUNDED,
    PEOPLE,
    PEOPLE_OF,
    PLACE,
    REVENUE,
    SECTOR,
    SELF_EMPLOYED,
    SOCIAL_SECURITY,
    TAXES,
    WHO,
    Answered,
    Clause,
    RevenueFell,
    SizeIn,
)

#: More activities than these are searched for by a word.
MOST_BUTTONS = 10
#: What stands for "none of these activities" in an address, before their codes.
NONE_OF = "none-of-"
UNKNOWN, ELSEWHERE, NEVER = "unknown", "elsewhere", "never"


@dataclass(frozen=True)
class Choice:
    """One of the answers to press."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class Question:
    """What to ask about a fact.

    kind     "choice", "number", "date", "place" or "sector"
    choices  all the answers of a "choice"; of other kinds those that stand beside the field, such as "not in Catalonia"
    unit     what stands after a number's field
    """

    fact: str
    text: str
    kind: str
    help: str = ""
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    most: int | None = None


def question(fact: str, clauses: Sequence[Clause]) -> Question:
    """The question about a fact; `clauses` are those of the rule that are about it, in its order."""
    if fact.startswith(REVENUE):
        return _revenue(fact, next(clause for clause in clauses if isinstance(clause, RevenueFell)))
    own = next((clause for clause in clauses if isinstance(clause, Answered)), None)
    return Question(fact, wording.own_question(own), "choice", choices=_choices(fact)) if own else _QUESTIONS[fact](clauses)


def _choices(fact: str) -> tuple[Choice, ...]:
    return tuple(Choice(str(value), name) for value, name in wording.choice_names(fact).items())


def _people(clauses: Sequence[Clause]) -> Question:
    text, hint = _("How many people work in the company?"), _("Count yourself too. Two half days are one person.")
    if all(isinstance(clause, SizeIn) for clause in clauses):
        choices = tuple(Choice(size, _capital(wording.people(PEOPLE_OF[Size(size)]))) for size in Size.values)
        return Question(PEOPLE, text, "choice", hint, choices)
    return Question(PEOPLE, text, "number", hint, unit=_("people"))


def _sector(clauses: Sequence[Clause]) -> Question:
    codes = asked_codes(clauses)
    text = _("What is your main activity?")
    hint = _("What brings in most of the revenue.")
    if len(codes) > MOST_BUTTONS:
        return Question(SECTOR, text, "sector", hint)
    choices = [Choice(code, wording.sector_name(code)) for code in codes]
    none = Choice(NONE_OF + ".".join(codes), _("None of these") if len(codes) > 1 else _("Another activity"))
    return Question(SECTOR, text, "choice", hint, (*choices, none))


def asked_codes(clauses: Sequence[Clause]) -> tuple[str, ...]:
    """The NACE codes of some clauses, each once, in order."""
    return tuple(sorted({code for clause in clauses for code in clause.codes}))


def _place(clauses: Sequence[Clause]) -> Question:
    return Question(PLACE, _("In which municipality is the company?"), "place", _("Begin to write and choose."), (Choice(ELSEWHERE, _("Not in Catalonia")),))


def _founded(clauses: Sequence[Clause]) -> Question:
    return Question(FOUNDED, _("When was the company founded?"), "date", _("The day of the deed. If you are self-employed, the day on which you registered."))


def _self_employed(clauses: Sequence[Clause]) -> Question:
    text = _("Since when have you been registered as self-employed?")
    return Question(SELF_EMPLOYED, text, "date", _("The day on which your present registration began."), (Choice(NEVER, _("I am not registered")),))


def _form(clauses: Sequence[Clause]) -> Question:
    return Question(FORM, _("What is the legal form?"), "choice", choices=_choices(FORM))


def _who(clauses: Sequence[Clause]) -> Question:
    return Question(WHO, _("Who asks for the aid?"), "choice", choices=_choices(WHO))


def _taxes(clauses: Sequence[Clause]) -> Question:
    return Question(TAXES, _("Are you up to date with your taxes?"), "choice", _("A deferral that the tax office granted counts as yes."), _choices(TAXES))


def _social_security(clauses: Sequence[Clause]) -> Question:
    text = _("Are you up to date with the social security?")
    return Question(SOCIAL_SECURITY, text, "choice", _("A deferral that it granted counts as yes."), _choices(SOCIAL_SECURITY))


def _de_minimis(clauses: Sequence[Clause]) -> Question:
    text = _("How much de minimis aid did you get in the last three years?")
    hint = _("Each letter that grants aid says whether it is “de minimis”. Add up the amounts; 0 if you had none.")
    return Question(DE_MINIMIS, text, "number", hint, unit="€")


def _revenue(fact: str, clause: RevenueFell) -> Question:
    text = _("By how many percent did your revenue fall?")
    period = _capital(wording.period(clause.period))
    return Question(fact, text, "number", _("%(period)s. Write 0 if it did not fall.") % {"period": period}, unit="%", most=100)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_QUESTIONS = {
    PEOPLE: _people,
    SECTOR: _sector,
    PLACE: _place,
    FOUNDED: _founded,
    SELF_EMPLOYED: _self_employed,
    FORM: _form,
    WHO: _who,
    TAXES: _taxes,
    SOCIAL_SECURITY: _social_security,
    DE_MINIMIS: _de_minimis,
}

"""A visitor's answers as they stand in an address: read, checked, written again. Nothing is stored."""

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from marketplace.companies import places, sectors
from marketplace.companies.enums import Size
from marketplace.companies.validators import EARLIEST_YEAR

from . import questions, wording, world
from .clauses import DE_MINIMIS, FOUNDED, PEOPLE, PEOPLE_OF, PLACE, SECTOR, SELF_EMPLOYED, Clause, SpanClause
from .known import ELSEWHERE, NEVER, Activity, Between, Known, Seat, exactly, one

#: The picker of sectors has a list beside its buttons, and a button to look for a word.
LIST, STEP = "_list", "step"
#: Nobody types more; what is longer is cut before it is shown again.
LONGEST = 80
MOST_PEOPLE, MOST_EUROS, MOST_PERCENT = 1_000_000, 1_000_000_000, 100
_THOUSANDS = re.compile(r"\d{1,3}([.,' ]\d{3})+")
_DECIMALS = re.compile(r"(\d+)[.,]\d{1,2}")


@dataclass(frozen=True)
class Answer:
    """What was answered to a fact: `known`, or None for "I don't know"; with an `error` it was not understood."""

    fact: str
    raw: str
    known: Known | None = None
    error: str = ""


def read(sent: QueryDict, clauses: Sequence[Clause], today: datetime.date) -> list[Answer]:
    """The answers in an address to what these clauses ask, in the order in which they stand there; the rest is nobody's."""
    facts = {clause.fact for clause in clauses}
    found = []
    for fact in sent:
        if fact not in facts:
            continue
        raw = _last(sent.getlist(f"{fact}{LIST}")) or _last(sent.getlist(fact))
        if raw:
            found.append(_answer(fact, raw, [clause for clause in clauses if clause.fact == fact], today))
        elif STEP not in sent:
            found.append(Answer(fact, "", error=_("Answer the question, or press “I don't know”.")))
    return found


def _last(values: list[str]) -> str:
    """A field and a button of the same name are both sent: the last one that says something counts."""
    return next((value.strip()[:LONGEST] for value in reversed(values) if value.strip()), "")


def _answer(fact: str, raw: str, clauses: Sequence[Clause], today: datetime.date) -> Answer:
    if raw == questions.UNKNOWN:
        return Answer(fact, raw)
    try:
        return Answer(fact, raw, _known(fact, raw, clauses, today))
    except ValidationError as error:
        return Answer(fact, raw, error=" ".join(error.messages))


def written(answers: Iterable[Answer], **more: str) -> str:
    """The answers as a query string, in their order, each once."""
    query = QueryDict(mutable=True)
    for answer in answers:
        query[answer.fact] = answer.raw
    for name, value in more.items():
        if value:
            query[name] = value
    return query.urlencode()


# --- Reading one answer ---------------------------------------------------------------------------------------------------


def _known(fact: str, raw: str, clauses: Sequence[Clause], today: datetime.date) -> Known:
    if fact == SECTOR:
        return _activity(raw)
    if fact == PLACE:
        return _seat(raw)
    if fact == FOUNDED or (fact == SELF_EMPLOYED and raw != questions.NEVER):
        return _day(raw, today)
    if isinstance(clauses[0], SpanClause):
        return _counted(fact, raw)
    if raw not in wording.choice_names(fact):
        raise ValidationError(_("Choose one of the answers."))
    return one(raw)


def _counted(fact: str, raw: str) -> Between:
    """A number, or one of the words that stand for some."""
    if fact == SELF_EMPLOYED:
        return exactly(NEVER)
    if fact == PEOPLE and raw in Size.values:
        return PEOPLE_OF[Size(raw)]
    return exactly(_number(raw, {PEOPLE: MOST_PEOPLE, DE_MINIMIS: MOST_EUROS}.get(fact, MOST_PERCENT)))


def _number(raw: str, most: int) -> int:
    """A whole number of zero or more; cents and thousands as people write them: "12.500,50 €" is 12500."""
    text = raw.replace("\u00a0", " ").strip("€% ")
    text = text.removesuffix(",00").removesuffix(".00")
    if _THOUSANDS.fullmatch(text):
        text = re.sub(r"[.,' ]", "", text)
    elif found := re.fullmatch(rf"({_THOUSANDS.pattern})[.,]\d{{1,2}}", text):
        text = re.sub(r"[.,' ]", "", found[1])
    elif found := _DECIMALS.fullmatch(text):
        text = found[1]
    if text.startswith("-"):
        raise ValidationError(_("Write 0 or more."))
    if not text.isascii() or not text.isdigit():
        raise ValidationError(_("Write a number in digits, such as 12."))
    if len(text.lstrip("0")) > len(str(most)) or int(text) > most:
        raise ValidationError(_("That is more than we can believe. Write %(most)s at most.") % {"most": wording.number_format(most, force_grouping=True)})
    return int(text)


def _day(raw: str, today: datetime.date) -> Between:
    """A day as browsers send it, 2019-05-03, or as people write it, 3/5/2019; a year alone is any day of it."""
    if re.fullmatch(r"\d{4}", raw):
        year = int(raw)
        if not EARLIEST_YEAR <= year <= today.year:
            raise ValidationError(_("Write a year between %(first)d and %(last)d.") % {"first": EARLIEST_YEAR, "last": today.year})
        return Between(datetime.date(year, 1, 1), min(datetime.date(year, 12, 31), today))
    if found := re.fullmatch(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", raw):
        raw = f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    try:
        day = parse_date(raw)
    except ValueError:
        day = None
    if day is None:
        raise ValidationError(_("There is no such day. Write it as day, month and year: 3/5/2019."))
    if day > today:
        raise ValidationError(_("This day has not come yet."))
    if day.year < EARLIEST_YEAR:
        raise ValidationError(_("Write a year between %(first)d and %(last)d.") % {"first": EARLIEST_YEAR, "last": today.year})
    return exactly(day)


def _seat(raw: str) -> Seat:
    if raw == questions.ELSEWHERE:
        return ELSEWHERE
    place = places.known().get(raw) or places.match(raw)
    if place is None:
        meant = ", ".join(like.name for like in places.like(raw))
        if meant:
            raise ValidationError(_("We know no municipality “%(name)s”. Did you mean %(meant)s?") % {"name": raw, "meant": meant})
        raise ValidationError(_("We know no municipality “%(name)s”. Write the name of one in Catalonia.") % {"name": raw})
    return Seat(place.code, place.comarca, place.province)


def _activity(raw: str) -> Activity:
    if raw.startswith(questions.NONE_OF):
        # What is denied is what was shown then: codes that the editor added since are asked about.
        codes = [code for code in raw.removeprefix(questions.NONE_OF).split(".") if code in sectors.tree()]
        if codes:
            return Activity(without=frozenset(codes))
    if raw not in sectors.tree():
        raise ValidationError(_("We know no sector with this code. Search for it by a word."))
    return world.activity(raw)

"""Rules in sentences, in the language of this moment: what is required, what was answered, what would change it."""

import datetime
from collections.abc import Iterable
from functools import singledispatch

from django.utils.dates import MONTHS
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from cms.aid.enums import Beneficiary
from marketplace.companies import places, sectors
from marketplace.companies.enums import LegalForm

from . import clauses
from .clauses import Clause, Period, When
from .days import MONTHS as MONTHS_A_YEAR
from .days import months_after
from .known import ELSEWHERE, NEVER, Activity, Between, Known, OneOf, Seat

#: A space at which no line breaks: "300.000 €" stays together.
NO_BREAK = "\u00a0"
#: More names in a row nobody reads.
MOST_NAMES = 8


def euros(amount: int) -> str:
    """Whole euros: "300.000 €"."""
    return number_format(amount, use_l10n=True, force_grouping=True) + NO_BREAK + "€"


def day(value: datetime.date) -> str:
    """A day as the language writes it."""
    return date_format(value, "DATE_FORMAT")


def listed(names: Iterable[object]) -> str:
    """Names in a row: "Terrassa, Rubí or Sabadell"; of very many the first ones."""
    found = [str(name) for name in names]
    if len(found) > MOST_NAMES:
        more = len(found) - MOST_NAMES + 1
        found = [*found[: MOST_NAMES - 1], ngettext("%(n)d more", "%(n)d more", more) % {"n": more}]
    if len(found) < 2:  # noqa: PLR2004 - one name stands alone
        return "".join(found)
    return _("%(names)s or %(last)s") % {"names": ", ".join(found[:-1]), "last": found[-1]}


# --- What is required -----------------------------------------------------------------------------------------------------


def requirement(clause: Clause, positive: bool = True) -> str:  # noqa: FBT001, FBT002 - as conditions carry it
    """A clause as a line of a list: "At most 49 people"; its opposite: "Not: at most 49 people"."""
    text = required(clause)
    return text if positive else _("Not: %(requirement)s") % {"requirement": _small(text)}


@singledispatch
def required(clause: Clause) -> str:
    """The clause itself."""
    raise NotImplementedError(type(clause))


@required.register
def _required_sector_in(clause: clauses.SectorIn) -> str:
    return _("Main activity: %(sectors)s") % {"sectors": listed(sector_name(code) for code in clause.codes)}


@required.register
def _required_size_in(clause: clauses.SizeIn) -> str:
    return _("Size: %(sizes)s") % {"sizes": listed(people(span) for span in clause.spans(datetime.date.min))}


@required.register
def _required_people_between(clause: clauses.PeopleBetween) -> str:
    if clause.least is None:
        return ngettext("At most %(n)d person works there", "At most %(n)d people work there", clause.most) % {"n": clause.most}
    if clause.most is None:
        return ngettext("At least %(n)d person works there", "At least %(n)d people work there", clause.least) % {"n": clause.least}
    return _("Between %(least)d and %(most)d people work there") % {"least": clause.least, "most": clause.most}


@required.register
def _required_place_in(clause: clauses.PlaceIn) -> str:
    return _("Based in %(places)s") % {"places": listed(place_names(clause))}


@required.register
def _required_founded(clause: clauses.Founded) -> str:
    if clause.when is When.SINCE:
        return _("Founded on %(day)s or later") % {"day": day(clause.day)}
    if clause.when is When.BEFORE:
        return _("Founded before %(day)s") % {"day": day(clause.day)}
    if clause.when is When.YOUNGER:
        return ngettext("Founded less than %(n)d year ago", "Founded less than %(n)d years ago", clause.years) % {"n": clause.years}
    return ngettext("Founded at least %(n)d year ago", "Founded at least %(n)d years ago", clause.years) % {"n": clause.years}


@required.register
def _required_form_in(clause: clauses.FormIn) -> str:
    return _("Legal form: %(forms)s") % {"forms": listed(LegalForm(form).label for form in clause.forms)}


@required.register
def _required_who_in(clause: clauses.WhoIn) -> str:
    return _("For: %(kinds)s") % {"kinds": listed(Beneficiary(kind).label for kind in clause.kinds)}


@required.register
def _required_revenue_fell(clause: clauses.RevenueFell) -> str:
    return _("Revenue at least %(percent)s lower: %(period)s") % {"percent": percentage(clause.percent), "period": period(clause.period)}


@required.register
def _required_self_employed_since(clause: clauses.SelfEmployedSince) -> str:
    if clause.day:
        return _("Registered as self-employed on %(day)s at the latest") % {"day": day(clause.day)}
    text = ngettext("Registered as self-employed for at least %(n)d month", "Registered as self-employed for at least %(n)d months", clause.months)
    return text % {"n": clause.months}


@required.register
def _required_up_to_date(clause: clauses.UpToDate) -> str:
    return _("Up to date with taxes") if clause.fact == clauses.TAXES else _("Up to date with the social security")


@required.register
def _required_de_minimis_below(clause: clauses.DeMinimisBelow) -> str:
    return _("Less than %(amount)s of de minimis aid in the last three years") % {"amount": euros(clause.amount)}


@required.register
def _required_answered(clause: clauses.Answered) -> str:
    return _("“%(question)s” Answer: %(answer)s") % {"question": own_question(clause), "answer": _("yes") if clause.answer == "yes" else _("no")}


# --- Names ------------------------------------------------------------------------------------------------------------------


def sector_name(code: str) -> str:
    """What a NACE code means."""
    sector = sectors.tree().get(code)
    return sector.label if sector else code


def people(span: Between) -> str:
    """A number of people, or from which to which."""
    if span.exact:
        return ngettext("%(n)d person", "%(n)d people", span.low) % {"n": span.low}
    if span.high is None:
        return _("%(n)d people or more") % {"n": span.low or 0}
    if not span.low:
        return ngettext("up to %(n)d person", "up to %(n)d people", span.high) % {"n": span.high}
    return _("%(least)d to %(most)d people") % {"least": span.low, "most": span.high}


def place_names(clause: clauses.PlaceIn) -> list[str]:
    """Municipalities, then comarcas, then provinces."""
    known = places.known()
    return [
        *(known[code].name if code in known else code for code in clause.municipalities),
        *(_("the comarca of %(name)s") % {"name": name} for name in clause.comarcas),
        *(_("the province of %(name)s") % {"name": name} for name in clause.provinces),
    ]


def percentage(number: int) -> str:
    """A number of percent: "30 %"."""
    return f"{number}{NO_BREAK}%"


def period(one: Period) -> str:
    """What is compared: "March to May 2020 compared with 2019"."""
    values = {"first": MONTHS[one.first], "last": MONTHS[one.last], "year": one.year, "other": one.compared_year}
    if (one.first, one.last) == (1, MONTHS_A_YEAR):
        return _("the year %(year)d compared with %(other)d") % values
    if one.first == one.last:
        return _("%(first)s %(year)d compared with %(other)d") % values
    return _("%(first)s to %(last)s %(year)d compared with %(other)d") % values


def own_question(clause: clauses.Answered) -> str:
    """The editor's question in the language of this moment, in Catalan where there is no other."""
    return getattr(clause, f"text_{get_language() or 'ca'}", "") or clause.text_ca


# --- What was answered ------------------------------------------------------------------------------------------------------


def answer(fact: str, known: Known) -> str:
    """What is known of a fact, for a person: "12 people", "Terrassa", "3 May 2019"."""
    if isinstance(known, Activity):
        return sector_name(known.path[-1]) if known.path else _("None of these: %(sectors)s") % {"sectors": listed(map(sector_name, sorted(known.without)))}
    if isinstance(known, Seat):
        return _("Not in Catalonia") if known == ELSEWHERE else places.known()[known.code].name
    if isinstance(known, OneOf):
        names = [name for value, name in choice_names(fact).items() if value in known.values]
        return listed([*names[:1], *map(_small, names[1:])])
    return span_answer(fact, known)


def _small(name: str) -> str:
    """Within a sentence: "a company", but "SL" as it is."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def choice_names(fact: str) -> dict[str, str]:
    """The names of the values of a closed list, in its order."""
    if fact == clauses.FORM:
        return {value: str(label) for value, label in LegalForm.choices}
    if fact == clauses.WHO:
        return {
            Beneficiary.SELF_EMPLOYED: _("A self-employed person"),
            Beneficiary.COMPANY: _("A company"),
            Beneficiary.COOPERATIVE: _("A cooperative"),
            Beneficiary.SOCIAL_ENTERPRISE: _("A social enterprise"),
            Beneficiary.ASSOCIATION: _("An association or a foundation"),
            Beneficiary.INDIVIDUAL: _("A person with a project, without a business yet"),
        }
    return {"yes": _("Yes"), "no": _("No")}


def span_answer(fact: str, known: Between) -> str:
    """A number or a day."""
    if fact == clauses.PEOPLE:
        return people(known)
    if fact == clauses.DE_MINIMIS:
        return euros(known.low or 0)
    if fact.startswith(clauses.REVENUE):
        return percentage(known.low or 0) if known.low else _("It did not fall")
    if known.low == NEVER:
        return _("Not registered as self-employed")
    if known.exact:
        return day(known.low)
    return str(known.low.year)


# --- What would change it ------------------------------------------------------------------------------------------------


def remedy(clause: Clause, positive: bool, known: Known | None, today: datetime.date) -> str:  # noqa: FBT001 - as conditions carry it
    """What would have to be otherwise, or plainly that nothing can be."""
    if not positive:
        return _("If this did not hold: %(requirement)s") % {"requirement": required(clause)}
    return _remedy(clause, known, today)


@singledispatch
def _remedy(clause: Clause, known: Known | None, today: datetime.date) -> str:
    return _("This would have to hold: %(requirement)s") % {"requirement": required(clause)}


@_remedy.register
def _remedy_sector_in(clause: clauses.SectorIn, known: Known | None, today: datetime.date) -> str:
    return _("This aid is for other activities. It changes only if your main activity does: %(sectors)s") % {
        "sectors": listed(sector_name(code) for code in clause.codes)
    }


@_remedy.register
def _remedy_size_in(clause: clauses.SizeIn, known: Known | None, today: datetime.date) -> str:
    spans = [people(span) for span in clause.spans(today)]
    return _("With %(people)s") % {"people": listed(spans)}


@_remedy.register
def _remedy_people_between(clause: clauses.PeopleBetween, known: Known | None, today: datetime.date) -> str:
    if clause.least is None:
        return ngettext("With at most %(n)d person", "With at most %(n)d people", clause.most) % {"n": clause.most}
    if clause.most is None:
        return ngettext("With at least %(n)d person", "With at least %(n)d people", clause.least) % {"n": clause.least}
    return _("With between %(least)d and %(most)d people") % {"least": clause.least, "most": clause.most}


@_remedy.register
def _remedy_place_in(clause: clauses.PlaceIn, known: Known | None, today: datetime.date) -> str:
    return _("With a workplace in %(places)s. Ask the office whether a branch is enough.") % {"places": listed(place_names(clause))}


@_remedy.register
def _remedy_founded(clause: clauses.Founded, known: Known | None, today: datetime.date) -> str:
    if clause.when is When.OLDER and isinstance(known, Between) and known.exact:
        return _("From %(day)s on: then the company is old enough.") % {"day": day(months_after(known.low, MONTHS_A_YEAR * clause.years))}
    if clause.when is When.YOUNGER:
        return _("This cannot change: the company is too old for this aid.")
    return _("This cannot change: what counts is the day on which the company was founded. %(requirement)s.") % {"requirement": required(clause)}


@_remedy.register
def _remedy_self_employed_since(clause: clauses.SelfEmployedSince, known: Known | None, today: datetime.date) -> str:
    if clause.months and isinstance(known, Between) and known.exact and known.low <= today:
        return _("From %(day)s on: then you have been registered long enough.") % {"day": day(months_after(known.low, clause.months))}
    if clause.months:
        return ngettext("%(n)d month after you register as self-employed", "%(n)d months after you register as self-employed", clause.months) % {
            "n": clause.months
        }
    return _("This cannot change: what counts is the day on which you registered.")


@_remedy.register
def _remedy_form_in(clause: clauses.FormIn, known: Known | None, today: datetime.date) -> str:
    return _("With another legal form: %(forms)s") % {"forms": listed(LegalForm(form).label for form in clause.forms)}


@_remedy.register
def _remedy_who_in(clause: clauses.WhoIn, known: Known | None, today: datetime.date) -> str:
    return _("This aid is for others: %(kinds)s") % {"kinds": listed(Beneficiary(kind).label for kind in clause.kinds)}


@_remedy.register
def _remedy_revenue_fell(clause: clauses.RevenueFell, known: Known | None, today: datetime.date) -> str:
    return _("This cannot change: the revenue would have had to fall by %(percent)s.") % {"percent": percentage(clause.percent)}


@_remedy.register
def _remedy_up_to_date(clause: clauses.UpToDate, known: Known | None, today: datetime.date) -> str:
    if clause.fact == clauses.TAXES:
        return _("Once you owe the tax office nothing. An agreed deferral counts as being up to date.")
    return _("Once you owe the social security nothing. An agreed deferral counts as being up to date.")


@_remedy.register
def _remedy_de_minimis_below(clause: clauses.DeMinimisBelow, known: Known | None, today: datetime.date) -> str:
    return _("When earlier de minimis aid is more than three years old and less than %(amount)s is left.") % {"amount": euros(clause.amount)}


@_remedy.register
def _remedy_answered(clause: clauses.Answered, known: Known | None, today: datetime.date) -> str:
    wanted = _("yes") if clause.answer == "yes" else _("no")
    return _("If your answer were “%(answer)s”: %(question)s") % {"answer": wanted, "question": own_question(clause)}

"""The blocks of single conditions; each makes a clause, and is made from one. They hold no language but the own questions' three."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError

from cms.aid.enums import Beneficiary
from marketplace.companies import places, sectors
from marketplace.companies.enums import LegalForm, Size
from marketplace.companies.validators import EARLIEST_YEAR

from . import clauses, wording
from .clauses import Rule, When

DIVISION = 2
MOST_PEOPLE, MOST_YEARS, MOST_MONTHS, MOST_EUROS = 100_000, 100, 600, 100_000_000
TICKS = forms.CheckboxSelectMultiple
MONTH_CHOICES = [(number, name) for number, name in sorted(wording.MONTHS.items())]


def wrong(**errors: str) -> StructBlockValidationError:
    """An error at each of these fields."""
    return StructBlockValidationError(block_errors={name: ValidationError(text) for name, text in errors.items()})


class ClauseBlock(blocks.StructBlock):
    """One condition."""

    def rule(self, value: blocks.StructValue) -> Rule:
        """What the editor filled in, as a clause."""
        raise NotImplementedError

    def raw(self, rule: Rule) -> dict[str, Any]:
        """The same as a stream keeps it: the reverse of `rule`."""
        raise NotImplementedError

    def clean(self, value: blocks.StructValue) -> blocks.StructValue:
        """Each field for itself, then together."""
        value = super().clean(value)
        self.check_together(value)
        return value

    def check_together(self, value: blocks.StructValue) -> None:
        """Raise an error unless the fields make sense together."""


# --- Clauses --------------------------------------------------------------------------------------------------------------


def _branches() -> list[tuple[str, list[tuple[str, str]]]]:
    """The sections of the NACE tree with their divisions, as groups of a list."""
    found = sectors.tree().values()
    sections = [one for one in found if one.level == 1]
    below = {section.code: [(one.code, f"{one.code} · {one.label}") for one in found if one.parent_id == section.code] for section in sections}
    return [
        (f"{section.code} · {section.label}", [(section.code, _now("The whole section %(code)s") % {"code": section.code}), *below[section.code]])
        for section in sections
    ]


def _codes(text: str) -> list[str]:
    return [code.strip().replace(".", "") for code in text.replace(";", ",").split(",") if code.strip()]


class SectorBlock(ClauseBlock):
    """The main activity."""

    branches = blocks.MultipleChoiceBlock(
        label=_("Sections and divisions"), choices=_branches, required=False, widget=forms.SelectMultiple(attrs={"size": 12}),
        help_text=_("Hold Ctrl to choose several. A section stands for everything below it."),
    )  # fmt: skip
    codes = blocks.CharBlock(
        label=_("Groups and classes by their code"), required=False, max_length=400,
        help_text=_("With commas: 561, 5630. A company filed less exactly is asked for its exact activity."),
    )  # fmt: skip

    class Meta:
        icon, label = "list-ul", _("Sector is one of")

    def check_together(self, value: blocks.StructValue) -> None:
        """Known codes, at least one."""
        codes = _codes(value["codes"])
        if unknown := [code for code in codes if code not in sectors.tree()]:
            raise wrong(codes=_now("There is no such NACE code: %(codes)s. Look it up and correct it.") % {"codes": ", ".join(unknown)})
        if not codes and not value["branches"]:
            raise wrong(branches=_now("Choose at least one sector, or take the block away."))

    def rule(self, value: blocks.StructValue) -> Rule:
        """All codes once, in the tree's order."""
        chosen = {*value["branches"], *_codes(value["codes"])}
        return clauses.SectorIn(tuple(code for code in sectors.tree() if code in chosen))

    def raw(self, rule: clauses.SectorIn) -> dict[str, Any]:
        """Sections and divisions in the list, the finer ones by their codes."""
        broad = [code for code in rule.codes if sectors.tree()[code].level <= DIVISION]
        return {"branches": broad, "codes": ", ".join(code for code in rule.codes if code not in broad)}


class SizeBlock(ClauseBlock):
    """Size classes."""

    sizes = blocks.MultipleChoiceBlock(label=_("Sizes"), choices=Size.choices, widget=TICKS)

    class Meta:
        icon, label = "group", _("Size is one of")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The ticked ones."""
        return clauses.SizeIn(tuple(size for size in Size.values if size in value["sizes"]))

    def raw(self, rule: clauses.SizeIn) -> dict[str, Any]:
        """The ticks."""
        return {"sizes": list(rule.sizes)}


class PeopleBlock(ClauseBlock):
    """A number of people."""

    least = blocks.IntegerBlock(label=_("At least"), required=False, min_value=1, max_value=MOST_PEOPLE)
    most = blocks.IntegerBlock(label=_("At most"), required=False, min_value=0, max_value=MOST_PEOPLE)

    class Meta:
        icon, label = "group", _("Number of people")
        help_text = _("Who works there, the self-employed person included. Fill in one of the two or both.")

    def check_together(self, value: blocks.StructValue) -> None:
        """One of the two, not crossed."""
        least, most = value["least"], value["most"]
        if least is None and most is None:
            raise wrong(least=_now("Fill in at least one of the two numbers."))
        if least is not None and most is not None and least > most:
            raise wrong(most=_now("“At most” is less than “at least”: nobody can meet that. Check both."))

    def rule(self, value: blocks.StructValue) -> Rule:
        """The range."""
        return clauses.PeopleBetween(value["least"], value["most"])

    def raw(self, rule: clauses.PeopleBetween) -> dict[str, Any]:
        """The two numbers."""
        return {"least": rule.least, "most": rule.most}


def _comarcas() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted({place.comarca for place in places.known().values()})]


def _provinces() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted({place.province for place in places.known().values()})]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.replace(";", ",").replace("\n", ",").split(",") if name.strip()]


class PlaceBlock(ClauseBlock):
    """Where the company is."""

    municipalities = blocks.TextBlock(label=_("Municipalities"), required=False, rows=2, max_length=4000, help_text=_("By name, with commas: Terrassa, Rubí."))
    comarcas = blocks.MultipleChoiceBlock(label=_("Comarcas"), choices=_comarcas, required=False, widget=forms.SelectMultiple(attrs={"size": 6}))
    provinces = blocks.MultipleChoiceBlock(label=_("Provinces"), choices=_provinces, required=False, widget=TICKS)

    class Meta:
        icon, label = "site", _("Place is one of")

    def check_together(self, value: blocks.StructValue) -> None:
        """Known names, at least one place."""
        names = _names(value["municipalities"])
        for name in names:
            if places.match(name) is None:
                like = ", ".join(place.name for place in places.like(name))
                text = (
                    _now("There is no municipality “%(name)s”. Did you mean %(like)s?") if like else _now("There is no municipality “%(name)s” in Catalonia.")
                )
                raise wrong(municipalities=text % {"name": name, "like": like})
        if not (names or value["comarcas"] or value["provinces"]):
            raise wrong(municipalities=_now("Name at least one place, or take the block away."))

    def rule(self, value: blocks.StructValue) -> Rule:
        """Municipalities by their codes; names that are unknown by now are left out."""
        found = [places.match(name) for name in _names(value["municipalities"])]
        codes = tuple(dict.fromkeys(place.code for place in found if place))
        return clauses.PlaceIn(codes, tuple(value["comarcas"]), tuple(value["provinces"]))

    def raw(self, rule: clauses.PlaceIn) -> dict[str, Any]:
        """Municipalities by their names."""
        names = ", ".join(places.known()[code].name for code in rule.municipalities)
        return {"municipalities": names, "comarcas": list(rule.comarcas), "provinces": list(rule.provinces)}


class FoundedBlock(ClauseBlock):
    """When the company began."""

    when = blocks.ChoiceBlock(
        label=_("The company was founded"), default=When.BEFORE.value,
        choices=[
            (When.BEFORE.value, _("before the day below")), (When.SINCE.value, _("on the day below or later")),
            (When.YOUNGER.value, _("less than the years below ago")), (When.OLDER.value, _("at least the years below ago")),
        ],
    )  # fmt: skip
    day = blocks.DateBlock(label=_("Day"), required=False)
    years = blocks.IntegerBlock(label=_("Years"), required=False, min_value=1, max_value=MOST_YEARS)

    class Meta:
        icon, label = "date", _("Founded before, after, within")

    def check_together(self, value: blocks.StructValue) -> None:
        """The field that the choice needs."""
        if When(value["when"]) in (When.SINCE, When.BEFORE):
            if value["day"] is None:
                raise wrong(day=_now("Write the day."))
            if value["day"].year < EARLIEST_YEAR:
                raise wrong(day=_now("Write a year from %(year)d on.") % {"year": EARLIEST_YEAR})
        elif value["years"] is None:
            raise wrong(years=_now("Write the number of years."))

    def rule(self, value: blocks.StructValue) -> Rule:
        """With the field that counts."""
        when = When(value["when"])
        return clauses.Founded(when, value["day"], None) if when in (When.SINCE, When.BEFORE) else clauses.Founded(when, None, value["years"])

    def raw(self, rule: clauses.Founded) -> dict[str, Any]:
        """The three fields."""
        return {"when": rule.when.value, "day": rule.day and rule.day.isoformat(), "years": rule.years}


class FormBlock(ClauseBlock):
    """Legal forms."""

    forms = blocks.MultipleChoiceBlock(label=_("Legal forms"), choices=LegalForm.choices, widget=TICKS)

    class Meta:
        icon, label = "doc-full", _("Legal form is one of")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The ticked ones."""
        return clauses.FormIn(tuple(form for form in LegalForm.values if form in value["forms"]))

    def raw(self, rule: clauses.FormIn) -> dict[str, Any]:
        """The ticks."""
        return {"forms": list(rule.forms)}


class WhoBlock(ClauseBlock):
    """Kinds of beneficiary."""

    kinds = blocks.MultipleChoiceBlock(label=_("Who may ask"), choices=Beneficiary.choices, widget=TICKS)

    class Meta:
        icon, label = "user", _("Asked for by one of")
        help_text = _("What is ticked among the facts of the aid holds already. This is for rules with alternatives.")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The ticked ones."""
        return clauses.WhoIn(tuple(kind for kind in Beneficiary.values if kind in value["kinds"]))

    def raw(self, rule: clauses.WhoIn) -> dict[str, Any]:
        """The ticks."""
        return {"kinds": list(rule.kinds)}


class RevenueBlock(ClauseBlock):
    """A fall of the revenue."""

    percent = blocks.IntegerBlock(label=_("At least, in percent"), min_value=1, max_value=100)
    year = blocks.IntegerBlock(label=_("In the year"), min_value=2000, max_value=2100)
    first = blocks.ChoiceBlock(label=_("From"), choices=MONTH_CHOICES, default=1)
    last = blocks.ChoiceBlock(label=_("To"), choices=MONTH_CHOICES, default=12)
    against = blocks.IntegerBlock(
        label=_("Compared with the year"), required=False, min_value=2000, max_value=2100, help_text=_("Left empty: the year before.")
    )

    class Meta:
        icon, label = "arrow-down", _("Revenue fell by")

    def check_together(self, value: blocks.StructValue) -> None:
        """Months in their order, an earlier year."""
        if int(value["last"]) < int(value["first"]):
            raise wrong(last=_now("The last month is before the first. Check both."))
        if value["against"] and value["against"] >= value["year"]:
            raise wrong(against=_now("Compare with an earlier year."))

    def rule(self, value: blocks.StructValue) -> Rule:
        """With the period, so that the same period is asked for once."""
        period = clauses.Period(value["year"], int(value["first"]), int(value["last"]), value["against"])
        return clauses.RevenueFell(period, value["percent"])

    def raw(self, rule: clauses.RevenueFell) -> dict[str, Any]:
        """Percent and period."""
        period = rule.period
        return {"percent": rule.percent, "year": period.year, "first": period.first, "last": period.last, "against": period.against}


class SelfEmployedBlock(ClauseBlock):
    """Since when somebody is self-employed."""

    day = blocks.DateBlock(label=_("On this day at the latest"), required=False)
    months = blocks.IntegerBlock(label=_("Or for at least so many months"), required=False, min_value=1, max_value=MOST_MONTHS)

    class Meta:
        icon, label = "user", _("Registered as self-employed since")
        help_text = _("Fill in one of the two.")

    def check_together(self, value: blocks.StructValue) -> None:
        """One of the two."""
        if (value["day"] is None) == (value["months"] is None):
            raise wrong(day=_now("Fill in the day or the months, not both."))
        if value["day"] and value["day"].year < EARLIEST_YEAR:
            raise wrong(day=_now("Write a year from %(year)d on.") % {"year": EARLIEST_YEAR})

    def rule(self, value: blocks.StructValue) -> Rule:
        """The day or the months."""
        return clauses.SelfEmployedSince(value["day"], value["months"])

    def raw(self, rule: clauses.SelfEmployedSince) -> dict[str, Any]:
        """The two fields."""
        return {"day": rule.day and rule.day.isoformat(), "months": rule.months}


class UpToDateBlock(ClauseBlock):
    """Nothing owed."""

    to = blocks.ChoiceBlock(
        label=_("To whom"), default=clauses.TAXES, choices=[(clauses.TAXES, _("The tax office")), (clauses.SOCIAL_SECURITY, _("The social security"))]
    )

    class Meta:
        icon, label = "check", _("Up to date with payments")

    def rule(self, value: blocks.StructValue) -> Rule:
        """Taxes or social security."""
        return clauses.UpToDate(value["to"])

    def raw(self, rule: clauses.UpToDate) -> dict[str, Any]:
        """The choice."""
        return {"to": rule.fact}


class DeMinimisBlock(ClauseBlock):
    """A limit of de minimis aid."""

    amount = blocks.IntegerBlock(label=_("Less than, in euros"), min_value=1, max_value=MOST_EUROS, default=300_000)

    class Meta:
        icon, label = "decimal", _("De minimis aid of three years below")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The amount."""
        return clauses.DeMinimisBelow(value["amount"])

    def raw(self, rule: clauses.DeMinimisBelow) -> dict[str, Any]:
        """The amount."""
        return {"amount": rule.amount}


class QuestionBlock(ClauseBlock):
    """The editor's own question, for what no other block says."""

    text_ca = blocks.CharBlock(label=_("In Catalan"), max_length=200)
    text_es = blocks.CharBlock(label=_("In Spanish"), max_length=200)
    text_en = blocks.CharBlock(label=_("In English"), max_length=200)
    answer = blocks.ChoiceBlock(label=_("The answer must be"), choices=[("yes", _("Yes")), ("no", _("No"))], default="yes")

    class Meta:
        icon, label = "help", _("A question of your own")
        help_text = _("One that can be answered with yes or no, about one thing. For example: Do you have a shop at street level?")

    def rule(self, value: blocks.StructValue) -> Rule:
        """The question, without stray spaces."""
        texts = [" ".join(value[name].split()) for name in ("text_ca", "text_es", "text_en")]
        return clauses.Answered(*texts, value["answer"])

    def raw(self, rule: clauses.Answered) -> dict[str, Any]:
        """Texts and answer."""
        return {"text_ca": rule.text_ca, "text_es": rule.text_es, "text_en": rule.text_en, "answer": rule.answer}

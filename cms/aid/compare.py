"""Up to four aids side by side: one row a fact, and whether they differ in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.companies.enums import Size

from . import words
from .eligibility.clauses import PEOPLE_OF
from .eligibility.known import Between
from .eligibility.wording import people
from .enums import Beneficiary
from .finder import Item
from .models import AidPage

NOT_SAID = "–"
#: More names than that make a cell nobody reads.
MOST_NAMES = 4


@dataclass(frozen=True)
class Row:
    """A fact of all compared aids. `differs` marks what there is to choose between."""

    label: str | Promise
    cells: list[str]

    @property
    def differs(self) -> bool:
        """Whether not all say the same."""
        return len(set(self.cells)) > 1


def rows(items: list[Item]) -> list[Row]:
    """The facts in the order in which one asks for them; what nobody says is left out."""
    found = [Row(label, [words_of(item) or NOT_SAID for item in items]) for label, words_of in FACTS]
    return [row for row in found if set(row.cells) != {NOT_SAID}]


def _names(values: Iterable[object], everybody: str) -> str:
    names = [str(value) for value in values]
    more = len(names) - MOST_NAMES
    # “And one more” takes as much room as its name.
    if more <= 1:
        return ", ".join(names) or everybody
    return _("%(names)s and %(n)d more") % {"names": ", ".join(names[:MOST_NAMES]), "n": more}


def beneficiaries(page: AidPage) -> str:
    """Who may ask for it."""
    labels = [str(Beneficiary(value).label) for value in page.beneficiaries]
    return _names(labels[:1] + [label.lower() for label in labels[1:]], _("Anybody"))


def sizes(page: AidPage) -> str:
    """For how many people in the company: sizes that follow one another read as one."""
    chosen = [size for size in Size if size in page.sizes]
    if len(chosen) in {0, len(Size)}:
        return _("Any size")
    runs: list[Between] = []
    for size in chosen:
        span = PEOPLE_OF[size]
        if runs and runs[-1].high == span.low - 1:
            runs[-1] = Between(runs[-1].low, span.high)
        else:
            runs.append(span)
    return capfirst(", ".join(people(span) for span in runs))


def sectors(page: AidPage) -> str:
    """For which sectors."""
    return _names((sector.label for sector in page.sectors), _("All sectors"))


def places(page: AidPage) -> str:
    """For companies where."""
    return _names((place.name for place in page.places), _("Everywhere"))


FACTS: list[tuple[str | Promise, Callable[[Item], str]]] = [
    (gettext_lazy("State"), lambda item: str(item.standing.state.label)),
    (gettext_lazy("When"), lambda item: words.when(item.standing, item.today)),
    (gettext_lazy("What you get"), lambda item: str(item.page.get_kind_display())),
    (gettext_lazy("How much"), lambda item: words.amount(item.page)),
    (gettext_lazy("Share of the cost"), lambda item: words.share(item.page)),
    (gettext_lazy("Whole budget"), lambda item: words.euros(item.page.budget)),
    (gettext_lazy("Who gives it"), lambda item: ", ".join(funder.name for funder in item.page.funders)),
    (gettext_lazy("Who can ask"), lambda item: beneficiaries(item.page)),
    (gettext_lazy("Company size"), lambda item: sizes(item.page)),
    (gettext_lazy("Sectors"), lambda item: sectors(item.page)),
    (gettext_lazy("Where"), lambda item: places(item.page)),
]

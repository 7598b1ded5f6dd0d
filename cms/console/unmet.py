"""The figures of unmet demand, on the console's first page and as a file; and what became of those that both said yes."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin.ui.components import Component
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views.reports import ReportView

from marketplace.accounts.rules import is_curator
from marketplace.synergies import outcomes, unmet
from marketplace.synergies.enums import Side
from marketplace.synergies.models import OutcomeAnswer, Synergy

from .access import CuratorRequiredMixin
from .files import csv_lines, write_workbook

#: Lines of a chart on the first page; the file has them all.
MOST_LINES = 5
MONTHS_SHOWN = 6
LONGEST_LABEL = 34


class UnmetPanel(Component):
    """Which demands nothing answers: by sector, municipality and month."""

    name = "marketplace_unmet"
    template_name = "console/unmet.html"
    order = 60

    @property
    def media(self) -> Media:
        """The console's style sheets."""
        return Media(css={"all": ["console/console.css", "console/matches.css"]})

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        """Nothing for those who are no curators."""
        return super().render_html(parent_context) if is_curator(parent_context["request"].user) else ""

    def get_context_data(self, parent_context: Mapping[str, Any]) -> Mapping[str, Any]:
        """The figures of this moment, ready for the charts."""
        figures, labels = unmet.figures(), unmet.section_labels()
        return {
            "figures": figures,
            "sections": [
                (Truncator(f"{one.label} · {labels.get(one.label, '')}").chars(LONGEST_LABEL), one.unmet)
                for one in figures.by_section()[:MOST_LINES]
                if one.unmet
            ],
            "places": [(one.label, one.unmet) for one in figures.by_place()[:MOST_LINES] if one.unmet],
            "months": [(date_format(month, "YEAR_MONTH_FORMAT"), one.unmet) for month, one in figures.by_month()[-MONTHS_SHOWN:]],
        }


class UnmetCsvView(CuratorRequiredMixin, View):
    """Every figure: a line for each month, section and municipality."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """The file of today."""
        lines = csv_lines(["month", "section", "section_name", "place", "demands", "without_match", "nothing_to_be_had"], self._rows())
        name = f"unmet-demand-{timezone.localdate()}.csv"
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def _rows(self) -> Iterator[list[object]]:
        labels = unmet.section_labels()
        for row in unmet.figures().rows:
            yield [f"{row.month:%Y-%m}", row.section, labels.get(row.section, ""), row.place, row.demands, row.unmet, row.given_up]


class OutcomesView(CuratorRequiredMixin, ReportView):
    """Every pair in which both said yes, and what the two told of it. No contact data."""

    model = Synergy
    template_name = "console/table.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Outcomes")
    header_icon = "success"
    index_url_name = "console_outcomes"
    index_results_url_name = "console_outcomes_results"
    default_ordering = ("-mutual_at", "-pk")
    paginate_by = 30
    verbose_name_plural = gettext_lazy("outcomes")
    list_export = ["uid", "demand", "asking", "offer", "offering", "mutual_at", "outcome", "asking_says", "asking_why", "offering_says", "offering_why"]
    export_filename = "outcomes"

    def get_base_queryset(self) -> QuerySet:
        """With what a row shows."""
        return super().get_base_queryset().filter(mutual_at__isnull=False).for_display().prefetch_related("answers")

    @cached_property
    def columns(self) -> list:
        """The two, since when, and how it went."""
        return [
            TitleColumn(
                "demand", label=_("Demand"), accessor="demand.title", get_url=lambda one: reverse("console_pair", args=[one.offer.uid, one.demand.uid])
            ),
            Column("asking", label=_("Who asks"), accessor="demand.company.name", width="15%"),
            Column("offering", label=_("Who offers"), accessor="offer.company.name", width="15%"),
            DateColumn("mutual_at", label=_("Both said yes"), sort_key="mutual_at", width="12%"),
            Column("outcome", label=_("How it went"), accessor=lambda one: _standing(one).label, width="18%"),
            Column("why", label=_("Why not"), accessor=_reasons, classname="console-roomy", width="15%"),
        ]

    def stream_csv(self, queryset: QuerySet) -> Iterator[bytes]:
        """A CSV file that no spreadsheet program takes for formulas."""
        return csv_lines(self.list_export, (_exported(one) for one in queryset))

    def write_xlsx(self, queryset: QuerySet, output: object) -> None:
        """The same as a workbook."""
        write_workbook(self.list_export, (_exported(one) for one in queryset), output)

    @cached_property
    def no_results_message(self) -> str:
        """What will be here."""
        return _("Nobody has come together yet. When both companies say yes, you see here what became of it.")


def _standing(synergy: Synergy) -> outcomes.Standing:
    return outcomes.standing(synergy.answers.all())


def _answers(synergy: Synergy) -> list[OutcomeAnswer | None]:
    told = _standing(synergy)
    return [told.answer(side) for side in (Side.DEMAND, Side.OFFER)]


def _reasons(synergy: Synergy) -> str:
    return ", ".join(dict.fromkeys(answer.get_reason_display() for answer in _answers(synergy) if answer and answer.reason))


def _exported(synergy: Synergy) -> list[object]:
    told = [value for answer in _answers(synergy) for value in ((answer.outcome, answer.reason) if answer else ("", ""))]
    return [
        str(synergy.uid), synergy.demand.title, synergy.demand.company.name, synergy.offer.title, synergy.offer.company.name,
        synergy.mutual_at.date().isoformat(), "agreed" if _standing(synergy).is_agreed else "", *told,
    ]  # fmt: skip

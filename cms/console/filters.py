"""What curators can narrow their lists by."""

import datetime

import django_filters
from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.widgets import BooleanRadioSelect

from marketplace.companies.models import Company, Sector
from marketplace.imports.enums import Outcome
from marketplace.imports.enums import State as ImportState
from marketplace.imports.models import Import, ImportRow
from marketplace.listings.enums import Category, Kind, Origin, State
from marketplace.listings.models import Listing
from search.enums import EntryKind
from search.models import Entry

AGES = [("1", _("More than a day")), ("3", _("More than 3 days")), ("7", _("More than a week")), ("30", _("More than a month"))]


def sections() -> list[tuple[str, str]]:
    """The 21 sections of NACE with their letters; read when a page is asked for, since labels follow its language."""
    return [(sector.code, f"{sector.code} · {sector.label}") for sector in Sector.objects.filter(level=1)]


def _choice(label: str, choices: object, **options: object) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(label=label, choices=choices, empty_label=_("All"), widget=forms.RadioSelect, **options)


def _several(label: str, choices: object) -> django_filters.MultipleChoiceFilter:
    return django_filters.MultipleChoiceFilter(label=label, choices=choices, widget=forms.CheckboxSelectMultiple)


class WaitingFilterSet(WagtailFilterSet):
    """For the queue, where the state is given."""

    kind = _choice(_("Kind"), Kind.choices)
    category = _several(_("Category"), Category.choices)
    section = _choice(_("Sector"), sections, method="filter_section")
    language = _several(_("Language"), settings.LANGUAGES)
    company = django_filters.CharFilter(label=_("Company"), field_name="company__name", lookup_expr="icontains")
    age = _choice(_("Waiting for"), AGES, method="filter_age")
    origin = _choice(_("Came by"), Origin.choices)

    class Meta:
        model = Listing
        fields = []

    def filter_section(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Everything below the section."""
        return queryset.filter(sector__path__startswith=value)

    def filter_age(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Sent for review (or made) at least so many days ago."""
        limit = timezone.now() - datetime.timedelta(days=int(value))
        return queryset.alias(since=Coalesce("submitted_at", "created")).filter(since__lt=limit)


class ListingFilterSet(WaitingFilterSet):
    """For the list of all listings."""

    state = _several(_("State"), State.choices)
    age = _choice(_("Age"), AGES, method="filter_age")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.filters.move_to_end("state", last=False)


class NoMatchFilterSet(WagtailFilterSet):
    """For the lists of what finds nobody."""

    section = _choice(_("Sector"), sections, method="filter_section")
    place = django_filters.CharFilter(label=_("Municipality"), field_name="place__name", lookup_expr="icontains")
    category = _several(_("Category"), Category.choices)
    language = _several(_("Language"), settings.LANGUAGES)
    age = _choice(_("Public for"), AGES, method="filter_age")

    class Meta:
        model = Listing
        fields = []

    def filter_section(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Everything below the section."""
        return queryset.filter(sector__path__startswith=value)

    def filter_age(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Published at least so many days ago."""
        return queryset.filter(published_at__lt=timezone.now() - datetime.timedelta(days=int(value)))


class CompanyFilterSet(WagtailFilterSet):
    """For the list of companies."""

    section = _choice(_("Sector"), sections, method="filter_section")
    verified = django_filters.BooleanFilter(label=_("Checked"), widget=BooleanRadioSelect)
    hidden = django_filters.BooleanFilter(label=_("Hidden"), widget=BooleanRadioSelect)
    without_tax_id = django_filters.BooleanFilter(label=_("Without a NIF"), field_name="tax_id", lookup_expr="isnull", widget=BooleanRadioSelect)

    class Meta:
        model = Company
        fields = []

    def filter_section(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Everything below the section."""
        return queryset.filter(sector__path__startswith=value)


class EntryFilterSet(WagtailFilterSet):
    """For the vocabulary."""

    kind = _choice(_("What it does"), EntryKind.choices)
    language = _choice(_("Language"), settings.LANGUAGES, method="filter_language")
    active = django_filters.BooleanFilter(label=_("In use"), widget=BooleanRadioSelect)

    class Meta:
        model = Entry
        fields = []

    def filter_language(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """With an expression in it."""
        return queryset.in_language(value)


class ImportFilterSet(WagtailFilterSet):
    """For the list of imports."""

    state = _several(_("State"), ImportState.choices)

    class Meta:
        model = Import
        fields = []


class ImportRowFilterSet(WagtailFilterSet):
    """For the rows of an import."""

    outcome = _several(_("Outcome"), Outcome.choices)

    class Meta:
        model = ImportRow
        fields = []

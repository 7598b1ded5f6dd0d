"""How editors choose among the thousand sectors and municipalities."""

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.chooser import BaseChooseView, ChooseResultsViewMixin, ChooseViewMixin, CreationFormMixin
from wagtail.admin.viewsets.chooser import ChooserViewSet

from marketplace.companies.models import Place, Sector


class NameForm(BaseFilterForm):
    """Part of a name, or a code."""

    q = forms.CharField(label=_("Part of the name, or the code"), required=False, max_length=80)
    fields_searched: tuple[str, ...] = ()

    def filter(self, objects: QuerySet) -> QuerySet:
        """Those in which every typed word stands."""
        for word in self.cleaned_data.get("q", "").split():
            found = Q(code__istartswith=word)
            for name in self.fields_searched:
                found |= Q(**{f"{name}__icontains": word})
            objects = objects.filter(found)
        return objects


class SectorForm(NameForm):
    """By any of its three names."""

    fields_searched = ("label_ca", "label_es", "label_en")


class PlaceForm(NameForm):
    """By its name, county or province."""

    fields_searched = ("name", "comarca", "province")


class _Choose(BaseChooseView):
    @property
    def columns(self) -> list[Column]:
        """The code beside the name."""
        return [*super().columns, Column("code", label=_("Code"), accessor="code")]


class _ChooseView(ChooseViewMixin, CreationFormMixin, _Choose):
    pass


class _ResultsView(ChooseResultsViewMixin, CreationFormMixin, _Choose):
    pass


class SectorChooser(ChooserViewSet):
    """The NACE tree, from the sections down."""

    model, icon = Sector, "list-ul"
    choose_one_text, choose_another_text = _("Choose a sector"), _("Choose another sector")

    class Choose(_ChooseView):
        filter_form_class = SectorForm

    class Results(_ResultsView):
        filter_form_class = SectorForm

    choose_view_class, choose_results_view_class = Choose, Results
    per_page = 20


class PlaceChooser(ChooserViewSet):
    """The municipalities."""

    model, icon = Place, "site"
    choose_one_text, choose_another_text = _("Choose a municipality"), _("Choose another municipality")

    class Choose(_ChooseView):
        filter_form_class = PlaceForm

    class Results(_ResultsView):
        filter_form_class = PlaceForm

    choose_view_class, choose_results_view_class = Choose, Results
    per_page = 20

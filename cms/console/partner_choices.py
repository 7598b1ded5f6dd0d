"""What we take from a partner and what we give it: kinds, sectors, municipalities, and how many listings that is."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.companies.models import Place, Sector
from marketplace.federation.enums import ReaderKind
from marketplace.federation.giving import Choice
from marketplace.federation.models import FeedEntry, Partner, RemoteListing
from marketplace.federation.models.feed import Op
from marketplace.listings.enums import Kind

from .partner_fields import PlacesField, SectorsField
from .partner_forms import SeenForm
from .partners import ChangePage

KINDS_HELP = gettext_lazy("None ticked: both.")
SECTORS_HELP = gettext_lazy("None ticked: all. A section or division stands for all below it.")
PLACES_HELP = gettext_lazy("One a line. Empty: all.")


def _choice(facts: Mapping[str, Any], prefix: str) -> Choice:
    kinds, sectors, places = (facts[f"{prefix}_{name}"] for name in ("kinds", "sectors", "places"))
    return Choice(frozenset(kinds), tuple(sector.path for sector in sectors), frozenset(place.pk for place in places))


class TakesForm(SeenForm):
    """What we take."""

    facts = ("take_kinds", "take_sectors", "take_places")
    take_kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds"), choices=Kind.choices, required=False, widget=forms.CheckboxSelectMultiple, help_text=KINDS_HELP
    )
    take_sectors = SectorsField(label=gettext_lazy("Sectors"), required=False, help_text=SECTORS_HELP)
    take_places = PlacesField(label=gettext_lazy("Municipalities"), required=False, help_text=PLACES_HELP)

    def known(self, partner: Partner) -> dict[str, Any]:
        """With the sets."""
        return {"take_kinds": partner.take_kinds, "take_sectors": list(partner.take_sectors.all()), "take_places": list(partner.take_places.all())}


class GivesForm(SeenForm):
    """What we give."""

    facts = ("gives", "give_kinds", "give_sectors", "give_places")
    gives = forms.BooleanField(
        label=gettext_lazy("It may read our listings"),
        required=False,
        help_text=gettext_lazy("Only what is public and began here, without contact data; nothing that came from other partners."),
    )
    give_kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds"), choices=Kind.choices, required=False, widget=forms.CheckboxSelectMultiple, help_text=KINDS_HELP
    )
    give_sectors = SectorsField(label=gettext_lazy("Sectors"), required=False, help_text=SECTORS_HELP)
    give_places = PlacesField(label=gettext_lazy("Municipalities"), required=False, help_text=PLACES_HELP)

    def known(self, partner: Partner) -> dict[str, Any]:
        """With the sets."""
        sets = {"give_sectors": list(partner.give_sectors.all()), "give_places": list(partner.give_places.all())}
        return {"gives": partner.gives, "give_kinds": partner.give_kinds} | sets


class _ChoicesView(ChangePage):
    """A form whose second button counts, and writes nothing."""

    template_name = "console/partner_choices.html"

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Count, or write."""
        if request.POST.get("step") != "count":
            return super().post(request, **kwargs)
        form = self.form_class(request.POST, partner=self.partner)
        if not form.is_valid():
            return self.again(form)
        return self.render_to_response(self.get_context_data(form=form, said=self.counted(form.cleaned_data)))

    def get_context_data(self, **context: object) -> dict:
        """With how many it is as it stands."""
        context = super().get_context_data(**context)
        if "said" not in context and not context["form"].is_bound:
            context["said"] = self.counted(self.form_class(partner=self.partner).initial)
        return context | {"intro": self.intro}

    def counted(self, facts: Mapping[str, Any]) -> str:
        """How many listings the choice is, in words."""
        raise NotImplementedError


class TakesView(_ChoicesView):
    """What we take."""

    form_class = TakesForm
    step = gettext_lazy("What we take")
    intro = gettext_lazy(
        "Of what the partner has, only this comes here. When you narrow it, what no longer fits goes at the next visit; when you widen it, the rest comes then."
    )

    def counted(self, facts: Mapping[str, Any]) -> str:
        """Of those that have come already: what the partner has besides nobody here knows."""
        live = RemoteListing.objects.filter(partner=self.partner, tombstoned_at=None, listing__isnull=False)
        total = live.count()
        if not total:
            return _("Nothing has come from the partner yet, so there is nothing to count.")
        kept = live.filter(_listing_q(facts["take_kinds"], facts["take_sectors"], facts["take_places"])).count()
        return ngettext(
            "Of %(total)d listing that is here now, %(kept)d would stay.", "Of %(total)d listings that are here now, %(kept)d would stay.", total
        ) % {
            "total": total,
            "kept": kept,
        }


class GivesView(_ChoicesView):
    """What we give."""

    form_class = GivesForm
    step = gettext_lazy("What we give")
    intro = gettext_lazy("When you change this, the partner reads everything anew at its next visit, and what is no longer among it disappears there.")

    def get_context_data(self, **context: object) -> dict:
        """With a word for partners that cannot read."""
        cannot = self.partner.reader not in (ReaderKind.PROTOCOL, ReaderKind.NONE)
        note = _("This partner has no marketplace of its own: it can read ours only if somebody there writes a program that does.") if cannot else ""
        return super().get_context_data(**context) | {"warning": note}

    def counted(self, facts: Mapping[str, Any]) -> str:
        """Of what we have to give at this moment."""
        ours = FeedEntry.objects.filter(op=Op.UPSERT)
        total, given = ours.count(), ours.filter(_choice(facts, "give").q()).count()
        if not facts["gives"]:
            given = 0
        return ngettext("Of our %(total)d public listing it would get %(given)d.", "Of our %(total)d public listings it would get %(given)d.", total) % {
            "total": total,
            "given": given,
        }


def _listing_q(kinds: Iterable[str], sectors: Iterable[Sector], places: Iterable[Place]) -> Q:
    wanted = Q()
    if kinds:
        wanted &= Q(listing__kind__in=kinds)
    if paths := [sector.path for sector in sectors]:
        wanted &= Q.create([pair for path in paths for pair in (("listing__sector__path", path), ("listing__sector__path__startswith", f"{path} "))], Q.OR)
    if codes := [place.pk for place in places]:
        wanted &= Q(listing__place__in=codes)
    return wanted

"""The shapes of aid in the API. They describe; api.py writes plain rows."""

from django.conf import settings
from rest_framework import serializers

from marketplace.companies.enums import Size
from marketplace.companies.serializers import PlaceOut, SectorOut
from marketplace.listings.serializers import FacetOptionOut
from marketplace.rest.schema import PageOut, Sparse

from .enums import Beneficiary, Kind, Level, State
from .filters import Fit

_AMOUNT = {"max_digits": 14, "decimal_places": 2, "allow_null": True}


class FunderOut(Sparse):
    """Who pays."""

    id = serializers.IntegerField(help_text="For the parameter “funder”.")
    name = serializers.CharField(help_text="In the language of the answer, in Catalan where there is no other.")
    level = serializers.ChoiceField(Level.choices)
    url = serializers.CharField(allow_blank=True)


class CallOut(Sparse):
    """One round in which one can ask."""

    uid = serializers.UUIDField()
    number = serializers.CharField(allow_blank=True, help_text="In the national database of subsidies (BDNS).")
    state = serializers.ChoiceField(State.choices)
    opens_on = serializers.DateField(allow_null=True)
    deadline = serializers.DateField(allow_null=True, help_text="The last day; null: no end, or until the money is used up.")
    exhausted_on = serializers.DateField(allow_null=True)
    budget = serializers.DecimalField(**_AMOUNT)
    url = serializers.CharField(allow_blank=True, help_text="The official text.")


class AidSummaryOut(Sparse):
    """An aid: its facts, which hold in every language, and its title and sentence in one."""

    uid = serializers.UUIDField(help_text="The same in every language.")
    language = serializers.ChoiceField(settings.LANGUAGES, help_text="Of the texts.")
    url = serializers.URLField(help_text="Its public page.")
    title = serializers.CharField()
    summary = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    kind_label = serializers.CharField(help_text="In the language of the answer.")
    state = serializers.ChoiceField(State.choices, help_text="Today, worked out from the calls.")
    state_label = serializers.CharField(help_text="In the language of the answer.")
    opens_on = serializers.DateField(allow_null=True, help_text="Of the call that decides the state.")
    deadline = serializers.DateField(allow_null=True, help_text="Of the call that decides the state.")
    days_left = serializers.IntegerField(allow_null=True, help_text="To the deadline, while one can ask.")
    funders = FunderOut(many=True)
    beneficiaries = serializers.ListField(child=serializers.ChoiceField(Beneficiary.choices), help_text="Empty: anybody.")
    sizes = serializers.ListField(child=serializers.ChoiceField(Size.choices), help_text="Empty: any size.")
    sectors = SectorOut(many=True, help_text="Empty: all sectors.")
    places = PlaceOut(many=True, help_text="Empty: everywhere.")
    amount_min = serializers.DecimalField(**_AMOUNT, help_text="In euros.")
    amount_max = serializers.DecimalField(**_AMOUNT, help_text="In euros.")
    share_max = serializers.IntegerField(allow_null=True, help_text="In percent of the cost.")
    budget = serializers.DecimalField(**_AMOUNT, help_text="In euros.")
    calls = CallOut(many=True)
    example = serializers.BooleanField(help_text="Invented: nobody can ask for it.")
    checked_on = serializers.DateField(allow_null=True, help_text="When somebody last saw to it that all is still true.")
    published_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)
    fit = serializers.ChoiceField(Fit.choices, required=False, help_text="What the rules say of the key's company; only where “fit” was asked for.")


class TextOut(Sparse):
    """A text twice."""

    html = serializers.CharField(allow_blank=True, help_text="Headings, paragraphs, lists, tables, links and pictures, with addresses in full.")
    plain = serializers.CharField(allow_blank=True)


class LinkOut(Sparse):
    """A name and an address."""

    name = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)


class TranslationOut(Sparse):
    """The same aid in a language."""

    language = serializers.ChoiceField(settings.LANGUAGES)
    url = serializers.URLField()


class AidOut(AidSummaryOut):
    """An aid with all its texts."""

    body = TextOut(help_text="What it pays for.")
    how_to_apply = TextOut()
    procedure = LinkOut()
    legal_base = LinkOut()
    translations = TranslationOut(many=True)


class AidFacetsOut(serializers.Serializer):
    """Each counted without its own filter."""

    kind = FacetOptionOut(many=True)
    state = FacetOptionOut(many=True)
    beneficiary = FacetOptionOut(many=True)
    size = FacetOptionOut(many=True)
    sector = FacetOptionOut(many=True)
    level = FacetOptionOut(many=True)
    funder = FacetOptionOut(many=True)
    fit = FacetOptionOut(many=True)


class AidPageOut(PageOut):
    """A page of aid."""

    results = AidSummaryOut(many=True)
    total = serializers.IntegerField()
    degraded = serializers.BooleanField(help_text="The search engine does not answer: the words of “q” were looked for plainly.")
    facets = AidFacetsOut(required=False)

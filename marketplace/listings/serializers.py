"""The shapes of listings in the API: what it gives (rows.py writes it; these describe it) and what it takes."""

from django.conf import settings
from rest_framework import serializers

from marketplace.companies.enums import Size
from marketplace.companies.serializers import PlaceOut, SectorOut
from marketplace.rest.inputs import Choice, Day, StrictSerializer, Text, Truth, Uid, Whole
from marketplace.rest.schema import PageOut, Sparse

from .enums import Category, Kind, Move, State
from .forms import SHORTEST_DESCRIPTION, SHORTEST_TITLE
from .models import MAX_DESCRIPTION

MOST_OPERATIONS = 500
#: What a key may do with its company's listings, besides writing them.
STEPS = (Move.SUBMIT, Move.RENEW, Move.REOPEN, Move.CLOSE, Move.WITHDRAW)
LONGEST_REASON = 1000


# --- What it gives ------------------------------------------------------------------------------------------------------


class CompanyOut(Sparse):
    """Who offers or looks for it."""

    uid = serializers.UUIDField()
    name = serializers.CharField()
    url = serializers.URLField(help_text="Its public page.")
    size = serializers.ChoiceField(Size.choices)
    verified = serializers.BooleanField(help_text="Checked by the Innovation Service.")


class ListingSourceOut(Sparse):
    """The partner marketplace that a listing comes from."""

    name = serializers.CharField(allow_blank=True)
    uri = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class MatchOut(Sparse):
    """How it was found: only in answers to “q” or “near”."""

    score = serializers.FloatField(help_text="Says only which of two results of one search is the better one.")
    distance_km = serializers.FloatField(allow_null=True)


class ListingOut(Sparse):
    """An offer or a demand. No contact data: companies exchange it once both said yes."""

    uid = serializers.UUIDField()
    url = serializers.URLField(help_text="Its public page.")
    kind = serializers.ChoiceField(Kind.choices)
    category = serializers.ChoiceField(Category.choices)
    title = serializers.CharField()
    description = serializers.CharField()
    keywords = serializers.ListField(child=serializers.CharField())
    language = serializers.ChoiceField(settings.LANGUAGES, help_text="Of the text.")
    sector = SectorOut()
    place = PlaceOut()
    reach_km = serializers.IntegerField(allow_null=True, help_text="How far from the place; null: distance does not matter.")
    remote = serializers.BooleanField(help_text="Also at a distance.")
    published_at = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateField()
    company = CompanyOut()
    source = ListingSourceOut(allow_null=True)
    version = serializers.IntegerField(help_text="Rises with every change.")


class FoundListingOut(ListingOut):
    """A listing as a search gives it."""

    match = MatchOut(required=False)

    class Meta:
        ref_name = "FoundListing"


class OwnListingOut(ListingOut):
    """A listing of the key's company, in any state."""

    state = serializers.ChoiceField(State.choices)
    state_label = serializers.CharField(help_text="In the language of the answer.")
    reason = serializers.CharField(allow_blank=True, help_text="What was written at the step that led to this state.")
    steps = serializers.ListField(child=serializers.ChoiceField([(step.value, step.label) for step in STEPS]), help_text="The steps that are possible now.")


class FacetOptionOut(serializers.Serializer):
    """A value of a filter and how many listings it would give."""

    value = serializers.CharField()
    label = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)
    checked = serializers.BooleanField()
    depth = serializers.IntegerField(help_text="Level in the tree of sectors.")


class FacetsOut(serializers.Serializer):
    """Each counted without its own filter."""

    kind = FacetOptionOut(many=True)
    category = FacetOptionOut(many=True)
    place = FacetOptionOut(many=True)
    sector = FacetOptionOut(many=True)
    language = FacetOptionOut(many=True)
    size = FacetOptionOut(many=True)


class ListingPageOut(PageOut):
    """A page of a search."""

    results = FoundListingOut(many=True)
    total = serializers.IntegerField(allow_null=True, help_text="How many there are; null where nobody counted (no “q”, “near” or “facets”).")
    degraded = serializers.BooleanField(help_text="The search engine does not answer: the order is not by fit.")
    facets = FacetsOut(required=False)


class OwnListingPageOut(PageOut):
    """A page of the company's listings."""

    results = OwnListingOut(many=True)


# --- What it takes ------------------------------------------------------------------------------------------------------


class ListingIn(StrictSerializer):
    """A new offer or demand. What is not given is filled as in the form: the company's place, a whole period, the language of the text."""

    kind = Choice(Kind.choices)
    category = Choice(Category.choices)
    title = Text(min_length=SHORTEST_TITLE, max_length=120)
    description = Text(min_length=SHORTEST_DESCRIPTION, max_length=MAX_DESCRIPTION)
    sector = Text(max_length=4, help_text="A code of NACE Rev. 2, of any level.")
    keywords = serializers.ListField(child=Text(max_length=200), max_length=50, required=False)
    language = Choice(settings.LANGUAGES, required=False)
    place = Text(max_length=80, required=False, help_text="The INE code of a municipality, or its name.")
    reach_km = Whole(min_value=1, max_value=1000, allow_null=True, required=False)
    remote = Truth(required=False)
    valid_until = Day(required=False)


class ListingChangeIn(ListingIn):
    """What shall change; everything else stays (RFC 7396)."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{**kwargs, "partial": True})

    def get_fields(self) -> dict[str, serializers.Field]:
        """Nothing is required."""
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class ReasonIn(StrictSerializer):
    """Why, for the listing's history."""

    reason = Text(max_length=LONGEST_REASON, required=False, allow_blank=True)


OPERATIONS = [("create", "create"), ("update", "update"), *((step.value, step.value) for step in STEPS)]


class OperationIn(StrictSerializer):
    """One operation of a batch, as it would be alone. `create` needs `listing`; `update` `uid`, `if_match` and `listing`; a step `uid`."""

    op = Choice(OPERATIONS)
    uid = Uid(required=False)
    if_match = Text(max_length=200, required=False, help_text="The ETag, as in If-Match.")
    listing = serializers.DictField(required=False, help_text="As the body of the single request.")
    reason = Text(max_length=LONGEST_REASON, required=False, allow_blank=True)


class BatchIn(StrictSerializer):
    """Up to 500 operations, done one after another, each for itself."""

    operations = serializers.ListField(child=serializers.JSONField(allow_null=True), min_length=1, max_length=MOST_OPERATIONS)


class ResultOut(serializers.Serializer):
    """What became of the operation at this place: `listing`, or `problem`."""

    status = serializers.IntegerField(help_text="What the single request would have been answered.")
    etag = serializers.CharField(required=False)
    listing = OwnListingOut(required=False)
    problem = serializers.DictField(required=False)


class BatchOut(serializers.Serializer):
    """A result for each operation, in their order."""

    results = ResultOut(many=True)
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()

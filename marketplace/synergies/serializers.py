"""The shapes of suggestions and interests in the API. They describe; api.py writes plain rows."""

from rest_framework import serializers

from marketplace.listings.serializers import ListingOut
from marketplace.rest.inputs import Choice, StrictSerializer, Text, Uid
from marketplace.rest.schema import PageOut, Sparse

from .enums import DismissReason, Side, State
from .operations import MAX_COMMENT


class SignalOut(serializers.Serializer):
    """One line of the sum behind a score."""

    name = serializers.CharField(help_text="text, meaning, sector, place or freshness; others may come.")
    label = serializers.CharField(help_text="In the language of the answer.")
    points = serializers.FloatField()
    maximum = serializers.FloatField()


class ReasonOut(serializers.Serializer):
    """Why, or what speaks against it."""

    code = serializers.CharField(help_text="terms, meaning, sector, place, language, freshness or missing; others may come.")
    positive = serializers.BooleanField(help_text="Whether it speaks for the two.")
    text = serializers.CharField(help_text="In the language of the answer.")
    data = serializers.DictField(
        help_text="What the text says, for programs. In “pairs”, “mine” and “theirs” are [start, end] in the text of the field that is named beside them."
    )


class OwnPartOut(Sparse):
    """The company's own listing."""

    uid = serializers.UUIDField()
    url = serializers.URLField()
    kind = serializers.CharField()
    title = serializers.CharField()


class AnswersOut(Sparse):
    """What both sides said, as the key's company sees it."""

    uid = serializers.UUIDField()
    url = serializers.URLField(help_text="The page for the people of the two companies.")
    state = serializers.ChoiceField(State.choices)
    is_open = serializers.BooleanField(help_text="Both listings are public, so that an answer still leads somewhere.")
    side = serializers.ChoiceField(Side.choices, help_text="What the company has in it.")
    own = OwnPartOut()
    other = ListingOut(allow_null=True, help_text="The other company's listing; null once it is not public, unless both said yes.")
    own_interest_at = serializers.DateTimeField(allow_null=True, help_text="Since when the company says yes.")
    other_interest_at = serializers.DateTimeField(allow_null=True, help_text="Since when the other company says yes.")
    mutual_at = serializers.DateTimeField(allow_null=True)
    dismissed_by = serializers.ChoiceField([("us", "us"), ("them", "them")], allow_null=True)
    can_undo = serializers.BooleanField(help_text="The company's yes or no can be taken back.")


class SuggestionOut(AnswersOut):
    """An offer and a demand that fit, and why."""

    score = serializers.FloatField(help_text="0 to 100; the same for both companies.")
    signals = SignalOut(many=True, help_text="The sum behind the score.")
    reasons = ReasonOut(many=True)
    proposed = serializers.BooleanField(help_text="The Innovation Service put the two together.")
    suggested_at = serializers.DateTimeField()


class SuggestionPageOut(PageOut):
    """A page of suggestions: first those where the other company waits, then the best for both."""

    results = SuggestionOut(many=True)


class SuggestionContactOut(Sparse):
    """Whom to call or write at the other company."""

    company = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)


class SuggestionInterestOut(AnswersOut):
    """What became of a suggestion on which somebody acted."""

    contact = SuggestionContactOut(allow_null=True, help_text="Null until both companies said yes.")


class SuggestionInterestPageOut(PageOut):
    """A page of interests without contact data: these are in the answer for one."""

    results = AnswersOut(many=True)


class SuggestionInterestIn(StrictSerializer):
    """That the company is interested."""

    suggestion = Uid(help_text="The suggestion's uid.")


class DismissIn(StrictSerializer):
    """Why not. The other company sees neither."""

    reason = Choice(DismissReason.choices)
    comment = Text(max_length=MAX_COMMENT, required=False, allow_blank=True)

"""The shape of the public figures in the API."""

from rest_framework import serializers


class IndicatorOut(serializers.Serializer):
    """A figure."""

    code = serializers.CharField(help_text="companies, offers, demands, synergies or mutual; others may come.")
    label = serializers.CharField(help_text="In the language of the answer.")
    value = serializers.IntegerField()


class SeriesRowOut(serializers.Serializer):
    """A row of a table."""

    code = serializers.CharField(help_text="Of the sector, kind or municipality; the month as 2026-11.")
    label = serializers.CharField()
    value = serializers.IntegerField(help_text="Offers and demands that are public now.")


class SeriesOut(serializers.Serializer):
    """A table of the page of figures, with every row."""

    code = serializers.CharField(help_text="sectors, categories, places or months; others may come.")
    label = serializers.CharField()
    rows = SeriesRowOut(many=True)


class IndicatorsOut(serializers.Serializer):
    """What the marketplace tells of itself."""

    figures = IndicatorOut(many=True)
    series = SeriesOut(many=True)

"""The shapes of companies, sectors and municipalities in the API. They describe; api.py writes plain rows."""

from rest_framework import serializers

from marketplace.rest.schema import PageOut, Sparse

from .enums import LegalForm, Size


class SectorOut(Sparse):
    """A sector of NACE Rev. 2."""

    code = serializers.CharField()
    label = serializers.CharField(help_text="In the language of the answer.")


class PlaceOut(Sparse):
    """A municipality."""

    code = serializers.CharField(help_text="Of the national statistical institute (INE).")
    name = serializers.CharField()


class SourceOut(Sparse):
    """The partner marketplace that a company comes from."""

    name = serializers.CharField(allow_blank=True)
    uri = serializers.CharField()


class CompanyDetailOut(Sparse):
    """A company as everybody may see it: nothing about its people, no contact data, no NIF."""

    uid = serializers.UUIDField()
    url = serializers.URLField(help_text="Its public page.")
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    sector = SectorOut()
    place = PlaceOut()
    size = serializers.ChoiceField(Size.choices)
    legal_form = serializers.ChoiceField([("", ""), *LegalForm.choices], help_text="Empty: not known.")
    web = serializers.CharField(allow_blank=True)
    logo = serializers.URLField(allow_null=True)
    verified = serializers.BooleanField(help_text="Checked by the Innovation Service.")
    source = SourceOut(allow_null=True, help_text="Of a partner's company.")


class CompanyPageOut(PageOut):
    """A page of companies, by name."""

    results = CompanyDetailOut(many=True)


class SectorDetailOut(SectorOut):
    """A node of the tree NACE Rev. 2 = CNAE-2009 = CCAE-2009."""

    level = serializers.IntegerField(min_value=1, max_value=4, help_text="1 section, 2 division, 3 group, 4 class.")
    parent = serializers.CharField(allow_null=True)
    path = serializers.ListField(child=serializers.CharField(), help_text="The codes from the section down to this one.")


class SectorsOut(serializers.Serializer):
    """Sectors, in the order of the tree or, for “q”, the best first."""

    results = SectorDetailOut(many=True)


class PlaceDetailOut(PlaceOut):
    """A municipality of Catalonia."""

    comarca = serializers.CharField()
    province = serializers.CharField()
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()


class PlacesOut(serializers.Serializer):
    """Municipalities by name."""

    results = PlaceDetailOut(many=True)

"""The public figures for programs."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from marketplace.rest import paging, schema
from marketplace.rest.answers import answer
from marketplace.rest.views import ApiView

from . import figures
from .serializers import IndicatorsOut


class Indicators(ApiView):
    """The marketplace in figures."""

    schema_tag = "indicators"

    @extend_schema(
        operation_id="getIndicators",
        summary="The public figures",
        description="What the home page and the page of figures show, at most a minute old, with the rows that charts leave out.",
        parameters=[schema.IF_NONE_MATCH, schema.ETAG],
        responses={200: IndicatorsOut, 304: schema.NOT_MODIFIED},
        auth=[{}, {"key": []}],
    )
    def get(self, request: Request) -> HttpResponse:
        """All of them."""
        paging.refuse_unknown(request, ())
        return answer(request, figures.indicators())

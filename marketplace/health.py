"""Whether the service is well, for those who run it and their machines."""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse

import search
from marketplace.core import changelog
from marketplace.core.models import Mail, Reader


def health(request: HttpRequest) -> JsonResponse:
    """200 as long as the database answers: state, engine, how many changes each reader has still to see, mails that wait.

    "degraded" means that the chosen search engine does not answer: the site works, with the simpler search.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse(
        {
            "status": "ok" if _search_answers() else "degraded",
            "engine": "elasticsearch" if settings.ELASTICSEARCH_URL else "embedded",
            "lag": {name: changelog.lag(name) for name in Reader.objects.order_by("name").values_list("name", flat=True)},
            "mails_waiting": Mail.objects.filter(state=Mail.State.WAITING).count(),
        }
    )


def _search_answers() -> bool:
    try:
        return not search.find(search.Query(page_size=1)).degraded
    except search.SearchUnavailable:
        return False

"""Pages of the site itself."""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from . import changelog
from . import gallery as gallery_data
from .models import Mail, Reader


def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers: what each reader of the change log has still to do, and the mails that wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    readers = {name: changelog.lag(name) for name in Reader.objects.order_by("name").values_list("name", flat=True)}
    waiting = Mail.objects.filter(state=Mail.State.WAITING).count()
    engine = "elasticsearch" if settings.ELASTICSEARCH_URL else "embedded"
    return JsonResponse({"status": "ok", "engine": engine, "lag": readers, "mails_waiting": waiting})


def gallery(request: HttpRequest) -> HttpResponse:
    """Every component with sample data; for those who work on the look."""
    return render(request, "components/gallery.html", gallery_data.samples())

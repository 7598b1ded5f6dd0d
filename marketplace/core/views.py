"""Pages of the site itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from . import gallery as gallery_data


def gallery(request: HttpRequest) -> HttpResponse:
    """Every component with sample data; for those who work on the look."""
    return render(request, "components/gallery.html", gallery_data.samples())

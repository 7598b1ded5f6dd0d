"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, str]:
    """The site's name, its city and its address without a path."""
    return {"site_name": settings.SITE_NAME, "city_name": settings.CITY_NAME, "site_url": settings.SITE_URL}

"""The pictures and documents of the site's pages, checked when they come."""

from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "cms.media"
    label = "media"

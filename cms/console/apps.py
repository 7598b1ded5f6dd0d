"""The staff's views of the domain apps, in the Wagtail admin."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "cms.console"
    label = "console"

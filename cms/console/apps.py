"""The staff's views of the domain apps, in the Wagtail admin."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "cms.console"
    label = "console"

    def ready(self) -> None:
        """Reviews are told in each reader's language."""
        from . import notices  # noqa: PLC0415 - models are loaded only now

        notices.replace_wagtails()

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "cms.pages"
    label = "pages"

    def ready(self) -> None:
        """Listen to Wagtail's signals."""
        from .cache import purge  # noqa: PLC0415 - models are not there before

        purge.connect()

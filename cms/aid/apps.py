from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AidConfig(AppConfig):
    name = "cms.aid"
    label = "aid"
    verbose_name = _("aid for companies")

    def ready(self) -> None:
        """Publishing tells the change log, and so does a funder's new name."""
        from cms.pages.cache import purge  # noqa: PLC0415 - models are loaded only now

        from . import changes, models  # noqa: PLC0415

        changes.connect()
        purge.follow(models.Funder, "funder")

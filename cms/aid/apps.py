from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AidConfig(AppConfig):
    name = "cms.aid"
    label = "aid"
    verbose_name = _("aid for companies")

    def ready(self) -> None:
        """Publishing tells the change log."""
        from . import changes  # noqa: PLC0415 - models are loaded only now

        changes.connect()

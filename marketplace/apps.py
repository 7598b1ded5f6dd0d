from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    """The project's own commands (worker, daily); its rooms are apps of their own."""

    name = "marketplace"
    label = "marketplace"

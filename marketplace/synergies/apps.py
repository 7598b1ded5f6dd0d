from django.apps import AppConfig


class SynergiesConfig(AppConfig):
    name = "marketplace.synergies"
    label = "synergies"

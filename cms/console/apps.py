from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "cms.console"
    label = "console"

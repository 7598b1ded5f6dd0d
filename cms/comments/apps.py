from django.apps import AppConfig


class CommentsConfig(AppConfig):
    name = "cms.comments"
    label = "comments"

"""Addresses of conversations and of what one does with a comment."""

from django.urls import path

from . import views

app_name = "comments"
urlpatterns = [
    path("<uuid:key>/", views.conversation, name="conversation"),
    path("<uuid:key>/new/", views.post, name="post"),
    path("comment/<uuid:uid>/", views.comment, name="comment"),
    path("comment/<uuid:uid>/reply/", views.reply, name="reply"),
    path("comment/<uuid:uid>/edit/", views.edit, name="edit"),
    path("comment/<uuid:uid>/delete/", views.delete, name="delete"),
    path("comment/<uuid:uid>/report/", views.report, name="report"),
]

"""Addresses of this app; signing in and the like are allauth's."""

from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("", views.profile, name="profile"),
    path("my-data.json", views.export, name="export"),
    path("mails/<str:token>/", views.stop_mails, name="stop_mails"),
    path("mails/<str:token>/undo/", views.resume_mails, name="resume_mails"),
    path("close/", views.erase, name="erase"),
]

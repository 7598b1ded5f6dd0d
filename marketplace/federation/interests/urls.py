"""Addresses of the pages for people."""

from django.urls import path

from . import views

app_name = "across"
urlpatterns = [
    path("", views.received, name="received"),
    path("say-yes/<uuid:uid>/", views.say_yes, name="say_yes"),
    path("<uuid:uid>/", views.detail, name="detail"),
    path("<uuid:uid>/yes/", views.accept, name="accept"),
    path("<uuid:uid>/no/", views.decline, name="decline"),
]

"""Addresses of the pages for people, beside those of the synergies."""

from django.urls import path

from . import views

app_name = "across"
urlpatterns = [
    path("from-other-marketplaces/", views.received, name="received"),
    path("<uuid:uid>/say-yes/", views.say_yes, name="say_yes"),
    path("from-other-marketplaces/<uuid:uid>/", views.detail, name="detail"),
    path("from-other-marketplaces/<uuid:uid>/yes/", views.accept, name="accept"),
    path("from-other-marketplaces/<uuid:uid>/no/", views.decline, name="decline"),
]

"""Addresses of this app."""

from django.urls import path

from . import views

app_name = "listings"
urlpatterns = [
    path("", views.search_page, name="search"),
    path("<uuid:uid>/", views.listing_page, name="detail"),
]

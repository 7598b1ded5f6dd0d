"""Addresses of this app."""

from django.urls import path

from . import feeds, own, views

app_name = "listings"
urlpatterns = [
    path("", views.search_page, name="search"),
    path("atom/", feeds.search_feed, name="feed"),
    path("new/", own.create, name="create"),
    path("new/assist/", own.assist, name="assist"),
    path("<uuid:uid>/", views.listing_page, name="detail"),
    path("<uuid:uid>/manage/", own.own, name="own"),
    path("<uuid:uid>/edit/", own.edit, name="edit"),
    path("<uuid:uid>/edit/assist/", own.assist, name="assist"),
    path("<uuid:uid>/step/<str:move>/", own.take_step, name="step"),
]

"""Addresses of this app."""

from django.urls import path

from . import outcome_views, views, why_views

app_name = "synergies"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("of-listing/<uuid:uid>/", views.for_listing, name="for_listing"),
    path("why-not/", why_views.why_not, name="why_not"),
    path("<uuid:uid>/", views.detail, name="detail"),
    path("<uuid:uid>/interest/", views.interest, name="interest"),
    path("<uuid:uid>/not-for-us/", views.dismiss, name="dismiss"),
    path("<uuid:uid>/take-back/", views.undo, name="undo"),
    path("<uuid:uid>/outcome/", outcome_views.outcome, name="outcome"),
]

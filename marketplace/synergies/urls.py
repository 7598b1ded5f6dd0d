"""Addresses of this app."""

from django.urls import path

from . import beyond_views, outcome_views, views, why_views

app_name = "synergies"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("of-listing/<uuid:uid>/", views.for_listing, name="for_listing"),
    path("why-not/", why_views.why_not, name="why_not"),
    path("together/", beyond_views.together, name="together"),
    path("groups/<uuid:uid>/", beyond_views.group, name="group"),
    path("groups/<uuid:uid>/ask/<int:member>/", beyond_views.ask_member, name="ask_member"),
    path("groups/<uuid:uid>/not-for-us/", beyond_views.set_aside_group, name="set_aside_group"),
    path("rings/<uuid:uid>/", beyond_views.ring, name="ring"),
    path("rings/<uuid:uid>/not-for-us/", beyond_views.set_aside_ring, name="set_aside_ring"),
    path("<uuid:uid>/", views.detail, name="detail"),
    path("<uuid:uid>/interest/", views.interest, name="interest"),
    path("<uuid:uid>/not-for-us/", views.dismiss, name="dismiss"),
    path("<uuid:uid>/take-back/", views.undo, name="undo"),
    path("<uuid:uid>/outcome/", outcome_views.outcome, name="outcome"),
]

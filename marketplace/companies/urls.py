"""Addresses of this app."""

from django.urls import path

from . import api_keys, views

app_name = "companies"
urlpatterns = [
    path("", views.company_list, name="list"),
    path("new/", views.create, name="create"),
    path("sectors/", views.sector_options, name="sectors"),
    path("places/", views.place_names, name="places"),
    path("<uuid:uid>/", views.detail, name="detail"),
    path("<uuid:uid>/edit/", views.edit, name="edit"),
    path("<uuid:uid>/join/", views.join, name="join"),
    path("<uuid:uid>/people/", views.people, name="people"),
    path("<uuid:uid>/people/<uuid:membership_uid>/decide/", views.decide, name="decide"),
    path("<uuid:uid>/people/<uuid:membership_uid>/role/", views.set_role, name="set_role"),
    path("<uuid:uid>/people/<uuid:membership_uid>/leave/", views.leave, name="leave"),
    path("<uuid:uid>/keys/", api_keys.key_list, name="keys"),
    path("<uuid:uid>/keys/new/", api_keys.create, name="key_create"),
    path("<uuid:uid>/keys/usage/", api_keys.used, name="key_usage"),
    path("<uuid:uid>/keys/<uuid:key_uid>/replace/", api_keys.rotate, name="key_rotate"),
    path("<uuid:uid>/keys/<uuid:key_uid>/revoke/", api_keys.revoke, name="key_revoke"),
]

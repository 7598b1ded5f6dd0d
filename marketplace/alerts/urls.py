"""Addresses of this app."""

from django.urls import path

from . import views

app_name = "alerts"
urlpatterns = [
    path("", views.own, name="list"),
    path("new/", views.create, name="create"),
    path("stop/<str:token>/", views.stop, name="stop"),
    path("stop/<str:token>/undo/", views.resume_stopped, name="resume_stopped"),
    path("<uuid:uid>/", views.detail, name="detail"),
    path("<uuid:uid>/edit/", views.edit, name="edit"),
    path("<uuid:uid>/pause/", views.pause, name="pause"),
    path("<uuid:uid>/resume/", views.resume, name="resume"),
    path("<uuid:uid>/seen/", views.seen, name="seen"),
    path("<uuid:uid>/delete/", views.delete, name="delete"),
]

"""Addresses of the questionnaire."""

from django.urls import path

from . import views

app_name = "eligibility"
urlpatterns = [
    path("<int:pk>/", views.check, name="check"),
    path("<int:pk>/keep/", views.keep, name="keep"),
]

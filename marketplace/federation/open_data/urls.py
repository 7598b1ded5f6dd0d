"""The page, in each language. The downloads have one address for all of them: federation/urls.py."""

from django.urls import path

from . import views

app_name = "open_data"
urlpatterns = [path("", views.page, name="page")]

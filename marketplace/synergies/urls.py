"""Addresses of this app."""

app_name = "synergies"
urlpatterns = []

"""Addresses of this app."""

app_name = "listings"
urlpatterns = []

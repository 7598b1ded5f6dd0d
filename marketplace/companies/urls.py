"""Addresses of this app."""

app_name = "companies"
urlpatterns = []

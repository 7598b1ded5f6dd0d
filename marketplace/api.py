"""Every address of the public API: composition only."""

from django.urls import path, re_path

from marketplace.rest import views

urlpatterns = [
    path("problems/", views.problem_page, name="problems"),
    path("problems/<slug:code>", views.problem_page, name="problem"),
    re_path("", views.not_found),
]

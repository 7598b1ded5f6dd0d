"""Where the page of how the service does joins the Wagtail admin."""

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from .operation import OperationMenuItem, OperationView


@hooks.register("register_admin_urls")
def operation_addresses() -> list:
    """Below /console/; the view checks who comes."""
    return [path("operation/", OperationView.as_view(), name="console_operation")]


@hooks.register("register_admin_menu_item")
def operation() -> OperationMenuItem:
    """Behind the work with listings and pages."""
    return OperationMenuItem(_("Operation"), reverse("console_operation"), name="console_operation", icon_name="desktop", order=16)


@hooks.register("register_permissions")
def operation_permissions() -> QuerySet[Permission]:
    """So that a group can be given it in the console."""
    return Permission.objects.filter(content_type__app_label="search", codename="operate_index")

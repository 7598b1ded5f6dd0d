"""Where translations and the editors' permissions join the Wagtail admin; imported by wagtail_hooks."""

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from .access import EditorMenuItem
from .translations import TranslationsView


@hooks.register("register_admin_urls")
def editing_addresses() -> list:
    """The view checks who comes."""
    return [path("translations/", TranslationsView.as_view(), name="console_translations")]


@hooks.register("register_upkeep_menu_item")
def translations_item() -> EditorMenuItem:
    """The way to the list."""
    return EditorMenuItem(_("Translations"), reverse("console_translations"), name="console_translations", icon_name="wagtail-localize-language", order=30)


@hooks.register("construct_reports_menu")
def without_localizes_report(request: HttpRequest, items: list[MenuItem]) -> None:
    """Ours says more, of every translation; theirs would be all that curators see of reports."""
    address = reverse("wagtail_localize:translations_report")
    items[:] = [item for item in items if getattr(item, "url", "") != address]


@hooks.register("register_permissions")
def permissions() -> QuerySet[Permission]:
    """Those of cms.pages.rules, so that groups can be given them in the console."""
    return Permission.objects.filter(content_type__app_label="wagtailcore", codename__in=("write_pages", "review_pages"))

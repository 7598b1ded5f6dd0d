"""Who may do what with the site's pages, as small predicates."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

EDITORS = "Aid editors"
OFFICERS = "OAE officers"


def is_editor(user: object) -> bool:
    """Somebody who writes pages: an editor or an officer of the business attention office."""
    return bool(user and user.is_active and user.has_perm("wagtailcore.write_pages"))


def is_officer(user: object) -> bool:
    """Somebody of the business attention office, who reviews pages and publishes them."""
    return bool(user and user.is_active and user.has_perm("wagtailcore.review_pages"))


def editors() -> QuerySet:
    """Everybody of whom `is_editor` holds."""
    writing = Permission.objects.filter(codename="write_pages", content_type__app_label="wagtailcore")
    allowed = Q(is_superuser=True) | Q(user_permissions__in=writing) | Q(groups__permissions__in=writing)
    people = get_user_model().objects
    return people.filter(pk__in=people.filter(allowed).values("pk"), is_active=True).order_by("name", "email")

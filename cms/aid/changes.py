"""Tells the change log that a version of an aid page is another one now: the engine and whoever is behind it follow the log.

A save is the only moment that every way of publishing, taking back and moving shares, and that lies within the transaction of what
it tells: Wagtail's own signal of a publication comes after the commit, and a crash between the two would hide the page from the
index for good. The receivers append, and do nothing else.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from wagtail.models import Page

from marketplace.core import changelog

from .documents import KIND, uid_of
from .models import AidPage


def connect() -> None:
    """Called once, when the app is ready."""
    post_save.connect(_saved, sender=AidPage, dispatch_uid="aid-saved")
    # Only then is the row held: a save at the same moment could log its change after ours and be committed before us.
    post_delete.connect(_deleted, sender=AidPage, dispatch_uid="aid-deleted")


def append(*pages: AidPage) -> None:
    """Log that these versions have to be read anew."""
    with transaction.atomic():
        # Held, as for any change of them: the ids of a page's changes have to rise in the order of their commits.
        list(Page.objects.select_for_update(no_key=True).filter(pk__in=[page.pk for page in pages]).order_by("pk").values_list("pk"))
        _append(*pages)


def _append(*pages: AidPage) -> None:
    with transaction.atomic():
        changelog.append_many(KIND, [uid_of(page) for page in pages])


def _saved(sender: type[AidPage], instance: AidPage, *, update_fields: Collection[str] | None = None, raw: bool = False, **kwargs: object) -> None:
    # A new draft, a schedule or a lock changes a few columns and nothing that can be found.
    if not raw and (update_fields is None or "live" in update_fields):
        _append(instance)


def _deleted(sender: type[AidPage], instance: AidPage, **kwargs: object) -> None:
    _append(instance)

"""Tells the change log that a version of an aid page is another one now: the engine and whoever is behind it follow the log.

Wagtail's page signals are the only place that hears of every way in which a page is published, taken back, moved or deleted.
They append, and do nothing else. A save that happens outside a transaction gets one of its own.
"""

from django.db import transaction
from django.db.models.signals import pre_delete
from wagtail.signals import page_published, page_unpublished

from marketplace.core import changelog

from .documents import KIND, uid_of
from .models import AidPage


def connect() -> None:
    """Called once, when the app is ready."""
    for signal in (page_published, page_unpublished):
        signal.connect(_changed, sender=AidPage, dispatch_uid=f"aid-{id(signal)}")
    pre_delete.connect(_deleted, sender=AidPage, dispatch_uid="aid-deleted")


def append(*pages: AidPage) -> None:
    """Log that these versions have to be read anew."""
    with transaction.atomic():
        changelog.append_many(KIND, [uid_of(page) for page in pages])


def _changed(sender: type[AidPage], instance: AidPage, **kwargs: object) -> None:
    append(instance)


def _deleted(sender: type[AidPage], instance: AidPage, **kwargs: object) -> None:
    append(instance)

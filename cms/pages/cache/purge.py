"""Who makes kept pages stale: Wagtail's signals, which append a change to the change log, and that log's reader.

The process that publishes renews the tokens right after its commit. If it dies in between, the reader in the worker does so.
"""

import uuid
from functools import partial

from django.apps import apps
from django.db import models, transaction
from django.db.models.signals import post_delete, post_migrate, post_save
from wagtail.images import get_image_model
from wagtail.models import Page, PageViewRestriction, Site
from wagtail.signals import post_page_move

from marketplace.core import changelog
from marketplace.core.models import Change
from search import index

from . import generations

READER, SEARCH_READER = "page-cache", "page-cache-found"
#: What Wagtail writes when an editor saves a draft: nothing that a visitor sees.
DRAFT_FIELDS = {"latest_revision", "latest_revision_created_at", "draft_title", "has_unpublished_changes", "locked", "locked_at", "locked_by"}


def run_once() -> int:
    """One batch of the change log: the kinds that changed get new tokens, those that pages search for behind the index. Returns how many changes that was."""
    shown = changelog.consume(READER, partial(_renew, generations.SHOWN))
    return shown + changelog.consume(SEARCH_READER, partial(_renew, generations.FOUND), behind=index.reader_name())


def _renew(kinds: frozenset[str], changes: list[Change]) -> None:
    generations.renew(kinds.intersection(change.kind for change in changes))


def log(kind: str, uid: uuid.UUID) -> None:
    """Append a change in the transaction of this moment, and make stale what shows the kind as soon as it is committed."""
    with transaction.atomic():
        changelog.append(kind, uid)
        # A cache that is away must not undo or fail what is already committed.
        transaction.on_commit(lambda: generations.renew([kind]), robust=True)


def follow(model: type[models.Model], kind: str) -> None:
    """Log every save and delete of a model without public ids under `kind`; the uid is the primary key's number."""
    for signal in (post_save, post_delete):
        signal.connect(partial(_row_changed, kind), sender=model, weak=False, dispatch_uid=f"page-cache:{kind}")


def _row_changed(kind: str, *, instance: models.Model, **_more: object) -> None:
    log(kind, uuid.UUID(int=instance.pk))


def _page_saved(*, instance: Page, raw: bool = False, update_fields: frozenset[str] | None = None, **_more: object) -> None:
    # Publishing, unpublishing, a new slug, an alias: all end in a save, which Wagtail wraps in a transaction.
    if not raw and not (update_fields and set(update_fields) <= DRAFT_FIELDS):
        log("page", instance.translation_key)


def _page_changed(*, instance: Page, **_more: object) -> None:
    log("page", instance.translation_key)


def _restriction_changed(*, instance: PageViewRestriction, **_more: object) -> None:
    _log_page(instance.page_id)


def _site_changed(*, instance: Site, **_more: object) -> None:
    _log_page(instance.root_page_id)


def _log_page(pk: int) -> None:
    # Deleted along with its page, it finds none: then the page's own deletion is logged.
    for translation_key in Page.objects.filter(pk=pk).values_list("translation_key", flat=True):
        log("page", translation_key)


def _migrated(**_more: object) -> None:
    generations.renew(generations.KINDS)


def connect() -> None:
    """Listen; called once, when all models are known."""
    for model in apps.get_models():
        if issubclass(model, Page):
            post_save.connect(_page_saved, sender=model, dispatch_uid="page-cache")
    post_delete.connect(_page_changed, sender=Page, dispatch_uid="page-cache")
    post_page_move.connect(_page_changed, dispatch_uid="page-cache")
    for signal in (post_save, post_delete):
        signal.connect(_restriction_changed, sender=PageViewRestriction, dispatch_uid="page-cache")
        signal.connect(_site_changed, sender=Site, dispatch_uid="page-cache")
    follow(get_image_model(), "image")
    # Migrations write pages too, and send no signals.
    post_migrate.connect(_migrated, sender=apps.get_app_config("pages"), dispatch_uid="page-cache")

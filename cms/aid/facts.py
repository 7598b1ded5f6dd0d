"""The facts of an aid (deadlines, amounts, rules) are the same in every language: they are copied to its translations.

One version of a page keeps them (see sources.py). What it has public is copied to the rows of the others and into those of their
versions that may still be published: drafts, scheduled ones, ones under review. Texts stay as they are, also those that nobody
has published yet.

A reader of the change log calls it, behind every save of a page, whoever published (an officer, a review, the clock, an import):
the change is written in the transaction that saves the page, so that a crash between the two delays the copy and loses nothing.
A call by hand, right after publishing, does no harm.
"""

import json
import uuid
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import Q
from wagtail.log_actions import log
from wagtail.models import Page, Revision, TaskState, WorkflowState

from marketplace.accounts.models import User
from marketplace.core import changelog
from marketplace.core.models import Change

from . import changes
from .models import FACT_LINKS, FACT_ROWS, FACTS, AidPage

READER = "facts"
#: The change log's name for a saved page; the uid is what its versions have in common (see cms/pages/cache/purge.py).
PAGE = "page"
#: The log's name for the copy.
ACTION = "aid.facts"
#: Not part of what a row says.
ROW_ONLY = ("id", "page", "sort_order")


def run_once() -> int:
    """Copy the facts of the pages in the next batch of the change log; returns how many changes that was."""
    return changelog.consume(READER, _follow)


def _follow(batch: list[Change]) -> None:
    keys = {change.uid for change in batch if change.kind == PAGE}
    for key in AidPage.objects.filter(translation_key__in=keys).order_by().values_list("translation_key", flat=True).distinct():
        _spread(key, by=None)


def spread(page: AidPage, *, by: User | None = None) -> list[AidPage]:
    """Copy the public facts of an aid to all its translations; those that changed by it. A second call changes nothing.

    `by` is who shall stand in the translations' history; if not given, it is who published the facts.
    """
    return _spread(page.translation_key, by=by)


@transaction.atomic
def _spread(key: uuid.UUID, *, by: User | None) -> list[AidPage]:
    versions = AidPage.objects.select_for_update(of=("self",)).filter(translation_key=key, alias_of=None)
    # The locale is needed for the change log; joined it would be locked too.
    source, *others = versions.order_by("pk").prefetch_related("locale") or [None]
    if source is None or not source.live:
        return []
    changed = []
    for target in others:
        names = _copy(source, target)
        if names := names | _rewrite_pending(target):
            author = by or (source.live_revision and source.live_revision.user)
            log(instance=target, action=ACTION, user=author, data={"source": source.pk, "facts": sorted(names)}, content_changed=True)
            changed.append(target)
    if changed:
        changes.append(*changed)
    return changed


def _copy(source: AidPage, target: AidPage) -> set[str]:
    """Make the public row of `target` say what `source` says; the names of what was different."""
    changed = set()
    for name in FACTS:
        field = AidPage._meta.get_field(name)  # noqa: SLF001 - Django's documented model API
        if field.value_to_string(source) != field.value_to_string(target):
            setattr(target, field.attname, getattr(source, field.attname))
            changed.add(name)
    if (office := _in_language_of(target, source.office)) != target.office:
        target.office = office
        changed.add("office")
    for name in (*FACT_ROWS, "related_rows"):
        wanted = [_values(row, target) for row in getattr(source, name).all()]
        if wanted != [_values(row, target) for row in getattr(target, name).all()]:
            model = AidPage._meta.get_field(name).related_model  # noqa: SLF001 - as above
            setattr(target, name, [model(sort_order=place, **values) for place, values in enumerate(wanted)])
            changed.add(name)
    if changed:
        # Nothing but the facts is written: what an editor changes in this moment stays theirs.
        target.save(update_fields=sorted(changed), clean=False)
    return changed


def _values(row: models.Model, target: AidPage) -> dict[str, Any]:
    """What a row says, as `target` has to say it: another aid is named in its language."""
    fields = row._meta.concrete_fields  # noqa: SLF001 - as above
    values = {field.attname: getattr(row, field.attname) for field in fields if field.name not in ROW_ONLY}
    if "aid_id" in values:
        values["aid_id"] = _in_language_of(target, row.aid).pk
    return values


def _in_language_of(target: AidPage, page: Page | None) -> Page | None:
    """The version of `page` in the language of `target`, or `page` itself if there is none."""
    if page is None or page.locale_id == target.locale_id:
        return page
    return page.get_translation_or_none(target.locale) or page


def _rewrite_pending(target: AidPage) -> set[str]:
    """Put the facts of the row of `target` into its versions that can still be published; the names of what was different."""
    names = (*FACTS, *FACT_ROWS, *FACT_LINKS)
    data = target.serializable_data()
    facts = {name: data[name] for name in names}
    changed = set()
    for revision in _pending(target).select_for_update():
        different = {name for name in names if revision.content.get(name) != _stored(facts[name])}
        if different:
            Revision.objects.filter(pk=revision.pk).update(content=revision.content | facts)
            changed |= different
    return changed


def _pending(page: AidPage) -> models.QuerySet[Revision]:
    """The public version, the latest draft, what is scheduled, what is under review."""
    kind = ContentType.objects.get_for_model(Page)
    reviews = WorkflowState.objects.filter(base_content_type=kind, object_id=str(page.pk), status__in=("in_progress", "needs_changes"))
    reviewed = TaskState.objects.filter(workflow_state__in=reviews).values("revision")
    wanted = Q(pk__in=[page.live_revision_id, page.latest_revision_id]) | Q(approved_go_live_at__isnull=False) | Q(pk__in=reviewed)
    return Revision.page_revisions.filter(wanted, object_id=str(page.pk))


def _stored(value: object) -> object:
    """A value as a revision keeps it: days, amounts and ids as text."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))

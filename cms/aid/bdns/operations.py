"""The life of a file of calls: uploaded, looked at, applied call by call, or forgotten.

Every call is a transaction of its own that writes the page, what the file said, and what became of it. So a call that cannot be
written keeps no other from its turn, and a run that is killed is simply started again: what is written already is unchanged then.
"""

import datetime
import hashlib
import logging
from collections import Counter

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator, slugify
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.models import Page

from cms.aid.freshness_models import CallFile, CallFileState, CallRow, ImportedCall, Outcome
from cms.aid.models import AidIndexPage, AidPage, Call, Funder, FunderRow, PlaceRow, SectorRow
from cms.pages.rules import is_editor, is_officer
from marketplace.accounts.models import User

from . import files, plans
from .files import Record
from .plans import Plan

logger = logging.getLogger(__name__)
LEASE = datetime.timedelta(minutes=10)
PLAIN_FIELDS = ("kind", "beneficiaries", "sizes", "amount_min", "amount_max", "procedure_url", "legal_base_url")


class NotNowError(ValidationError):
    """The file was applied already, or is at this moment."""


def upload(name: str, content: bytes, *, by: User) -> CallFile:
    """Keep a file that can be read; raises FileError if it cannot."""
    _check_editor(by)
    found = files.read(content, name)
    return CallFile.objects.create(
        name=name[:200],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        reading=found.reading | {"notes": found.notes},
        total=len(found.records),
        by=by,
    )


def preview(file: CallFile) -> list[Plan]:
    """What applying it now would do; nothing is written."""
    return plans.plan_all(files.read(bytes(file.content), file.name).records)


@transaction.atomic
def discard(file: CallFile, *, by: User) -> None:
    """Forget a file that was never applied."""
    _check_editor(by)
    row = CallFile.objects.select_for_update().filter(pk=file.pk, state=CallFileState.DRAFT).first()
    if row is None:
        raise NotNowError(_("This file was applied already; it stays in the history."))
    row.delete()


def apply(file: CallFile, *, by: User, publish: bool = False) -> Counter:
    """Write what the file says: drafts for new aid, changes of known aid as drafts too, or at once with `publish` (officers only).

    Returns how many calls came to which outcome. Raises NotNowError if somebody else applies it or did.
    """
    _check_editor(by)
    if publish and not is_officer(by):
        raise PermissionDenied
    _claim(file, publish=publish)
    counts, seen = Counter(), {}
    try:
        for record in files.read(bytes(file.content), file.name).records:
            counts[_apply_one(file, record, seen, by=by, publish=publish)] += 1
    except BaseException:
        CallFile.objects.filter(pk=file.pk).update(lease_until=None)
        raise
    CallFile.objects.filter(pk=file.pk).update(state=CallFileState.DONE, applied_at=timezone.now(), lease_until=None)
    file.refresh_from_db()
    return counts


def _check_editor(by: User) -> None:
    if not is_editor(by):
        raise PermissionDenied


def _claim(file: CallFile, *, publish: bool) -> None:
    now = timezone.now()
    free = Q(state=CallFileState.DRAFT) | (Q(state=CallFileState.RUNNING) & (Q(lease_until=None) | Q(lease_until__lt=now)))
    if not CallFile.objects.filter(free, pk=file.pk).update(state=CallFileState.RUNNING, lease_until=now + LEASE, publish=publish):
        raise NotNowError(_("This file was applied already, or is being applied at this moment."))


def _apply_one(file: CallFile, record: Record, seen: dict[str, int], *, by: User, publish: bool) -> Outcome:
    try:
        with transaction.atomic():
            plan = _write(record, seen, by=by, publish=publish)
            _record(file, plan)
    except ValidationError as error:
        plan = plans.plan_one(record)
        plan = plans.refused(record.line, plan.reading, error.messages, plan.page)
        _record(file, plan)
    if plan.number:
        seen.setdefault(plan.number, record.line)
    return plan.outcome


def _record(file: CallFile, plan: Plan) -> None:
    values = {
        "source_id": plan.number,
        "title": plan.title,
        "outcome": plan.outcome,
        "changes": [list(change) for change in plan.changes],
        "messages": plan.messages,
        "page": plan.page,
    }
    CallRow.objects.update_or_create(file=file, number=plan.line, defaults=values)


# --- One call -----------------------------------------------------------------------------------------------------------


def _write(record: Record, seen: dict[str, int], *, by: User, publish: bool) -> Plan:
    """In the caller's transaction: plan again with the call locked, then do it."""
    plan = plans.plan_one(record)
    if plan.outcome == Outcome.REFUSED:
        return plan
    if plan.number in seen:
        message = _("Call %(number)s stands in the file twice; line %(line)d is taken.") % {"number": plan.number, "line": seen[plan.number]}
        return plans.refused(record.line, plan.reading, [message])
    # Whoever is second waits here for the first one's row, and finds its page.
    ImportedCall.objects.get_or_create(source=plans.SOURCE, source_id=plan.number, defaults={"translation_key": plans.key_for(plan.page)})
    known = ImportedCall.objects.select_for_update().get(source=plans.SOURCE, source_id=plan.number)
    plan = plans.plan_one(record)
    if plan.outcome == Outcome.NEW:
        plan.page = _create(plan, known, by=by)
    elif plan.outcome == Outcome.CHANGED:
        _update(plan, by=by, publish=publish)
    if plan.outcome != Outcome.REFUSED and plan.page is not None:
        known.translation_key = plan.page.translation_key
        known.facts = known.facts | {name: plans.kept(value) for name, value in plan.reading.facts.items()}
        known.save(update_fields=["translation_key", "facts"])
    return plan


def _create(plan: Plan, known: ImportedCall, *, by: User) -> AidPage:
    """A draft below the finder of the site's first language."""
    index = AidIndexPage.objects.filter(locale__language_code=settings.LANGUAGE_CODE).order_by("pk").first()
    if index is None:
        raise ValidationError(_("There is no aid finder yet. Make one below the home page first."))
    # Two pages made at once below one page would get the same place in the tree.
    Page.objects.select_for_update().get(pk=index.pk)
    index.refresh_from_db()
    with translation.override(index.locale.language_code):
        page = AidPage(
            title=plan.reading.title,
            slug=f"{slugify(plan.reading.title)[:80].strip('-') or 'aid'}-{plan.number}",
            summary=Truncator(plan.reading.texts.get("descripcion", plan.reading.title)).chars(300),
            legal_base=plan.reading.texts.get("descripcionBasesReguladoras", "")[:300],
            body=[("text", _draft_text(plan))],
            translation_key=known.translation_key,
            locale=index.locale,
            live=False,
            owner=by,
        )
        _set(page, plan)
        index.add_child(instance=page)
        log(instance=page, action="wagtail.create", user=by)
        page.save_revision(user=by)
    return page


def _draft_text(plan: Plan) -> str:
    """What the file says in words, for the officer who writes the page from it."""
    texts = plan.reading.texts
    labels = {
        "descripcion": _("Official title"),
        "descripcionFinalidad": _("Purpose"),
        "textInicio": _("Opens"),
        "textFin": _("Ends"),
    }
    told = format_html_join("", "<li>{}: {}</li>", ((label, texts[name]) for name, label in labels.items() if name in texts))
    return format_html(
        "<p>{}</p><ul>{}</ul>", _("Draft made from the national database of subsidies. Write in plain words what it pays for, then delete this list."), told
    )


def _update(plan: Plan, *, by: User, publish: bool) -> None:
    page = AidPage.objects.select_for_update(of=("self",)).get(pk=plan.page.pk)
    # Saved now, it would have a draft: ours.
    has_no_draft = page.live and not page.has_unpublished_changes
    newest = page.get_latest_revision_as_object()
    _set(newest, plan)
    revision = newest.save_revision(user=by, changed=True)
    log(instance=newest, action="wagtail.edit", user=by, revision=revision, content_changed=True)
    if publish and has_no_draft:
        revision.publish(user=by)
        plan.messages = [*plan.messages, _("Published.")]


def _set(page: AidPage, plan: Plan) -> None:
    facts = plan.reading.facts
    for name in plan.fields:
        if name in PLAIN_FIELDS:
            setattr(page, name, facts[name])
    if "funder" in plan.fields:
        others = [row.funder for row in page.funder_rows.all()][1:]
        page.funder_rows = [FunderRow(funder=funder) for funder in [_funder(facts["funder"]), *others]]
    if "sectors" in plan.fields:
        page.sector_rows = [SectorRow(sector_id=code) for code in facts["sectors"]]
    if "place" in plan.fields:
        page.place_rows = [PlaceRow(place_id=facts["place"])]
    _set_call(page, plan)


def _set_call(page: AidPage, plan: Plan) -> None:
    names = [name for name in plan.fields if name in plans.CALL_FIELDS]
    call = plans.call_of(page, plan.number)
    if call is None:
        call, names = Call(number=plan.number), [name for name in plans.CALL_FIELDS if name in plan.reading.facts]
    elif not names:
        return
    for name in names:
        setattr(call, name, plan.reading.facts[name])
    call.clean()
    others = [one for one in page.calls.all() if one.number != plan.number]
    page.calls = [*others, call]


def _funder(fact: dict[str, str]) -> Funder:
    return plans.funder_named(fact["name"]) or Funder.objects.create(name_ca=fact["name"], level=fact["level"])

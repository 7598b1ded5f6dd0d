"""What a record would change here: field by field, what stands there and what would.

A field changes if the file says something else than last time. Where it says the same as last time, an officer's correction of it
stays. Where it says nothing, nothing changes.
"""

import datetime
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from cms.aid.enums import Beneficiary, Kind
from cms.aid.freshness_models import ImportedCall, Outcome
from cms.aid.models import AidPage, Call, Funder
from cms.pages.translations import source_of
from marketplace.companies import places, sectors
from marketplace.companies.enums import Size

from . import records
from .files import Record

SOURCE = "bdns"
#: What belongs to the call, not to the aid.
CALL_FIELDS = ("opens_on", "deadline", "budget", "url")
#: The fields in the order in which they are shown.
FIELDS = (
    "kind", "funder", "beneficiaries", "sizes", "sectors", "place", "amount_min", "amount_max",
    "opens_on", "deadline", "budget", "url", "procedure_url", "legal_base_url",
)  # fmt: skip


@dataclass(slots=True)
class Plan:
    """What a record would do. `fields` are the names of what changes; `changes` the same for people: label, before, after."""

    line: int
    reading: records.Reading
    outcome: Outcome
    page: AidPage | None = None
    fields: list[str] = field(default_factory=list)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The call's number."""
        return self.reading.number

    @property
    def title(self) -> str:
        """The aid's own title where there is one."""
        return self.page.title if self.page else self.reading.title


def plan_all(found: Iterable[Record]) -> list[Plan]:
    """A plan for each record; of two records with one number the second is refused."""
    lines: dict[str, int] = {}
    plans = []
    for record in found:
        plan = plan_one(record)
        if plan.number in lines and plan.outcome != Outcome.REFUSED:
            message = _("Call %(number)s stands in the file twice; line %(line)d is taken.") % {"number": plan.number, "line": lines[plan.number]}
            plan = refused(record.line, plan.reading, [message])
        elif plan.number:
            lines.setdefault(plan.number, record.line)
        plans.append(plan)
    return plans


def plan_one(record: Record) -> Plan:
    """What this record would do at this moment; nothing is written."""
    reading = records.read(record.values, record.faults)
    if reading.errors:
        return refused(record.line, reading, reading.errors)
    known = ImportedCall.objects.filter(source=SOURCE, source_id=reading.number).first()
    page = page_of(reading.number, known)
    if page is None and known and known.facts:
        # Deleted by a person: a file does not bring it back.
        return Plan(record.line, reading, Outcome.UNCHANGED, messages=[_("Its page was deleted here. It is not made again.")])
    if page is None:
        return Plan(
            record.line, reading, Outcome.NEW, fields=[name for name in FIELDS if name in reading.facts], changes=_told(None, reading), messages=reading.notes
        )
    if busy := _busy(page):
        return refused(record.line, reading, [busy], page)
    newest = page.get_latest_revision_as_object()
    fields = _changed(newest, reading, known)
    outcome = Outcome.CHANGED if fields else Outcome.UNCHANGED
    messages = reading.notes if fields else []
    if fields and page.live and page.has_unpublished_changes:
        messages = [*messages, _("The page has a draft that is not public yet. The change is written into it and not published by itself.")]
    return Plan(record.line, reading, outcome, page, fields, _told(newest, reading, fields), messages)


def refused(line: int, reading: records.Reading, messages: list[str], page: AidPage | None = None) -> Plan:
    """A record that is not taken, and why."""
    return Plan(line, reading, Outcome.REFUSED, page, messages=[_("Line %(line)d: %(message)s") % {"line": line, "message": one} for one in messages])


def page_of(number: str, known: ImportedCall | None) -> AidPage | None:
    """The page that stands for a call, in the version that keeps the facts: the one it was imported to, or one that names the number."""
    page = AidPage.objects.filter(translation_key=known.translation_key).order_by("pk").first() if known else None
    if page is None:
        call = Call.objects.filter(number=number).select_related("page").order_by("page_id").first()
        page = call.page if call else None
    source = source_of(page) if page else None
    return source.specific if source else None


def key_for(page: AidPage | None) -> uuid.UUID:
    """What the versions of the page have in common; a new one for a page still to be made."""
    return page.translation_key if page else uuid.uuid4()


def _busy(page: AidPage) -> str:
    if page.current_workflow_state:
        return _("“%(title)s” is being reviewed. Wait until that ends, then upload the file again.") % {"title": page.title}
    if page.locked:
        return _("“%(title)s” is locked. Ask whoever locked it.") % {"title": page.title}
    return ""


def _changed(page: AidPage, reading: records.Reading, known: ImportedCall | None) -> list[str]:
    last = known.facts if known else {}
    current = values_of(page, reading.number)
    return [name for name in FIELDS if name in reading.facts and kept(reading.facts[name]) not in (last.get(name), kept(current[name]))]


def values_of(page: AidPage, number: str) -> dict[str, object]:
    """What the page says today, in the shape of a reading's facts."""
    call = call_of(page, number)
    return {
        "kind": page.kind,
        "funder": page.funders[0].name_ca if page.funders else None,
        "beneficiaries": page.beneficiaries,
        "sizes": page.sizes,
        "sectors": sorted(row.sector_id for row in page.sector_rows.all()),
        "place": next((row.place_id for row in page.place_rows.all()), None),
        "amount_min": page.amount_min,
        "amount_max": page.amount_max,
        "procedure_url": page.procedure_url,
        "legal_base_url": page.legal_base_url,
        **{name: getattr(call, name, None) for name in CALL_FIELDS},
    }


def call_of(page: AidPage, number: str) -> Call | None:
    """The round with this number."""
    return next((call for call in page.calls.all() if call.number == number), None)


def kept(value: object) -> object:
    """A value as it is kept from one file to the next: what JSON has. A funder is its name here, whatever the spelling."""
    if isinstance(value, dict):
        known = funder_named(value["name"])
        return known.name_ca if known else value["name"]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value.quantize(Decimal("0.01")))
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value) if value else value


def funder_named(name: str) -> Funder | None:
    """The funder of that name in any language, whatever its capitals."""
    wanted = name.casefold()
    return next((one for one in Funder.objects.order_by("pk") if wanted in {one.name_ca.casefold(), one.name_es.casefold(), one.name_en.casefold()}), None)


# --- For people ---------------------------------------------------------------------------------------------------------


def _told(page: AidPage | None, reading: records.Reading, fields: list[str] | None = None) -> list[tuple[str, str, str]]:
    current = values_of(page, reading.number) if page else {}
    wanted = FIELDS if fields is None else fields
    return [(label_of(name), words(name, current.get(name)), words(name, reading.facts[name])) for name in wanted if name in reading.facts]


def label_of(name: str) -> str:
    """What editors call the field."""
    special = {"funder": _("funder"), "sectors": _("sectors"), "place": _("municipality")}
    if name in special:
        return capfirst(special[name])
    model = Call if name in CALL_FIELDS else AidPage
    return str(capfirst(model._meta.get_field(name).verbose_name))  # noqa: SLF001 - Django's documented name


def words(name: str, value: object) -> str:
    """A value as a person reads it; empty for none."""
    if value in (None, "", []):
        return ""
    say: dict[str, Callable] = {
        "kind": lambda one: Kind(one).label,
        "funder": lambda one: one["name"] if isinstance(one, dict) else one,
        "beneficiaries": lambda many: ", ".join(str(Beneficiary(one).label) for one in many),
        "sizes": lambda many: ", ".join(str(Size(one).label) for one in many),
        "sectors": lambda many: ", ".join(sectors.tree()[one].label for one in many),
        "place": lambda one: places.known()[one].name,
    }
    if name in say:
        return str(say[name](value))
    if isinstance(value, datetime.date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, Decimal):
        return number_format(value, decimal_pos=2, force_grouping=True) + " €"
    return str(value)

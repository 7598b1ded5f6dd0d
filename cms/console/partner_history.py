"""A partner's history in words."""

from collections.abc import Iterable, Mapping

from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from marketplace.federation.models import Partner, PartnerEvent
from marketplace.listings.enums import Kind

LONGEST = 8


def steps(events: Iterable[PartnerEvent]) -> list[dict[str, object]]:
    """Each with its changes and what else there is to say."""
    return [{"event": event, "changes": _changes(event.details.get("changes") or {}), "words": _words(event.details)} for event in events]


def _changes(changes: Mapping[str, list | None]) -> list[dict[str, str]]:
    return [
        {"label": _label(name), "before": _told(name, pair[0]), "after": _told(name, pair[1])} if pair else {"label": _label(name)}
        for name, pair in changes.items()
    ]


def _label(name: str) -> str:
    try:
        return capfirst(str(Partner._meta.get_field(name).verbose_name))  # noqa: SLF001 - Django's public way to a field
    except FieldDoesNotExist:
        return name


def _told(name: str, value: object) -> str:
    if value in (None, "", []):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        labels = [str(Kind(one).label) if one in Kind.values else str(one) for one in value]
        more = len(labels) - LONGEST
        return ", ".join(labels[:LONGEST]) + (f" … (+{more})" if more > 0 else "")
    return str(Partner(**{name: value})._get_FIELD_display(Partner._meta.get_field(name))) if name in ("reader", "default_language") else str(value)  # noqa: SLF001


def _words(details: Mapping[str, object]) -> str:
    said = []
    if key := details.get("key"):
        said.append(f"{key}… → {details['new']}…" if details.get("new") else f"{key}…")
    said += [str(details[name]) for name in ("address", "reason", "what") if details.get(name)]
    if details.get("count") is not None:
        said.append(_("%(count)s of them") % {"count": details["count"]})
    return " · ".join(said)

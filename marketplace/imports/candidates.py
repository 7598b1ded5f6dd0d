"""What a row is read into: a listing that may be made, and what the curator decided for all rows."""

import datetime
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from marketplace.companies import places, sectors
from marketplace.listings.enums import Category, Kind

from . import values


@dataclass(frozen=True, slots=True)
class Options:
    """What the curator says for all rows; `kind`, `sector` and `place` count where a row says nothing."""

    publish: bool = False
    kind: str = ""
    sector: str = ""
    place: str = ""
    category: str = Category.SOLUTION

    @classmethod
    def load(cls, stored: Mapping) -> "Options":
        """From an import's `options`; raises a ValidationError for an unknown code."""
        options = cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})
        if options.kind and options.kind not in Kind.values:
            raise ValidationError(_("“%(kind)s” is no kind. Write offer or demand.") % {"kind": options.kind})
        if options.sector and options.sector not in sectors.tree():
            raise ValidationError(_("“%(code)s” is no code of a sector. Write one like C, 22 or 2229.") % {"code": options.sector})
        if options.place and options.place not in places.known():
            raise ValidationError(_("“%(code)s” is no code of a municipality. Write six digits like 082798.") % {"code": options.place})
        return options

    def dump(self) -> dict:
        """For an import's `options`."""
        return asdict(self)


@dataclass(slots=True)
class Candidate:
    """A listing that a row stands for. With errors it cannot be made, and the rest may be missing."""

    number: int
    part: str = ""
    key: str = ""
    own_uid: uuid.UUID | None = None
    company: dict[str, object] = field(default_factory=dict)
    company_key: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    sent_at: datetime.datetime | None = None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, object]:
        """What the row says of the listing, as JSON types; a period that nobody wrote down is not part of it."""
        return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in self.fields.items()}


def key_of(company: str, kind: str, stable: str, title: str, text: str) -> str:
    """Names the row's thing in the outside world: by its identifier, else by what it says."""
    said = ("id", company, kind, stable) if stable else ("text", company, kind, values.fold(title), values.fold(text))
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()


def uid_of(stable: str) -> uuid.UUID | None:
    """The public id of a listing of ours, as our export writes it; None for anything else."""
    try:
        return uuid.UUID(stable) if len(stable) == 36 else None  # noqa: PLR2004 - the length of a UUID
    except ValueError:
        return None

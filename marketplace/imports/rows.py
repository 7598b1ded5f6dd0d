"""One row of a table as the listings it stands for, with what is wrong with it said in words that tell what to change."""

import datetime
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils import timezone, translation
from django.utils.translation import gettext as _

import search
from marketplace.companies import places, sectors
from marketplace.companies.models import Place
from marketplace.companies.validators import clean_tax_id, validate_tax_id
from marketplace.listings.enums import Kind
from marketplace.listings.models import MAX_DESCRIPTION

from . import values
from .candidates import Candidate, Options, key_of, uid_of
from .enums import JOINED, Target
from .readers import Row
from .texts import cut, cut_at_sentence, first_sentence

TITLE = (8, 120)
LEAST_DESCRIPTION = 30
MAX_KEYWORDS = 200
MAX_NAME = 160
#: What people write in a field that they have nothing to say in.
NOTHING = frozenset(("", "no", "res", "cap", "nada", "ninguno", "ninguna", "none", "nothing", "n a", "na", "no aplica", "ara no", "ahora no"))
#: Where a text says nothing of its sector: other business support service activities.
FALLBACK_SECTOR = "8299"


class Reader:
    """Reads rows with one mapping and one set of options."""

    def __init__(self, mapping: Mapping[str, str], options: Options) -> None:
        self._columns: dict[str, list[str]] = {}
        for column, target in mapping.items():
            if target:
                self._columns.setdefault(target, []).append(column)
        self._options = options
        self._default_place = places.known().get(options.place) or places.match(settings.CITY_NAME)

    def candidates(self, row: Row) -> list[Candidate]:
        """The listings of the row: one, two where it holds what a company offers and what it needs, or one with errors."""
        return _RowReading(row, self._columns, self._options, self._default_place).candidates()


class _RowReading:
    def __init__(self, row: Row, columns: dict[str, list[str]], options: Options, default_place: Place | None) -> None:
        self._row, self._columns, self._options, self._default_place = row, columns, options, default_place
        self._errors = [self._where(None, fault) for fault in row.faults]
        self._warnings = [self._where(None, note) for note in row.notes]

    def candidates(self) -> list[Candidate]:
        if self._errors:
            return [Candidate(self._row.number, errors=self._errors, warnings=self._warnings)]
        self._company, self._company_key = self._read_company()
        self._common = self._read_common()
        parts = list(self._parts())
        if self._errors:
            return [Candidate(self._row.number, errors=self._errors, warnings=self._warnings)]
        read = [self._candidate(kind, text, several=len(parts) > 1) for kind, text in parts]
        for earlier, later in pairwise(read):
            # Both halves share most cells; once is enough to say what is odd about one.
            later.warnings = [text for text in later.warnings if text not in earlier.warnings]
        return read

    # --- Cells and messages

    def _cell(self, target: Target) -> str:
        """The text of the target's column, or of all its columns, a line each."""
        cells = [cell for column in self._columns.get(target, ()) if (cell := self._row.cells.get(column, ""))]
        return ("; " if target == Target.KEYWORDS else "\n\n").join(cells) if target in JOINED else next(iter(cells), "")

    def _where(self, target: Target | None, text: str) -> str:
        column = next(iter(self._columns.get(target, ())), None) if target else None
        if column is None:
            return _("Row %(number)d: %(text)s") % {"number": self._row.number, "text": text}
        return _("Row %(number)d, column “%(column)s”: %(text)s") % {"number": self._row.number, "column": column, "text": text}

    def _error(self, target: Target, text: str) -> None:
        self._errors.append(self._where(target, text))

    def _warn(self, target: Target | None, text: str) -> None:
        self._warnings.append(self._where(target, text))

    # --- Company

    def _read_company(self) -> tuple[dict[str, object], str]:
        name, tax_id = " ".join(self._cell(Target.COMPANY).split()), clean_tax_id(self._cell(Target.TAX_ID))
        if tax_id:
            try:
                validate_tax_id(tax_id)
            except ValidationError as error:
                self._error(Target.TAX_ID, " ".join(error.messages))
        if not name and not tax_id:
            self._error(Target.COMPANY, _("the company is missing. Write its name, or better its NIF."))
        if len(name) > MAX_NAME:
            self._warn(Target.COMPANY, _("the name is longer than %(limit)d characters and is cut.") % {"limit": MAX_NAME})
            name = cut(name, MAX_NAME)
        about = self._cell(Target.ABOUT)
        company = {
            "tax_id": tax_id or None,
            "name": name,
            "description": cut(about, 4000),
            "size": self._size(),
            "web": self._web(),
            "contact_name": self._cell(Target.CONTACT_NAME)[:120],
            "contact_email": self._email(),
            "contact_phone": self._cell(Target.CONTACT_PHONE)[:30],
        }
        place = values.place(self._cell(Target.PLACE))
        return company, tax_id or f"{values.company_key(name)}|{place.code if place else ''}"

    def _size(self) -> str:
        cell = self._cell(Target.SIZE)
        found = values.size(cell) if cell else None
        if cell and not found:
            self._warn(Target.SIZE, _("“%(cell)s” is no size that we know; left out.") % {"cell": cell[:60]})
        return found or ""

    def _email(self) -> str:
        cell = self._cell(Target.CONTACT_EMAIL)
        try:
            if cell:
                validate_email(cell)
        except ValidationError:
            self._warn(Target.CONTACT_EMAIL, _("“%(cell)s” is no e-mail address; left out.") % {"cell": cell[:60]})
            return ""
        return cell

    def _web(self) -> str:
        cell = self._cell(Target.WEB)
        if not cell or values.fold(cell) in NOTHING:
            return ""
        address = cell if re.match(r"https?://", cell, re.IGNORECASE) else f"https://{cell}"
        try:
            URLValidator(schemes=["http", "https"])(address)
        except ValidationError:
            self._warn(Target.WEB, _("“%(cell)s” is no web address; left out.") % {"cell": cell[:60]})
            return ""
        return address if len(address) <= 200 else ""  # noqa: PLR2004 - the field's length

    # --- What both halves of a row share

    def _read_common(self) -> dict[str, object]:
        common: dict[str, object] = {"place_id": self._place(), "remote": self._remote(), "reach_km": self._reach()}
        if valid_until := self._valid_until():
            common["valid_until"] = valid_until
        return common

    def _place(self) -> str | None:
        cell = self._cell(Target.PLACE)
        if found := values.place(cell) if cell else self._default_place:
            return found.code
        if not cell:
            self._error(Target.PLACE, _("the municipality is missing. Write it, or choose one for all rows."))
            return None
        near = " / ".join(place.name for place in places.like(cell))
        if near:
            self._error(Target.PLACE, _("“%(cell)s” is no municipality that we know. Did you mean: %(near)s?") % {"cell": cell[:60], "near": near})
        else:
            self._error(Target.PLACE, _("“%(cell)s” is no municipality that we know. Write its name as on a map.") % {"cell": cell[:60]})
        return None

    def _remote(self) -> bool:
        cell = self._cell(Target.REMOTE)
        found = values.flag(cell)
        if found is None:
            self._warn(Target.REMOTE, _("“%(cell)s” is neither yes nor no; taken as no.") % {"cell": cell[:60]})
        return bool(found)

    def _reach(self) -> int | None:
        cell = self._cell(Target.REACH)
        found = values.number(cell)
        if cell and (found is None or not 1 <= found <= 1000):  # noqa: PLR2004 - the field's limits
            self._warn(Target.REACH, _("“%(cell)s” is no distance from 1 to 1000 km; taken as anywhere.") % {"cell": cell[:60]})
            return None
        return found

    def _valid_until(self) -> datetime.date | None:
        cell = self._cell(Target.VALID_UNTIL)
        if not cell:
            return None
        found = values.moment(cell)
        if found is None:
            self._error(Target.VALID_UNTIL, _("“%(cell)s” is no date. Write it like 31/12/2026, or leave it empty.") % {"cell": cell[:60]})
            return None
        if found.date() < timezone.localdate():
            self._error(Target.VALID_UNTIL, _("%(date)s has passed. Write a date from today on, or leave it empty.") % {"date": cell})
            return None
        return found.date()

    # --- Offer, demand or both

    def _parts(self) -> Iterator[tuple[str, str]]:
        """Kind and text of each listing in the row."""
        described = self._cell(Target.DESCRIPTION) or self._cell(Target.TITLE)
        halves = {Kind.OFFER: self._cell(Target.OFFER), Kind.DEMAND: self._cell(Target.DEMAND)}
        halves = {kind: text for kind, text in halves.items() if values.fold(text) not in NOTHING}
        if halves:
            for kind, text in halves.items():
                # A tick says only which side; the text stands in its own column.
                yield kind, described if values.flag(text) and described else text
            return
        if not described:
            target = Target.DESCRIPTION if self._columns.get(Target.DESCRIPTION) else Target.OFFER
            self._error(target, _("the text is missing. Write what the company offers or needs."))
            return
        if kind := self._kind():
            yield kind, described

    def _kind(self) -> str:
        cell = self._cell(Target.KIND)
        meant = values.kinds(cell)
        if len(meant) == 1:
            return meant.pop()
        if not cell and self._options.kind:
            return self._options.kind
        if len(meant) > 1:
            self._error(Target.KIND, _("“%(cell)s” names both kinds, but there is one text. Make two rows, one for each.") % {"cell": cell[:60]})
        elif cell:
            self._error(Target.KIND, _("“%(cell)s” is neither an offer nor a demand. Write one of these words.") % {"cell": cell[:60]})
        else:
            self._error(Target.KIND, _("it is not said whether this is an offer or a demand. Write one of these words."))
        return ""

    def _candidate(self, kind: str, text: str, *, several: bool) -> Candidate:
        warnings_before, self._warnings = self._warnings, list(self._warnings)
        language = values.language(self._cell(Target.LANGUAGE)) or search.detect_language(text)
        title, description = self._texts(kind, text, language, self._company["name"] or self._company["tax_id"])
        category, left_categories = self._category()
        sector, left_sectors = self._sector(f"{title}\n{description}", language)
        fields = self._common | {
            "kind": kind, "category": category, "title": title, "description": description, "language": language, "sector_id": sector,
            "keywords": self._keywords([*left_categories, *left_sectors]),
        }  # fmt: skip
        stable = self._cell(Target.ID)
        candidate = Candidate(
            number=self._row.number,
            part=kind if several else "",
            key=key_of(self._company_key, kind, stable, title, text),
            own_uid=uid_of(stable),
            company=self._company | {"sector_id": sector, "place_id": self._common["place_id"], "language": language},
            company_key=self._company_key,
            fields=fields,
            sent_at=self._sent_at(),
            warnings=self._warnings,
        )
        self._warnings = warnings_before
        return candidate

    def _texts(self, kind: str, text: str, language: str, company: str) -> tuple[str, str]:
        """Title and description within their limits; what is missing is taken from the other, what is too long is cut and said."""
        title, description = " ".join(self._cell(Target.TITLE).split()), text
        if len(title) > TITLE[1]:
            self._warn(Target.TITLE, _("the title is longer than %(limit)d characters; it is cut, and whole in the description.") % {"limit": TITLE[1]})
            description = description if title in description else f"{title}\n\n{description}"
        if not title:
            title = first_sentence(description)
        title = cut(title, TITLE[1])
        with translation.override(language):
            by = (_("Offered by %(company)s") if kind == Kind.OFFER else _("Needed by %(company)s")) % {"company": company}
        if len(title) < TITLE[0]:
            title = cut(f"{title} · {by}" if title else by, TITLE[1])
        for addition in (title, f"{by}."):
            if len(description) < LEAST_DESCRIPTION and addition not in description:
                description = f"{description}\n\n{addition}"
        if len(description) > MAX_DESCRIPTION:
            self._warn(Target.DESCRIPTION, _("the text is longer than %(limit)d characters and is cut after a sentence.") % {"limit": MAX_DESCRIPTION})
            description = cut_at_sentence(description, MAX_DESCRIPTION)
        return title, description

    def _category(self) -> tuple[str, list[str]]:
        cell = self._cell(Target.CATEGORY)
        found = values.category(cell) if cell else None
        if cell and not found:
            self._warn(Target.CATEGORY, _("“%(cell)s” is no category that we know; taken as a keyword.") % {"cell": cell[:60]})
        return found or self._options.category, [choice for choice in values.choices(cell) if not values.category(choice)]

    def _sector(self, text: str, language: str) -> tuple[str, list[str]]:
        """By code or label, else one that resembles what is written, else the one for all rows, else by the text."""
        cell = self._cell(Target.SECTOR)
        if cell:
            answers = [cell, *values.choices(cell)]
            for answer in answers:
                if found := values.sector(answer):
                    return found.code, [other for other in answers[1:] if answer not in (other, cell)]
            for answer in answers:
                if near := sectors.find(answer, limit=1):
                    said = {"cell": answer[:60], "code": near[0].code, "label": near[0].label}
                    self._warn(Target.SECTOR, _("“%(cell)s” is taken as %(code)s · %(label)s.") % said)
                    return near[0].code, [other for other in answers[1:] if answer not in (other, cell)]
            self._warn(Target.SECTOR, _("“%(cell)s” is no sector that we know; the text decides.") % {"cell": cell[:60]})
        if self._options.sector:
            return self._options.sector, []
        guessed = sectors.propose(text, language, limit=1)
        return guessed[0].code if guessed else FALLBACK_SECTOR, []

    def _keywords(self, more: list[str]) -> str:
        words = [" ".join(word.replace(",", " ").split()) for word in [*values.choices(self._cell(Target.KEYWORDS)), *more]]
        kept = ""
        for word in dict.fromkeys(filter(None, words)):
            longer = f"{kept}, {word}" if kept else word
            if len(longer) > MAX_KEYWORDS:
                self._warn(Target.KEYWORDS, _("there are more keywords than fit; “%(word)s” and what follows is left out.") % {"word": word[:40]})
                break
            kept = longer
        return kept

    def _sent_at(self) -> datetime.datetime | None:
        cell = self._cell(Target.TIMESTAMP)
        found = values.moment(cell) if cell else None
        if cell and found is None:
            self._warn(Target.TIMESTAMP, _("“%(cell)s” is no date that we know; the listing counts from today.") % {"cell": cell[:60]})
        return min(found, timezone.now()) if found else None

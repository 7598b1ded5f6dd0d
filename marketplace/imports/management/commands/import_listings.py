"""`manage.py import_listings FILE`: listings from a spreadsheet or an export of an online form."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from tqdm import tqdm

from marketplace.companies import sectors
from marketplace.imports import mapping as columns
from marketplace.imports import operations, readers, values
from marketplace.imports.candidates import Options
from marketplace.imports.enums import Outcome, Target
from marketplace.imports.models import Import
from marketplace.listings.enums import Category, Kind

#: A terminal full of messages tells nothing; the rest is counted.
SHOWN_ERRORS = 50
SHOWN_WARNINGS = 10


class Command(BaseCommand):
    """Looks first with --dry-run; the same file twice changes nothing; a killed run goes on when it is called again; --undo takes it back."""

    help = "Imports listings from CSV, XLSX or JSONL; columns are guessed, or given with --mapping (JSON: column → what it holds)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, or --undo."""
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--mapping", type=Path, help=f"a JSON file: column → one of {', '.join(Target.values)}, or “” to leave it out")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("--publish", action="store_true", help="publish at once instead of handing the listings to the curators")
        parser.add_argument("--kind", choices=Kind.values, default="", help="what rows are that do not say")
        parser.add_argument("--category", choices=Category.values, default=Category.SOLUTION, help="the category of rows that name none")
        parser.add_argument("--default-sector", default="", help="NACE code for rows that name no sector; without it the text decides")
        parser.add_argument("--default-place", default="", help="municipality (name or INE code) for rows that name none; without it the city of this site")
        parser.add_argument("--undo", metavar="ID", help="take back what this import made and nobody touched since")

    def handle(self, *args: object, file: Path | None, undo: str | None, dry_run: bool, **options: object) -> None:
        """Look, run or take back. All output is English, as that of Django's own commands."""
        with translation.override("en"):
            self._handle(file, undo, dry_run=dry_run, **options)

    def _handle(self, file: Path | None, undo: str | None, *, dry_run: bool, **options: object) -> None:
        try:
            if undo:
                self._undo(undo)
            elif file is None:
                raise CommandError("Say which file, or use --undo ID.")
            else:
                self._import(file, dry_run=dry_run, **options)
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error

    def _import(self, file: Path, *, dry_run: bool, mapping: Path | None, **options: object) -> None:
        try:
            with file.open("rb") as opened:
                # One byte more than is allowed is enough to be refused.
                content = opened.read(readers.MAX_BYTES + 1)
            given = json.loads(mapping.read_text(encoding="utf-8")) if mapping else None
        except (OSError, ValueError) as error:
            raise CommandError(f"{type(error).__name__}: {error}") from error
        decided = _options(**options)
        table = readers.read(content, file.name)
        chosen = given if given is not None else columns.guess(table)
        self._tell_reading(table, chosen)
        columns.check(chosen, table.columns, kind=decided.kind)
        if dry_run:
            self._preview(file.name, content, table, chosen, decided)
            return
        source = operations.unfinished(content, chosen, decided)
        if source:
            self.stdout.write(f"Going on with import {source.uid} behind row {source.position} of {source.total}.")
        else:
            source = operations.upload(file.name, content, by=None, options=decided)
            source = operations.decide(source, chosen, decided, by=None)
        with tqdm(total=source.total, initial=source.position, unit="row", disable=None) as bar:
            source = operations.run_now(source, progress=bar.update)
        self._tell_result(source)

    def _tell_reading(self, table: readers.Table, mapping: dict[str, str]) -> None:
        self.stdout.write(f"{', '.join(f'{name} {value}' for name, value in table.reading.items())}; {len(table.rows)} rows")
        for note in table.notes:
            self.stdout.write(note)
        for column, target in mapping.items():
            self.stdout.write(f"  {column} → {target or '–'}")

    def _preview(self, name: str, content: bytes, table: readers.Table, mapping: dict[str, str], options: Options) -> None:
        source = Import(name=name, content=content, mapping=mapping, options=options.dump(), reading={"columns": table.columns}, total=len(table.rows))
        with tqdm(total=source.total, unit="row", disable=None) as bar:
            result = operations.preview(source, table=table, progress=bar.update)
        self.stdout.write("Dry run: nothing is written.")
        self._tell_counts(result.counts, result.companies)
        self._tell_messages(plan.messages for plan in result.plans)

    def _tell_result(self, source: Import) -> None:
        rows = source.rows.all()
        self._tell_counts(Counter(rows.values_list("outcome", flat=True)), rows.exclude(new_company=None).count())
        self._tell_messages(rows.exclude(messages=[]).values_list("messages", flat=True))
        self.stdout.write(f"Import {source.uid}, sha256 {source.sha256}. To take it back: manage.py import_listings --undo {source.uid}")

    def _tell_counts(self, counts: Counter, companies: int) -> None:
        self.stdout.write(", ".join(f"{outcome.label}: {counts[outcome]}" for outcome in Outcome) + f"; new companies: {companies}")

    def _tell_messages(self, lists: Iterable[list[dict[str, str]]]) -> None:
        messages = [message for messages in lists for message in messages]
        for level, limit in (("error", SHOWN_ERRORS), ("warning", SHOWN_WARNINGS)):
            texts = [message["text"] for message in messages if message["level"] == level]
            for text in texts[:limit]:
                self.stdout.write(f"{level}: {text}")
            if len(texts) > limit:
                self.stdout.write(f"… and {len(texts) - limit} more of these")

    def _undo(self, uid: str) -> None:
        source = Import.objects.for_display().filter(uid=uid).first()
        if source is None:
            raise CommandError(f"There is no import {uid}.")
        undone = operations.undo(source, by=None).undone
        self.stdout.write(f"Taken back: {undone['listings']} listings, {undone['companies']} companies.")
        for listing in undone["kept_listings"]:
            self.stdout.write(f"Stays, because somebody worked on it: {listing['title']} ({listing['state']})")
        for company in undone["kept_companies"]:
            self.stdout.write(f"Stays: {company['name']}")
        if undone["updates_left"]:
            self.stdout.write(f"{undone['updates_left']} listings of earlier imports keep the text that this one brought.")


def _options(*, publish: bool, kind: str, category: str, default_sector: str, default_place: str, **_others: object) -> Options:
    place = values.place(default_place) if default_place else None
    if default_place and place is None:
        raise CommandError(f"“{default_place}” is no municipality that we know.")
    sector = default_sector.replace(".", "").upper()
    if sector and sector not in sectors.tree():
        raise CommandError(f"“{default_sector}” is no code of a sector. Write one like C, 22 or 2229.")
    return Options(publish=publish, kind=kind, category=category, sector=sector, place=place.code if place else "")

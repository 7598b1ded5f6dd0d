"""`manage.py import_aid_calls FILE`: what a file of calls would change; with --apply it is done."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from cms.aid.bdns import files, operations, plans
from cms.aid.freshness_models import Outcome
from marketplace.accounts.models import User


class Command(BaseCommand):
    """Look, then apply."""

    help = "Shows what a JSON or CSV file of calls (in the shape of the BDNS) would change in the aid pages; with --apply it is written as drafts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """File and what to do with it."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--apply", action="store_true", help="write it: new aid and changes as drafts")
        parser.add_argument("--publish", action="store_true", help="with --apply: changes of public aid at once, where no draft is in the way")
        parser.add_argument("--by", metavar="EMAIL", help="with --apply: the editor or officer in whose name it is done")

    def handle(self, *args: object, file: Path, apply: bool, publish: bool, by: str | None, **options: object) -> None:
        """Never more in memory than a file may have."""
        try:
            if file.stat().st_size > files.MAX_BYTES:
                # The reader says what is wrong with it, and needs no more of it for that.
                files.read(bytes(files.MAX_BYTES + 1), file.name)
            content = file.read_bytes()
            shown = plans.plan_all(files.read(content, file.name).records)
            self._show(shown)
            if apply:
                stored = operations.upload(file.name, content, by=self._person(by))
                counts = operations.apply(stored, by=stored.by, publish=publish)
            else:
                counts = Counter(plan.outcome for plan in shown)
        except OSError as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except PermissionDenied as error:
            message = "This person may not do that: drafts need an editor, --publish an officer."
            raise CommandError(message) from error
        self.stdout.write(", ".join(f"{outcome.label}: {counts[outcome]}" for outcome in Outcome))

    def _person(self, email: str | None) -> User:
        person = User.objects.filter(email__iexact=email or "", is_active=True).first()
        if person is None:
            message = "Say with --by in whose name: the e-mail address of an editor or officer."
            raise CommandError(message)
        return person

    def _show(self, shown: Iterable[plans.Plan]) -> None:
        for plan in shown:
            self.stdout.write(f"{plan.number or '–'}  {plan.outcome.label}  {plan.title}")
            for label, before, after in plan.changes:
                self.stdout.write(f"    {label}: {before or '–'} → {after}")
            for message in plan.messages:
                self.stdout.write(f"    {message}")

"""`manage.py export_judgements`: what people said of the suggestions, as a test set of the matching."""

from collections import Counter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.synergies import testset


class Command(BaseCommand):
    """Writes corpus.jsonl, queries.jsonl and qrels.tsv, as `evaluate_matching --dataset` reads them, and a README."""

    help = "Write what companies and curators said of pairs as a judged set, without contact data."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
        parser.add_argument("--force", action="store_true", help="replace the set that is there")

    def handle(self, *args: object, folder: Path, force: bool, **options: object) -> None:
        """Make it, write it, say what it holds."""
        made = testset.make()
        try:
            testset.write(made, folder, force=force)
        except (testset.JudgedSetError, OSError) as error:
            raise CommandError(str(error)) from error
        grades = Counter(one.grade for one in made.grades)
        told = ", ".join(f"{count} of grade {grade}" for grade, count in sorted(grades.items(), reverse=True))
        self.stdout.write(f"{len(made.offers)} offers, {len(made.demands)} demands, {len(made.grades)} grades ({told}) in {folder}")
        if made.outdated:
            self.stdout.write(f"{made.outdated} left out: a text has changed since they were given")

"""`manage.py refresh_synergies`: asks the engine about every listing anew."""

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

import search
from marketplace.listings.models import Listing
from marketplace.synergies import refresh


class Command(BaseCommand):
    """For a new engine version or new weights; the worker does the same listing by listing, whenever one changes."""

    help = "Finds the synergies of all live listings anew. What companies decided is kept."

    def handle(self, *args: object, **options: object) -> None:
        """Do it, with a progress bar."""
        try:
            with tqdm(total=Listing.objects.live().count(), desc="Synergies", unit="listing") as bar:
                count = refresh.refresh_all(bar.update)
        except search.SearchUnavailable as error:
            raise CommandError(f"The search server does not answer, so nothing more was changed: {error}") from error
        self.stdout.write(f"{count} open synergies")

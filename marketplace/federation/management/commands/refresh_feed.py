"""manage.py refresh_feed: the feed as it would be written today."""

from django.core.management.base import BaseCommand

from marketplace.federation import export


class Command(BaseCommand):
    """Partners get what changes by it at their next visit; what stays the same makes no entry."""

    help = "Look at every listing of this marketplace again and bring the feed for partners up to date."

    def handle(self, **options):
        """After a release that tells partners more of a listing, or when SITE_URL has changed."""
        self.stdout.write(f"{export.export_all()} listings of the feed have changed.")

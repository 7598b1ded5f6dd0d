"""manage.py refresh_feed: the feed as it would be written today."""

from django.core.management.base import BaseCommand

from marketplace.federation import export


class Command(BaseCommand):
    """Partners get what changes by it at their next visit; what stays the same makes no entry."""

    help = "Look at every listing of this marketplace again and bring the feed for partners up to date."

    def add_arguments(self, parser):
        """After what."""
        parser.add_argument(
            "--restored",
            action="store_true",
            help="after a backup was put back: partners read all anew, and every listing has a new version, since they may have later ones and would leave ours aside",
        )

    def handle(self, *, restored: bool, **options):
        """After a release that tells partners more of a listing, when SITE_URL has changed, or after a backup was put back."""
        self.stdout.write(f"{export.export_all(is_restored=restored)} listings of the feed have changed.")

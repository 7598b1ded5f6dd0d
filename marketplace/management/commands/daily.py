"""`manage.py daily`: the work of a day, for those who run it from cron instead of the worker."""

from django.core.management.base import BaseCommand

from marketplace import worker


class Command(BaseCommand):
    """Expires listings, warns of those about to end, queues the digests; running it twice a day changes nothing more."""

    help = "Does what is due once a day: expiry, warnings, digests."

    def handle(self, *args: object, **options: object) -> None:
        """Run it and tell the counts."""
        for name, count in worker.run_daily().items():
            self.stdout.write(f"{name}: {count}")

"""`manage.py worker_alive`: for the health check of a worker's container."""

import socket

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from marketplace.core import heartbeats
from marketplace.core.heartbeats import Seen


class Command(BaseCommand):
    """Exit code 0: a worker of this host lives and no part of it hangs. 1: none lives, or one hangs. 2: the database does not answer."""

    help = "Tell whether a worker of this host lives and no part of it hangs; the exit code is 1 if not, 2 if the database does not answer."

    # It runs every minute.
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        """Look at the signs of life."""
        try:
            here = [one for one in heartbeats.seen() if one.host == socket.gethostname()[:64] and one.is_alive]
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {error}", returncode=2) from error
        if not here:
            raise CommandError("No worker of this host has given a sign of life within the last minute.")
        if stuck := [one for one in here if one.is_stuck]:
            raise CommandError("\n".join(map(_told, stuck)))
        self.stdout.write(f"{len({one.process for one in here})} alive")


def _told(part: Seen) -> str:
    return f"{part.pid}, {part.part}: in {part.doing} for {part.doing_seconds / 60:.0f} minutes"

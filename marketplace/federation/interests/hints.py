"""Telling a partner that something about its interest changed. Only a hint: it asks for the truth (`GET …/interests/{uid}`), and does so in time anyway."""

from marketplace.federation import deliveries
from marketplace.federation.models import IncomingInterest

TYPE = "interest.changed"


def changed(interest: IncomingInterest) -> None:
    """In the transaction of the change. Nothing of the interest but its id is told."""
    deliveries.notify(interest.partner, TYPE, {"interest": str(interest.remote_uid)})

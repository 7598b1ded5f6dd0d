"""What every page shows of the synergies."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .models import Synergy

#: Nobody needs to know how many more.
MOST_COUNTED = 99


def waiting(request: HttpRequest) -> dict[str, object]:
    """`waiting_synergies`: how many wait for the person's answer; one query, and only on pages that print it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"waiting_synergies": 0}
    waiting_ones = Synergy.objects.waiting_for(user).order_by()[:MOST_COUNTED]
    return {"waiting_synergies": SimpleLazyObject(waiting_ones.count)}

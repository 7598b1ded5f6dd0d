"""What this app knows of a person (see accounts.privacy): the aid they want to hear of, and what they were told. It tells what a company is short of."""

from django.utils.translation import ngettext

from marketplace.accounts.models import User
from marketplace.alerts.models import Mention

from .alert_models import AidAlert
from .freshness_models import Review
from .models import AidPage


class PersonalData:
    """A person's aid alerts, and the aid that an officer looked at."""

    name = "aid"

    def export(self, user: User) -> dict[str, object]:
        """Every alert, and every aid that a mail told them of, with the facts as they were told."""
        told = list(Mention.objects.filter(user=user, aid__isnull=False).order_by("at", "pk"))
        titles = dict(
            AidPage.objects.filter(translation_key__in={one.aid for one in told}).order_by("-locale__language_code").values_list("translation_key", "title")
        )
        alerts = AidAlert.objects.of(user).order_by("created", "pk")
        return {
            "alerts": [{"name": one.name, "search": one.parameters, "alert": one.alert, "created": one.created.isoformat()} for one in alerts],
            "checked": [
                {"aid": one.page.title, "at": one.at.isoformat(), "note": one.note}
                for one in Review.objects.filter(by=user).select_related("page").order_by("at", "pk")
            ],
            "mailed": [{"aid": titles.get(one.aid, str(one.aid)), "facts": one.facts, "at": one.at.isoformat()} for one in told],
        }

    def consequences(self, user: User) -> list[str]:
        """That nobody looks any more."""
        number = AidAlert.objects.of(user).count()
        return [ngettext("Your aid alert is deleted.", "Your %(n)d aid alerts are deleted.", number) % {"n": number}] if number else []

    def erase(self, user: User) -> None:
        """The database itself forgets: everything here goes with the person (CASCADE)."""

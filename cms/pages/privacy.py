"""What the pages know of a person (see accounts.privacy): what was sent by forms with one of their mail addresses."""

from allauth.account.models import EmailAddress
from django.db.models import QuerySet
from django.utils.translation import ngettext
from wagtail.contrib.forms.models import FormSubmission

from marketplace.accounts.models import User

from . import submissions


class PersonalData:
    """Form submissions; they belong to no account, but their sender can be known by the address."""

    name = "forms"

    def export(self, user: User) -> dict[str, object]:
        """Each with its form and when it came."""
        sent = _sent_by(user).select_related("page")
        return {"sent": [{"form": one.page.title, "at": one.submit_time.isoformat(), "fields": one.form_data} for one in sent]}

    def consequences(self, user: User) -> list[str]:
        """How many go."""
        count = _sent_by(user).count()
        return [ngettext("%(n)s form you sent is deleted.", "%(n)s forms you sent are deleted.", count) % {"n": count}] if count else []

    def erase(self, user: User) -> None:
        """Delete them."""
        _sent_by(user).delete()


def _sent_by(user: User) -> QuerySet[FormSubmission]:
    """Addresses that nobody confirmed may be somebody else's."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return submissions.of_addresses({user.email, *confirmed})

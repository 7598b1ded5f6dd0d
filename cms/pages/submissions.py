"""What people sent by a form: nobody keeps it longer than the form says."""

import datetime
import logging

from django.db.models import QuerySet
from django.utils import timezone
from wagtail.contrib.forms.models import FormSubmission

from .models import FormPage

logger = logging.getLogger(__name__)


def prune(*, now: datetime.datetime | None = None) -> int:
    """Delete what has been kept for as long as its form says; returns how many that were."""
    now = now or timezone.now()
    deleted = 0
    for pk, days in FormPage.objects.values_list("pk", "keep_days"):
        overdue = FormSubmission.objects.filter(page_id=pk, submit_time__lt=now - datetime.timedelta(days=days))
        deleted += overdue.delete()[0]
    if deleted:
        logger.info("%s form submissions deleted after their term", deleted)
    return deleted


def of_addresses(addresses: set[str]) -> QuerySet[FormSubmission]:
    """What was sent with one of these mail addresses in one of its fields."""
    folded = {address.casefold() for address in addresses}
    # The fields have names that editors chose, so that the database cannot look into the right one.
    found = [pk for pk, data in FormSubmission.objects.values_list("pk", "form_data") if folded & {str(value).casefold() for value in data.values()}]
    return FormSubmission.objects.filter(pk__in=found).order_by("submit_time")

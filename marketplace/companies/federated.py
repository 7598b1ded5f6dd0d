"""Companies of partner marketplaces: written in bulk, forgotten with their last listing. Everything runs in the caller's transaction.

They have no NIF in our register and nobody who acts for them; what a curator decided about them (hidden, checked) is never overwritten.
"""

from collections.abc import Collection, Sequence

from django.utils import timezone

from marketplace.core import changelog, copies

from .models import Company

FIELDS = ("name", "description", "sector", "place", "size", "language", "web", "source_name")


def lock(pks: Collection[int]) -> dict[int, Company]:
    """The rows as they are now, locked until the end of the transaction, by key."""
    rows = Company.objects.select_for_update().filter(pk__in=pks).exclude(source_uri=None).order_by("pk")
    return {row.pk: row for row in rows}


def write(new: Sequence[Company], changed: Sequence[Company]) -> None:
    """Create the ones, overwrite FIELDS of the others (rows that `lock` gave), and tell those who follow."""
    now = timezone.now()
    for company in changed:
        company.version, company.modified = company.version + 1, now
    for company in new:
        company.modified = now
    copies.insert(Company, new)
    Company.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=[*FIELDS, "version", "modified"])
    copies.record(Company, [company.pk for company in new], is_new=True, at=now)
    copies.record(Company, [company.pk for company in changed], is_new=False, at=now)
    changelog.append_bulk("company", [company.uid for company in (*new, *changed)])


def erase_idle(pks: Collection[int]) -> int:
    """Forget those of the partners' companies that have no listing any more, with their history; how many that were."""
    rows = list(Company.objects.select_for_update(of=("self",)).filter(pk__in=pks, listings=None).exclude(source_uri=None).order_by("pk")) if pks else []
    changelog.append_many("company", [company.uid for company in rows], "delete")
    Company.objects.filter(pk__in=[company.pk for company in rows]).delete()
    Company.history.filter(id__in=[company.pk for company in rows]).delete()
    return len(rows)

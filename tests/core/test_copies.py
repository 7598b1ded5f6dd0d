"""Rows by the thousand are the rows that the slow ways would make, histories and steps too."""

import pytest
from django.db import transaction
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.core import copies
from marketplace.listings.models import Listing, Transition
from tests.factories import CompanyFactory, ListingFactory, UserFactory

ODD = 'Text with\ttab, \\ backslash, "quotes", \\N, line\nend, ñ and 😀'


@pytest.mark.parametrize("backend", ["any", pytest.param("copy", marks=pytest.mark.postgresql)])
@pytest.mark.django_db
def test_inserted_rows_are_what_was_meant(backend):
    rows = [
        CompanyFactory.build(tax_id=None, description=ODD, modified=timezone.now(), source_uri=f"https://x.example/{number}")
        for number in range(copies.LEAST + 5)
    ]
    copies.insert(Company, rows)
    assert sorted(row.pk for row in rows) == sorted(Company.objects.values_list("pk", flat=True))
    for row in rows:
        kept = Company.objects.get(pk=row.pk)
        assert {field.attname: getattr(kept, field.attname) for field in Company._meta.concrete_fields} == {
            field.attname: getattr(row, field.attname) for field in Company._meta.concrete_fields
        }
        assert row._state.adding is False
    assert CompanyFactory().pk not in {row.pk for row in rows}


@pytest.mark.django_db
def test_history_is_that_of_the_library():
    rows, now, user = [ListingFactory(description=ODD) for _ in range(3)], timezone.now(), UserFactory()
    Listing.history.all().delete()
    Listing.history.bulk_history_create(rows, update=True, default_date=now, default_user=user)
    told = list(Listing.history.order_by("id").values())
    Listing.history.all().delete()
    copies.record(Listing, [row.pk for row in rows], is_new=False, at=now, by=user)
    written = list(Listing.history.order_by("id").values())
    for one in (*told, *written):
        # The library writes an empty text where nothing was said, which is the same to its readers.
        one["history_id"], one["history_change_reason"] = None, one["history_change_reason"] or ""
    assert written == told


@pytest.mark.django_db
def test_copies_of_nothing_are_nothing():
    with transaction.atomic():
        copies.record(Listing, [], is_new=True, at=timezone.now())
        copies.insert(Listing, [])
    assert not Transition.objects.exists()

"""Two workers with the same file at the same moment, with real threads and unique keys."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from marketplace.companies import operations as companies
from marketplace.companies.models import Company
from marketplace.imports import operations
from marketplace.imports.models import Import
from marketplace.listings import operations as listings
from marketplace.listings.models import Listing
from tests.factories import UserFactory

from .conftest import csv_of
from .test_operations import numbered


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_same_file_in_two_imports_at_once_lands_once(curator):
    content = csv_of([*numbered(150), *numbered(150, NIF="")])
    sources = [operations.upload("a.csv", content, by=curator) for _ in range(2)]
    barrier, faults = threading.Barrier(2), []

    def work(source):
        try:
            barrier.wait()
            operations.run_now(source)
        except Exception as fault:  # noqa: BLE001 - shown below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[source]) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert set(Import.objects.values_list("state", flat=True)) == {"done"}
    assert (Listing.objects.count(), Company.objects.count()) == (300, 300)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_share_one_import_without_doubling(curator):
    operations.start(operations.upload("a.csv", csv_of(numbered(600)), by=curator), by=curator)
    barrier, done = threading.Barrier(4), []

    def work():
        try:
            barrier.wait()
            while rows := operations.run_once():
                done.append(rows)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(done), Listing.objects.count()) == (600, 600)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_undo_spares_what_people_work_on_at_this_moment(curator):
    source = operations.upload("a.csv", csv_of(numbered(3)), by=curator)
    operations.start(source, by=curator)
    while operations.run_once():
        pass
    published, joined, _idle = Listing.objects.select_related("company").order_by("pk")
    person = UserFactory()

    def undo():
        try:
            return operations.undo(source, by=curator)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            listings.publish(published, by=curator)
            companies.request_to_join(joined.company, by=person)
            undoing = pool.submit(undo)
            # Long enough for the undo to meet the locks.
            with pytest.raises(TimeoutError):
                undoing.result(timeout=0.7)
        undoing.result(timeout=10)
    assert list(Listing.objects.all()) == [published]
    assert set(Company.objects.all()) == {published.company, joined.company}
    assert person.memberships.count() == 1

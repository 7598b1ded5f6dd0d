"""Two workers with the same file at the same moment, with real threads and unique keys."""

import threading

import pytest
from django.db import connection

from marketplace.companies.models import Company
from marketplace.imports import operations
from marketplace.imports.models import Import
from marketplace.listings.models import Listing

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

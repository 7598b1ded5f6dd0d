"""The marketplaces that tests start are whole, and apart."""

import pytest


@pytest.mark.postgresql
def test_two_marketplaces_have_databases_and_addresses_of_their_own(nodes):
    a, b = nodes(2)
    a.python("from marketplace.rest.models import ApiClient; ApiClient.objects.create(name='Somebody')")

    assert a.sql("SELECT name FROM rest_apiclient") == [("Somebody",)]
    assert b.sql("SELECT name FROM rest_apiclient") == []
    assert (a.get("/").status, b.get("/").status) == (200, 200)
    assert b.host in a.env["OUTGOING_ALLOWED_HOSTS"].split(",")
    with a.worker() as worker:
        assert worker.poll() is None
    assert worker.returncode is not None

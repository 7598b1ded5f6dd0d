"""A partner that is a marketplace on this machine."""

import pytest

from marketplace.core import sealing
from marketplace.core.models import new_uid
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import Partner
from tests.federation import origins


@pytest.fixture
def origin(settings):
    with origins.origin() as origin:
        settings.OUTGOING_ALLOWED_HOSTS = [*settings.OUTGOING_ALLOWED_HOSTS, origin.site.host]
        yield origin


@pytest.fixture
def partner(origin, db):
    facts = {"base_url": origin.url, "state": PartnerState.ACTIVE, "node_uid": new_uid(), "sealed_key": sealing.seal("a key of theirs")}
    return Partner.objects.create(name="Other city", **facts)

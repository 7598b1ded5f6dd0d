"""A partner that has read further than the feed that came back from a backup, in another PostgreSQL cluster."""

import json

import pytest

from marketplace.listings.enums import State
from marketplace.listings.models import Listing
from tests import restoring

from . import feeding
from .test_feed import end, live, touch, uri

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

#: What the partner of before sees of the restored feed.
AFTERWARDS = """
import json
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from marketplace.companies.models import Company
from marketplace.core import changelog
from marketplace.federation import cursors
from marketplace.federation.models import FeedEntry
from tests.factories import ListingFactory
from tests.federation import feeding

def asked(path, **parameters):
    return Client().get(feeding.URLS[path], parameters, headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"})

def versions():
    return {item["uri"]: item["version"] for item in feeding.lines(asked("snapshot"))[1:-1]}

def publish():
    with transaction.atomic():
        listing = ListingFactory(live=True, company=Company.objects.first())
        changelog.append("listing", listing.uid)
    feeding.follow()
    return str(listing.uid)

position = cursors.parse(cursor).position
new = publish()
seen = {"naive": list(FeedEntry.objects.after(position).values_list("uri", flat=True)), "new": new}
response = asked("changes", cursor=cursor)
seen |= {"refused": [response.status_code, response.json()["detail"], response.json()["snapshot"]], "before": versions()}
call_command("refresh_feed", "--restored")
seen["after"] = versions()
as_of = feeding.lines(asked("snapshot"))[0]["as_of"]
newest = publish()
seen |= {"newest": newest, "further": [item["uri"] for item in asked("changes", cursor=as_of).json()["items"]]}
print(json.dumps(seen))
"""


def test_partner_that_read_further_than_the_backup_begins_anew(tmp_path):
    reader = feeding.partner()
    changed, withdrawn = live(), live()
    feeding.follow()
    reader.read()
    restoring.use_up()
    restoring.keep(tmp_path)
    Listing.objects.filter(pk=changed.pk).update(title="El títol que es va perdre")
    touch(changed)
    end(withdrawn, State.WITHDRAWN)
    lost = live()
    feeding.follow()
    theirs = {item["uri"]: item["version"] for item in reader.read()}
    assert theirs.keys() == {uri(changed), uri(withdrawn), uri(lost)}

    with restoring.cluster() as restored:
        node = restored(tmp_path, tmp_path, ALLOWED_HOSTS="testserver", SITE_URL="http://testserver")
        seen = node.json(f"cursor, key = {json.dumps([reader.cursor, reader.key])}\n" + AFTERWARDS)

    assert seen["naive"] == [], "by its place alone, the partner would never be given the new one"
    status, why, snapshot = seen["refused"]
    assert (status, "database was restored" in why, snapshot) == (410, True, "http://testserver/api/federation/v1/snapshot")
    here = {uri(changed), uri(withdrawn), f"http://testserver/id/listing/{seen['new']}"}
    assert seen["before"].keys() == seen["after"].keys() == here
    assert all(seen["before"][one] < theirs[one] for one in (uri(changed), uri(withdrawn))), "ignored by the partner, which has a later version"
    assert all(seen["after"][one] > theirs[one] for one in (uri(changed), uri(withdrawn)))
    assert seen["further"] == [f"http://testserver/id/listing/{seen['newest']}"]

"""A saved search tells what somebody is after: its owner gets it whole, and it goes with them."""

import json

import pytest

from marketplace.accounts import privacy
from marketplace.alerts.models import Finding, Mention, SavedSearch
from tests.factories import ListingFactory, UserFactory

from .conftest import save

pytestmark = pytest.mark.django_db


def test_searches_and_what_was_mailed_are_exported_and_go_with_the_person():
    person, other = UserFactory(), UserFactory()
    saved = save("q=gel&kind=offer", by=person, name="Gel for the shop")
    save("q=gel&kind=offer", by=other)
    news, old = ListingFactory(live=True, title="Gel de mans"), ListingFactory(live=True, title="Gel de fa temps")
    Finding.objects.create(search=saved, listing=news, is_news=True)
    Finding.objects.create(search=saved, listing=old, is_news=False)
    Mention.objects.create(user=person, listing=news)

    exported = privacy.export(person)["alerts"]
    json.dumps(exported)
    [one] = exported["searches"]
    assert (one["name"], one["search"], one["alert"]) == ("Gel for the shop", "q=gel&kind=offer", "on")
    assert [found["listing"] for found in one["found"]] == ["Gel de mans"]
    assert [told["listing"] for told in exported["mailed"]] == ["Gel de mans"]
    assert privacy.export(UserFactory())["alerts"] == {"searches": [], "mailed": []}
    assert len(privacy.consequences(person)) == 1

    privacy.erase(person)
    assert [saved.owner for saved in SavedSearch.objects.all()] == [other]
    assert (Finding.objects.count(), Mention.objects.count()) == (0, 0)

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from marketplace.accounts.rules import CURATORS
from tests.factories import ListingFactory, MembershipFactory, UserFactory


@pytest.fixture
def curator(db):
    user = UserFactory(email="curator@city.example", name="Carme Curadora")
    user.groups.add(Group.objects.get(name=CURATORS))
    return user


@pytest.fixture
def console(client, curator):
    """A client of a curator who is no superuser."""
    client.force_login(curator)
    return client


@pytest.fixture
def waiting(db):
    """Make listings that wait for review, each with a person who gets the mails."""

    def make(count=1, **facts):
        made = []
        for _ in range(count):
            listing = ListingFactory(state="submitted", submitted_at=timezone.now(), **facts)
            MembershipFactory(company=listing.company)
            made.append(listing)
        return made

    return make

"""What a person gets to know of themselves, and what stays when they go."""

import pytest

from marketplace.accounts import privacy
from marketplace.synergies.models import Announcement, Synergy, SynergyEvent
from tests.factories import ListingFactory, MembershipFactory, UserFactory


@pytest.mark.django_db
def test_answers_are_exported_and_lose_the_name_when_the_person_goes():
    person, other = UserFactory(), UserFactory()
    offer, demand = ListingFactory(live=True, title="Mampares a mida"), ListingFactory(live=True, demand=True, title="Busquem mampares")
    MembershipFactory(company=demand.company, user=person)
    MembershipFactory(company=demand.company, user=other)
    synergy = Synergy.objects.create(offer=offer, demand=demand, score=80, engine_version="1")
    SynergyEvent.objects.create(synergy=synergy, step="interest", company=demand.company, by=person)
    Announcement.objects.create(user=person, offer=offer, demand=demand)

    exported = privacy.export(person)["synergies"]
    assert [(one["offer"], one["demand"], one["step"]) for one in exported["answers"]] == [("Mampares a mida", "Busquem mampares", "interest")]
    assert [one["offer"] for one in exported["announced"]] == ["Mampares a mida"]
    assert privacy.export(other)["synergies"] == {
        "answers": [],
        "announced": [],
        "outcomes": [],
        "curated": {"judgements": [], "proposals": [], "advice": [], "nothing_to_be_had": []},
    }

    privacy.erase(person)
    assert list(SynergyEvent.objects.values_list("by", "step")) == [(None, "interest")]
    assert not Announcement.objects.exists()

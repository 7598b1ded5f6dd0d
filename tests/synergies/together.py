"""A market in which three companies together can serve a fourth, and rings made by hand."""

from dataclasses import dataclass

from marketplace.companies.models import Company
from marketplace.listings.models import Listing
from marketplace.synergies import consortia, ring_refresh
from marketplace.synergies.models import Consortium, Ring, Synergy
from search import index
from tests.factories import CompanyFactory, MembershipFactory
from tests.synergies.conftest import publish, publish_crowd

DEMAND = {
    "kind": "demand",
    "title": "Carpa, càtering i equip de so per a la festa dels vint anys",
    "description": "Ens cal una carpa de dos-cents metres, càtering per a cent persones i un equip de so.",
    "keywords": "carpa, càtering, equip de so",
    "sector_id": "2229",
}
TENT = {
    "title": "Lloguer de carpes i envelats",
    "description": "Muntem carpes de fins a tres-cents metres, amb terra i llum.",
    "keywords": "carpa, envelat",
    "sector_id": "7729",
}
FOOD = {
    "title": "Càtering per a festes i empreses",
    "description": "Preparem càtering fred i calent per a grups petits i grans.",
    "keywords": "càtering, menjar",
    "sector_id": "5621",
}
SOUND = {
    "title": "Equips de so amb tècnic",
    "description": "Portem l'equip de so, el muntem i el fem sonar bé.",
    "keywords": "so, equip de so, concerts",
    "sector_id": "9002",
}
EVERYTHING = {
    "title": "Festes d'empresa: carpa, càtering i equip de so",
    "description": "Ho portem tot: la carpa, el càtering i l'equip de so, per a grups grans.",
    "keywords": "carpa, càtering, equip de so",
    "sector_id": "8230",
}


@dataclass
class Fair:
    """A demand, three offers that do a part of it each, and a person of each company."""

    demand: Listing
    offers: list[Listing]
    asker: object
    offerers: list[object]

    @property
    def consortium(self) -> Consortium:
        """The one group that is shown."""
        return Consortium.objects.current().get()


def make_fair() -> Fair:
    """The rows; nothing indexed."""
    publish_crowd()
    people = [
        MembershipFactory(company__name=name, user__email=f"{name.split()[0].lower()}@fair.example") for name in ("Fàbrica", "Envelats", "Fogons", "Sons")
    ]
    demand, *offers = (publish(company=member.company, **text) for member, text in zip(people, (DEMAND, TENT, FOOD, SOUND), strict=True))
    asker, *offerers = (member.user for member in people)
    return Fair(demand, offers, asker, offerers)


def look(*demands: Listing) -> None:
    """Index everything and look at these demands; works inside a test's transaction, which the change log's readers cannot see."""
    index.rebuild()
    consortia.mark([demand.pk for demand in demands])
    while consortia._work(10):
        pass


def groups() -> set[frozenset[str]]:
    """The titles of each group's offers, of the groups that are shown."""
    return {frozenset(member.offer.title for member in consortium.members.all()) for consortium in Consortium.objects.current().for_display()}


ALL_THREE = frozenset(text["title"] for text in (TENT, FOOD, SOUND))


def make_circle(size: int, *, score: float = 70.0) -> tuple[list[Company], list[Synergy]]:
    """Companies of which each has a demand that the one before can serve, with a person each; no engine."""
    companies = [CompanyFactory(name=f"Baula {number}, SL", contact_email=f"secret{number}@circle.example") for number in range(size)]
    for number, company in enumerate(companies):
        MembershipFactory(company=company, user__email=f"person{company.pk}-{number}@circle.example")
    synergies = []
    for number, (giver, taker) in enumerate(zip(companies, companies[1:] + companies[:1], strict=True)):
        offer, demand = publish(company=giver, title=f"Oferta pública {number}"), publish(company=taker, kind="demand", title=f"Demanda pública {number}")
        synergies.append(Synergy.objects.create(offer=offer, demand=demand, score=score + number, engine_version="test"))
    return companies, synergies


def person_of(company: Company) -> object:
    """Somebody who acts for it."""
    return company.memberships.get().user


def circles() -> set[tuple[int, ...]]:
    """The companies of the rings that are shown."""
    return {ring_refresh.companies_of(ring.key) for ring in Ring.objects.current()}

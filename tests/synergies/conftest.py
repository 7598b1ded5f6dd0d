"""A small market on an embedded index of its own."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import transaction

from marketplace.accounts.models import User
from marketplace.companies.models import Company
from marketplace.core import changelog
from marketplace.listings.models import Listing
from marketplace.synergies import refresh
from marketplace.synergies.models import Synergy
from search import engine, index
from tests.factories import RUBI, CompanyFactory, ListingFactory, MembershipFactory

OFFER = {
    "title": "Pantalles facials de PET",
    "description": "Fabriquem pantalles facials reutilitzables amb visera de PET. Lliurament en 72 hores a tot el Vallès.",
    "reach_km": 25,
}
DEMAND = {
    "kind": "demand",
    "title": "Busquem pantalles facials per a botigues",
    "description": "Necessitem 200 pantalles facials reutilitzables per a les nostres botigues, amb lliurament abans de divendres.",
    "sector_id": "4771",
    "place_id": RUBI,
}


@pytest.fixture
def own_index(settings, tmp_path):
    """An empty index that no other test has seen."""
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.ELASTICSEARCH_URL = ""
    [chosen] = engine.backends()
    chosen.create()
    return chosen


def publish_crowd() -> list[Listing]:
    """Offers of other things: only beside them are the words of a face shield rare."""
    texts = (
        ("Assessoria laboral i fiscal", "Tramitem ajornaments, expedients de regulació i bonificacions de la seguretat social."),
        ("Nau industrial amb moll de càrrega", "Lloguem magatzem diàfan amb oficines, a prop de l'autopista i de l'estació."),
        ("Repartiment amb bicicleta", "Portem paquets petits i menjar preparat dins de la ciutat, de dilluns a dissabte."),
        ("Impartim formació en teletreball", "Cursos en línia per a equips: videoconferència, seguretat informàtica i eines compartides."),
        ("Confecció de mascaretes de cotó", "Cosim peces lavables amb teixit certificat, també amb logotip brodat."),
        ("Neteja i desinfecció d'oficines", "Desinfectem despatxos i vehicles amb nebulització i productes homologats."),
    )
    company = CompanyFactory()
    return [publish(company=company, title=title, description=text, sector_id="8299") for title, text in texts * 3]


@transaction.atomic
def publish(**values: object) -> Listing:
    """A live listing, with its line in the change log."""
    listing = ListingFactory(live=True, **values)
    changelog.append("listing", listing.uid)
    return listing


@transaction.atomic
def change(listing: Listing, **values: object) -> Listing:
    """Other values for a listing, with the line in the change log that every operation writes."""
    Listing.objects.filter(pk=listing.pk).update(**values, version=listing.version + 1)
    changelog.append("listing", listing.uid)
    return Listing.objects.get(pk=listing.pk)


def match(*listings: Listing) -> None:
    """Index everything and refresh these listings; works inside a test's transaction, which the change log's readers cannot see."""
    index.rebuild()
    refresh.refresh([listing.uid for listing in listings])


@dataclass
class Pair:
    """Two companies with a person each, a demand and an offer that fit."""

    asking: Company
    offering: Company
    asker: object
    offerer: object
    demand: Listing
    offer: Listing
    synergy: Synergy | None = None


def make_pair(**synergy: object) -> Pair:
    """Rows by hand, without an engine."""
    asking, offering = (
        CompanyFactory(name="Comerciants de Rubí", contact_name="Alba Asking", contact_email="alba@asking.example", contact_phone="+34 600 111 111"),
        CompanyFactory(name="Tecnoplàstics", contact_name="Oriol Offering", contact_email="oriol@offering.example", contact_phone="+34 600 222 222"),
    )
    demand, offer = publish(company=asking, **DEMAND), publish(company=offering, **OFFER)
    number = User.objects.count() or ""
    values = {"score": 86.4, "engine_version": "test", "reasons": REASONS, "signals": SIGNALS} | synergy
    return Pair(
        asking,
        offering,
        MembershipFactory(company=asking, user__email=f"asker{number}@login.example").user,
        MembershipFactory(company=offering, user__email=f"offerer{number}@login.example").user,
        demand,
        offer,
        Synergy.objects.create(offer=offer, demand=demand, **values),
    )


@pytest.fixture
def pair(db) -> Pair:
    """A suggestion on which nobody has acted."""
    return make_pair()


@pytest.fixture
def pairs(db) -> Callable[[int], list[Pair]]:
    """Several suggestions for one and the same asking company."""

    def make(number: int) -> list[Pair]:
        first = make_pair()
        others = []
        for _ in range(number - 1):
            other = make_pair()
            other.demand = change(other.demand, company=first.asking)
            other.asking, other.asker = first.asking, first.asker
            others.append(other)
        return [first, *others]

    return make


def _span(text: str, words: str) -> list[int]:
    return [text.index(words), text.index(words) + len(words)]


def evidence(words: str, answer: str, field_mine: str = "description", field_theirs: str = "description") -> dict:
    """One pair of places, as the engine gives it."""
    return {
        "mine": _span(DEMAND[field_mine], words),
        "theirs": _span(OFFER[field_theirs], answer),
        "field_mine": field_mine,
        "field_theirs": field_theirs,
        "mine_text": words,
        "theirs_text": answer,
    }


SIGNALS = [{"name": "text", "points": 52.0, "maximum": 60.0}, {"name": "place", "points": 14.0, "maximum": 14.0}]
REASONS = [
    {
        "code": "terms",
        "positive": True,
        "data": {
            "pairs": [
                evidence("pantalles facials reutilitzables", "pantalles facials reutilitzables"),
                evidence("abans de divendres", "en 72 hores"),
                evidence("pantalles facials", "Pantalles facials", "title", "title"),
            ]
        },
    },
    {"code": "place", "positive": True, "data": {"km": 7.8, "within_reach": True}},
    {"code": "missing", "positive": False, "data": {"terms": ["botigues"]}},
]

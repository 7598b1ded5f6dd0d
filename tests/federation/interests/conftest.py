"""A company here, a partner's company, and a synergy of the two."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings as django_settings

from marketplace.companies.models import Company
from marketplace.core import sealing
from marketplace.federation.interests.consent import Contact, Given, to_answer, to_send
from marketplace.federation.models import Partner, RemoteListing
from marketplace.listings.models import Listing
from marketplace.rest import keys
from marketplace.rest.models import ApiClient
from marketplace.synergies.models import Synergy
from tests import websites
from tests.factories import CompanyFactory, MembershipFactory
from tests.synergies.conftest import DEMAND, OFFER, REASONS, SIGNALS, publish

ALBA = Contact("Alba Asking", "alba@asking.example", "+34 600 111 111")
ORIOL = Contact("Oriol Offering", "oriol@offering.example", "+34 600 222 222")


@dataclass
class Across:
    """`person` acts for `company`, whose `demand` fits the `offer` of a partner's company."""

    partner: Partner
    site: websites.Site
    company: Company
    person: object
    demand: Listing
    offer: Listing
    synergy: Synergy

    @property
    def given(self) -> Given:
        """The person's consent to sending."""
        return Given(ALBA, to_send(self.partner, self.company, self.offer.company.name))

    @property
    def answer(self) -> Given:
        """The person's consent to an answer."""
        return Given(ALBA, to_answer(self.partner, self.company, self.offer.company.name))


def make_partner(base_url: str, name: str = "Marketplace Sabadell") -> Partner:
    client = ApiClient.objects.create(name=name)
    return Partner.objects.create(
        name=name, base_url=base_url, state="active", node_uid=uuid.uuid4(), gives=True, client=client, sealed_key=sealing.seal("mpk_their_key_to_us")
    )


def key_of(partner: Partner, *scopes: str) -> str:
    return keys.issue(partner.client, name="tests", scopes=scopes or ("federation", "interests"), expires_at=None, by=None)[1]


def remote(partner: Partner, **values: object) -> Listing:
    """A listing as the harvest writes it."""
    uri = f"{partner.base_url}/id/listing/{uuid.uuid4()}"
    company = CompanyFactory(
        tax_id=None, name="Tecnoplàstics", contact_email="", source_uri=f"{partner.base_url}/id/company/{uuid.uuid4()}", source_name=partner.name
    )
    listing = publish(company=company, origin="partner", source_uri=uri, source_name=partner.name, source_url=f"{uri}.html", **values)
    RemoteListing.objects.create(partner=partner, listing=listing, uri=uri)
    return listing


@pytest.fixture
def site(settings) -> Iterator[websites.Site]:
    """The partner's web server."""
    with websites.serve() as site:
        settings.OUTGOING_ALLOWED_HOSTS = [site.host]
        yield site


@pytest.fixture
def across(db, site) -> Across:
    """Nobody has said anything yet."""
    partner = make_partner(site.url)
    company = CompanyFactory(name="Comerciants de Rubí", contact_name=ALBA.name, contact_email=ALBA.email, contact_phone=ALBA.phone)
    person = MembershipFactory(company=company, user__email="asker@login.example").user
    demand = publish(company=company, **DEMAND)
    offer = remote(partner, **OFFER)
    synergy = Synergy.objects.create(offer=offer, demand=demand, score=86.4, engine_version="test", reasons=REASONS, signals=SIGNALS)
    return Across(partner, site, company, person, demand, offer, synergy)


def body(across: Across, **changes: object) -> dict:
    """What the partner sends for the company of its offer, about our demand."""
    return {
        "listing": f"{django_settings.SITE_URL}/id/listing/{across.demand.uid}",
        "message": "We can deliver 200 on Thursday.",
        "language": "en",
        "company": {"name": across.offer.company.name, "url": "https://www.tecnoplastics.example", "identifier": {"propertyID": "NIF", "value": "B12345674"}},
        "own": {"@id": across.offer.source_uri, "@type": "Offer", "name": across.offer.title, "url": across.offer.source_url},
        "contact": ORIOL.as_dict(),
        "consent": {"text": "I agree that it is sent.", "version": "1", "givenAt": "2026-11-01T10:00:00+01:00"},
    } | changes

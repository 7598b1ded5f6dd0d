"""Partners for tests of the console: other marketplaces with what came from them, made by the operations that make them in life."""

import uuid

from django.contrib.auth.models import Permission
from django.db import transaction

from marketplace.federation import digests, operations, writing
from marketplace.federation.introductions import Introduction
from marketplace.federation.items import Batch, Item
from marketplace.federation.models import Partner
from marketplace.federation.taking import Taking
from tests.factories import UserFactory

THEIR_KEY = "a-key-that-they-gave-us-0123456789"


def onlooker():
    """A curator who does not look after partners."""
    user = UserFactory(name="Quim Mira")
    user.user_permissions.add(*Permission.objects.filter(codename__in=["curate_listing", "access_admin"]))
    return user


def document(url, *, node=None, name="Marketplace Sabadell", **changes):
    """As /.well-known/marketplace-federation says it."""
    said = {"node_id": str(node or uuid.uuid4()), "name": name, "base_url": url, "versions": ["1"], "languages": ["ca", "es"]}
    return said | {"taxonomies": {"sectors": "NACE Rev. 2", "places": "INE municipalities"}} | changes


def connected(name="Marketplace Sabadell", *, by=None, url="", active=True, **facts) -> Partner:
    """A partner that speaks the protocol, or has what `facts` say."""
    url = url or f"https://{uuid.uuid4().hex[:12]}.example.org"
    said = document(url, name=name)
    presented = Introduction(uuid.UUID(said["node_id"]), name, url, ("1",), ("ca", "es"), said["taxonomies"], said)
    partner = operations.create({"name": name, "base_url": url, **facts}, presented=presented, by=by)
    if active:
        operations.set_key(partner, THEIR_KEY, by=by)
        operations.activate(partner, by=by)
    partner.refresh_from_db()
    return partner


def item(partner, number, **changes):
    """An offer of the partner."""
    uri = f"{partner.base_url}/id/listing/{number}"
    listing = {
        "@type": "Offer",
        "@id": uri,
        "url": f"{partner.base_url}/anuncis/{number}/",
        "name": f"Estampació de xapa, sèrie {number}",
        "description": f"Peces estampades d'acer i alumini de la sèrie {number}, amb lliurament en una setmana.",
        "inLanguage": "ca",
        "keywords": ["xapa", "acer"],
        "category": {"@type": "CategoryCode", "inCodeSet": "NACE Rev. 2", "codeValue": "2229", "name": "Plàstics"},
        "mp:place": {"@type": "City", "identifier": "082798", "name": "Terrassa"},
        "validThrough": "2030-06-30",
        "offeredBy": {"@type": "Organization", "@id": f"{partner.base_url}/id/company/{number}", "name": f"Taller {number}, SL"},
    } | changes
    return Item(op="upsert", uri=uri, version=1, digest=digests.digest_of(listing), listing=listing)


@transaction.atomic
def came(partner, *items):
    """These items were read."""
    writing.write(Batch(items=list(items), is_snapshot=True, is_last=True), Taking(partner), 1)

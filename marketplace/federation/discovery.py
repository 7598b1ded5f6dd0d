"""How this node presents itself (RFC 8615)."""

from django.conf import settings

from . import jsonld, node_keys
from .models import Node

WELL_KNOWN = "/.well-known/marketplace-federation"
BASE = "/api/federation/v1"
VERSIONS = ["1"]


def document() -> dict[str, object]:
    """What stands at WELL_KNOWN; docs/federation.md explains it."""
    site = settings.SITE_URL
    return {
        "node_id": str(Node.own_uid()),
        "name": settings.SITE_NAME,
        "base_url": site,
        "versions": VERSIONS,
        "feed_url": f"{site}{BASE}/changes",
        "endpoints": {
            "changes": f"{site}{BASE}/changes",
            "snapshot": f"{site}{BASE}/snapshot",
            "context": f"{site}{BASE}/context",
            "listing": f"{site}{BASE}/listings/{{uid}}",
            "interests": f"{site}{BASE}/listings/{{uid}}/interests",
            "interest": f"{site}{BASE}/interests/{{uid}}",
            "hook": f"{site}{BASE}/hook",
            "webhooks": f"{site}{BASE}/webhooks",
        },
        "taxonomies": {"sectors": jsonld.SECTORS, "places": jsonld.PLACES},
        "languages": [code for code, _name in settings.LANGUAGES],
        "tombstone_retention_days": settings.FEDERATION_TOMBSTONE_DAYS,
        "webhook_public_keys": node_keys.public_keys(),
    }

"""The shapes of what partners read, for OpenAPI; docs/federation.md explains them."""

from typing import Any

from .enums import Reason

Schema = dict[str, Any]


def _object(required: Schema, **optional: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": required | optional}


TEXT, ADDRESS, MOMENT = {"type": "string"}, {"type": "string", "format": "uri"}, {"type": "string", "format": "date-time"}
UPSERT = _object(
    {
        "op": {"type": "string", "enum": ["upsert"]},
        "uri": ADDRESS,
        "version": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
        "updated_at": MOMENT,
        "expires_at": MOMENT,
        "digest": {"type": "string", "pattern": "^sha-256:[0-9a-f]{64}$", "description": "Of “listing” in canonical JSON (RFC 8785)."},
        "listing": {"type": "object", "description": "JSON-LD: an Offer or a Demand of schema.org.", "additionalProperties": True},
    }
)
TOMBSTONE = _object(
    {
        "op": {"type": "string", "enum": ["tombstone"]},
        "uri": ADDRESS,
        "version": {"type": "integer", "minimum": 1, "maximum": 2**53 - 1},
        "updated_at": MOMENT,
        "reason": {"type": "string", "enum": Reason.values},
    }
)
GONE = {"allOf": [{"$ref": "#/components/schemas/Problem"}, TOMBSTONE]}
PAGE = _object(
    {
        "items": {"type": "array", "items": {"oneOf": [UPSERT, TOMBSTONE]}, "maxItems": 1000},
        "cursor": {"type": "string", "description": "Where to go on, now or at the next visit."},
        "more": {"type": "boolean", "description": "Whether there is more now."},
    }
)
DISCOVERY = _object(
    {
        "node_id": {"type": "string", "format": "uuid"},
        "name": TEXT,
        "base_url": ADDRESS,
        "versions": {"type": "array", "items": TEXT},
        "feed_url": ADDRESS,
        "endpoints": {"type": "object", "additionalProperties": TEXT},
        "taxonomies": {"type": "object", "additionalProperties": TEXT},
        "languages": {"type": "array", "items": TEXT, "description": "BCP 47."},
        "tombstone_retention_days": {"type": "integer"},
        "webhook_public_keys": {
            "type": "array",
            "items": _object({"key": TEXT, "algorithm": TEXT}, expires_at={"type": ["string", "null"], "format": "date-time"}),
        },
    }
)
CONTEXT = _object({"@context": {"type": "object", "additionalProperties": True}})

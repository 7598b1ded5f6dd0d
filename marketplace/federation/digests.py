"""Canonical JSON (RFC 8785), and the digest by which nodes tell whether they hold the same listing."""

import hashlib

import rfc8785

PREFIX = "sha-256:"


def canonical(listing: dict) -> bytes:
    """The listing in the one form that all nodes write the same: names sorted, no spaces, numbers as ECMAScript writes them, UTF-8.

    Raises rfc8785.CanonicalizationError for what it cannot hold: NaN, whole numbers beyond 2^53, lone surrogates.
    """
    return rfc8785.dumps(listing)


def digest(canonical_text: bytes) -> str:
    """What `canonical` gave, as "sha-256:" and 64 hex digits."""
    return PREFIX + hashlib.sha256(canonical_text).hexdigest()


def digest_of(listing: dict) -> str:
    """The digest of a listing in any form."""
    return digest(canonical(listing))

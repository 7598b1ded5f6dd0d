"""Signatures of messages: known answers, and whatever somebody may have changed on the way."""

import base64
import datetime
import json
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from marketplace.federation import signing

# The key pair of RFC 8032, 7.1, test 1; the signature was made with OpenSSL.
SECRET = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
ID, SECONDS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw=="
NOW = datetime.datetime.fromtimestamp(SECONDS, datetime.UTC)
HEADERS = {"webhook-id": ID, "webhook-timestamp": str(SECONDS), "webhook-signature": SIGNATURE}


def code(headers=HEADERS, body=BODY, keys=(PUBLIC,), now=NOW) -> str:
    """Why a message is refused; "" if it is not."""
    try:
        signing.verify(headers, body, keys, now)
    except signing.SignatureError as error:
        return error.code
    return ""


def test_public_key_is_the_known_one():
    assert signing.public_key(SECRET) == PUBLIC


def test_sign_gives_the_known_signature():
    assert signing.sign(ID, NOW, BODY, [SECRET]) == HEADERS


def test_verify_takes_the_known_signature():
    assert signing.verify(HEADERS, BODY, [PUBLIC], NOW) == signing.Verified(ID, NOW, has_unknown=False)


def test_verify_takes_header_names_in_any_case():
    assert code({name.title(): value for name, value in HEADERS.items()}) == ""


def test_sign_and_verify_while_a_key_is_replaced():
    old, new, foreign = (signing.new_secret() for _ in range(3))
    headers = signing.sign("a", NOW, BODY, [new, old])
    for known, has_unknown in (([old], True), ([new], True), ([new, old], False), ([foreign, old], True)):
        verified = signing.verify(headers, BODY, [signing.public_key(secret) for secret in known], NOW)
        assert verified.has_unknown is has_unknown
    assert code(headers, keys=[signing.public_key(foreign)]) == "signature"
    assert code(headers, keys=[]) == "signature"


def test_verify_leaves_signatures_of_other_kinds_aside():
    assert code(HEADERS | {"webhook-signature": f"v1,aGVsbG8= {SIGNATURE} v2a,xyz"}) == ""


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-301, "clock"), (-299, ""), (0, ""), (299, ""), (301, "clock"), (86400 * 365, "clock"), (-86400 * 365, "clock")]
)
def test_verify_allows_clocks_five_minutes_apart(seconds, expected):
    assert code(now=NOW + datetime.timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize("name", HEADERS)
def test_verify_refuses_without_one_of_the_headers(name):
    assert code({key: value for key, value in HEADERS.items() if key != name}) == "headers"


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "é", "a" * 101, "a\n"])
def test_ids_that_could_be_read_in_two_ways_are_refused(message_id):
    with pytest.raises(ValueError):
        signing.sign(message_id, NOW, BODY, [SECRET])
    assert code(HEADERS | {"webhook-id": message_id}) == "headers"


@pytest.mark.parametrize(
    "seconds", ["", "+1614265330", " 1614265330", "1614265330 ", "01614265330", "1614265330.0", "1_614265330", "١٦١٤٢٦٥٣٣٠", "1e9", "-1", "9" * 400]
)
def test_timestamps_that_are_not_plain_digits_are_refused(seconds):
    assert code(HEADERS | {"webhook-timestamp": seconds}) == "headers"


@pytest.mark.parametrize("key", ["", "whpk_", "whpk_AAAA", PUBLIC[5:], PUBLIC[:-1], PUBLIC.replace("o=", "p="), f"{PUBLIC}\n", f" {PUBLIC}", SECRET])
def test_keys_in_another_spelling_are_none(key):
    assert not signing.is_public_key(key)
    assert code(keys=[key]) == "signature"


def test_every_changed_bit_of_header_and_body_is_refused():
    accepted = []
    for name, value in HEADERS.items():
        for place in range(len(value)):
            for bit in range(7):
                changed = value[:place] + chr(ord(value[place]) ^ 1 << bit) + value[place + 1 :]
                accepted += [(name, place, bit)] if not code(HEADERS | {name: changed}) else []
    for place in range(len(BODY)):
        for bit in range(8):
            changed = BODY[:place] + bytes([BODY[place] ^ 1 << bit]) + BODY[place + 1 :]
            accepted += [("body", place, bit)] if not code(body=changed) else []
    assert accepted == []


def test_base64_read_loosely_takes_a_changed_signature():
    """The naive variant of the test above: the last letter of the base64 has four bits that say nothing."""
    changed = SIGNATURE[:-3] + "x=="
    assert changed != SIGNATURE
    assert base64.b64decode(changed[4:]) == base64.b64decode(SIGNATURE[4:])
    assert code(HEADERS | {"webhook-signature": changed}) == "signature"


def test_parts_cannot_be_shifted_among_id_timestamp_and_body():
    headers = signing.sign("a", NOW, b"1.{}", [SECRET])
    assert code(headers, b"1.{}") == ""
    assert code(headers | {"webhook-id": f"a.{SECONDS}", "webhook-timestamp": "1"}, b"{}") == "headers"


def test_a_signature_over_parsed_json_lets_another_body_pass():
    """The naive variant: read, write again, verify. Two bodies that are read alike are one to it; to us they are two."""
    body = b'{"type":"listing.changed","data":{"node":"x"}}'
    forged = b'{"type":"interest.changed", "type":"listing.changed","data":{"node":"x"}}'
    headers = signing.sign(ID, NOW, body, [SECRET])

    def naive(raw: bytes) -> bool:
        content = f"{ID}.{SECONDS}.".encode() + json.dumps(json.loads(raw), separators=(",", ":")).encode()
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(PUBLIC[5:]))
        key.verify(base64.b64decode(headers["webhook-signature"][4:]), content)
        return True

    assert naive(body)
    assert naive(forged)
    assert code(headers, body) == ""
    assert code(headers, forged) == "signature"


def test_verify_never_fails_in_another_way():
    chance = random.Random(6)  # noqa: S311 - the same every time
    letters = "v1a,=+/ abc\x00é\ud800\n0123456789"
    for _ in range(3000):
        headers = {name: "".join(chance.choices(letters, k=chance.randrange(40))) if chance.random() < 0.6 else value for name, value in HEADERS.items()}
        keys = [chance.choice([PUBLIC, "", "whpk_é", "whpk_=", "x" * 100])]
        if headers != HEADERS:
            assert code(headers, chance.randbytes(chance.randrange(30)), keys) in ("headers", "signature", "clock")

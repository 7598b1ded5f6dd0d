"""The letter itself."""

import pytest

from marketplace.federation.interests import wire
from marketplace.federation.models import OutgoingInterest
from marketplace.federation.models.interests import mark


@pytest.mark.parametrize(
    ("scheme", "value", "kept"),
    [
        ("NIF", "B12345674", "NIF:B12345674"),
        ("NIF", " b12345674 ", "NIF:B12345674"),
        ("NIF", "12345678Z", ""),
        ("NIF", "X1234567L", ""),
        ("NIF", "K1234567L", ""),
        ("NIF", "M1234567L", ""),
        ("VAT", "ESB12345674", "VAT:ESB12345674"),
        ("VAT", "ES12345678Z", ""),
        ("VAT", "ESY1234567X", ""),
        ("VAT", "FR12345678901", "VAT:FR12345678901"),
        ("VAT", "fr 12 345678901", "VAT:FR12345678901"),
        ("VAT", "12345678Z", ""),
        ("VAT", "X1234567L", ""),
        ("EUID", "12345678Z", ""),
        ("EUID", "ES08005.12345", "EUID:ES08005.12345"),
    ],
)
def test_identity_of_a_natural_person_is_not_kept(scheme, value, kept):
    """A naive check looks at the NIF alone, and a person's number comes in as a VAT number without its country, or as an EUID."""
    assert wire.identity({"propertyID": scheme, "value": value}) == kept


def test_no_identity_is_none():
    assert wire.identity(None) == ""


def test_fingerprint_is_of_the_content_and_outlives_a_change_of_the_secret(settings):
    [first] = wire.fingerprints({"a": 1, "b": [1, 2]})
    assert [first] == wire.fingerprints({"b": [1, 2], "a": 1})
    assert [first] != wire.fingerprints({"a": 1, "b": [2, 1]})
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one"
    assert first in wire.fingerprints({"a": 1, "b": [1, 2]})


@pytest.mark.django_db
def test_person_is_found_after_the_secret_was_changed(settings, across):
    from marketplace.federation.interests import operations  # noqa: PLC0415

    operations.say_yes(across.synergy, across.given, by=across.person)
    OutgoingInterest.objects.update(by=None)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one"
    found = OutgoingInterest.objects.of_person(across.person, {"ALBA@asking.example"})
    assert [interest.body["contact"]["email"] for interest in found] == ["alba@asking.example"]
    assert mark("") == ""
    assert not OutgoingInterest.objects.of_person(across.person, {""}).exists()

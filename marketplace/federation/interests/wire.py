"""An interest as it crosses: the JSON of `POST …/listings/{uid}/interests`, made here and read here.

{"listing": URI of the partner's listing, "message": "…", "language": "ca",
 "company": {"name": "…", "url": "…", "identifier": {"propertyID": "NIF", "value": "B…"}},
 "own": {"@id": URI, "@type": "Offer" | "Demand", "name": "…", "url": its public page},
 "contact": {"name": "…", "email": "…", "telephone": "…"},
 "consent": {"text": "…", "version": "…", "givenAt": RFC 3339}}
"""

import datetime
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from marketplace.companies.models import Company
from marketplace.companies.validators import is_legal_person
from marketplace.federation.identities import SHAPES
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing

from .consent import Given

MAX_MESSAGE = 2000
TYPES = {Kind.OFFER: "Offer", Kind.DEMAND: "Demand"}
KINDS = {name: kind for kind, name in TYPES.items()}
#: Clocks differ; a consent from further ahead is a mistake.
CLOCK_SKEW = datetime.timedelta(minutes=5)
web_address = URLValidator(schemes=["http", "https"])


def body(mine: Listing, remote_uri: str, given: Given, *, message: str, language: str, at: datetime.datetime) -> dict:  # noqa: PLR0913 - the parts of one letter
    """What is sent for the company of `mine`."""
    return {
        "listing": remote_uri,
        "message": message,
        "language": language,
        "company": _company(mine.company),
        "own": {
            "@id": f"{settings.SITE_URL}/id/listing/{mine.uid}",
            "@type": TYPES[Kind(mine.kind)],
            "name": mine.title,
            "url": f"{settings.SITE_URL}{mine.get_absolute_url()}",
        },
        "contact": given.contact.as_dict(),
        "consent": {"text": given.text, "version": given.version, "givenAt": at.isoformat()},
    }


def _company(company: Company) -> dict:
    told: dict = {"name": company.name}
    if company.web:
        told["url"] = company.web
    if is_legal_person(company.tax_id):
        told["identifier"] = {"propertyID": "NIF", "value": company.tax_id}
    return told


def fingerprints(data: object) -> list[str]:
    """Of a body, whatever the order of its members and its blanks; keyed, since it is of personal data: with SECRET_KEY, then with those of before."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [salted_hmac("federation.interests.body", text, secret=secret, algorithm="sha256").hexdigest() for secret in secrets]


def identity(identifier: Mapping[str, str] | None) -> str:
    """Scheme and id of a company, "" for none and for that of a natural person, which nobody here has to know."""
    if not identifier:
        return ""
    scheme, value = identifier["propertyID"], "".join(identifier["value"].upper().split())
    national = value.removeprefix("ES") if scheme in ("VAT", "NIF") else value
    is_spanish = scheme == "NIF" or value.startswith("ES")
    if is_spanish and scheme != "EUID" and not is_legal_person(national):
        return ""
    # A person's number under another scheme's name is still a person's: only what looks like one of the scheme is kept.
    if scheme in SHAPES and not SHAPES[scheme].fullmatch(value):
        return ""
    return f"{scheme}:{value}"


# --- Reading it ---------------------------------------------------------------------------------------------------------


class Text(serializers.CharField):
    """Text as JSON has it; rest.parsers has refused already what no database takes."""

    def to_internal_value(self, data: object) -> str:
        """The text, trimmed. A number is none, though Django would make one of it."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WebAddress(Text):
    """An http or https address; anything else is refused, so that no link of ours runs a script."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(max_length=500, **kwargs)
        self.validators.append(web_address)


class IdentifierIn(serializers.Serializer):
    """Scheme and id of a company."""

    propertyID = serializers.ChoiceField(choices=["NIF", "VAT", "EUID"])  # noqa: N815 - schema.org's name
    value = Text(max_length=60)


class CompanyIn(serializers.Serializer):
    """Who asks."""

    name = Text(max_length=160)
    url = WebAddress(required=False, allow_blank=True)
    identifier = IdentifierIn(required=False, allow_null=True)


class OwnIn(serializers.Serializer):
    """The listing with which they ask. Its names begin with @, which no Python name can."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """As in JSON-LD."""
        return {
            "@id": WebAddress(),
            "@type": serializers.ChoiceField(choices=list(KINDS)),
            "name": Text(max_length=300),
            "url": WebAddress(required=False, allow_blank=True),
        }


class ContactIn(serializers.Serializer):
    """Whom to call or write."""

    name = Text(max_length=120, allow_blank=True, required=False, default="")
    email = serializers.EmailField(max_length=254)
    telephone = Text(max_length=30, allow_blank=True, required=False, default="")


class ConsentIn(serializers.Serializer):
    """What the person agreed to, and when."""

    text = Text(max_length=4000)
    version = Text(max_length=40)
    givenAt = serializers.DateTimeField()  # noqa: N815 - JSON's name


class InterestIn(serializers.Serializer):
    """The whole body."""

    listing = Text(max_length=500)
    message = Text(max_length=MAX_MESSAGE, allow_blank=True, required=False, default="")
    language = Text(max_length=35, required=False, allow_blank=True, default="")
    company = CompanyIn()
    own = OwnIn()
    contact = ContactIn()
    consent = ConsentIn()

    def validate_consent(self, consent: dict) -> dict:
        """Not from the future."""
        if consent["givenAt"] > timezone.now() + CLOCK_SKEW:
            raise serializers.ValidationError(_("The consent is dated in the future. Look at your clock."), code="future")
        return consent


def is_of(uri: str, hosts: set[str]) -> bool:
    """Whether an address is on one of a partner's hosts, so that nobody asks in another marketplace's name."""
    return urlsplit(uri).netloc.lower() in hosts

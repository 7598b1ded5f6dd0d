"""What a person agrees to before data of theirs cross. A changed text gets a new version: what somebody agreed to is kept word for word."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from marketplace.companies.models import Company
from marketplace.federation.models import Partner

#: Of the two texts below.
VERSION = "2026-11"


@dataclass(frozen=True)
class Contact:
    """Whom the other company may call or write, as the person gave it for this one interest."""

    name: str
    email: str
    phone: str = ""

    def as_dict(self) -> dict[str, str]:
        """As it crosses (schema.org's names)."""
        return {"name": self.name, "email": self.email, "telephone": self.phone}


@dataclass(frozen=True)
class Given:
    """What a person agreed to: the text as they saw and ticked it, its version, and the contact data that it is about."""

    contact: Contact
    text: str
    version: str = VERSION

    def check(self) -> None:
        """Raise ValidationError unless it is of the text of now."""
        if self.version != VERSION or not self.text:
            raise ValidationError(_("The text that you agreed to has changed meanwhile. Read it again."), code="consent")


def to_send(partner: Partner, company: Company, other: str) -> str:
    """For the yes that goes to a partner; in the person's language."""
    return _(
        "I agree that %(site)s sends to %(partner)s: the name and website of %(company)s, the listing this is about, and my message, which "
        "%(other)s can read at once; and my name, e-mail address and telephone number, which %(other)s sees only if it says yes too. "
        "I can take this back at any time. Then %(partner)s has to delete what it received."
    ) % {"site": settings.SITE_NAME, "partner": partner.name, "company": company.name, "other": other}


def to_answer(partner: Partner, company: Company, other: str) -> str:
    """For the yes that answers a partner's company."""
    return _(
        "I agree that %(site)s sends to %(partner)s that %(company)s says yes, and my name, e-mail address and telephone number, so that "
        "%(other)s can reach me. I can take this back at any time. Then %(partner)s has to delete what it received."
    ) % {"site": settings.SITE_NAME, "partner": partner.name, "company": company.name, "other": other}

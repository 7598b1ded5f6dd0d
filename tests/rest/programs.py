"""Programs that talk to the API: a test client with a company's key."""

import json
from dataclasses import dataclass, field

from django.test import Client

from marketplace.companies.models import Company
from tests.factories import MembershipFactory
from tests.rest import keys


@dataclass
class Program:
    """Sends and reads JSON, in English, with a key if it has one."""

    secret: str = ""
    company: Company | None = None
    client: Client = field(default_factory=Client)

    def ask(self, method, path, data=None, **headers):
        names = {"Accept-Language": "en"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            names.setdefault("Authorization", f"Bearer {self.secret}")
        body = {} if data is None else {"data": data if isinstance(data, str | bytes) else json.dumps(data), "content_type": "application/json"}
        return getattr(self.client, method)(path, headers=names, **body)

    def get(self, path, **headers):
        return self.ask("get", path, **headers)

    def post(self, path, data=None, **headers):
        return self.ask("post", path, {} if data is None else data, **headers)

    def patch(self, path, data, **headers):
        return self.ask("patch", path, data, **headers)


def of_company(company=None, *, scopes=("write",)):
    """A program with a key of a company, made by its owner."""
    made = keys.company_key(*scopes, company=company or MembershipFactory().company)
    return Program(made.secret, made.company)


def of_partner(*, scopes=("read", "federation", "interests")):
    """A program with a key of a partner marketplace."""
    return Program(keys.partner_key(*scopes).secret)

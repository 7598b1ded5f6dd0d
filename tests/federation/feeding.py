"""A partner that reads our feed, for tests."""

import json
from dataclasses import dataclass, field

from django.test import Client
from django.urls import reverse

from marketplace.federation import export, operations
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.models import Partner
from marketplace.listings import following
from marketplace.rest.models import ApiClient

URLS = {"changes": "/api/federation/v1/changes", "snapshot": "/api/federation/v1/snapshot"}


def follow() -> None:
    """What the worker does: the changes of companies become changes of their listings, these become entries."""
    while following.run_once() + export.run_once():
        pass


@dataclass
class Reading:
    """A partner and its key. `state` holds what it has: digests by URI."""

    partner: Partner
    key: str
    cursor: str = ""
    state: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=Client)

    def get(self, address: str, **parameters: object):
        """Ask with the key; `address` may be a whole one, with its parameters."""
        headers = parameters.pop("headers", {})
        return self.client.get(
            address.removeprefix("http://testserver"), parameters or None, headers={"Authorization": f"Bearer {self.key}", "Accept-Language": "en"} | headers
        )

    def page(self, **parameters: object) -> dict:
        """The next page of changes, as JSON."""
        response = self.get(URLS["changes"], **({"cursor": self.cursor} if self.cursor else {}) | parameters)
        assert response.status_code == 200, response.content
        return response.json()

    def read(self, **parameters: object) -> list[dict]:
        """The items to the end of the log; the cursor moves along."""
        items = []
        while True:
            page = self.page(**parameters)
            items += page["items"]
            self.cursor = page["cursor"]
            for item in page["items"]:
                if item["op"] == "upsert":
                    self.state[item["uri"]] = item["digest"]
                else:
                    self.state.pop(item["uri"], None)
            if not page["more"]:
                return items

    def snapshot(self, **parameters: object) -> list[dict]:
        """The lines of a snapshot."""
        response = self.get(URLS["snapshot"], **parameters)
        assert response.status_code == 200, response.content
        return lines(response)

    def one(self, listing, **headers: str):
        """One listing."""
        return self.get(reverse("federation_listing", args=[listing.uid]), headers=headers)


def lines(response) -> list[dict]:
    """The lines of a response, streamed or not."""
    return [json.loads(line) for line in response.getvalue().decode().splitlines()]


def partner(number: int = 1, **fields: object) -> Reading:
    """An active partner that is given everything, unless `fields` say otherwise."""
    address, client = f"https://partner{number}.example.org", ApiClient.objects.create(name=f"Partner {number}")
    made = Partner.objects.create(name=client.name, base_url=address, client=client, state=PartnerState.ACTIVE, reader=ReaderKind.NONE, gives=True)
    _key, secret = operations.issue_key(made, name="feed", expires_at=None, by=None)
    return Reading(give(made, **fields) if fields else made, secret)


def give(partner: Partner, **fields: object) -> Partner:
    """Change what a partner is given."""
    partner.refresh_from_db()
    return operations.change(partner, fields, seen=partner.version, by=None)

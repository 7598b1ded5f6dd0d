"""What stands in two marketplaces before the first yes, and what people do there; run inside a node, prints JSON."""

import json
import uuid

from django.utils import timezone

from marketplace.accounts import privacy
from marketplace.accounts.models import User
from marketplace.core import sealing
from marketplace.federation.interests import consent, operations
from marketplace.federation.models import Hook, IncomingInterest, Node, OutgoingInterest, Partner, RemoteListing
from marketplace.rest import keys
from marketplace.rest.models import ApiClient
from marketplace.synergies.disclosure import contact_for
from marketplace.synergies.models import Synergy
from tests.factories import CompanyFactory, MembershipFactory
from tests.synergies.conftest import DEMAND, OFFER, REASONS, SIGNALS, publish


def identity() -> None:
    """Who this node is, as its discovery document says."""
    from marketplace.federation import discovery  # noqa: PLC0415

    print(json.dumps(discovery.document()))


def partner(name: str, base_url: str, discovery: dict, *, key: str = "", hook: str = "") -> None:
    """Another marketplace as partner of this one; the key that it gets."""
    client = ApiClient.objects.create(name=name)
    made = Partner.objects.create(
        name=name, base_url=base_url, state="active", node_uid=discovery["node_id"], discovery=discovery, gives=True, client=client,
        sealed_key=sealing.seal(key) if key else "",
    )  # fmt: skip
    if hook:
        Hook.objects.create(partner=made, url=hook, is_active=True)
    print(json.dumps(keys.issue(client, name="tests", scopes=["federation", "interests"], expires_at=None, by=None)[1]))


def set_key(name: str, key: str) -> None:
    """The key that a partner gave us."""
    Partner.objects.filter(name=name).update(sealed_key=sealing.seal(key))


def company(name: str, person: str, *, kind: str, phone: str) -> None:
    """A company with one person and a live listing."""
    own = CompanyFactory(
        tax_id=keys_tax_id(name), name=name, contact_name=f"{person.title()} Contact", contact_email=f"{person}@contact.example", contact_phone=phone
    )
    MembershipFactory(company=own, user__email=f"{person}@login.example", user__language="en")
    MembershipFactory(company=own, user__email=f"{person}-colleague@login.example", user__language="en", role="member")
    print(json.dumps({"listing": str(publish(company=own, **(DEMAND if kind == "demand" else OFFER)).uid)}))


def keys_tax_id(name: str) -> str:
    """A valid NIF, another for each name."""
    from tests.factories import company_tax_id  # noqa: PLC0415

    return company_tax_id(2_000_000 + sum(map(ord, name)))


def suggest(partner_name: str, uri: str, *, kind: str) -> None:
    """The partner's listing as the harvest brings it, and the synergy with ours that the engine makes of it."""
    of = Partner.objects.get(name=partner_name)
    other = CompanyFactory(tax_id=None, name="From elsewhere", contact_email="", source_uri=f"{uri}/company", source_name=of.name)
    theirs = publish(company=other, origin="partner", source_uri=uri, source_name=of.name, **(DEMAND if kind == "demand" else OFFER))
    RemoteListing.objects.create(partner=of, listing=theirs, uri=uri)
    from marketplace.listings.models import Listing  # noqa: PLC0415

    ours = Listing.objects.exclude(origin="partner").get()
    offer, demand = (ours, theirs) if kind == "demand" else (theirs, ours)
    Synergy.objects.create(offer=offer, demand=demand, score=80, engine_version="test", reasons=REASONS, signals=SIGNALS)


def say_yes(person: str, phone: str, message: str = "We need 200 pieces.") -> None:
    """With consent, on the page of the synergy."""
    synergy, user = Synergy.objects.get(), User.objects.get(email=f"{person}@login.example")
    contact = consent.Contact(f"{person.title()} Contact", f"{person}@contact.example", phone)
    operations.say_yes(synergy, consent.Given(contact, f"I agree, {uuid.uuid4()}"), by=user, message=message)


def accept(person: str, phone: str) -> None:
    """With consent, on the page of an interest that came."""
    interest, user = IncomingInterest.objects.get(state="received"), User.objects.get(email=f"{person}@login.example")
    contact = consent.Contact(f"{person.title()} Contact", f"{person}@contact.example", phone)
    operations.accept(interest, consent.Given(contact, "I agree."), by=user)


def erase(person: str) -> None:
    """The person deletes the account."""
    privacy.erase(User.objects.get(email=f"{person}@login.example"))


def look(person: str) -> None:
    """What this person can see of the other company, and how things stand."""
    user = User.objects.get(email=f"{person}@login.example")
    synergy = Synergy.objects.first()
    side = synergy and synergy.side_to_answer(user.memberships.values_list("company", flat=True))
    contact = synergy and contact_for(user, synergy, side)
    incoming = IncomingInterest.objects.of(user).filter(state="accepted").first()
    told = {
        "synergy": synergy and synergy.state,
        "contact": contact.email if contact else incoming.contact.get("email") if incoming else None,
        "outgoing": list(OutgoingInterest.objects.order_by("pk").values_list("state", flat=True)),
        "incoming": list(IncomingInterest.objects.order_by("pk").values_list("state", flat=True)),
        "to_erase": OutgoingInterest.objects.not_erased_yet().count(),
        "node": str(Node.own_uid()),
        "at": timezone.now().isoformat(),
    }
    print(json.dumps(told))

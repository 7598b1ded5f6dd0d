"""What the people of one marketplace do in the federation demo, and what can be seen there; everything through the operations that the pages use.

`python manage.py federation_demo --inside` reads one call a line from its standard input ({"do": name, "with": {…}}) and writes
one answer a line ({"done": …} or {"failed": …}): the program that shows the demo has both marketplaces in hand without starting
Django for each step.
"""

import datetime
import json
import sys
from collections.abc import Callable
from typing import IO, Any

from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone, translation
from stdnum.es import cif

import search
from marketplace.accounts import privacy
from marketplace.accounts.models import User
from marketplace.accounts.rules import CURATORS
from marketplace.companies import operations as companies
from marketplace.companies.models import Company, Place, Sector
from marketplace.federation import fetching, introductions, operations
from marketplace.federation.interests import consent
from marketplace.federation.interests import operations as interests
from marketplace.federation.models import Checkpoint, Hook, IncomingInterest, OutgoingInterest, Partner
from marketplace.federation.readers.protocol import client_of
from marketplace.listings import operations as listings
from marketplace.listings.enums import Origin
from marketplace.listings.jsonld import absolute
from marketplace.listings.models import Listing
from marketplace.synergies.disclosure import contact_for
from marketplace.synergies.models import Synergy
from marketplace.synergies.reasons import chips

from .city import ADMIN, CURATOR, DATA, person

PHONE = "+34 600 00 00 {number:02d}"


def story() -> dict[str, dict]:
    """Both marketplaces with their companies and listings, by key."""
    return json.loads((DATA / "federation.json").read_text(encoding="utf-8"))


def serve(given: IO[str] = sys.stdin, answers: IO[str] = sys.stdout) -> None:
    """Do what is asked, line by line, until the input ends."""
    for line in given:
        call = json.loads(line)
        try:
            with translation.override("ca"):
                answer = {"done": CALLS[call["do"]](**call["with"])}
        except Exception as error:  # noqa: BLE001 - it is told to who asked, whatever it is
            answer = {"failed": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer, default=str) + "\n")
        answers.flush()


# --- What stands there before -------------------------------------------------------------------------------------------


def load(key: str) -> dict[str, object]:
    """The marketplace's companies, their people and listings; who looks after it."""
    told = story()[key]
    curator = person(CURATOR, "Servei d'Innovació", is_staff=False)
    curator.groups.add(Group.objects.get_or_create(name=CURATORS)[0])
    person(ADMIN, "Administració", is_staff=True, is_superuser=True)
    own = {one["key"]: _company(one, number + 10 * (key != "terrassa")) for number, one in enumerate(told["companies"])}
    for one in told["listings"]:
        _listing(one, own[one["company"]], curator)
    return {"companies": len(own), "listings": [_shown(listing) for listing in Listing.objects.select_related("company").order_by("pk")]}


def _company(told: dict, number: int) -> Company:
    owner = person(_address(told["key"]), told["person"])
    body = f"B{7_000_000 + number:07d}"
    facts = {name: told[name] for name in ("name", "description", "size")} | {"tax_id": body + cif.calc_check_digits(body)[0], "language": "ca"}
    facts |= {"sector": Sector.objects.get(pk=told["sector"]), "place": Place.objects.get(pk=told["place"]), "contact_phone": PHONE.format(number=number)}
    return companies.create(facts, by=owner)


def _listing(told: dict, company: Company, curator: User) -> None:
    facts = {name: told[name] for name in ("kind", "category", "title", "description", "keywords", "reach_km")}
    facts |= {"language": "ca", "sector": Sector.objects.get(pk=told["sector"]), "place": company.place}
    facts["valid_until"] = timezone.localdate() + datetime.timedelta(days=180)
    author = company.memberships.get().user
    made = listings.create(company, facts, by=author)
    listings.publish(listings.submit(made, by=author), by=curator)


def _address(key: str) -> str:
    return f"{key}@demo.example"


def _shown(listing: Listing) -> dict[str, str]:
    return {"kind": listing.get_kind_display(), "title": listing.title, "company": listing.company.name}


# --- Becoming partners --------------------------------------------------------------------------------------------------


def introduction(address: str) -> dict[str, str]:
    """Who answers at an address."""
    found = introductions.ask(address)
    return {"name": found.name, "node": str(found.node_uid), "versions": ", ".join(found.versions)}


def connect(address: str) -> dict[str, str]:
    """Add the marketplace at an address as a partner that may read ours, and make a key for it."""
    found, admin = introductions.ask(address), _admin()
    facts = {"name": found.name, "base_url": address, "reader": "protocol", "gives": True, "default_language": "ca"}
    partner = operations.create(facts, presented=found, by=admin)
    key, secret = operations.issue_key(partner, name="Demo", expires_at=None, by=admin)
    return {"partner": str(partner.uid), "key": secret, "console": absolute(reverse("console_partner", args=[partner.uid])), "shown": key.prefix}


def activate(partner: str, key: str) -> str:
    """Keep the key that the partner gave us, and begin."""
    found = operations.set_key(Partner.objects.get(uid=partner), key, by=_admin())
    return operations.activate(found, by=_admin()).state


def told(partner: str) -> bool:
    """Whether the partner has confirmed where we want to be told, and we where it wants to."""
    found = Partner.objects.get(uid=partner)
    return Hook.objects.filter(partner=found, is_active=True).exists() and found.subscription.confirmed_at is not None


def _admin() -> User:
    return User.objects.get(email=ADMIN)


# --- What can be seen ----------------------------------------------------------------------------------------------------


def own() -> list[str]:
    """The addresses of the marketplace's own live listings."""
    return sorted(absolute(f"/id/listing/{uid}") for uid in Listing.objects.live().exclude(origin=Origin.PARTNER).values_list("uid", flat=True))


def harvested() -> list[str]:
    """The addresses of live listings from partners."""
    return sorted(Listing.objects.live().filter(origin=Origin.PARTNER).values_list("source_uri", flat=True))


def given(partner: str) -> list[str]:
    """What the partner gives us: the addresses in its snapshot, asked for with our key."""
    found = Partner.objects.get(uid=partner)
    pages = client_of(found, fetching.fetcher(found)).whole_snapshot()
    return sorted(item.uri for page in pages for item in page.items)


def error_of(partner: str) -> str:
    """Why the last visit failed, if it did."""
    return Checkpoint.objects.filter(partner__uid=partner).values_list("error", flat=True).first() or ""


def found(text: str) -> list[str]:
    """The titles that a search finds."""
    titles = dict(Listing.objects.values_list("uid", "title"))
    uids = [hit.uid for hit in search.find(search.Query(text=text)).hits]
    return [title for uid, title in titles.items() if str(uid) in uids]


def match(offer: str, demand: str) -> dict[str, object] | None:
    """The suggestion of the two (by title) as its console shows it; None as long as there is none."""
    synergy = Synergy.objects.current().filter(offer__title=offer, demand__title=demand).for_display().first()
    if synergy is None:
        return None
    return {
        "score": round(synergy.score, 1),
        "reasons": [("+ " if chip.positive else "– ") + str(chip.text) for chip in chips(synergy)],
        "console": absolute(reverse("console_pair", args=[synergy.offer.uid, synergy.demand.uid])),
        "page": absolute(reverse("synergies:detail", args=[synergy.uid])),
    }


def pairs() -> list[list[object]]:
    """All suggestions: score, demand, offer."""
    rows = Synergy.objects.current().select_related("offer", "demand").order_by("-score")
    return [[round(row.score), row.demand.title, row.offer.title] for row in rows]


def described(title: str) -> str:
    """The text of a listing here."""
    return Listing.objects.get(title=title).description


# --- What people do ------------------------------------------------------------------------------------------------------


def rewrite(title: str, description: str) -> None:
    """The company changes its listing's text."""
    listing = Listing.objects.get(title=title)
    listings.edit(listing, {"description": description}, by=listing.author)


def say_yes(company: str, offer: str, demand: str, message: str) -> str:
    """Somebody of the company says yes to a partner's, with the consent that the page asks for; what they agreed to."""
    synergy = Synergy.objects.current().select_related("offer__company", "demand__company").get(offer__title=offer, demand__title=demand)
    by = User.objects.get(email=_address(company))
    side = synergy.side_to_answer(by.memberships.values_list("company", flat=True))
    mine, theirs = synergy.listing(side).company, synergy.listing(side.other)
    text = consent.to_send(interests.partner_of(theirs), mine, theirs.company.name)
    interests.say_yes(synergy, consent.Given(interests.contact_of(mine, by), text), by=by, message=message)
    return text


def interest(company: str) -> dict[str, object] | None:
    """The newest interest that came for the company: what it can read before it answers, and afterwards the contact."""
    came = IncomingInterest.objects.filter(listing__company__memberships__user__email=_address(company)).order_by("-pk").first()
    if came is None:
        return None
    return {"state": str(came.state), "from": came.company_name, "contact": came.contact if came.state == "accepted" else {}, "kept": bool(came.sealed_contact)}


def answer(company: str) -> str:
    """Somebody of the company says yes to the interest that came."""
    by = User.objects.get(email=_address(company))
    came = IncomingInterest.objects.select_related("partner", "listing__company").get(listing__company__memberships__user=by, state="received")
    own_company = came.listing.company
    text = consent.to_answer(came.partner, own_company, came.company_name)
    agreed = consent.Given(interests.contact_of(own_company, by), text)
    if came.synergy_id:
        interests.say_yes(came.synergy, agreed, by=by)
    else:
        interests.accept(came, agreed, by=by)
    return text


def contact(company: str, offer: str, demand: str) -> dict[str, str] | None:
    """What the company sees of the other one's contact; None before both said yes."""
    synergy = Synergy.objects.filter(offer__title=offer, demand__title=demand).first()
    if synergy is None:
        return None
    by = User.objects.get(email=_address(company))
    side = synergy.side_to_answer(by.memberships.values_list("company", flat=True))
    seen = contact_for(by, synergy, side)
    return seen and {"company": seen.company, "name": seen.name, "email": seen.email, "phone": seen.phone}


def sent(company: str) -> list[str]:
    """The states of the interests that the company sent."""
    return [str(state) for state in OutgoingInterest.objects.filter(company__memberships__user__email=_address(company)).values_list("state", flat=True)]


def erase(company: str) -> None:
    """The company's only person deletes the account."""
    privacy.erase(User.objects.get(email=_address(company)))


def traces(texts: list[str]) -> list[str]:
    """In which tables any of the texts still stands."""
    from django.apps import apps  # noqa: PLC0415 - beside its one use
    from django.db.models import CharField, JSONField, Q, TextField  # noqa: PLC0415

    held = []
    for model in apps.get_models(include_auto_created=True):
        columns = [field.name for field in model._meta.concrete_fields if isinstance(field, (CharField, TextField, JSONField))]  # noqa: SLF001 - Django's own way to ask a model
        wanted = Q.create([(f"{name}__icontains", text) for name in columns for text in texts], Q.OR)
        if columns and model._default_manager.filter(wanted).exists():  # noqa: SLF001
            held.append(model._meta.label)  # noqa: SLF001
    return held


CALLS: dict[str, Callable[..., Any]] = {
    call.__name__: call
    for call in (
        load, introduction, connect, activate, told, own, harvested, given, error_of, found, match, pairs, described, rewrite, say_yes, interest, answer,
        contact, sent, erase, traces,
    )
}  # fmt: skip

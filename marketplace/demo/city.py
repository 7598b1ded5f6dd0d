"""Loads the demo city into the database: companies, people to log in as, listings in every state of their life.

Every row's public id comes from its key in `data/`, so a second run finds everything there and changes nothing.
"""

import datetime
import json
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from marketplace.accounts.models import User
from marketplace.accounts.rules import CURATORS
from marketplace.alerts import operations as searches
from marketplace.alerts import watching
from marketplace.alerts.models import Finding, SavedSearch
from marketplace.companies.enums import Role
from marketplace.companies.models import Company, Membership
from marketplace.core import changelog
from marketplace.listings.enums import Move, State
from marketplace.listings.filters import ListingFilter
from marketplace.listings.models import Listing, Transition
from marketplace.synergies import operations
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy

DATA = Path(__file__).parent / "data"
NAMESPACE = uuid.UUID("4a1d1b0e-6f0c-5a51-9a37-6d1c2f0b7e11")
PASSWORD = "una bona demo 2020"  # noqa: S105 - the demo's public password; a production start has no demo users
ADMIN, CURATOR = "admin@demo.example", "innovacio@demo.example"
# Of the true matches, so many have a yes from both sides, and so many one from the asking side.
FITS, AGREED, ASKED = 2, 6, 5

# What the people of the demo look for, as if they had saved it so many days ago.
SAVED_DAYS_AGO = 21
SEARCHES = {
    "coworking-llancadora": (("q=teletreball", ""), ("kind=demand&category=space", "Qui busca espai"), ("q=impressió 3D", "")),
    CURATOR.partition("@")[0]: (("kind=demand&category=knowledge", "Demandes de coneixement"), ("q=energia&near=Terrassa&km=25", "Energia a la vora")),
}

# The steps that led to each state, so that the demo's histories look like lived ones.
LIVES: dict[State, tuple[tuple[Move, State], ...]] = {
    State.DRAFT: (),
    State.SUBMITTED: ((Move.SUBMIT, State.SUBMITTED),),
    State.CHANGES_REQUESTED: ((Move.SUBMIT, State.SUBMITTED), (Move.REQUEST_CHANGES, State.CHANGES_REQUESTED)),
    State.REJECTED: ((Move.SUBMIT, State.SUBMITTED), (Move.REJECT, State.REJECTED)),
    State.WITHDRAWN: ((Move.WITHDRAW, State.WITHDRAWN),),
}
_PUBLISHED = ((Move.SUBMIT, State.SUBMITTED), (Move.PUBLISH, State.PUBLISHED))
LIVES |= {
    State.PUBLISHED: _PUBLISHED,
    State.EXPIRED: (*_PUBLISHED, (Move.EXPIRE, State.EXPIRED)),
    State.CLOSED: (*_PUBLISHED, (Move.CLOSE, State.CLOSED)),
}
CURATORS_MOVES = {Move.PUBLISH, Move.REJECT, Move.REQUEST_CHANGES}


def load(progress: Callable[[int], object] = lambda _: None) -> int:
    """Load what is not there yet and return how many rows that were; `progress` hears of every company and listing."""
    curator = person(CURATOR, "Servei d'Innovació", is_staff=False)
    curator.groups.add(Group.objects.get_or_create(name=CURATORS)[0])
    person(ADMIN, "Administració", is_staff=True, is_superuser=True)
    known = set(Company.objects.values_list("uid", flat=True)) | set(Listing.objects.values_list("uid", flat=True))
    made = 0
    for row in rows("companies"):
        if uid_of(row["key"]) not in known:
            _company(row)
            made += 1
        progress(1)
    companies = {company.uid: company for company in Company.objects.select_related("place", "sector")}
    for row in rows("listings"):
        if uid_of(row["key"]) not in known:
            _listing(row, companies[uid_of(row["company"])], curator)
            made += 1
        progress(1)
    return made


def answer(*, leave_alone: int) -> int:
    """Let companies answer some of their true matches, so that every stage of a synergy can be seen; return how many answered.

    The `leave_alone` best synergies wait for whoever tries the demo. Where somebody has answered already, nothing is done.
    """
    if Synergy.objects.exclude(state=SynergyState.SUGGESTED).exists():
        return 0
    true = {(uid_of(row["demand"]), uid_of(row["offer"])) for row in rows("synergies") if row.get("grade") == FITS}
    waiting = Synergy.objects.current().select_related("demand__company", "offer__company").order_by("-score", "id")[leave_alone:]
    fitting = [synergy for synergy in waiting if (synergy.demand.uid, synergy.offer.uid) in true][: AGREED + ASKED]
    for number, synergy in enumerate(fitting):
        operations.express_interest(synergy, by=_owner(synergy.demand.company))
        if number < AGREED:
            operations.express_interest(synergy, by=_owner(synergy.offer.company))
    return len(fitting)


def save_searches() -> int:
    """Save some people's searches as if it had been weeks ago, so that there is news in them; return how many. Once any is saved, nothing is done."""
    if SavedSearch.objects.exists():
        return 0
    for key, wanted in SEARCHES.items():
        for query, name in wanted:
            searches.save(ListingFilter(QueryDict(query)), name=name, by=User.objects.get(email=address_of(key)))
    made = watching.begin()
    then = timezone.now() - datetime.timedelta(days=SAVED_DAYS_AGO)
    SavedSearch.objects.update(created=then, looked_at=then, alert_since=then)
    Finding.objects.filter(listing__published_at__gt=then).update(is_news=True)
    return made


def rows(name: str) -> Iterator[dict]:
    """The lines of one of the demo's files."""
    with (DATA / f"{name}.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def uid_of(key: str) -> uuid.UUID:
    """The public id that a key always gets."""
    return uuid.uuid5(NAMESPACE, key)


def address_of(company_key: str) -> str:
    """The log-in of a demo company's owner."""
    return f"{company_key}@demo.example"


def _owner(company: Company) -> User:
    return company.memberships.owners().select_related("user").first().user


def person(email: str, name: str, **fields: object) -> User:
    """Somebody to log in as, with the demo's password."""
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create(email=email, password=_hashed(), name=name, terms_accepted_at=timezone.now(), **fields)
    # A demo address is verified from the start; allauth asks for this row at log-in.
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return user


@cache
def _hashed() -> str:
    """The password's hash, once for all: a good hash takes a third of a second, and there are over a hundred people."""
    return make_password(PASSWORD)


@transaction.atomic
def _company(row: dict) -> None:
    company = Company.objects.create(
        uid=uid_of(row["key"]), tax_id=row["tax_id"], name=row["name"], description=row["description"], sector_id=row["sector"],
        place_id=row["place"], size=row["size"], language=row["language"], web=row["web"], verified=row["verified"],
        contact_email=f"contacte@{row['web'].removeprefix('https://').strip('/')}", legal_form=row["legal_form"], founded=_founded(row["founded"]),
    )  # fmt: skip
    owner = person(address_of(row["key"]), row["name"], language=row["language"])
    Membership.objects.create(company=company, user=owner, role=Role.OWNER)


def _founded(told: str | int | None) -> datetime.date | None:
    """A day, or so many days ago: the youngest companies stay young."""
    return timezone.localdate() - datetime.timedelta(days=told) if isinstance(told, int) else datetime.date.fromisoformat(told) if told else None


@transaction.atomic
def _listing(row: dict, company: Company, curator: User) -> None:
    today, now = timezone.localdate(), timezone.now()
    state = State(row["state"])
    published = now - datetime.timedelta(days=row["published_days_ago"] or 0, hours=len(row["title"]) % 9)
    owner = User.objects.get(email=address_of(row["company"]))
    listing = Listing(
        uid=uid_of(row["key"]), company=company, kind=row["kind"], category=row["category"], language=row["language"], title=row["title"],
        description=row["description"], keywords=", ".join(row["keywords"]), sector_id=row["sector"], place_id=row["place"] or company.place_id,
        reach_km=row["reach_km"], remote=row["remote"], valid_until=today + datetime.timedelta(days=row["valid_days"]), state=state, author=owner,
        created=published - datetime.timedelta(days=2), version=1 + len(LIVES[state]),
    )  # fmt: skip
    if LIVES[state] and LIVES[state][0][0] is Move.SUBMIT:
        # What waits for the curators has waited for some hours to some days, so that the queue has an order.
        listing.submitted_at = published - datetime.timedelta(hours=5 + listing.uid.int % 91)
    if row["published_days_ago"] is not None:
        listing.published_at = published
    listing.full_clean(exclude=["valid_until"])
    listing.save()
    _history(listing, row.get("note") or "", owner, curator)
    changelog.append("listing", listing.uid)


def _history(listing: Listing, note: str, owner: User, curator: User) -> None:
    """The steps of its life, a day apart."""
    steps = [Transition(listing=listing, move=Move.EDIT, to_state=State.DRAFT, by=owner, at=listing.created)]
    previous, at = State.DRAFT, listing.created
    for move, target in LIVES[State(listing.state)]:
        at += datetime.timedelta(hours=23)
        by = curator if move in CURATORS_MOVES else None if move is Move.EXPIRE else owner
        reason = note if move in (Move.REJECT, Move.REQUEST_CHANGES) else ""
        steps.append(Transition(listing=listing, move=move, from_state=previous, to_state=target, by=by, at=min(at, timezone.now()), reason=reason))
        previous = target
    Transition.objects.bulk_create(steps)

"""The main job, as its people do it, in a real browser: from the sign-up to two companies that have each other's contact data."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import expect

from marketplace import worker
from marketplace.accounts.rules import CURATORS
from marketplace.core import changelog
from marketplace.core.models import Mail
from marketplace.listings.models import Listing
from marketplace.synergies.models import Synergy
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory, UserFactory

PASSWORD = "a long pass phrase"
NEWCOMER = "laia@botiga.example"


@pytest.fixture(autouse=True)
def in_english(settings):
    """Labels are found by their text, and the code's own language needs no compiled catalogue."""
    settings.LANGUAGE_CODE = "ca"
    with translation.override("en"):
        yield


def person(email: str, **fields):
    user = UserFactory(email=email, password=PASSWORD, language="en", **fields)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


@pytest.fixture
def offer(transactional_db) -> Listing:
    """What a company from next door has on offer already."""
    company = CompanyFactory(name="Tecnoplàstics Vallparadís, SL", contact_name="Pere Prat", contact_email="pere@tecnoplastics.example")
    MembershipFactory(company=company, user=person("pere@tecnoplastics.example"))
    with transaction.atomic():
        listing = ListingFactory(
            company=company,
            live=True,
            title="Mampares de metacrilat per a taulells i caixes",
            description="Fem mampares de metacrilat a mida per a taulells de botiga i caixes, amb instal·lació inclosa en 72 hores al Vallès.",
        )
        changelog.append("listing", listing.uid)
    return listing


@pytest.fixture
def curator(transactional_db):
    user = person("curator@city.example")
    user.groups.add(Group.objects.get(name=CURATORS))
    return user


def log_in(page, base: str, email: str) -> None:
    page.goto(base + reverse("account_login"))
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(lambda url: "login" not in url)


def address_in_last_mail(base: str, to: str) -> str:
    path = re.search(r"http://testserver(/\S+)", Mail.objects.filter(to=to).latest("id").text)[1]
    return base + path


def sign_up(page, base: str) -> None:
    page.goto(base + reverse("account_signup"))
    page.locator("input[name=email]").fill(NEWCOMER)
    page.locator("input[name=name]").fill("Laia Soler")
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=terms]").check()
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**" + reverse("account_email_verification_sent"))
    page.goto(address_in_last_mail(base, NEWCOMER))
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**" + reverse("companies:create") + "*")


def register_company(page, base: str) -> None:
    page.locator("input[name=tax_id]").fill("B12345670")
    page.locator("input[name=name]").fill("Botiga del Raval, SL")
    page.locator("textarea[name=description]").fill("Roba i complements al centre de Terrassa.")
    page.locator("input[name=place]").fill("Terrassa")
    page.locator("input[name=sector_words]").fill("roba")
    page.get_by_role("button", name="Add the company").click()
    page.get_by_text("last character should be 4").first.wait_for()
    expect(page.locator("input[name=name]")).to_have_value("Botiga del Raval, SL")
    page.locator("input[name=tax_id]").fill("B12345674")
    page.locator("input[name=sector]").first.check()
    page.get_by_role("button", name="Add the company").click()
    page.get_by_role("heading", name="Botiga del Raval, SL").first.wait_for()


def publish_demand(page, base: str) -> Listing:
    page.goto(base + reverse("listings:create"))
    page.locator("input[name=kind][value=demand]").check()
    page.locator("input[name=category][value=product]").check()
    page.locator("input[name=title]").fill("Mampares per al taulell de la botiga")
    page.locator("textarea[name=description]").fill("Busquem mampares transparents per al taulell i dues caixes, amb instal·lació abans d'obrir.")
    page.locator("input[name=sector]").first.check()
    page.get_by_role("button", name="Save and look at it").click()
    page.get_by_role("button", name=re.compile("Send", re.IGNORECASE)).first.click()
    page.get_by_text("In review").first.wait_for()
    return Listing.objects.get(kind="demand")


def curate(page, base: str, demand: Listing) -> None:
    page.goto(base + reverse("console_waiting"))
    page.get_by_role("link", name=demand.title).first.click()
    page.locator("button[name=decision][value=publish]").click()
    page.wait_for_load_state()
    demand.refresh_from_db()
    assert demand.state == "published"


@pytest.mark.django_db(transaction=True)
def test_two_companies_find_each_other(live_server, new_page, offer, curator):
    base = live_server.url
    laia, pere, innovation = new_page(), new_page("narrow"), new_page()
    for page in (laia, pere, innovation):
        page.context.set_default_timeout(60_000)  # the first detection of a language loads its models

    sign_up(laia, base)
    register_company(laia, base)
    demand = publish_demand(laia, base)

    log_in(innovation, base, curator.email)
    curate(innovation, base, demand)
    worker.drain()

    synergy = Synergy.objects.get(offer=offer, demand=demand)
    laia.goto(base + reverse("synergies:inbox"))
    laia.get_by_text("Tecnoplàstics Vallparadís").first.wait_for()
    laia.get_by_text(re.compile("Same words: .*taulell", re.IGNORECASE)).first.wait_for()
    assert "pere@tecnoplastics.example" not in laia.content()
    laia.get_by_role("button", name="I am interested").first.click()
    laia.get_by_text("pere@tecnoplastics.example").wait_for(state="detached")

    log_in(pere, base, "pere@tecnoplastics.example")
    pere.goto(base + reverse("synergies:detail", args=[synergy.uid]))
    assert NEWCOMER not in pere.content()
    pere.get_by_role("button", name="I am interested").first.click()
    pere.get_by_text(NEWCOMER).first.wait_for()

    laia.goto(base + reverse("synergies:detail", args=[synergy.uid]))
    laia.get_by_text("pere@tecnoplastics.example").first.wait_for()
    worker.drain()
    assert Mail.objects.exclude(state="sent").count() == 0

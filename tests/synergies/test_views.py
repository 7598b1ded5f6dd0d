"""The companies' pages about their synergies."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.core.models import Change, Mail
from marketplace.listings.documents import document
from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import operations
from marketplace.synergies.enums import State
from marketplace.synergies.models import Synergy
from tests.factories import CompanyFactory, MembershipFactory, UserFactory
from tests.synergies.conftest import make_pair, publish

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(response) -> list[str]:
    """The uids of the cards on a page, in their order."""
    return re.findall(r'id="s-([0-9a-f-]{36})"', response.content.decode())


def url(name: str, synergy: Synergy) -> str:
    return reverse(f"synergies:{name}", args=[synergy.uid])


# --- Who may look -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["detail", "interest", "dismiss", "undo"])
def test_synergy_is_asked_to_sign_in_or_not_there(client, pair, name):
    method = "get" if name == "detail" else "post"
    response = getattr(client, method)(url(name, pair.synergy))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))
    stranger = signed_in(MembershipFactory().user)
    assert getattr(stranger, method)(url(name, pair.synergy)).status_code == 404
    assert Synergy.objects.get().state == State.SUGGESTED


@pytest.mark.parametrize("name", ["interest", "dismiss", "undo"])
def test_steps_need_post_and_the_csrf_token(pair, name):
    client = signed_in(pair.asker)
    assert client.get(url(name, pair.synergy)).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(pair.asker)
    assert careful.post(url(name, pair.synergy), {"reason": "known"}).status_code == 403
    assert Synergy.objects.get().state == State.SUGGESTED


def test_inbox_shows_only_the_own_ones(pair):
    other = make_pair()
    response = signed_in(other.asker).get(reverse("synergies:inbox"))
    assert shown(response) == [str(other.synergy.uid)]


# --- Inbox --------------------------------------------------------------------------------------------------------------


def test_inbox_shows_who_waits_for_us_first_and_then_the_best(pairs):
    low, high, waiting = pairs(3)
    for pair, score in ((low, 40), (high, 90), (waiting, 35)):
        Synergy.objects.filter(pk=pair.synergy.pk).update(score=score)
    operations.express_interest(waiting.synergy, by=waiting.offerer)
    response = signed_in(low.asker).get(reverse("synergies:inbox"))
    assert shown(response) == [str(each.synergy.uid) for each in (waiting, high, low)]


@pytest.mark.parametrize(
    ("tab", "expected"),
    [("", "new asked answered mutual"), ("waiting", "new asked"), ("answered", "answered"), ("mutual", "mutual"), ("closed", "closed refused")],
)
def test_inbox_tabs(pairs, tab, expected):
    names = ["new", "asked", "answered", "mutual", "closed", "refused", "silently_refused"]
    by_name = dict(zip(names, pairs(len(names)), strict=True))
    for name in ("asked", "mutual"):
        operations.express_interest(by_name[name].synergy, by=by_name[name].offerer)
    for name in ("answered", "mutual", "refused"):
        operations.express_interest(by_name[name].synergy, by=by_name[name].asker)
    operations.dismiss(by_name["closed"].synergy, by=by_name["closed"].asker, reason="known")
    for name in ("refused", "silently_refused"):
        operations.dismiss(by_name[name].synergy, by=by_name[name].offerer, reason="known")
    response = signed_in(by_name["new"].asker).get(reverse("synergies:inbox"), {"state": tab})
    assert set(shown(response)) == {str(by_name[name].synergy.uid) for name in expected.split()}


def test_inbox_of_one_listing(pairs):
    first, second = pairs(2)
    client = signed_in(first.asker)
    assert shown(client.get(reverse("synergies:inbox"), {"listing": first.demand.uid})) == [str(first.synergy.uid)]
    assert len(shown(client.get(reverse("synergies:inbox"), {"listing": "nonsense"}))) == 2
    assert len(shown(client.get(reverse("synergies:inbox"), {"listing": second.offer.uid}))) == 2, "somebody else's listing filters nothing"


def test_inbox_pages(pairs):
    several = pairs(12)
    client = signed_in(several[0].asker)
    first, second = (shown(client.get(reverse("synergies:inbox"), {"page": page})) for page in (1, 2))
    assert (len(first), len(second)) == (10, 2)
    assert set(first) | set(second) == {str(pair.synergy.uid) for pair in several}


def test_inbox_costs_the_same_queries_for_one_and_for_three(pairs):
    def cost(pair) -> int:
        client = signed_in(pair.asker)
        client.get(reverse("synergies:inbox"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("synergies:inbox"))
        return len(queries)

    assert cost(pairs(1)[0]) == cost(pairs(3)[0])


def test_inbox_says_what_to_do_when_it_is_empty():
    person = UserFactory(language="en")
    client = signed_in(person)
    address = "/en/synergies/"
    assert "Register my company" in client.get(address).content.decode()
    company = CompanyFactory()
    MembershipFactory(user=person, company=company)
    assert "Once your first listing is public" in client.get(address).content.decode()
    publish(company=company)
    assert "We have not found a good enough fit yet" in client.get(address).content.decode()
    assert "You have answered everything" in client.get(address, {"state": "waiting"}).content.decode()


# --- Steps --------------------------------------------------------------------------------------------------------------


def test_interest_without_script_goes_back_to_where_one_was(pair):
    client = signed_in(pair.asker)
    response = client.post(url("interest", pair.synergy), {"next": "/synergies/?state=waiting"})
    assert (response.status_code, response["Location"]) == (302, "/synergies/?state=waiting")
    response = client.post(url("undo", pair.synergy), {"next": "https://evil.example/"})
    assert response["Location"] == pair.synergy.get_absolute_url()
    assert Synergy.objects.get().state == State.SUGGESTED


def test_interest_with_htmx_answers_with_the_card(pair):
    response = signed_in(pair.asker).post(url("interest", pair.synergy), headers=HTMX)
    assert response.status_code == 200
    assert shown(response) == [str(pair.synergy.uid)]
    assert b"<html" not in response.content
    assert b'hx-swap-oob="true"' in response.content
    assert url("undo", pair.synergy).encode() in response.content


def test_interest_in_what_ended_says_so(pair):
    client = signed_in(pair.asker)
    Listing.objects.filter(pk=pair.offer.pk).update(state=ListingState.WITHDRAWN)
    response = client.post(f"/en/synergies/{pair.synergy.uid}/interest/", follow=True)
    assert "no longer public" in response.content.decode()
    assert pair.offer.description not in response.content.decode(), "what was withdrawn is not shown"
    assert pair.offer.title not in response.content.decode()


def test_step_on_a_synergy_that_is_gone_is_not_found(pair):
    Synergy.objects.all().delete()
    assert signed_in(pair.asker).post(url("interest", pair.synergy)).status_code == 404


def test_dismiss_keeps_reason_and_comment(pair):
    response = signed_in(pair.asker).post(url("dismiss", pair.synergy), {"reason": "too_far", "comment": "<b>40 km</b> 😀"}, follow=True)
    assert response.status_code == 200
    synergy = Synergy.objects.get()
    assert (synergy.state, synergy.dismissed_reason, synergy.dismissed_comment) == (State.DISMISSED, "too_far", "<b>40 km</b> 😀")
    for person in (pair.asker, pair.offerer):
        assert "40 km" not in signed_in(person).get(synergy.get_absolute_url()).content.decode(), "the comment is for the engine"


@pytest.mark.parametrize("data", [{}, {"reason": "because"}, {"reason": "known", "comment": "x" * 501}, {"reason": "known", "comment": "a\x00b"}])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_dismiss_that_is_not_valid_shows_the_form_again(pair, data, headers):
    response = signed_in(pair.asker).post(url("dismiss", pair.synergy), data, headers=headers)
    assert response.status_code == 422
    assert b"not-for-us" in response.content
    assert b"errorlist" in response.content
    assert Synergy.objects.get().state == State.SUGGESTED


def test_dismissed_suggestion_can_be_taken_back_from_the_card(pair):
    client = signed_in(pair.asker)
    client.post(url("dismiss", pair.synergy), {"reason": "known"}, headers=HTMX)
    assert client.post(url("undo", pair.synergy), headers=HTMX).status_code == 200
    assert Synergy.objects.get().state == State.SUGGESTED


# --- What the page says -------------------------------------------------------------------------------------------------


def test_detail_explains_in_the_readers_language(pair):
    page = signed_in(pair.asker).get(f"/en/synergies/{pair.synergy.uid}/").content.decode()
    for words in (
        "Same words: pantalles facials reutilitzables",
        "7.8 km away",
        "Their offer says nothing about: botigues",
        "How we worked out the 86",
        "52 of 60",
    ):
        assert words in page
    assert "<mark>pantalles facials reutilitzables</mark>" in page
    theirs = signed_in(pair.offerer).get(f"/en/synergies/{pair.synergy.uid}/").content.decode()
    assert "Your offer says nothing about: botigues" in theirs
    assert "Your offer fits Comerciants de Rubí" in theirs


def test_detail_marks_nothing_in_a_text_that_has_changed(pair):
    Listing.objects.filter(pk=pair.demand.pk).update(
        title="Una altra cosa ben diferent", description="Ara demanem <script>alert(1)</script> tota una altra cosa."
    )
    page = signed_in(pair.asker).get(pair.synergy.get_absolute_url()).content.decode()
    assert "<mark" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_for_listing_shows_the_three_best_to_its_people_only(pairs):
    several = pairs(1)
    pair = several[0]
    for score in (50, 60, 70):
        other = make_pair()
        Synergy.objects.filter(pk=other.synergy.pk).update(demand=pair.demand, score=score)
    client = signed_in(pair.asker)
    address = reverse("synergies:for_listing", args=[pair.demand.uid])
    assert len(shown(client.get(address, headers=HTMX))) == 3
    assert client.get(address)["Location"] == f"{reverse('synergies:inbox')}?listing={pair.demand.uid}"
    assert signed_in(pair.offerer).get(address, headers=HTMX).status_code == 404


def test_header_counts_what_waits(pairs):
    first, second = pairs(2)
    client = signed_in(first.asker)
    for pair, left in ((first, 1), (second, 0)):
        operations.express_interest(pair.synergy, by=pair.asker)
        assert client.get(reverse("synergies:inbox")).context["waiting_synergies"] == left
    with CaptureQueriesContext(connection) as queries:
        Client().get(reverse("account_login"))
    assert not [query for query in queries if "synergies_synergy" in query["sql"]]


# --- Contact data leak nowhere ------------------------------------------------------------------------------------------

SECRETS = {
    "asking": ("Alba Asking", "alba@asking.example", "600 111 111", "600111111", "asker@login.example"),
    "offering": ("Oriol Offering", "oriol@offering.example", "600 222 222", "600222222", "offerer@login.example"),
}
STATES = {
    "suggested": [],
    "asker_interested": [(operations.express_interest, "asker")],
    "offerer_interested": [(operations.express_interest, "offerer")],
    "mutual": [(operations.express_interest, "asker"), (operations.express_interest, "offerer")],
    "dismissed": [(operations.express_interest, "asker"), (operations.express_interest, "offerer"), (operations.dismiss, "offerer")],
}


def pages(pair) -> list[str]:
    inbox = reverse("synergies:inbox")
    return [
        inbox,
        *(f"{inbox}?state={tab}" for tab in ("waiting", "answered", "mutual", "closed")),
        pair.synergy.get_absolute_url(),
        reverse("synergies:for_listing", args=[pair.demand.uid]),
        reverse("synergies:for_listing", args=[pair.offer.uid]),
        pair.offer.get_absolute_url(),
        pair.demand.get_absolute_url(),
        pair.offering.get_absolute_url(),
        pair.asking.get_absolute_url(),
        reverse("listings:search"),
        reverse("companies:list"),
    ]


@pytest.mark.usefixtures("own_index")
@pytest.mark.parametrize("state", STATES)
def test_contact_data_is_shown_to_the_other_side_of_a_mutual_synergy_and_nowhere_else(pair, state):
    for step, who in STATES[state]:
        extra = {"reason": "known"} if step is operations.dismiss else {}
        step(pair.synergy, by=getattr(pair, who), **extra)
    readers = {"visitor": Client(), "stranger": signed_in(MembershipFactory().user), "administrator": signed_in(UserFactory(is_superuser=True, is_staff=True))}
    readers |= {"asking": signed_in(pair.asker), "offering": signed_in(pair.offerer)}
    found = set()
    for reader, client in readers.items():
        for page in pages(pair):
            body = client.get(page, headers=HTMX if "of-listing" in page else {}).content.decode()
            found |= {(reader, page, secret) for owner, secrets in SECRETS.items() if owner != reader for secret in secrets if secret in body}
    here = pair.synergy.get_absolute_url()
    allowed = {("asking", here, secret) for secret in SECRETS["offering"][:4]} | {("offering", here, secret) for secret in SECRETS["asking"][:4]}
    assert found == (allowed if state == "mutual" else set())


def test_contact_data_is_in_no_mail_no_log_and_no_document(pair):
    for step, who in STATES["mutual"]:
        step(pair.synergy, by=getattr(pair, who))

    written = [f"{mail.subject}\n{mail.text}\n{mail.html}\n{mail.headers}" for mail in Mail.objects.all()]
    written += [str(vars(change)) for change in Change.objects.all()]
    written += [str(document(listing)) for listing in Listing.objects.for_display()]
    assert len(Mail.objects.all()) == 3
    assert not [secret for secrets in SECRETS.values() for secret in secrets for text in written if secret in text]


def test_mutual_before_a_listing_ended_keeps_its_contact_data(pair):
    for step, who in STATES["mutual"]:
        step(pair.synergy, by=getattr(pair, who))
    Listing.objects.update(state=ListingState.CLOSED, valid_until=timezone.localdate())
    page = signed_in(pair.asker).get(pair.synergy.get_absolute_url()).content.decode()
    assert "oriol@offering.example" in page

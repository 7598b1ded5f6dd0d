"""The pages of the two companies: consent first, contact data last."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from marketplace.federation.interests import operations
from marketplace.federation.interests.enums import State
from marketplace.federation.models import IncomingInterest, OutgoingInterest
from marketplace.synergies.enums import State as SynergyState
from marketplace.synergies.models import Synergy
from tests.factories import MembershipFactory
from tests.synergies.conftest import OFFER

from .conftest import ALBA, ORIOL, remote
from .test_erasing import came, sent


@pytest.fixture
def asker(client, across):
    across.person.language = "en"
    across.person.save()
    client.force_login(across.person)
    return client


def consent_page(across) -> str:
    return f"/en/synergies/{across.synergy.uid}/say-yes/"


def fields(response) -> dict:
    """The form as the browser would send it back, ticked."""
    form = response.context["form"]
    return {name: form[name].value() or "" for name in form.fields} | {"agreed": "on"}


def test_card_leads_to_the_consent(across, asker):
    for page in ("/en/synergies/", f"/en/synergies/{across.synergy.uid}/"):
        text = asker.get(page).content.decode()
        assert consent_page(across) in text
        assert f"/en/synergies/{across.synergy.uid}/interest/" not in text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["form", "htmx"])
def test_plain_yes_by_hand_is_refused(across, asker, headers):
    response = asker.post(f"/en/synergies/{across.synergy.uid}/interest/", headers=headers, follow=True)
    assert "another marketplace" in response.content.decode()
    assert Synergy.objects.get().state == SynergyState.SUGGESTED
    assert not OutgoingInterest.objects.exists()


def test_consent_page_says_what_goes_where(across, asker):
    response = asker.get(consent_page(across))
    text = response.content.decode()
    for words in (across.partner.name, across.company.name, across.demand.title, "Tecnoplàstics", ALBA.email, across.given.text):
        assert words in text
    assert fields(response)["contact_name"] == ALBA.name
    assert not OutgoingInterest.objects.exists()


def test_yes_with_other_contact_data_for_this_once(across, asker):
    changed = {"contact_name": "Berta", "contact_email": "berta@asking.example", "contact_phone": "", "message": "We need 200."}
    response = asker.post(consent_page(across), fields(asker.get(consent_page(across))) | changed)
    assert response.url == f"/en/synergies/{across.synergy.uid}/"
    interest = OutgoingInterest.objects.get()
    assert interest.body["contact"] == {"name": "Berta", "email": "berta@asking.example", "telephone": ""}
    assert interest.consent_text == across.given.text
    across.company.refresh_from_db()
    assert across.company.contact_email == ALBA.email
    page = asker.get(response.url).content.decode()
    assert "on its way" in page
    assert "Take it back" in page
    assert asker.get(consent_page(across)).url == response.url


def test_double_submit_is_one_interest(across, asker):
    content = fields(asker.get(consent_page(across)))
    for _ in range(2):
        assert asker.post(consent_page(across), content).status_code == 302
    assert OutgoingInterest.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"agreed": ""}, "agreed"),
        ({"seen": "0" * 32}, "agreed"),
        ({"contact_email": ""}, "contact_email"),
        ({"contact_name": ""}, "contact_name"),
        ({"message": "Write to alba@asking.example"}, "message"),
        ({"message": "Call 600 11 11 11 please"}, "message"),
        ({"message": "x" * 2001}, "message"),
    ],
    ids=["no tick", "another text", "no e-mail", "no name", "e-mail in the message", "phone in the message", "long message"],
)
def test_nothing_crosses_without_a_whole_form(across, asker, change, field):
    response = asker.post(consent_page(across), fields(asker.get(consent_page(across))) | change)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not OutgoingInterest.objects.exists()
    assert across.site.connections == 0


def test_numbers_that_are_no_telephones_may_stand_in_a_message(across, asker):
    content = fields(asker.get(consent_page(across))) | {"message": "1.500 pieces of 12x40x60 mm until 15/12/2026, 2,50 € each"}
    assert asker.post(consent_page(across), content).status_code == 302


def test_failed_yes_says_why_and_keeps_what_was_written(across, asker):
    sent(across, state=State.FAILED)
    OutgoingInterest.objects.update(problem="The company has just taken this listing away.")
    Synergy.objects.update(state=SynergyState.SUGGESTED, demand_interest_at=None)
    assert "just taken this listing away" in asker.get(f"/en/synergies/{across.synergy.uid}/").content.decode()
    assert fields(asker.get(consent_page(across)))["message"] == "We need 200."


def test_partner_without_a_way_gets_a_link_instead(across, asker):
    type(across.partner).objects.update(reader="table")
    text = asker.get(consent_page(across)).content.decode()
    assert across.offer.source_url in text
    assert asker.post(consent_page(across), {"agreed": "on"}).status_code == 200
    assert not OutgoingInterest.objects.exists()


def test_pages_are_for_the_two_companies_only(across, client):
    interest = came(across, is_joined=False)
    stranger = MembershipFactory().user
    pages = [f"/en/synergies/from-other-marketplaces/{interest.uid}/{step}" for step in ("", "yes/")]
    for page in (*pages, consent_page(across), "/en/synergies/from-other-marketplaces/"):
        assert client.get(page).status_code == 302, "log in first"
    client.force_login(stranger)
    for page in (*pages, consent_page(across)):
        assert client.get(page).status_code == 404
    assert client.post(f"/en/synergies/from-other-marketplaces/{interest.uid}/no/", {"reason": "known"}).status_code == 404
    assert "Tecnoplàstics" not in client.get("/en/synergies/from-other-marketplaces/").content.decode()


def test_interest_from_elsewhere_is_found_read_and_answered(across, asker):
    interest = came(across, is_joined=False)
    page = f"/en/synergies/from-other-marketplaces/{interest.uid}/"
    assert "/en/synergies/from-other-marketplaces/" in asker.get("/en/my-space/").content.decode()
    assert "/en/synergies/from-other-marketplaces/" in asker.get("/en/synergies/").content.decode()
    assert page in asker.get("/en/synergies/from-other-marketplaces/").content.decode()
    text = asker.get(page).content.decode()
    for words in ("Tecnoplàstics", across.partner.name, "We can deliver 200 on Thursday.", across.offer.title, "NIF B12345674"):
        assert words in text
    for secret in (ORIOL.name, ORIOL.email, ORIOL.phone):
        assert secret not in text
    content = fields(asker.get(f"{page}yes/"))
    assert asker.post(f"{page}yes/", content | {"agreed": ""}).status_code == 422
    assert IncomingInterest.objects.get().state == State.RECEIVED
    response = asker.post(f"{page}yes/", content, follow=True)
    for words in (ORIOL.name, ORIOL.email, ORIOL.phone):
        assert words in response.content.decode()
    assert IncomingInterest.objects.get().answer == ALBA.as_dict()
    assert asker.post(f"{page}yes/", content).status_code == 302, "a second press changes nothing"


def test_no_asks_why_and_hides_the_contact(across, asker):
    interest = came(across, is_joined=False)
    operations.accept(interest, across.answer, by=across.person)
    page = f"/en/synergies/from-other-marketplaces/{interest.uid}/"
    assert asker.post(f"{page}no/", {}).status_code == 422
    response = asker.post(f"{page}no/", {"reason": "timing", "comment": ""}, follow=True)
    text = response.content.decode()
    assert "Set aside" in text
    assert ORIOL.email not in text


def test_answer_to_what_was_taken_back_meanwhile(across, asker):
    interest = came(across, is_joined=False)
    page = f"/en/synergies/from-other-marketplaces/{interest.uid}/"
    content = fields(asker.get(f"{page}yes/"))
    IncomingInterest.objects.update(state=State.WITHDRAWN, company_name="", sealed_contact="")
    assert asker.post(f"{page}yes/", content).url == page
    text = asker.get(page).content.decode()
    assert "took its interest back" in text
    response = asker.post(f"{page}no/", {"reason": "timing"})
    assert [str(message) for message in get_messages(response.wsgi_request)]
    assert IncomingInterest.objects.get().state == State.WITHDRAWN


def test_interest_in_a_synergy_is_answered_there(across, asker):
    interest = came(across)
    assert asker.get(f"/en/synergies/from-other-marketplaces/{interest.uid}/").url == f"/en/synergies/{across.synergy.uid}/"
    text = asker.get(f"/en/synergies/{across.synergy.uid}/").content.decode()
    assert "We can deliver 200 on Thursday." in text
    assert ORIOL.email not in text
    response = asker.get(consent_page(across))
    assert "message" not in response.context["form"].fields
    text = asker.post(consent_page(across), fields(response), follow=True).content.decode()
    assert ORIOL.email in text
    assert not OutgoingInterest.objects.exists()
    text = asker.get("/en/my-space/").content.decode()
    assert "from-other-marketplaces" not in text, "said once"


def test_get_changes_nothing(across, asker):
    interest = came(across, is_joined=False)
    before = IncomingInterest.objects.values().get()
    for page in ("", f"{interest.uid}/", f"{interest.uid}/yes/"):
        assert asker.get(f"/en/synergies/from-other-marketplaces/{page}").status_code == 200
    assert asker.get(f"/en/synergies/from-other-marketplaces/{interest.uid}/no/").status_code == 405
    assert IncomingInterest.objects.values().get() == before


@pytest.mark.parametrize("page", ["across:received", "synergies:inbox"])
def test_list_takes_as_many_queries_for_three_as_for_one(across, asker, django_assert_num_queries, page):
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    def add():
        offer = remote(across.partner, **OFFER)
        if page == "across:received":
            across.offer = offer
            came(across, is_joined=False)
        else:
            Synergy.objects.create(offer=offer, demand=across.demand, score=80, engine_version="test", reasons=[], signals=[])

    if page == "across:received":
        came(across, is_joined=False)
    asker.get(reverse(page))
    with CaptureQueriesContext(connection) as first:
        asker.get(reverse(page))
    add()
    add()
    with django_assert_num_queries(len(first)):
        asker.get(reverse(page))

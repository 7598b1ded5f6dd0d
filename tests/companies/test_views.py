"""Pages about companies: who may open them, what they show, what they refuse."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.companies import operations
from marketplace.companies.enums import MembershipState, Role
from marketplace.companies.models import Company, Membership
from marketplace.core.models import Mail
from tests.factories import RUBI, CompanyFactory, ListingFactory, MembershipFactory, UserFactory, company_tax_id

pytestmark = pytest.mark.django_db


def at(path=""):
    """The address of one of this app's pages: the first part is translated."""
    return reverse("companies:list") + path


@pytest.fixture
def people():
    """A company with everybody who may come along: nobody, another company's owner, a member, an owner, a curator."""
    owner = MembershipFactory()
    member = MembershipFactory(company=owner.company, role=Role.MEMBER)
    curator = UserFactory()
    curator.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    asking = MembershipFactory(company=owner.company, role=Role.MEMBER, state=MembershipState.REQUESTED)
    return {
        "company": owner.company,
        "membership": asking,
        "active": member,
        "who": {"stranger": None, "other": MembershipFactory().user, "asking": asking.user, "member": member.user, "owner": owner.user, "curator": curator},
    }


LOGIN = "log-in"
MATRIX = [
    # path, method, then the answer to: stranger, other company, asking, member, owner, curator
    ("", "get", 200, 200, 200, 200, 200, 200),
    ("edit/", "get", LOGIN, 403, 403, 403, 200, 403),
    ("edit/", "post", LOGIN, 403, 403, 403, 422, 403),
    ("join/", "get", LOGIN, 200, 302, 302, 302, 200),
    ("people/", "get", LOGIN, 403, 403, 200, 200, 403),
    ("people/{request}/decide/", "post", LOGIN, 403, 403, 403, 302, 403),
    ("people/{active}/role/", "post", LOGIN, 403, 403, 403, 302, 403),
    ("people/{active}/leave/", "post", LOGIN, 403, 403, 302, 302, 403),
    ("people/{request}/decide/", "get", LOGIN, 405, 405, 405, 405, 405),
    ("people/{active}/role/", "get", LOGIN, 405, 405, 405, 405, 405),
    ("people/{active}/leave/", "get", LOGIN, 405, 405, 405, 405, 405),
]


@pytest.mark.parametrize("who", ["stranger", "other", "asking", "member", "owner", "curator"])
@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row[1]} {row[0] or 'page'}")
def test_who_may_do_what(client, people, row, who):
    path, method, *answers = row
    expected = answers[["stranger", "other", "asking", "member", "owner", "curator"].index(who)]
    user = people["who"][who]
    if user:
        client.force_login(user)
    address = at(f"{people['company'].uid}/") + path.format(request=people["membership"].uid, active=people["active"].uid)
    response = getattr(client, method)(address, {})
    if expected == LOGIN:
        assert (response.status_code, response.url.split("?")[0]) == (302, reverse("account_login"))
    else:
        assert response.status_code == expected


def test_the_membership_of_another_company_is_not_found(client, people):
    stranger = MembershipFactory()
    client.force_login(stranger.user)
    response = client.post(at(f"{stranger.company.uid}/people/{people['membership'].uid}/decide/"), {"answer": "accept"})
    assert response.status_code == 404
    people["membership"].refresh_from_db()
    assert people["membership"].state == MembershipState.REQUESTED


# --- Public pages -----------------------------------------------------------------------------------------------------


def test_the_public_page_never_shows_contact_data(client):
    company = CompanyFactory(contact_name="Maria Secreta", contact_email="secret@firm.example", contact_phone="600 123 456")
    ListingFactory(company=company, live=True, title="Una oferta pública")
    ListingFactory(company=company, title="Un esborrany secret")
    for user in (None, UserFactory(), MembershipFactory(company=company).user):
        if user:
            client.force_login(user)
        page = client.get(company.get_absolute_url()).content.decode()
        assert "Una oferta pública" in page
        for secret in ("Maria Secreta", "secret@firm.example", "600 123 456", "Un esborrany secret"):
            assert secret not in page


def test_a_hidden_company_is_for_its_people_and_curators(client):
    membership = MembershipFactory(company__hidden=True)
    address = membership.company.get_absolute_url()
    assert client.get(address).status_code == 404
    client.force_login(UserFactory())
    assert client.get(address).status_code == 404
    client.force_login(membership.user)
    assert client.get(address).status_code == 200
    assert membership.company.name not in client.get(at()).content.decode()


def names(response):
    return [company.name for company in response.context["page"]]


def test_the_list_finds_words_without_accents_in_any_order(client):
    CompanyFactory(name="Mecànica Güell, SL", description="Torns i fresadores")
    CompanyFactory(name="Forn de pa Puig", sector_id="1071")
    CompanyFactory(name="100% (Neta) [x]", description="a*b+c?")
    assert names(client.get(at(), {"text": "guell mecanica"})) == ["Mecànica Güell, SL"]
    assert names(client.get(at(), {"text": "FRESADORES"})) == ["Mecànica Güell, SL"]
    assert names(client.get(at(), {"text": "pastisseria"})) == ["Forn de pa Puig"]
    assert names(client.get(at(), {"text": "(neta) 100%"})) == ["100% (Neta) [x]"]
    assert names(client.get(at(), {"text": ".*"})) == names(client.get(at()))
    assert names(client.get(at(), {"text": "zzz"})) == []


def test_the_list_narrows_by_section_and_place(client):
    CompanyFactory(name="A", sector_id="2229")
    CompanyFactory(name="B", sector_id="6201", place_id=RUBI)
    assert names(client.get(at(), {"section": "C"})) == ["A"]
    assert names(client.get(at(), {"section": "J", "place": RUBI})) == ["B"]
    assert names(client.get(at(), {"section": "no", "place": "no", "page": "no"})) == ["A", "B"]


def queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_list_costs_a_constant_number_of_queries(client):
    CompanyFactory()
    one = queries(client, at())
    CompanyFactory.create_batch(2)
    assert queries(client, at()) == one


def test_the_public_page_costs_a_constant_number_of_queries(client):
    company = CompanyFactory()
    ListingFactory(company=company, live=True)
    one = queries(client, company.get_absolute_url())
    ListingFactory.create_batch(2, company=company, live=True)
    assert queries(client, company.get_absolute_url()) == one


# --- The form -----------------------------------------------------------------------------------------------------------


def fields(**changes):
    return {"tax_id": company_tax_id(7_000_002), "name": "Nova, SL", "sector": "2229", "place": "Rubí", "size": "micro", "language": "ca"} | changes


@pytest.fixture
def signed_in(client):
    client.user = UserFactory()
    client.force_login(client.user)
    return client


@pytest.mark.parametrize(
    ("nif", "named"), [("B12345675", "4"), ("B1234567", "8"), ("12345678A", "Z"), ("ZZZ", "3"), ("B1234567\x00", ""), ("🦄🦄🦄🦄🦄🦄🦄🦄🦄", "")]
)
def test_a_wrong_nif_is_named_at_its_field_and_the_rest_kept(signed_in, nif, named):
    response = signed_in.post(at("new/"), fields(tax_id=nif))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["tax_id"]
    assert named in str(response.context["form"].errors["tax_id"])
    assert 'value="Nova, SL"' in response.content.decode()
    assert not Company.objects.exists()


def test_a_form_sent_twice_makes_one_company(signed_in):
    first, second = (signed_in.post(at("new/"), fields()) for _ in range(2))
    assert (first.url, second.url) == (reverse("my_space"), reverse("my_space"))
    assert Company.objects.count() == 1


def test_choosing_from_the_list_wins_over_the_ticked_button(signed_in):
    signed_in.post(at("new/"), fields(sector="2229", sector_list="62"))
    assert Company.objects.get().sector_id == "62"


def test_looking_for_a_sector_without_javascript_keeps_the_form_and_shows_no_errors(signed_in):
    response = signed_in.post(at("new/"), {"name": "Nova, SL", "sector_words": "dentista", "step": "find-sector"})
    page = response.content.decode()
    assert response.status_code == 200
    assert 'value="8623"' in page
    assert 'value="Nova, SL"' in page
    assert "errorlist" not in page


def test_the_sector_fragment_keeps_the_chosen_one_first(client):
    page = client.get(at("sectors/"), {"sector_words": "dentista", "sector": "2229"}).content.decode()
    assert page.index('value="2229" checked') < page.index('value="8623"')


def test_place_names_are_sent_once_and_kept(client):
    response = client.get(at("places/"))
    assert response.content.decode().count("<option") == 947
    assert "max-age=86400" in response["Cache-Control"]


@pytest.mark.parametrize("field", ["name", "description", "contact_name", "contact_phone", "web", "place", "sector"])
def test_nul_bytes_are_refused_at_their_field(signed_in, field):
    response = signed_in.post(at("new/"), fields(**{field: "ab\x00cd"}))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]


def test_scripts_and_other_scripts_are_shown_as_they_are(signed_in):
    signed_in.post(at("new/"), fields(name="<script>alert(1)</script> 🦄", description="שלום <img src=x onerror=alert(1)>"))
    page = signed_in.get(Company.objects.get().get_absolute_url()).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "שלום" in page


@pytest.mark.parametrize("web", ["javascript:alert(1)", "data:text/html,x", "ftp://x.example"])
def test_only_web_addresses_are_linked(signed_in, web):
    response = signed_in.post(at("new/"), fields(web=web))
    assert list(response.context["form"].errors) == ["web"]


def test_an_edit_of_what_somebody_else_changed_shows_both(signed_in):
    company = MembershipFactory(user=signed_in.user).company
    operations.edit(company, {"name": "Nom dels altres"}, by=signed_in.user)
    mine = fields(name="El meu nom", version="1")
    response = signed_in.post(at(f"{company.uid}/edit/"), mine)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Nom dels altres" in page
    assert 'value="El meu nom"' in page
    # Sent again from that page, it is meant.
    again = signed_in.post(at(f"{company.uid}/edit/"), mine | {"version": response.context["form"]["version"].value()})
    assert again.status_code == 302
    company.refresh_from_db()
    assert company.name == "El meu nom"


# --- Joining ------------------------------------------------------------------------------------------------------------


def test_ask_and_be_let_in(client):
    owner, person = MembershipFactory(), UserFactory(name="Pau")
    client.force_login(person)
    address = at(f"{owner.company.uid}/")
    assert client.post(address + "join/", {"message": "Hola <b>"}).url == reverse("my_space")
    assert owner.company.name in client.get(reverse("my_space")).content.decode()
    client.force_login(owner.user)
    assert "Pau" in client.get(reverse("my_space")).content.decode()
    page = client.get(address + "people/").content.decode()
    assert "Hola &lt;b&gt;" in page
    membership = Membership.objects.get(user=person)
    client.post(f"{address}people/{membership.uid}/decide/", {"answer": "accept"})
    membership.refresh_from_db()
    assert membership.state == MembershipState.ACTIVE
    assert [mail.to for mail in Mail.objects.order_by("pk")] == [owner.user.email, person.email]


def test_a_request_can_be_taken_back(client):
    person = UserFactory()
    client.force_login(person)
    membership = operations.request_to_join(MembershipFactory().company, by=person)
    response = client.post(at(f"{membership.company.uid}/people/{membership.uid}/leave/"))
    assert response.url == reverse("my_space")
    assert not person.memberships.exists()


def test_the_last_owner_who_leaves_is_told_why_not(client):
    owner = MembershipFactory()
    client.force_login(owner.user)
    response = client.post(at(f"{owner.company.uid}/people/{owner.uid}/leave/"), follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert owner.company.memberships.owners().count() == 1


def test_the_people_page_costs_a_constant_number_of_queries(client):
    owner = MembershipFactory()
    client.force_login(owner.user)
    counts = []
    for number in (1, 2):
        MembershipFactory.create_batch(number, company=owner.company, role=Role.MEMBER)
        MembershipFactory.create_batch(number, company=owner.company, role=Role.MEMBER, state=MembershipState.REQUESTED)
        counts.append(queries(client, at(f"{owner.company.uid}/people/")))
    assert counts[0] == counts[1]


def test_the_form_keeps_legal_form_and_founding_day_and_the_public_sees_the_year(signed_in):
    signed_in.post(at("new/"), fields(founded="2019-05-03", legal_form="sl"))
    company = Company.objects.get()
    assert (company.founded.isoformat(), company.legal_form) == ("2019-05-03", "sl")
    page = signed_in.get(company.get_absolute_url()).content.decode()
    assert "<dd>2019</dd>" in page
    assert 'value="2019-05-03"' in signed_in.get(at(f"{company.uid}/edit/")).content.decode()


@pytest.mark.parametrize("founded", ["2999-01-01", "1066-10-14", "yesterday", "2019-02-30"])
def test_an_impossible_founding_day_is_named_at_its_field(signed_in, founded):
    response = signed_in.post(at("new/"), fields(founded=founded))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["founded"]
    assert f'value="{founded}"' in response.content.decode()

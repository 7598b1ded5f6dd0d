"""The console's lists of what finds nobody, one listing's page, any pair, outcomes and figures."""

import csv
import io

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from marketplace.core.models import Change, Mail, Reader
from marketplace.listings.models import Listing
from marketplace.synergies import curating, operations, outcomes, refresh
from marketplace.synergies.models import Advice, Judgement, Synergy, UnmetMark
from search import index
from tests.factories import MembershipFactory, UserFactory
from tests.synergies.conftest import DEMAND, OFFER, make_pair, match, own_index, publish  # noqa: F401 - own_index is a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_index")]
STRANGE = {"kind": "demand", "title": "Busquem un piano de cua", "description": "Ens cal un piano de cua afinat per a tres concerts de tardor."}
LISTS = ("console_no_match", "console_no_match_offers", "console_unseen", "console_nothing", "console_outcomes")
SECRETS = ("Alba Asking", "alba@asking.example", "600 111 111", "Oriol Offering", "oriol@offering.example", "600 222 222")


def look():
    """What the worker does, within the test's transaction, which the change log's readers cannot see."""
    match(*Listing.objects.live())
    last = Change.objects.order_by("transaction", "id").last()
    Reader.objects.update_or_create(name=refresh.READER, defaults={"transaction": last.transaction, "change_id": last.id})


def counts(*models):
    return [model.objects.count() for model in models]


@pytest.fixture
def lonely(db):
    """A demand that nothing answers, and an offer that nobody needs, each with a person; both looked at."""
    offer, demand = publish(company=MembershipFactory().company, **OFFER), publish(company=MembershipFactory().company, **STRANGE)
    look()
    return offer, demand


def matches(listing):
    return reverse("console_matches", args=[listing.uid])


def pair_page(offer, demand):
    return reverse("console_pair", args=[offer.uid, demand.uid])


def titles(answer):
    return [listing.title for listing in answer.context["object_list"]]


def texts(answer):
    return [str(message) for message in answer.context["messages"]]


# --- Who may look -------------------------------------------------------------------------------------------------------


def addresses(offer, demand):
    return [
        *map(reverse, LISTS), *(reverse(f"{name}_results") for name in LISTS), reverse("console_unmet_csv"),
        matches(demand), reverse("console_nearest", args=[demand.uid]), pair_page(offer, demand),
    ]  # fmt: skip


def test_every_page_is_for_curators(console, client, lonely):
    editor = UserFactory()
    editor.groups.add(Group.objects.get(name="Editors"))
    for address in addresses(*lonely):
        assert console.get(address).status_code == 200, address
        for reader in (None, UserFactory(), lonely[1].company.memberships.first().user, editor):
            other = Client()
            if reader:
                other.force_login(reader)
            assert other.get(address).status_code == 302, address
            assert other.post(address, {"act": "mark", "verdict": "fits"}).status_code in (302, 405), address
    assert counts(UnmetMark, Judgement) == [0] * 2


def test_steps_need_the_csrf_token(curator, lonely):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(curator)
    for address in (matches(lonely[1]), pair_page(*lonely)):
        assert careful.post(address, {"act": "mark", "verdict": "fits"}).status_code == 403


def test_looking_changes_nothing(console, lonely):
    for address in addresses(*lonely):
        console.get(address, {"act": "mark", "verdict": "fits", "note": "x"})
    assert counts(UnmetMark, Judgement, Synergy, Mail) == [0] * 4


# --- The lists ------------------------------------------------------------------------------------------------------------


def test_each_list_holds_its_own(console, curator, lonely):
    offer, demand = lonely
    assert titles(console.get(reverse("console_no_match"))) == [demand.title]
    assert titles(console.get(reverse("console_no_match_offers"))) == [offer.title]
    new = publish(**STRANGE | {"title": "Busquem un orgue de tubs"})
    answer = console.get(reverse("console_unseen"))
    assert titles(answer) == [new.title]
    assert [(count, is_here) for _label, _url, count, is_here in answer.context["tabs"]] == [(1, False), (1, False), (1, True), (0, False)]
    curating.mark_unmet(demand, by=curator, reason="nobody")
    assert titles(console.get(reverse("console_nothing"))) == [demand.title]
    assert titles(console.get(reverse("console_no_match"))) == []


@pytest.mark.parametrize("name", LISTS[:4])
def test_empty_list_opens(console, name):
    assert (
        "Nothing is on this list" in console.get(reverse(name), headers={"accept-language": "en"}).content.decode() or titles(console.get(reverse(name))) == []
    )


def test_list_costs_the_same_queries_for_one_and_for_three(console, lonely):
    def cost() -> int:
        console.get(reverse("console_no_match"))
        with CaptureQueriesContext(connection) as queries:
            console.get(reverse("console_no_match"))
        return len(queries)

    first = cost()
    for number in range(2):
        publish(**STRANGE | {"title": f"Busquem un piano de paret {number}"})
    look()
    assert len(titles(console.get(reverse("console_no_match")))) == 3
    assert cost() == first


def test_list_asks_the_engine_nothing(console, lonely, settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "nothing"
    assert titles(console.get(reverse("console_no_match"))) == [lonely[1].title]


def test_list_is_filtered_and_searched(console, lonely):
    assert titles(console.get(reverse("console_no_match"), {"section": "C"})) == [lonely[1].title]
    assert titles(console.get(reverse("console_no_match"), {"section": "A"})) == []
    assert titles(console.get(reverse("console_no_match"), {"q": "piano"})) == [lonely[1].title]
    assert titles(console.get(reverse("console_no_match"), {"q": "tuba"})) == []
    assert titles(console.get(reverse("console_no_match"), {"age": "1"})) == []


def test_list_as_files_holds_no_formula(console, curator, lonely):
    demand = lonely[1]
    type(demand).objects.filter(pk=demand.pk).update(title='=HYPERLINK("http://evil.example")')
    [row] = csv.DictReader(io.StringIO(b"".join(console.get(reverse("console_no_match"), {"export": "csv"}).streaming_content).decode("utf-8-sig")))
    assert (row["uid"], row["title"][:2], row["section"]) == (str(demand.uid), "'=", "C")
    answer = console.get(reverse("console_no_match"), {"export": "xlsx"})
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content) if answer.streaming else answer.content)).active
    assert [cell.data_type for cell in sheet[2]][2] == "s"
    assert sheet.max_row == 2


def test_nearest_cell_names_score_and_what_is_missing(console, lonely):
    near = publish(kind="demand", title="Busquem visera per a casc", description="Ens cal una visera de policarbonat per a cascos d'obra, homologada.")
    look()
    body = console.get(reverse("console_nearest", args=[near.uid])).content.decode()
    assert pair_page(lonely[0], near) in body
    assert "casc" in body
    assert "<html" not in body


# --- One listing ----------------------------------------------------------------------------------------------------------


def test_listing_page_shows_the_text_the_nearest_and_a_search(console, lonely):
    offer, demand = lonely
    page = console.get(matches(demand), {"q": "pantalles"})
    assert [other for other, _url in page.context["found"]] == [offer]
    assert pair_page(offer, demand) in page.content.decode()
    assert demand.description in page.content.decode()


def test_listing_page_works_while_the_search_is_away(console, lonely, settings, tmp_path):
    settings.EMBEDDED_INDEX_PATH = tmp_path / "nothing"
    page = console.get(matches(lonely[1]), {"q": "pantalles"})
    assert page.status_code == 200
    assert (page.context["nearest"], page.context["found"]) == (None, None)
    assert console.get(reverse("console_nearest", args=[lonely[1].uid])).status_code == 200
    answer = console.get(pair_page(*lonely))
    assert answer.status_code == 503
    assert lonely[0].description in answer.content.decode()


def test_advice_is_sent(console, lonely):
    answer = console.post(matches(lonely[1]), {"act": "advise", "text": "Digueu per a quants dies."}, follow=True)
    assert answer.status_code == 200
    assert "Digueu per a quants dies." in Mail.objects.get().text
    assert Advice.objects.get().text in answer.content.decode()


@pytest.mark.parametrize(
    "data", [{"act": "advise", "text": "  "}, {"act": "advise", "text": "x" * 1001}, {"act": "mark"}, {"act": "mark", "unmet-reason": "x"}]
)
def test_refused_forms_show_why(console, lonely, data):
    answer = console.post(matches(lonely[1]), data)
    assert answer.status_code == 422
    assert [form for form in (answer.context["advice_form"], answer.context["unmet_form"]) if form.errors]
    assert counts(Advice, UnmetMark) == [0] * 2


@pytest.mark.parametrize("data", [{}, {"act": "explode"}])
def test_unknown_act_is_refused(console, lonely, data):
    assert texts(console.post(matches(lonely[1]), data, follow=True))


def test_given_up_and_put_back(console, lonely):
    demand = lonely[1]
    answer = console.post(matches(demand), {"act": "mark", "unmet-reason": "special", "unmet-comment": "Massa rar"})
    assert answer.url == reverse("console_no_match")
    assert titles(console.get(reverse("console_no_match"))) == []
    assert "Massa rar" in console.get(matches(demand)).content.decode()
    console.post(matches(demand), {"act": "unmark"})
    assert titles(console.get(reverse("console_no_match"))) == [demand.title]


def test_curator_may_not_act_for_the_own_company(console, curator, lonely):
    MembershipFactory(company=lonely[1].company, user=curator)
    assert console.get(matches(lonely[1])).context["own_company"]
    for data in ({"act": "advise", "text": "x"}, {"act": "mark", "unmet-reason": "nobody"}):
        assert texts(console.post(matches(lonely[1]), data, follow=True))
    page = console.get(pair_page(*lonely))
    assert page.context["own_company"]
    assert not page.context["can_propose"]
    for data in ({"verdict": "fits"}, {"note": ""}):
        assert texts(console.post(pair_page(*lonely), data, follow=True))
    assert counts(Advice, UnmetMark, Judgement, Synergy) == [0] * 4


# --- Any pair -------------------------------------------------------------------------------------------------------------


def test_pair_page_compares_what_nobody_suggested(console, lonely):
    answer = console.get(pair_page(*lonely))
    told = answer.context["told"]
    assert (told.offer, told.demand) == lonely
    assert not told.suffices
    assert all(f">{row.label}</th>" in answer.content.decode() for row in told.signals)


def test_pair_is_suggested_by_hand_once(console, lonely):
    for _ in range(2):
        console.post(pair_page(*lonely), {"note": "Tenen un magatzem"})
    synergy = Synergy.objects.get()
    assert synergy.proposed_note == "Tenen un magatzem"
    assert Mail.objects.count() == 2
    assert titles(console.get(reverse("console_no_match"))) == []
    person = Client()
    person.force_login(lonely[1].company.memberships.first().user)
    page = person.get(f"/en/synergies/{synergy.uid}/").content.decode()
    assert "Proposed by the Innovation Service" in page
    assert "Tenen un magatzem" in page
    assert "Carme" not in page, "the curator's name stays inside"


def test_pair_is_judged_and_the_judgement_changed(console, curator, lonely):
    for verdict in ("partly", "not"):
        console.post(pair_page(*lonely), {"verdict": verdict})
    assert Judgement.objects.get().verdict == "not"
    assert [verdict for verdict, is_mine in console.get(pair_page(*lonely)).context["verdicts"] if is_mine] == ["not"]
    assert texts(console.post(pair_page(*lonely), {"verdict": "perhaps"}, follow=True))


def test_pair_needs_an_offer_and_a_demand(console, lonely):
    offer, demand = lonely
    assert console.get(pair_page(demand, offer)).status_code == 404
    assert console.get(pair_page(offer, offer)).status_code == 404


def test_pair_that_was_set_aside_tells_curators_why(console):
    pair = make_pair()
    index.rebuild()
    operations.dismiss(pair.synergy, by=pair.asker, reason="too_far", comment="Massa lluny per a nosaltres")
    answer = console.get(pair_page(pair.offer, pair.demand))
    assert "Massa lluny per a nosaltres" in answer.content.decode()
    assert not answer.context["can_propose"]
    assert not [secret for secret in SECRETS if secret in answer.content.decode()]


# --- Outcomes and figures -----------------------------------------------------------------------------------------------


def test_outcomes_show_what_both_told_without_contact_data(console):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            console.get(reverse("console_outcomes"))
        return len(queries)

    costs = []
    for number in (1, 2, 3):
        pair = make_pair()
        for person in (pair.asker, pair.offerer):
            operations.express_interest(pair.synergy, by=person)
        outcomes.tell(pair.synergy, by=pair.asker, outcome="not_agreed", reason="terms")
        answer = console.get(reverse("console_outcomes"))
        assert len(answer.context["object_list"]) == number
        costs.append(cost())
    assert len(set(costs)) == 1
    assert not [secret for secret in SECRETS if secret in answer.content.decode()]
    rows = list(csv.DictReader(io.StringIO(b"".join(console.get(reverse("console_outcomes"), {"export": "csv"}).streaming_content).decode("utf-8-sig"))))
    assert [(row["asking_says"], row["asking_why"], row["offering_says"]) for row in rows] == [("not_agreed", "terms", "")] * 3


def test_home_shows_the_figures_of_unmet_demand(console, lonely):
    page = console.get(reverse("wagtailadmin_home")).content.decode()
    assert reverse("console_unmet_csv") in page
    assert page.count('<table class="table">') == 3, "each chart has its table"


def test_figures_as_a_file(console, lonely):
    rows = list(csv.DictReader(io.StringIO(b"".join(console.get(reverse("console_unmet_csv")).streaming_content).decode("utf-8-sig"))))
    assert [(row["section"], row["place"], row["demands"], row["without_match"], row["nothing_to_be_had"]) for row in rows] == [
        ("C", "Terrassa", "1", "1", "0")
    ]


def test_review_page_leads_to_the_matches(console, lonely):
    assert matches(lonely[1]) in console.get(reverse("console_review", args=[lonely[1].uid])).content.decode()

"""The questionnaire's pages: everything is in the address, nothing is stored, nobody sees another's data."""

import datetime

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import translation

from cms.aid.eligibility import clauses as c
from marketplace.companies.enums import Role
from tests.cms.aid.eligibility.rules import question
from tests.factories import CompanyFactory, MembershipFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_today")]
SHOP = question(1)


@pytest.fixture
def _today():
    with time_machine.travel("2026-11-22 10:00", tick=False):
        yield


def at(page, query=""):
    with translation.override(page.locale.language_code):
        return reverse("eligibility:check", args=[page.pk]) + query


def text(response):
    return response.content.decode()


@pytest.fixture
def aid(make_aid):
    return make_aid(c.SizeIn(("micro", "small")), c.PlaceIn(("082798",)), c.Founded(c.When.OLDER, years=2))


def test_a_visitor_answers_and_gets_a_yes_with_its_conditions(client, aid):
    response = client.get(at(aid))
    assert "How many people work in the company?" in text(response)
    assert "Question 1 of at most 3" in text(response)
    response = client.get(at(aid, "?people=small&place=terrassa&founded=2020-01-01"))
    assert "Yes, you can ask for it" in text(response)
    assert [condition["met"] for condition in response.context["result"]["conditions"]] == ["yes", "yes", "yes"]
    assert not Session.objects.exists()


def test_the_first_no_ends_it_with_what_would_change_it(client, aid):
    response = client.get(at(aid, "?people=large"))
    page = text(response)
    assert "No, not as things are" in page
    assert "With up to 49 people" in page
    assert response.context["not_asked"] == ["Based in Terrassa", "Founded at least 2 years ago"]


def test_time_can_bring_the_yes(client, aid):
    address = at(aid, "?people=small&place=Terrassa&founded=2025-03-01")
    assert "From 1 March 2027 on" in text(client.get(address))
    with time_machine.travel("2027-03-01 10:00", tick=False):
        assert "Yes, you can ask for it" in text(client.get(address))


def test_i_do_not_know_ends_in_what_it_depends_on(client, aid):
    response = client.get(at(aid, "?people=unknown&place=unknown&founded=unknown"))
    assert "It depends" in text(response)
    assert [condition["met"] for condition in response.context["result"]["conditions"]] == ["unknown"] * 3
    assert text(response).count("I don&#x27;t know") == 3


@pytest.mark.parametrize(
    ("query", "typed", "told"),
    [
        ("?place=Terrasa", "Terrasa", "Did you mean Terrassa"),
        ("?place=Atlantis%20<b>", "Atlantis &lt;b&gt;", "We know no municipality"),
        ("?founded=2999-01-01", "2999-01-01", "has not come yet"),
        ("?founded=31/2/2020", "31/2/2020", "no such day"),
        ("?founded=1492", "1492", "Write a year"),
        ("?people=-3", "-3", "Write 0 or more"),
        ("?people=twelve", "twelve", "in digits"),
        ("?people=99999999999999999999999", "99999999999999999999999", "more than we can believe"),
        ("?people=", "", "Answer the question"),
    ],
)
def test_what_is_not_understood_is_told_and_kept(client, make_aid, query, typed, told):
    aid = make_aid(c.PeopleBetween(most=25), c.PlaceIn(("082798",)), c.Founded(c.When.OLDER, years=2))
    response = client.get(at(aid, query))
    assert response.status_code == 422
    assert told in text(response)
    assert f'value="{typed}"' in text(response)


def test_what_the_rule_does_not_ask_is_nobody_s(client, aid):
    response = client.get(at(aid, "?utm_source=x&taxes=yes&people=micro&edit=nothing&q-00000000=no"))
    assert response.status_code == 200
    assert response.context["hidden"] == [("people", "micro")]


def test_back_and_change_keep_the_other_answers(client, aid):
    response = client.get(at(aid, "?people=small&place=Terrassa"))
    assert response.context["back"].endswith("?people=small")
    changed = client.get(at(aid, "?people=small&place=Terrassa&edit=people"))
    assert changed.context["question"].fact == "people"
    assert changed.context["hidden"] == [("place", "Terrassa")]
    assert "chosen" in text(changed)


def test_a_field_and_a_button_of_the_same_name_are_one_answer(client, aid):
    response = client.get(at(aid, "?people=small&place=&place=elsewhere"))
    assert "No, not as things are" in text(response)


def test_search_engines_stay_away_and_a_shared_cache_keeps_nothing(client, aid):
    response = client.get(at(aid))
    assert '<meta name="robots" content="noindex">' in text(response)
    assert response["X-Robots-Tag"] == "noindex"
    assert "private" in response["Cache-Control"]
    assert client.post(at(aid)).status_code == 405


def test_an_unpublished_aid_is_not_found(client, aid):
    aid.live = False
    aid.save()
    assert client.get(at(aid)).status_code == 404


def test_an_aid_without_rules_says_so(client, make_aid):
    page = text(client.get(at(make_aid())))
    assert "It has no conditions that we can check here" in page


def test_the_same_answers_in_another_language(client, make_aid):
    english = make_aid(SHOP)
    spanish = make_aid(SHOP, language="es", translation_key=english.translation_key)
    assert "¿Pregunta 1?" in text(client.get(at(spanish)))
    response = client.get(at(english, f"?{SHOP.fact}=yes"))
    assert response.context["translations"]["es"] == at(spanish, f"?{SHOP.fact}=yes")


def test_none_of_these_activities_is_asked_again_once_there_are_others(client, make_aid):
    aid = make_aid(c.SectorIn(("C", "56")))
    none = client.get(at(aid)).context["question"].choices[-1].value
    assert "No, not as things are" in text(client.get(at(aid, f"?sector={none}")))
    wider = make_aid(c.SectorIn(("C", "56", "62")), title="Wider")
    assert "It depends" in text(client.get(at(wider, f"?sector={none}")))


def test_many_activities_are_searched_for_without_javascript(client, make_aid):
    aid = make_aid(c.SectorIn(tuple(f"{number}" for number in range(10, 23))))
    page = text(client.get(at(aid, "?sector=&sector_words=dentista&step=find-sector")))
    assert 'value="8623"' in page
    assert "No, not as things are" in text(client.get(at(aid, "?sector=&sector_words=dentista&sector=8623")))
    assert "Yes, you can ask for it" in text(client.get(at(aid, "?sector=8623&sector_list=22")))


# --- For a company -------------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(client):
    membership = MembershipFactory(company=CompanyFactory(name="Fusteria Puig", size="small"))
    client.force_login(membership.user)
    return membership


def test_a_company_is_asked_only_what_its_data_do_not_say(client, owner, aid):
    response = client.get(at(aid))
    assert response.context["question"].fact == c.FOUNDED
    assert response.context["at_most"] == 1
    assert "From the data of Fusteria Puig" in text(response)


def test_an_answer_from_a_shared_link_does_not_replace_the_company_s_data(client, owner, aid):
    response = client.get(at(aid, "?people=large&founded=2010-01-01"))
    assert "Yes, you can ask for it" in text(response)
    assert [one["answer"] for one in response.context["given"]] == ["1 January 2010"]
    tried = client.get(at(aid, "?people=large&founded=2010-01-01&what_if=1"))
    assert "No, not as things are" in text(tried)
    assert "You try other values than those" in text(tried)
    owner.company.refresh_from_db()
    assert owner.company.size == "small"


def test_one_can_ask_for_somebody_else_and_for_another_company_of_one_s_own(client, owner, aid):
    other = MembershipFactory(user=owner.user, company=CompanyFactory(name="Zeta", size="large")).company
    assert "No, not as things are" in text(client.get(at(aid, f"?company={other.uid}")))
    assert client.get(at(aid, "?company=none")).context["company"] is None
    stranger = CompanyFactory(name="Una altra", size="large")
    assert client.get(at(aid, f"?company={stranger.uid}")).context["company"] == owner.company


def test_visitors_never_see_a_company_s_data(client, aid):
    company = CompanyFactory(name="Secreta", size="large")
    response = client.get(at(aid, f"?company={company.uid}"))
    assert response.context["company"] is None
    assert "Secreta" not in text(response)


def keep(client, page, answers):
    return client.post(at(page) + "keep/", {"answers": answers})


def test_the_owner_keeps_founding_day_and_legal_form(client, owner, make_aid):
    aid = make_aid(c.Founded(c.When.OLDER, years=2), c.FormIn(("sl",)))
    response = client.get(at(aid, "?founded=2010-01-01&form=sl"))
    assert response.context["keep_fields"] == ["founded", "legal_form"]
    done = keep(client, aid, response.context["answers_query"])
    assert done.status_code == 302
    owner.company.refresh_from_db()
    assert (owner.company.founded, owner.company.legal_form) == (datetime.date(2010, 1, 1), "sl")
    again = client.get(done.url)
    assert "Yes, you can ask for it" in text(again)
    assert again.context["keep_fields"] == []


def test_what_was_only_tried_or_is_known_is_not_kept(client, owner, make_aid):
    aid = make_aid(c.Founded(c.When.OLDER, years=2))
    for query in ("founded=2010-01-01&what_if=1", "founded=2010", "founded=unknown", "founded=x"):
        keep(client, aid, query)
    owner.company.refresh_from_db()
    assert owner.company.founded is None


def test_only_owners_keep_and_only_by_post(client, make_aid):
    aid = make_aid(c.Founded(c.When.OLDER, years=2))
    assert keep(client, aid, "founded=2010-01-01").url.startswith(reverse("account_login"))
    member = MembershipFactory(role=Role.MEMBER)
    client.force_login(member.user)
    assert client.get(at(aid, "?founded=2010-01-01")).context["keep_fields"] == []
    assert keep(client, aid, "founded=2010-01-01").status_code == 403
    assert client.get(at(aid) + "keep/").status_code == 405


def test_it_costs_the_same_for_one_rule_and_many(client, owner, make_aid, django_assert_max_num_queries):
    aid = make_aid(c.SizeIn(("micro", "small")), *(question(number) for number in range(9)))
    client.get(at(aid))
    with django_assert_max_num_queries(24):
        client.get(at(aid))

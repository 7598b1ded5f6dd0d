import pytest
from django.urls import reverse

import search
from marketplace.core.models import Change, Mail
from marketplace.listings import operations
from marketplace.listings.models import Transition
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory


def review(listing):
    return reverse("console_review", args=[listing.uid])


def texts(answer):
    return [str(message) for message in answer.context["messages"]]


def test_publish_makes_it_public_and_shows_the_next_one(console, waiting):
    first, second = waiting(2)
    answer = console.post(review(first), {"decision": "publish"}, follow=True)
    assert answer.redirect_chain == [(review(second), 302)]
    first.refresh_from_db()
    assert first.state == "published"
    assert Mail.objects.count() == 1


def test_after_the_last_one_comes_the_queue(console, waiting):
    (only,) = waiting(1)
    answer = console.post(review(only), {"decision": "publish"})
    assert answer.url == reverse("console_waiting")


def test_next_one_stays_within_the_filters(console, waiting):
    first, _, third = (*waiting(2), *waiting(1, kind="demand"))
    first.kind = "demand"
    first.save()
    answer = console.post(review(first) + "?kind=demand", {"decision": "publish"})
    assert answer.url == review(third) + "?kind=demand"


@pytest.mark.parametrize(("move", "state"), [("request_changes", "changes_requested"), ("reject", "rejected")])
def test_refusal_with_own_words_reaches_the_company(console, waiting, move, state):
    (listing,) = waiting(1)
    console.post(review(listing), {"decision": move, f"{move}-reason": "Digueu quantes unitats."})
    listing.refresh_from_db()
    assert listing.state == state
    assert "Digueu quantes unitats." in Mail.objects.get().text
    assert Transition.objects.first().reason == "Digueu quantes unitats."


@pytest.mark.parametrize("move", ["request_changes", "reject"])
def test_refusal_without_a_reason_decides_nothing_and_says_so(console, waiting, move):
    (listing,) = waiting(1)
    answer = console.post(review(listing), {"decision": move, f"{move}-reason": "  "})
    assert answer.status_code == 200
    listing.refresh_from_db()
    assert listing.state == "submitted"
    assert [decision["move"] for decision in answer.context["decisions"] if decision["form"].errors] == [move]


def test_ready_made_reason_is_in_the_language_of_the_company(console, waiting):
    (listing,) = waiting(1, company=CompanyFactory(language="en"))
    console.post(review(listing), {"decision": "request_changes", "request_changes-ready": "vague"})
    assert Transition.objects.first().reason.startswith("Please say more exactly")


def test_second_curator_gets_a_clear_message_and_nothing_doubles(console, waiting, django_user_model):
    (listing,) = waiting(1)
    other = django_user_model.objects.create_superuser("other@city.example", name="Oriol Altre")
    operations.publish(listing, by=other)
    changes, mails = Change.objects.count(), Mail.objects.count()
    answer = console.post(review(listing), {"decision": "publish"}, follow=True)
    assert any("Oriol Altre" in text for text in texts(answer))
    assert (Change.objects.count(), Mail.objects.count()) == (changes, mails)
    assert listing.transitions.filter(move="publish").count() == 1


def test_double_click_publishes_once(console, waiting):
    (listing,) = waiting(1)
    for _ in range(2):
        console.post(review(listing), {"decision": "publish"})
    assert listing.transitions.filter(move="publish").count() == 1
    assert Mail.objects.count() == 1


def test_curator_may_not_decide_on_the_own_company(console, curator, waiting):
    (listing,) = waiting(1)
    MembershipFactory(company=listing.company, user=curator)
    page = console.get(review(listing))
    assert page.context["own_company"]
    console.post(review(listing), {"decision": "publish"})
    listing.refresh_from_db()
    assert listing.state == "submitted"


def test_get_changes_nothing(console, waiting):
    (listing,) = waiting(1)
    console.get(review(listing), {"decision": "publish"})
    listing.refresh_from_db()
    assert listing.state == "submitted"


def test_unknown_decision_is_refused(console, waiting):
    (listing,) = waiting(1)
    answer = console.post(review(listing), {"decision": "expire"}, follow=True)
    assert texts(answer)
    listing.refresh_from_db()
    assert listing.state == "submitted"


def test_page_shows_text_company_and_other_listings_escaped(console, waiting):
    (listing,) = waiting(1, title="Gel <script>x()</script> hidroalcohòlic")
    other = ListingFactory(company=listing.company, live=True)
    page = console.get(review(listing)).content.decode()
    assert "Gel &lt;script&gt;x()&lt;/script&gt; hidroalcohòlic" in page
    assert "<script>x()" not in page
    assert listing.company.tax_id in page
    assert review(other) in page


def test_page_shows_every_step_with_what_changed(console, waiting):
    company = CompanyFactory()
    person = MembershipFactory(company=company).user
    listing = ListingFactory(company=company)
    operations.submit(listing, by=person)
    operations.edit(listing, {"title": "Pantalles facials de PET, lot gran"}, by=person)
    steps = console.get(review(listing)).context["steps"]
    assert [step.transition.move for step in steps] == ["edit", "submit"]
    (change,) = steps[0].changes
    assert "<ins>" in change.marked
    assert "gran" in change.marked


def test_page_works_while_the_search_is_away(console, waiting, monkeypatch):
    def away(query):
        raise search.SearchUnavailable

    monkeypatch.setattr(search, "find", away)
    (listing,) = waiting(1)
    answer = console.get(review(listing))
    assert answer.status_code == 200
    assert answer.context["similar"] is None

import pytest
from django.urls import reverse

from marketplace.core.models import Mail
from tests.factories import ListingFactory, MembershipFactory


def address(action, listings):
    ids = "&".join(f"id={listing.pk}" for listing in listings)
    return reverse("wagtail_bulk_action", args=["listings", "listing", action]) + f"?{ids}"


def states(listings):
    for listing in listings:
        listing.refresh_from_db()
    return [listing.state for listing in listings]


def test_bulk_asks_first_and_names_what_is_left_out(console, waiting):
    listings = [*waiting(2), ListingFactory(live=True)]
    answer = console.get(address("publish", listings))
    assert [item["item"].pk for item in answer.context["items"]] == [listing.pk for listing in listings[:2]]
    assert answer.context["items_with_no_access"] == [listings[2]]
    assert states(listings) == ["submitted", "submitted", "published"]


def test_bulk_publishes_and_tells_the_result_of_each(console, waiting):
    listings = waiting(3)
    answer = console.post(address("publish", listings))
    assert states(listings) == ["published"] * 3
    assert [result.error for result in answer.context["results"]] == ["", "", ""]
    assert Mail.objects.count() == 3


@pytest.mark.parametrize(("action", "state"), [("request_changes", "changes_requested"), ("reject", "rejected")])
def test_bulk_refusal_needs_a_reason_and_mails_it(console, waiting, action, state):
    listings = waiting(2)
    assert "reason" in console.post(address(action, listings)).context["form"].errors
    assert states(listings) == ["submitted"] * 2
    console.post(address(action, listings), {"reason": "Falta el preu."})
    assert states(listings) == [state] * 2
    assert {"Falta el preu." in mail.text for mail in Mail.objects.all()} == {True}


def test_one_failing_item_does_not_stop_the_others(console, curator, waiting, monkeypatch):
    """The second is withdrawn by its company between the page and the decision on it."""
    first, second, third = waiting(3)
    from cms.console import bulk  # noqa: PLC0415 - to slip in between

    original = bulk.decide_all

    def with_a_withdrawal_before(listings, *args, **options):
        type(second).objects.filter(pk=second.pk).update(state="withdrawn")
        return original(listings, *args, **options)

    monkeypatch.setattr(bulk, "decide_all", with_a_withdrawal_before)
    answer = console.post(address("publish", [first, second, third]))
    assert states([first, second, third]) == ["published", "withdrawn", "published"]
    assert [bool(result.error) for result in answer.context["results"]] == [False, True, False]
    assert answer.context["done"] == 2


def test_bulk_leaves_out_listings_of_the_own_company(console, curator, waiting):
    own, other = waiting(2)
    MembershipFactory(company=own.company, user=curator)
    console.post(address("publish", [own, other]))
    assert states([own, other]) == ["submitted", "published"]


def test_bulk_is_closed_to_others(client, waiting, django_user_model):
    listings = waiting(1)
    client.force_login(django_user_model.objects.create_user("person@firm.example"))
    assert client.post(address("publish", listings)).status_code == 302
    assert states(listings) == ["submitted"]


def test_bulk_sent_twice_publishes_once(console, waiting):
    listings = waiting(2)
    console.post(address("publish", listings))
    console.post(address("publish", listings))
    assert Mail.objects.count() == 2


@pytest.mark.parametrize("odd", ["²", "9" * 30, "9" * 5000, "x", "-1"])
def test_bulk_takes_odd_ids_for_none(console, waiting, odd):
    listing = waiting(1)[0]
    answer = console.get(f"{address('publish', [listing])}&id={odd}")
    assert answer.status_code == 200

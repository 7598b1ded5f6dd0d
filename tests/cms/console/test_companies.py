import re

from django.urls import reverse

from marketplace.companies import operations
from marketplace.core.models import Change
from marketplace.listings.models import Listing
from tests.factories import CompanyFactory, ListingFactory, MembershipFactory


def page_of(company):
    return reverse("console_company", args=[company.uid])


def test_list_filters_by_flags_and_missing_tax_id(console):
    plain, checked, hidden, bare = CompanyFactory(), CompanyFactory(verified=True), CompanyFactory(hidden=True), CompanyFactory(tax_id=None)

    def shown(query):
        return {company.pk for company in console.get(reverse("console_companies_results"), query).context["object_list"]}

    assert shown({}) == {plain.pk, checked.pk, hidden.pk, bare.pk}
    assert shown({"verified": "true"}) == {checked.pk}
    assert shown({"hidden": "true"}) == {hidden.pk}
    assert shown({"without_tax_id": "true"}) == {bare.pk}


def test_verified_flag_is_written_with_history(console, curator):
    company = CompanyFactory()
    console.post(page_of(company), {"verified": "on"})
    company.refresh_from_db()
    assert (company.verified, company.hidden) == (True, False)
    assert company.history.first().history_user == curator


def test_hiding_a_company_takes_its_listings_out_of_sight(console):
    listing = ListingFactory(live=True)
    console.post(page_of(listing.company), {"hidden": "on"})
    assert Listing.objects.live().count() == 0
    assert Change.objects.filter(uid=listing.company.uid).count() == 1


def sent_by_browser(page, **ticked):
    """What a browser sends of the page's form: its hidden fields, and the boxes that are ticked."""
    hidden = re.findall(r'<input type="hidden" name="(initial-\w+)" value="(\w+)"', page)
    return dict(hidden) | ticked


def test_checking_a_company_does_not_show_it_again_that_a_colleague_hid_meanwhile(console, curator):
    company = CompanyFactory()
    page = console.get(page_of(company)).content.decode()
    operations.set_hidden(company, True, by=curator)
    console.post(page_of(company), sent_by_browser(page, verified="on"))
    company.refresh_from_db()
    assert (company.verified, company.hidden) == (True, True)


def test_ticks_are_taken_away_again(console):
    company = CompanyFactory(verified=True, hidden=True)
    console.post(page_of(company), sent_by_browser(console.get(page_of(company)).content.decode()))
    company.refresh_from_db()
    assert (company.verified, company.hidden) == (False, False)


def test_company_page_shows_people_and_listings(console):
    listing = ListingFactory()
    page = console.get(page_of(listing.company)).content.decode()
    assert listing.title in page


def asked(company):
    return MembershipFactory(company=company, role="member", state="requested")


def answer(console, membership, **button):
    return console.post(reverse("console_join", args=[membership.company.uid, membership.uid]), button, follow=True)


def test_curators_hand_over_a_company_that_nobody_owns(console):
    membership = asked(CompanyFactory())
    assert reverse("console_join", args=[membership.company.uid, membership.uid]) in console.get(page_of(membership.company)).content.decode()
    answer(console, membership, accept="yes")
    membership.refresh_from_db()
    assert (membership.state, membership.role) == ("active", "owner")


def test_refused_request_stays_refused(console):
    membership = asked(CompanyFactory())
    answer(console, membership, refuse="yes")
    answer(console, membership, accept="yes")
    membership.refresh_from_db()
    assert membership.state == "refused"


def test_company_with_an_owner_answers_itself(console):
    owner = MembershipFactory()
    membership = asked(owner.company)
    assert reverse("console_join", args=[membership.company.uid, membership.uid]) not in console.get(page_of(owner.company)).content.decode()
    answer(console, membership, accept="yes")
    membership.refresh_from_db()
    assert membership.state == "requested"

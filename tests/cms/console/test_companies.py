from django.urls import reverse

from marketplace.core.models import Change
from tests.factories import CompanyFactory, ListingFactory


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


def test_hiding_a_company_tells_the_followers_of_its_listings(console):
    listing = ListingFactory(live=True)
    console.post(page_of(listing.company), {"hidden": "on"})
    assert Change.objects.filter(uid=listing.uid).count() == 1
    listing.company.refresh_from_db()
    assert listing.company.hidden


def test_company_page_shows_people_and_listings(console):
    listing = ListingFactory()
    page = console.get(page_of(listing.company)).content.decode()
    assert listing.title in page

"""Companies of partner marketplaces: seen, but nobody here acts for them."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from marketplace.companies import operations
from marketplace.companies.models import Company, Membership
from tests import factories


@pytest.fixture
def elsewhere(db):
    return factories.CompanyFactory(name="Tallers de Ponent", tax_id=None, source_uri="https://partner.example/id/company/1", source_name="Mercat de Ponent")


def test_nobody_joins_a_company_of_a_partner(elsewhere):
    with pytest.raises(ValidationError, match="Mercat de Ponent"):
        operations.request_to_join(elsewhere, by=factories.UserFactory())

    assert not Membership.objects.exists()


def test_its_page_says_where_it_is_registered_and_offers_no_joining(client, elsewhere):
    page = client.get(elsewhere.get_absolute_url()).content.decode()

    assert "Mercat de Ponent" in page
    assert reverse("companies:join", args=[elsewhere.uid]) not in page


def test_list_of_companies_holds_only_those_of_this_marketplace(client, elsewhere):
    here = factories.CompanyFactory(name="Fusteria del Passeig")

    page = client.get(reverse("companies:list")).content.decode()

    assert here.name in page
    assert elsewhere.name not in page
    assert list(Company.objects.of_this_marketplace()) == [here]

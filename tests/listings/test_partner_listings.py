"""Listings of partner marketplaces on the public pages: they say where they come from, and search engines are sent there."""

import pytest
from django.template.loader import render_to_string

from marketplace.federation.models import Overlay
from tests import factories


@pytest.fixture
def theirs(db):
    company = factories.CompanyFactory(name="Tallers de Ponent", tax_id=None, source_uri="https://partner.example/id/company/1", source_name="Mercat de Ponent")
    return factories.ListingFactory(
        company=company,
        state="published",
        source_uri="https://partner.example/id/listing/1",
        source_name="Mercat de Ponent",
        source_url="https://partner.example/listings/1",
    )


def test_page_names_the_source_and_points_to_it(client, theirs):
    page = client.get(theirs.get_absolute_url()).content.decode()

    assert "<strong>Mercat de Ponent</strong>" in page
    assert '<link rel="canonical" href="https://partner.example/listings/1">' in page
    assert theirs.is_of_partner


def test_page_of_an_own_listing_names_no_source(client, db):
    own = factories.ListingFactory(state="published")

    page = client.get(own.get_absolute_url()).content.decode()

    assert 'rel="canonical" href="https://partner' not in page
    assert not own.is_of_partner


def test_translated_listing_keeps_its_original_at_hand(client, theirs):
    original = {"title": "Planxa d'alumini de segona mà", "description": "Tenim planxa d'alumini sobrant.", "language": "ca"}
    Overlay.objects.create(listing=theirs, language="es", title=theirs.title, description=theirs.description, original=original)

    page = client.get(theirs.get_absolute_url()).content.decode()

    assert '<div lang="ca"><p><strong>Planxa d&#x27;alumini de segona mà</strong>' in page


def test_card_names_the_source(client, theirs):
    card = render_to_string("components/listing_card.html", {"listing": theirs})

    assert "Mercat de Ponent" in card
    assert "Mercat de Ponent" not in render_to_string("components/listing_card.html", {"listing": factories.ListingFactory(state="published")})

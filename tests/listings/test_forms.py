"""The form of a listing: what it takes, what it refuses, what it fills in."""

import datetime
import uuid

import pytest
from django.http import QueryDict
from django.utils import timezone

from marketplace.companies.models import Company
from marketplace.listings.forms import ListingForm
from marketplace.listings.models import Listing
from tests.factories import CompanyFactory, ListingFactory

pytestmark = pytest.mark.django_db
TEXT = "Fabriquem pantalles facials reutilitzables amb visera de PET. Lliurament en 72 hores a tot el Vallès."


def typed(**changes):
    fields = {
        "kind": "offer",
        "category": "product",
        "title": "Pantalles facials de PET",
        "description": TEXT,
        "sector": "2229",
        "valid_until": str(timezone.localdate() + datetime.timedelta(days=30)),
        "place": "Terrassa",
        "submission_key": str(uuid.uuid4()),
    }
    data = QueryDict(mutable=True)
    data.update({name: value for name, value in (fields | changes).items() if value is not None})
    return data


@pytest.fixture
def company():
    return CompanyFactory()


def form_for(company: Company, data=None, **more):
    return ListingForm(data, company=company, companies=[company], **more)


def errors(company, **changes):
    return form_for(company, typed(**changes)).errors


def test_at_most_six_fields_are_required(company):
    form = form_for(company)
    required = [name for name, field in form.fields.items() if field.required and not field.widget.is_hidden]
    prefilled = [name for name in required if form[name].value()]
    assert [name for name in required if name not in prefilled] == ["kind", "category", "title", "description", "sector"]
    assert set(prefilled) == {"place", "valid_until"}


def test_defaults_come_from_the_company_and_the_rules(company, settings):
    form = form_for(company)
    assert 'value="Terrassa"' in str(form["place"])
    assert form["valid_until"].value() == timezone.localdate() + datetime.timedelta(days=settings.LISTING_VALIDITY_DAYS)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (TEXT, "ca"),
        ("Fabricamos pantallas faciales reutilizables con visera de PET y entregamos en 72 horas.", "es"),
        ("We make reusable face shields with a PET visor and deliver them within 72 hours.", "en"),
    ],
)
def test_the_language_is_found_out_and_can_be_corrected(company, text, language):
    form = form_for(company, typed(description=text, title=text[:60]))
    assert form.is_valid(), form.errors
    assert form.content["language"] == language
    form = form_for(company, typed(description=text, title=text[:60], language="en"))
    assert form.is_valid()
    assert form.content["language"] == "en"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "gift"}, "kind"),
        ({"category": None}, "category"),
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "Curt"}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "Pantalles\x00 facials"}, "title"),
        ({"description": "Massa curt"}, "description"),
        ({"description": "x" * 6001}, "description"),
        ({"description": TEXT + "\x00"}, "description"),
        ({"keywords": "pet\x00"}, "keywords"),
        ({"keywords": "x" * 201}, "keywords"),
        ({"sector": ""}, "sector"),
        ({"sector": "9999999"}, "sector"),
        ({"place": "Atlantis"}, "place"),
        ({"place": ""}, "place"),
        ({"reach_km": "0"}, "reach_km"),
        ({"reach_km": "-5"}, "reach_km"),
        ({"reach_km": "1001"}, "reach_km"),
        ({"reach_km": "molt"}, "reach_km"),
        ({"language": "fr"}, "language"),
        ({"valid_until": "2020-04-01"}, "valid_until"),
        ({"valid_until": "9999-12-31"}, "valid_until"),
        ({"valid_until": "31/02/2027x"}, "valid_until"),
        ({"valid_until": ""}, "valid_until"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_alone(company, changes, field):
    assert list(errors(company, **changes)) == [field]


def test_yesterday_is_refused_and_today_is_not(company):
    today = timezone.localdate()
    assert list(errors(company, valid_until=str(today - datetime.timedelta(days=1)))) == ["valid_until"]
    assert not errors(company, valid_until=str(today))


@pytest.mark.parametrize(
    "title",
    [
        "🦄 Pantalles 😷 facials",
        "מסכות פנים לשימוש חוזר",
        "<script>alert(1)</script>",
        "Col·lecció d’hivern",
        "أقنعة الوجه القابلة لإعادة",
        "'; DROP TABLE x; --",
    ],
)
def test_text_of_any_script_is_kept_as_it_is(company, title):
    form = form_for(company, typed(title=title))
    assert form.is_valid(), form.errors
    assert form.content["title"] == title


def test_marks_that_nobody_sees_are_dropped(company):
    form = form_for(company, typed(title="Pantalles \u202efacials\u202c \x07de PET", description="Fabrique\u0301m " + TEXT))
    assert form.is_valid()
    assert form.content["title"] == "Pantalles facials de PET"
    assert form.content["description"].startswith("Fabriquém ")


def test_keywords_are_tidied(company):
    form = form_for(company, typed(keywords=" PET ;visera,,  PET , pantalla   facial"))
    assert form.is_valid()
    assert form.content["keywords"] == "PET, visera, pantalla facial"


def test_a_published_listing_keeps_its_kind(company):
    listing = ListingFactory(company=company, live=True)
    form = form_for(company, typed(kind="demand"), instance=listing)
    assert list(form.errors) == ["kind"]


def test_a_listing_that_was_valid_longer_may_stay_so(company):
    listing = ListingFactory(company=company, valid_until=timezone.localdate() + datetime.timedelta(days=900))
    form = form_for(company, typed(valid_until=str(listing.valid_until)), instance=listing)
    assert form.is_valid(), form.errors


def test_the_form_proposes_the_companys_sector_and_those_of_the_text(company):
    form = form_for(company, typed(title="Neteja i desinfecció d'oficines", description="Netegem i desinfectem oficines, botigues i edificis sencers."))
    form.propose()
    codes = [sector.code for sector in form.fields["sector"].widget.proposed]
    assert len(codes) == 3
    assert company.sector_id in codes
    assert any(code.startswith("81") for code in codes)


def test_without_text_only_the_companys_sector_is_proposed(company):
    form = form_for(company)
    form.propose()
    assert [sector.code for sector in form.fields["sector"].widget.proposed] == [company.sector_id]


def test_the_form_costs_no_more_queries_when_it_proposes(company, django_assert_max_num_queries):
    form = form_for(company, typed())
    with django_assert_max_num_queries(12):
        form.propose()
        assert form.is_valid()
    assert not Listing.objects.exists()

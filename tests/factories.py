"""Rows for tests, as small and as plain as the rules allow."""

import datetime

import factory
from django.utils import timezone
from stdnum.es import cif

from marketplace.accounts.models import User
from marketplace.companies.enums import MembershipState, Role
from marketplace.companies.models import Company, Membership
from marketplace.listings.enums import Category, Kind, State
from marketplace.listings.models import Listing

TERRASSA, SABADELL, RUBI, BARCELONA = "082798", "081878", "081846", "080193"


def company_tax_id(number: int) -> str:
    """A valid NIF of a limited company."""
    body = f"B{number:07d}"
    return body + cif.calc_check_digits(body)[0]


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@firm.example")
    name = factory.Sequence(lambda n: f"Person {n}")
    terms_accepted_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, password="a long pass phrase", **kwargs):
        return model_class.objects.create_user(*args, password=password, **kwargs)


class CompanyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Company

    tax_id = factory.Sequence(lambda n: company_tax_id(1_000_000 + n))
    name = factory.Sequence(lambda n: f"Firm {n}, SL")
    sector_id = "2229"
    place_id = TERRASSA
    size = "small"
    contact_email = factory.Sequence(lambda n: f"contact{n}@firm.example")


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    company = factory.SubFactory(CompanyFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.OWNER
    state = MembershipState.ACTIVE


class ListingFactory(factory.django.DjangoModelFactory):
    """A draft; traits give the other states without their history."""

    class Meta:
        model = Listing

    class Params:
        live = factory.Trait(state=State.PUBLISHED, published_at=factory.LazyFunction(timezone.now))
        demand = factory.Trait(kind=Kind.DEMAND)

    company = factory.SubFactory(CompanyFactory)
    kind = Kind.OFFER
    category = Category.PRODUCT
    title = factory.Sequence(lambda n: f"Pantalles facials de PET, lot {n}")
    description = "Fabriquem pantalles facials reutilitzables amb visera de PET. Lliurament en 72 hores."
    language = "ca"
    sector_id = "2229"
    place_id = TERRASSA
    valid_until = factory.LazyFunction(lambda: timezone.localdate() + datetime.timedelta(days=90))

"""Cursors, beside what one would take instead."""

import datetime

import pytest
from django.utils import timezone
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from marketplace.companies.models import Company
from marketplace.listings.models import Listing
from marketplace.rest import paging
from tests.factories import CompanyFactory, ListingFactory

ROWS, LIMIT = 1_150, 100


def walk(ask):
    """Every id that `ask(address)` gives, from page to page."""
    seen, address = [], "/api/v1/listings/"
    while address and len(seen) < 2 * ROWS:
        rows, address = ask(Request(APIRequestFactory().get(address)))
        seen += rows
    return seen


def ours(request):
    page = paging.keyset(request, Listing.objects.values("id", "published_at"), order=("-published_at", "-id"), limit=LIMIT)
    return [row["id"] for row in page.rows], paging.body(request, page)[0]["next"]


class ByOneColumn(CursorPagination):
    page_size, ordering = LIMIT, "-published_at"


def by_one_column(request):
    pager = ByOneColumn()
    return [row.id for row in pager.paginate_queryset(Listing.objects.all(), request)], pager.get_next_link()


@pytest.fixture
def imported():
    """More rows of one moment than DRF's cursor counts on through."""
    company, moment = CompanyFactory(), timezone.now()
    plain = ListingFactory.build(company=company, live=True, published_at=moment)
    fields = {field.attname: getattr(plain, field.attname) for field in Listing._meta.concrete_fields if field.attname not in {"id", "uid"}}
    return [listing.id for listing in Listing.objects.bulk_create(Listing(**fields) for _ in range(ROWS))]


@pytest.mark.django_db
def test_walk_through_rows_of_one_moment_is_whole(imported):
    assert sorted(walk(ours)) == sorted(imported)
    # DRF's own stops moving at the thousandth row of equal value: the rows behind it are never reached.
    naive = walk(by_one_column)
    assert set(naive) < set(imported) or len(naive) > len(set(naive))


@pytest.mark.django_db
def test_order_by_a_day_and_by_a_name_keep_their_types():
    for number in range(3):
        ListingFactory(live=True, valid_until=timezone.localdate() + datetime.timedelta(days=number // 2))
    for model, order in ((Listing, ("valid_until", "id")), (Company, ("name", "id"))):
        request = Request(APIRequestFactory().get("/"))
        seen = []
        while True:
            page = paging.keyset(request, model.objects.values("id", order[0]), order=order, limit=1)
            seen += [row["id"] for row in page.rows]
            if not page.next:
                break
            request = Request(APIRequestFactory().get("/", {"cursor": page.next}))
        assert seen == list(model.objects.order_by(*order).values_list("id", flat=True))

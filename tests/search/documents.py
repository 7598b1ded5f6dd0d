"""Documents for tests of the engine."""

import datetime
import itertools

from search.documents import ListingDocument

NOW = datetime.datetime(2020, 4, 20, 9, 0, tzinfo=datetime.UTC)
TODAY = NOW.date()
TERRASSA = {"place": "082798", "place_name": "Terrassa", "latitude": 41.5610, "longitude": 2.0089}
SABADELL = {"place": "081878", "place_name": "Sabadell", "latitude": 41.5486, "longitude": 2.1074}
GIRONA = {"place": "170792", "place_name": "Girona", "latitude": 41.9794, "longitude": 2.8214}

_numbers = itertools.count(1)


def listing(title: str = "Gel hidroalcohòlic", description: str = "", **values) -> ListingDocument:
    """An offer in Catalan of a company of its own; every value can be given."""
    number = next(_numbers)
    defaults = {
        "uid": f"00000000-0000-7000-8000-{number:012d}",
        "version": number,
        "kind": "offer",
        "category": "product",
        "language": "ca",
        "company_uid": f"company-{number}",
        "company_name": f"Firma {number}",
        "company_size": "small",
        "published_at": NOW - datetime.timedelta(minutes=number % 1000),
        "valid_until": TODAY + datetime.timedelta(days=200),
    }
    return ListingDocument(**defaults | {"title": title, "description": description} | values)


def demand(title: str, description: str = "", **values) -> ListingDocument:
    """A demand, otherwise as `listing`."""
    return listing(title, description, **{"kind": "demand"} | values)

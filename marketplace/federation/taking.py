"""What is taken of one partner and how its words are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings

from marketplace.companies import sectors

from . import fetching
from .mapping import Resolver
from .models import Partner


@dataclass(slots=True)
class Taking:
    """Made once a visit: it asks the database only then. `words` are stored with each batch."""

    partner: Partner
    hosts: set[str] = field(init=False)
    own_host: str = field(init=False)
    kinds: set[str] = field(init=False)
    sectors: set[str] = field(init=False)
    places: set[str] = field(init=False)
    words: Resolver = field(init=False)

    def __post_init__(self) -> None:
        self.words = Resolver(self.partner)
        self.hosts = fetching.hosts_of(self.partner) | fetching.hosts_of(self.partner, "http")
        self.own_host = urlsplit(settings.SITE_URL).netloc.lower()
        self.kinds = set(self.partner.take_kinds)
        self.sectors = set(self.partner.take_sectors.values_list("pk", flat=True))
        self.places = set(self.partner.take_places.values_list("pk", flat=True))

    def wants(self, values: Mapping[str, object]) -> bool:
        """Whether a listing of this `kind`, `sector_id` and `place_id` is taken; an empty choice means all."""
        codes = sectors.tree()[values["sector_id"]].codes
        return (
            (not self.kinds or values["kind"] in self.kinds)
            and (not self.sectors or not self.sectors.isdisjoint(codes))
            and (not self.places or values["place_id"] in self.places)
        )

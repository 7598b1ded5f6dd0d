"""What a partner is given: of some kinds, sectors and municipalities only, if the partnership says so."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from marketplace.rest import authentication
from marketplace.rest.models import Scope
from marketplace.rest.problems import Problem

from .enums import PartnerState
from .models import Partner


def reader_of(request: HttpRequest) -> Partner:
    """The partner that asks. Raises the Problems 401, 403 (no partner's key, no scope, paused, not given anything) and 429."""
    key = authentication.authenticate(request, Scope.FEDERATION)
    partner = getattr(key.client, "partner", None)
    if partner is None:
        raise Problem("forbidden", _("This is for partner marketplaces. Your key belongs to a company: use the API under /api/v1/."))
    if partner.state != PartnerState.ACTIVE:
        raise Problem("forbidden", _("This partnership is not active now. Ask the marketplace's office."))
    if not partner.gives:
        raise Problem("forbidden", _("This marketplace does not give you its listings. Ask its office if it should."))
    return partner


@dataclass(frozen=True, slots=True)
class Choice:
    """Kinds, sectors (with all below them) and municipalities; an empty set means all."""

    kinds: frozenset[str]
    sectors: tuple[str, ...]
    places: frozenset[str]

    @classmethod
    def of(cls, partner: Partner) -> "Choice":
        """What `partner` is given."""
        return cls(
            frozenset(partner.give_kinds),
            tuple(partner.give_sectors.values_list("path", flat=True)),
            frozenset(partner.give_places.values_list("code", flat=True)),
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.kinds or self.sectors or self.places)

    def includes(self, kind: str, sector_path: str, place: str) -> bool:
        """Whether a listing with these is given."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.places or place in self.places)
            and (not self.sectors or any(f"{sector_path} ".startswith(f"{path} ") for path in self.sectors))
        )

    def q(self) -> Q:
        """The same, for entries in the database."""
        wanted = Q()
        if self.kinds:
            wanted &= Q(kind__in=self.kinds)
        if self.places:
            wanted &= Q(place__in=self.places)
        if self.sectors:
            wanted &= Q.create([pair for path in self.sectors for pair in (("sector_path", path), ("sector_path__startswith", f"{path} "))], Q.OR)
        return wanted

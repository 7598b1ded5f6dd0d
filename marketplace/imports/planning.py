"""What would become of each row: read against the database and against the rows before it, nothing is written."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from marketplace.companies.enums import Size
from marketplace.companies.models import Company
from marketplace.listings.enums import Move
from marketplace.listings.models import Listing

from . import values
from .candidates import Candidate
from .enums import Outcome
from .models import ImportedListing

# Foreign keys come from our own tables of codes; checking each would cost a query a row.
REFERENCES = ("company", "sector", "place", "author")


@dataclass(slots=True)
class Plan:
    """What is to be done with a candidate; `listing` is unsaved for a new one, `brings_company` when its company is new too."""

    candidate: Candidate
    outcome: Outcome
    listing: Listing | None = None
    imported: ImportedListing | None = None
    brings_company: bool = False

    @property
    def messages(self) -> list[dict[str, str]]:
        """Errors, then warnings, as an import's rows keep them."""
        return [{"level": level, "text": text} for level, texts in (("error", self.candidate.errors), ("warning", self.candidate.warnings)) for text in texts]

    @property
    def title(self) -> str:
        """The listing's title, as far as there is one."""
        return str(self.candidate.fields.get("title", ""))


class Planner:
    """Plans batch after batch and remembers what the earlier ones bring. Throw it away when a batch could not be written."""

    def __init__(self) -> None:
        self._companies: dict[str, Company] = {}
        self._seen: dict[str, int] = {}
        self._nameless: dict[str, Company] | None = None

    def plan(self, candidates: Sequence[Candidate]) -> list[Plan]:
        """A plan for each candidate, in their order; a handful of queries however many they are."""
        good = [candidate for candidate in candidates if not candidate.errors]
        self._load_companies(good)
        known = {row.key: row for row in ImportedListing.objects.filter(key__in=[one.key for one in good]).select_related("listing")}
        own = {row.uid: row for row in Listing.objects.filter(uid__in=[one.own_uid for one in good if one.own_uid]).select_related("company")}
        return [self._plan(candidate, known.get(candidate.key), own.get(candidate.own_uid)) for candidate in candidates]

    def _plan(self, candidate: Candidate, imported: ImportedListing | None, own: Listing | None) -> Plan:
        if candidate.errors:
            return Plan(candidate, Outcome.ERROR)
        if own:
            return _plan_own(candidate, own)
        if earlier := self._seen.get(candidate.key):
            candidate.warnings.append(_("Row %(number)d: says the same as row %(earlier)d.") % {"number": candidate.number, "earlier": earlier})
            return Plan(candidate, Outcome.UNCHANGED)
        self._seen[candidate.key] = candidate.number
        return _plan_known(candidate, imported) if imported else self._plan_new(candidate)

    def _plan_new(self, candidate: Candidate) -> Plan:
        company = self._companies.get(candidate.company_key)
        brings = company is None
        if brings:
            company = _new_company(candidate)
        period = timezone.localdate() + datetime.timedelta(days=settings.LISTING_VALIDITY_DAYS)
        listing = Listing(**{"valid_until": period} | candidate.fields)
        if candidate.sent_at:
            # When the company wrote it. For the curators' queue it counts from now: nobody could review it earlier.
            listing.created = candidate.sent_at
        # Not by the constructor: an unsaved company is saved before the listing, in the same batch.
        listing.company = company
        faults = [*(_faults(company) if brings else ()), *_faults(listing)]
        if faults:
            candidate.errors.extend(_("Row %(number)d: %(text)s") % {"number": candidate.number, "text": text} for text in faults)
            return Plan(candidate, Outcome.ERROR)
        self._companies[candidate.company_key] = company
        return Plan(candidate, Outcome.CREATED, listing=listing, brings_company=brings)

    def _load_companies(self, candidates: Sequence[Candidate]) -> None:
        wanted = {one.company_key: one for one in candidates if one.company_key not in self._companies}
        tax_ids = [one.company["tax_id"] for one in wanted.values() if one.company["tax_id"]]
        self._companies |= {company.tax_id: company for company in Company.objects.filter(tax_id__in=tax_ids)}
        for key, one in wanted.items():
            if not one.company["tax_id"] and (found := self._by_name(key)):
                self._companies[key] = found

    def _by_name(self, key: str) -> Company | None:
        """Without a NIF, only a company that an import brought without one can be the same: same name, same place if one is given."""
        if self._nameless is None:
            self._nameless = {}
            for company in Company.objects.of_this_marketplace().filter(tax_id=None).order_by("-pk"):
                name = values.company_key(company.name)
                self._nameless[f"{name}|"] = self._nameless[f"{name}|{company.place_id}"] = company
        return self._nameless.get(key)


def _plan_known(candidate: Candidate, imported: ImportedListing) -> Plan:
    listing = imported.listing
    if imported.facts == candidate.facts:
        return Plan(candidate, Outcome.UNCHANGED, listing, imported)
    if not _says(listing, imported.facts):
        return _kept(candidate, listing, _("somebody changed the listing here since it was imported; it stays as it is."))
    if not listing.can(Move.EDIT):
        state = listing.get_state_display()
        return _kept(candidate, listing, _("the listing is “%(state)s” by now; it stays as it is.") % {"state": state})
    return Plan(candidate, Outcome.UPDATED, listing, imported)


def _plan_own(candidate: Candidate, listing: Listing) -> Plan:
    """A row of our own export comes back: the listing is here, and a spreadsheet is not the place to change it."""
    if _says(listing, candidate.facts):
        return Plan(candidate, Outcome.UNCHANGED, listing)
    return _kept(candidate, listing, _("this listing is here already and differs; change it here, an import does not."))


def _kept(candidate: Candidate, listing: Listing, why: str) -> Plan:
    candidate.warnings.append(_("Row %(number)d: %(text)s") % {"number": candidate.number, "text": why})
    return Plan(candidate, Outcome.KEPT, listing)


def _says(listing: Listing, facts: dict[str, object]) -> bool:
    """Whether the listing still says this. Its period is left out: renewing a listing changes no word of it."""
    return all(getattr(listing, name) == value for name, value in facts.items() if name != "valid_until")


def _new_company(candidate: Candidate) -> Company:
    facts = {name: value for name, value in candidate.company.items() if value not in ("", None)}
    return Company(**{"size": Size.MICRO} | facts)


def _faults(row: Company | Listing) -> list[str]:
    """What the model's own checks say, each with the field's name."""
    exclude = (*REFERENCES, "tax_id") if isinstance(row, Company) and row.tax_id is None else REFERENCES
    try:
        row.clean_fields(exclude=exclude)
    except ValidationError as error:
        fields = row._meta  # noqa: SLF001 - Django's documented model API
        return [f"{capfirst(str(fields.get_field(name).verbose_name))}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
    return []

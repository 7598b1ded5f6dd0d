"""The way from a new partner to an active one: which steps there are, which are done, where each is done."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.federation.enums import ReaderKind
from marketplace.federation.models import Partner


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `is_optional`: the partner can be active without."""

    label: str
    url: str
    is_done: bool
    is_optional: bool = False


def steps_of(partner: Partner) -> list[Step]:
    """In the order in which one does them."""
    takes = partner.reader != ReaderKind.NONE
    keys = _at("console_partner_keys", partner)
    steps = []
    if partner.reader == ReaderKind.PROTOCOL:
        steps.append(Step(_("It says who it is"), _at("console_partner_edit", partner), is_done=partner.node_uid is not None))
        steps.append(Step(_("Write the key that the partner gave us"), keys, is_done=bool(partner.sealed_key)))
    elif takes:
        steps.append(
            Step(_("Say how its listings are read, and look at the first ones"), _at("console_partner_reading", partner), is_done=bool(partner.reader_options))
        )
    if takes:
        chosen = bool(partner.take_kinds) or partner.take_sectors.exists() or partner.take_places.exists()
        steps.append(Step(_("Choose what we take (else everything)"), _at("console_partner_takes", partner), is_done=chosen, is_optional=True))
    if partner.reader in (ReaderKind.PROTOCOL, ReaderKind.NONE):
        steps.append(Step(_("Choose what we give"), _at("console_partner_gives", partner), is_done=partner.gives, is_optional=takes))
        has_key = bool(partner.client_id) and partner.client.keys.usable().exists()
        steps.append(Step(_("Make a key for the partner and hand it over"), keys, is_done=has_key, is_optional=not partner.gives))
    return steps


def _at(name: str, partner: Partner) -> str:
    return reverse(name, args=[partner.uid])

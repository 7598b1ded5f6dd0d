"""What a person can do about an item in quarantine, by its fault."""

from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.federation.models import QuarantinedItem

#: Faults that a word of ours mends: what the partner's words mean here.
UNKNOWN = frozenset({"unknown-sector", "unknown-place", "no-kind"})


def advice(item: QuarantinedItem) -> dict[str, str]:
    """{"text": what to do, "url": where, "label": of the link}; the last two may be empty."""
    partner = item.partner
    if item.code in UNKNOWN:
        return {
            "text": _("Say once what the partner's word means here. Then try the item again: it and all others with the same word come in."),
            "url": reverse("console_partner_mapping", args=[partner.uid]),
            "label": _("Its words and ours"),
        }
    if item.code == "foreign-origin":
        return {
            "text": _(
                "The address is on a host that we do not know as the partner's. If it is the partner's, add the host; if not, the partner gives on what is not its own: tell it."
            ),
            "url": reverse("console_partner_edit", args=[partner.uid]),
            "label": _("Hosts of the partner"),
        }
    said = {
        "loop": _("The partner sends back what it took from us. Nothing is lost here; tell the partner to leave out what it harvested."),
        "same-version": _("The partner changed the listing without raising its version. Tell it; until then we keep what we had."),
        "wrong-digest": _("Something changed on the way, or the partner computes the digest in another way. If all its items fail so, tell its technicians."),
        "bad-date": _("Only the partner can mend the date. Tell it which listing it is."),
        "no-title": _("Only the partner can give it a title. Tell it which listing it is."),
    }.get(item.code, _("Only the partner can mend this. Tell it the address and the reason above; when it has, the item comes in by itself."))
    return {"text": said, "url": "", "label": ""}

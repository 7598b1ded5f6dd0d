"""Partners on the console's first page: only when there are any, and first of all what waits for a person."""

from collections.abc import Mapping
from typing import Any

from django.forms import Media
from wagtail.admin.ui.components import Component

from marketplace.federation import health
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import DuplicateCandidate, Partner, QuarantinedItem, RemoteListing
from marketplace.federation.rules import can_look


class PartnersPanel(Component):
    """How the partners do."""

    name = "marketplace_partners"
    template_name = "console/partner_panel.html"
    order = 55

    @property
    def media(self) -> Media:
        """The console's style sheets."""
        return Media(css={"all": ["console/console.css", "console/partners.css"]})

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        """Nothing for those who may not look, nor where there is no partner."""
        may_look = can_look(parent_context["request"].user)
        return super().render_html(parent_context) if may_look and Partner.objects.exclude(state=PartnerState.ENDED).exists() else ""

    def get_context_data(self, parent_context: Mapping[str, Any]) -> Mapping[str, Any]:
        """The figures of this moment."""
        active = list(Partner.objects.filter(state=PartnerState.ACTIVE).select_related("checkpoint"))
        conditions = [(partner, health.health_of(partner)) for partner in active]
        return {
            "active": len(active),
            "listings": RemoteListing.objects.filter(tombstoned_at=None, partner__state=PartnerState.ACTIVE).count(),
            "bad": [(partner, found.condition) for partner, found in conditions if found.is_bad],
            "quarantine": QuarantinedItem.objects.filter(resolved_at=None).count(),
            "duplicates": DuplicateCandidate.objects.filter(decision="").count(),
        }

"""The brake: so many listings of a partner would disappear at once that a person says whether."""

from collections.abc import Callable

from django.core.paginator import Paginator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.federation import brake
from marketplace.federation.models import Checkpoint, RemoteListing

from .partner_pages import ActsMixin, PartnerPage, page_of

PAGE_SIZE = 100


class HeldView(ActsMixin, PartnerPage):
    """What would vanish, and the two answers."""

    template_name = "console/partner_held.html"
    step = gettext_lazy("Removals that wait")

    def get_context_data(self, **context: object) -> dict:
        """The listings, page by page."""
        rows = RemoteListing.objects.filter(partner=self.partner, tombstoned_at=None).exclude(leaving="").select_related("listing__company").order_by("pk")
        page = Paginator(rows, PAGE_SIZE).get_page(self.request.GET.get("p"))
        checkpoint = Checkpoint.objects.filter(partner=self.partner).first()
        return super().get_context_data(**context) | {"page": page, "checkpoint": checkpoint, "missing": RemoteListing.MISSING}

    def acts(self) -> dict[str, Callable]:
        """The buttons."""
        return {"release": self._release, "discard": self._discard}

    def after_act(self) -> str:
        """The partner's first page."""
        return page_of(self.partner)

    def _release(self) -> str:
        number = brake.release_sweep(self.partner, by=self.request.user)
        return ngettext("%(n)d listing goes within a minute.", "%(n)d listings go within a minute.", number) % {"n": number}

    def _discard(self) -> str:
        number = brake.discard_sweep(self.partner, by=self.request.user)
        said = ngettext("%(n)d listing stays.", "%(n)d listings stay.", number) % {"n": number}
        return f"{said} {_('If the partner leaves it out again, you are asked again.')}"

"""Our own node: what we say of ourselves, and the key with which our messages are signed."""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from marketplace.federation import introductions, node_keys
from marketplace.federation.models import FeedEntry, Node, NodeKey
from marketplace.federation.models.feed import Op

from .partner_pages import HOME, LIST, ActsMixin, PartnerManageMixin, sections_of


class NodeView(PartnerManageMixin, ActsMixin, WagtailAdminTemplateMixin, TemplateView):
    """What a partner has to know to connect us, and the rotation of our signing key."""

    template_name = "console/partner_node.html"
    page_title = gettext_lazy("Our marketplace, for partners")
    header_icon = "globe"

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, here."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def get_context_data(self, **context: object) -> dict:
        """With the keys that sign now; a first one is made when the first message needs it."""
        return super().get_context_data(**context) | {
            "sections": sections_of(self.request.path),
            "node": Node.objects.filter(pk=1).first(),
            "base_url": settings.SITE_URL,
            "discovery_url": settings.SITE_URL + introductions.PATH,
            "given": FeedEntry.objects.filter(op=Op.UPSERT).count(),
            "keys": NodeKey.objects.published(),
            "overlap_days": node_keys.OVERLAP.days,
        }

    def acts(self) -> dict[str, Callable]:
        """The button."""
        return {"rotate": self._rotate}

    def _rotate(self) -> str:
        node_keys.rotate(by=self.request.user)
        return _("Messages are signed with a new key. The one of before signs beside it for some days, so that no partner loses one.")

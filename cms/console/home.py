"""The figures on the console's first page."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.forms import Media
from django.utils import timezone
from wagtail.admin.ui.components import Component

from cms.aid import reviews
from cms.aid.freshness_models import LinkCheck
from cms.comments.models import Comment
from cms.comments.rules import can_moderate
from cms.pages.rules import is_editor
from marketplace.accounts.rules import is_curator
from marketplace.core import lags
from marketplace.core.models import Mail
from marketplace.imports.models import Import
from marketplace.listings.enums import Move
from marketplace.listings.models import Listing, Transition
from search import status

# After so long a curator should look why nothing moves.
LATE = datetime.timedelta(minutes=10)
LATE_REVIEW = datetime.timedelta(days=3)


class FiguresPanel(Component):
    """What waits, what was published today, whether the worker keeps up."""

    name = "marketplace_figures"
    template_name = "console/figures.html"
    order = 50

    @property
    def media(self) -> Media:
        """The console's style sheet."""
        return Media(css={"all": ["console/console.css"]})

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        """Nothing for those who are no curators."""
        return super().render_html(parent_context) if is_curator(parent_context["request"].user) else ""

    def get_context_data(self, parent_context: Mapping[str, Any]) -> Mapping[str, Any]:
        """The figures of this moment."""
        now, waiting = timezone.now(), Listing.objects.waiting()
        oldest = waiting.first()
        mails = Mail.objects.filter(state=Mail.State.WAITING)
        oldest_mail = mails.order_by("created").first()
        return {
            "waiting": waiting.count(),
            "oldest": oldest,
            "oldest_is_late": bool(oldest and oldest.submitted_at and now - oldest.submitted_at > LATE_REVIEW),
            "published_today": Transition.objects.filter(move=Move.PUBLISH, at__date=timezone.localdate()).count(),
            "live": Listing.objects.live().count(),
            "lag": max((lag.changes for lag in lags.lags(without=status.unused_readers())), default=0),
            "mails": mails.count(),
            "mail_is_late": bool(oldest_mail and now - oldest_mail.created > LATE),
            "imports": Import.objects.due().count(),
        }


class SitePanel(Component):
    """What somebody should look at on the public site: aid to check, comments, broken links."""

    name = "public_site"
    template_name = "console/site_figures.html"
    order = 45

    @property
    def media(self) -> Media:
        """The console's style sheet."""
        return Media(css={"all": ["console/console.css"]})

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        """Nothing for those who do not write pages."""
        return super().render_html(parent_context) if is_editor(parent_context["request"].user) else ""

    def get_context_data(self, parent_context: Mapping[str, Any]) -> Mapping[str, Any]:
        """The figures of this moment."""
        user, due = parent_context["request"].user, reviews.due()
        return {
            "due": len(due),
            "mine": sum(one.page.officer_id == user.pk for one in due),
            "comments": Comment.objects.needing_eyes().count() if can_moderate(user) else None,
            "broken": LinkCheck.objects.broken().count(),
        }

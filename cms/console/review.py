"""The page on which a curator reads one listing and decides."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

import search
from marketplace.accounts.models import User
from marketplace.companies.rules import is_member
from marketplace.listings.enums import Move
from marketplace.listings.models import Listing

from . import history, reasons
from .access import CuratorRequiredMixin
from .decisions import decide
from .filters import WaitingFilterSet
from .forms import NEEDS_REASON, ReasonForm
from .listings import waiting_time

SIMILAR = 5
OTHERS = 10


def next_waiting(user: User, *, after: Listing | None, data: object = None) -> Listing | None:
    """The next one that waits behind `after` in the (filtered) queue and that `user` may decide on; from the front when none is behind."""
    queue: QuerySet = WaitingFilterSet(data or {}, queryset=Listing.objects.waiting()).qs.exclude(company__in=user.memberships.active().values("company"))
    if after is None or after.submitted_at is None:
        return queue.first()
    queue = queue.exclude(pk=after.pk)
    behind = queue.filter(submitted_at=after.submitted_at, pk__gt=after.pk) | queue.filter(submitted_at__gt=after.submitted_at)
    return behind.order_by("submitted_at", "id").first() or queue.first()


def similar(listing: Listing) -> list[Listing] | None:
    """Live listings that a search for the title finds; None when no engine answers."""
    query = search.Query(text=listing.title, exclude_uids=(str(listing.uid),), page_size=SIMILAR)
    try:
        uids = [hit.uid for hit in search.find(query).hits]
    except search.SearchUnavailable:
        return None
    found = {str(row.uid): row for row in Listing.objects.live().for_display().filter(uid__in=uids)}
    return [found[uid] for uid in uids if uid in found]


class ReviewView(CuratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """One listing: text, company, similar ones, history, and the three decisions."""

    template_name = "console/review.html"
    header_icon = "clipboard-list"
    breadcrumbs_items = [
        {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")},
        {"url": reverse_lazy("console_waiting"), "label": gettext_lazy("Waiting for review")},
    ]

    @cached_property
    def listing(self) -> Listing:
        """The listing of the address."""
        return get_object_or_404(Listing.objects.for_display().select_related("author"), uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """Its title."""
        return self.listing.title

    def get_breadcrumbs_items(self) -> list:
        """Home, queue, this one."""
        return [*self.breadcrumbs_items, {"url": "", "label": self.listing.title}]

    @property
    def query(self) -> str:
        """The queue's filters, as they came with the address."""
        return f"?{self.request.GET.urlencode()}" if self.request.GET else ""

    def get_context_data(self, **context: object) -> dict:
        """Everything the page shows."""
        listing = self.listing
        following = next_waiting(self.request.user, after=listing, data=self.request.GET)
        return super().get_context_data(**context) | {
            "listing": listing,
            "waiting_time": waiting_time(listing),
            "own_company": is_member(self.request.user, listing.company),
            "company_language": get_language_info(listing.company.language)["name_local"],
            "others": listing.company.listings.exclude(pk=listing.pk).order_by("-created")[:OTHERS],
            "similar": similar(listing),
            "steps": history.timeline(listing),
            "can_publish": listing.can(Move.PUBLISH),
            "decisions": [self._decision(move, context.get("forms", {})) for move in NEEDS_REASON if listing.can(move)],
            "next_url": reverse("console_review", args=[following.uid]) + self.query if following else "",
            "query": self.query,
        }

    def _decision(self, move: Move, bound: dict) -> dict:
        texts = {key: reasons.text(key, language=self.listing.company.language) for key in NEEDS_REASON[move]}
        return {"move": move, "form": bound.get(move) or ReasonForm(move=move, prefix=move), "texts": texts, "texts_id": f"reasons-{move}"}

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Take the decision of the pressed button, then show the next one that waits."""
        move = request.POST.get("decision")
        if move not in (Move.PUBLISH, *NEEDS_REASON):
            messages.error(request, _("Choose what to do: publish, ask for changes or reject."))
            return redirect(request.get_full_path())
        move, reason = Move(move), ""
        if move in NEEDS_REASON:
            form = ReasonForm(request.POST, move=move, prefix=move)
            if not form.is_valid():
                messages.error(request, _("The reason is missing. Nothing was decided yet."))
                return self.render_to_response(self.get_context_data(forms={move: form}))
            reason = form.text(self.listing.company.language)
        following = next_waiting(request.user, after=self.listing, data=request.GET)
        result = decide(self.listing, move, by=request.user, reason=reason)
        if result.error:
            messages.error(request, format_html("“{}”: {}", self.listing.title, result.error))
            return redirect(request.get_full_path())
        self._confirm(result.listing)
        if following is None:
            messages.info(request, _("That was the last one in the queue."))
            return redirect(reverse("console_waiting"))
        return redirect(reverse("console_review", args=[following.uid]) + self.query)

    def _confirm(self, listing: Listing) -> None:
        said = {"title": listing.title, "state": listing.get_state_display()}
        buttons = [messages.button(reverse("console_review", args=[listing.uid]), _("See it again"))]
        messages.success(self.request, _("“%(title)s” is now “%(state)s”. Below is the next one that waits.") % said, buttons=buttons)

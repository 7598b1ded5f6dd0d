"""A partner's first page: how it does, what came, what waits for a person, and the buttons."""

import datetime
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from marketplace.federation import health, introductions, operations
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.federation.models import Delivery, DuplicateCandidate, HarvestRun, Partner, QuarantinedItem
from marketplace.rest.models import ApiKey

from . import partner_history as history
from .partner_chart import chart
from .partner_keys import SOON
from .partner_pages import ActsMixin, PartnerPage
from .partner_setup import steps_of
from .partners import next_visit

SHOWN_RUNS, SHOWN_ERRORS, SHOWN_EVENTS = 40, 5, 5
#: When a visit is due for so long, somebody should look at the worker.
STALLED = datetime.timedelta(minutes=2)
COUNTED = ("created", "changed", "ended", "erased", "quarantined")


class PartnerView(ActsMixin, PartnerPage):
    """One partner."""

    template_name = "console/partner.html"

    @cached_property
    def partner(self) -> Partner:
        """With what its condition is made of."""
        return health.with_health(Partner.objects.filter(pk=super().partner.pk)).select_related("client", "checkpoint", "hook", "subscription").get()

    def get_context_data(self, **context: object) -> dict:
        """Everything the page shows."""
        partner = self.partner
        runs = list(HarvestRun.objects.filter(partner=partner)[:SHOWN_RUNS])
        month = timezone.now() - datetime.timedelta(days=30)
        return super().get_context_data(**context) | {
            "health": health.health_of(partner),
            "checkpoint": getattr(partner, "checkpoint", None),
            "next_visit": next_visit(partner),
            "hook": getattr(partner, "hook", None),
            "subscription": getattr(partner, "subscription", None),
            "takes": partner.reader != ReaderKind.NONE,
            "steps": steps_of(partner) if partner.state == PartnerState.NEW else [],
            "missing": operations.missing(partner) if partner.state == PartnerState.NEW else [],
            "ending_key": _ending_key(partner),
            "reading": _reading(partner),
            "runs": runs,
            "chart": chart(runs) if runs else None,
            "month": HarvestRun.objects.filter(partner=partner, started_at__gte=month).aggregate(**{name: Sum(name) for name in COUNTED}),
            "quarantined": QuarantinedItem.objects.filter(partner=partner, resolved_at=None)[:SHOWN_ERRORS],
            "duplicates": DuplicateCandidate.objects.filter(second__of_partner__partner=partner, decision="").count(),
            "waiting": Delivery.objects.filter(hook__partner=partner, state=Delivery.State.WAITING).count(),
            "events": history.steps(partner.events.select_related("by")[:SHOWN_EVENTS]),
        }

    def acts(self) -> dict[str, Callable]:
        """The buttons."""
        return {
            "activate": self._activate,
            "pause": self._pause,
            "resume": self._resume,
            "end": self._end,
            "reopen": self._reopen,
            "visit": self._visit,
            "anew": self._anew,
            "introduce": self._introduce,
        }

    def _activate(self) -> str:
        operations.activate(self.partner, by=self.request.user)
        if self.partner.reader == ReaderKind.NONE:
            return _("“%(name)s” is active: its keys work from now on.") % {"name": self.partner.name}
        return _("“%(name)s” is active. The first visit begins within a minute.") % {"name": self.partner.name}

    def _pause(self) -> str:
        operations.pause(self.partner, reason=self._reason(), by=self.request.user)
        return _("“%(name)s” is paused. What came from it stays; nothing goes either way until you resume.") % {"name": self.partner.name}

    def _resume(self) -> str:
        operations.resume(self.partner, by=self.request.user)
        return _("“%(name)s” is active again and goes on where it was.") % {"name": self.partner.name}

    def _end(self) -> str:
        operations.end(self.partner, reason=self._reason(), by=self.request.user)
        return _("The partnership with “%(name)s” has ended. Its keys are revoked.") % {"name": self.partner.name}

    def _reopen(self) -> str:
        operations.reopen(self.partner, by=self.request.user)
        return _("“%(name)s” can be set up again. Exchange new keys, then activate it.") % {"name": self.partner.name}

    def _visit(self) -> str:
        operations.visit_now(self.partner, by=self.request.user)
        return _("The worker visits the partner within some seconds. Come back to this page to see what came.")

    def _anew(self) -> str:
        operations.read_anew(self.partner, by=self.request.user)
        return _("At its next visit the worker reads everything anew. What the partner does not show any more goes, as long as it is not too much at once.")

    def _introduce(self) -> str:
        try:
            found = introductions.ask(self.partner.base_url)
        except introductions.IntroductionError as error:
            raise ValidationError(error.message) from error
        operations.introduce(self.partner, found, by=self.request.user)
        return _("The partner says: “%(name)s”, version %(versions)s. That is noted.") % {"name": found.name, "versions": ", ".join(found.versions)}

    def _reason(self) -> str:
        return self.request.POST.get("reason", "").strip()[:300]


def _ending_key(partner: Partner) -> ApiKey | None:
    """The last of our keys that still works for the partner, if it ends soon: then it reads nothing any more."""
    last = ApiKey.objects.filter(client=partner.client_id).usable().order_by(F("expires_at").desc(nulls_first=True)).first()
    return last if last and last.expires_at and last.expires_at - timezone.now() < SOON else None


def _reading(partner: Partner) -> dict[str, object] | None:
    """The visit that is under way or due at this moment, with how much it has brought; None where there is nothing to wait for."""
    checkpoint, now = getattr(partner, "checkpoint", None), timezone.now()
    if partner.state != PartnerState.ACTIVE or partner.reader == ReaderKind.NONE or checkpoint is None:
        return None
    is_begun = checkpoint.lease_until is not None and checkpoint.lease_until > now
    if not is_begun and checkpoint.next_at > now:
        return None
    run = HarvestRun.objects.filter(partner=partner, ended_at=None).first() if is_begun else None
    items = sum((run.created, run.changed, run.ended, run.erased, run.unchanged, run.left_out, run.quarantined)) if run else 0
    return {"is_begun": is_begun, "items": items, "is_stalled": not is_begun and now - checkpoint.next_at > STALLED}

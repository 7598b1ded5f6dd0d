"""The keys between us and a partner: those we made for it, the one it gave us."""

import datetime
from collections.abc import Callable

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.federation import operations
from marketplace.federation.enums import ReaderKind
from marketplace.rest import charts, usage
from marketplace.rest.models import ApiKey

from .partner_forms import IssueKeyForm, RotateForm, TheirKeyForm
from .partner_pages import ActsMixin, PartnerManageMixin, PartnerPage

USAGE_DAYS = 30
#: Before so long a key's end is worth a word.
SOON = datetime.timedelta(days=14)


class KeysView(PartnerManageMixin, ActsMixin, PartnerPage):
    """List, make, replace, revoke; a secret is shown in the answer to the press of the button and never again."""

    template_name = "console/partner_keys.html"
    step = gettext_lazy("Keys")

    def _keys(self) -> QuerySet:
        return ApiKey.objects.filter(client=self.partner.client_id).select_related("made_by", "replaced_by").order_by("-created")

    def get_context_data(self, **context: object) -> dict:
        """Keys, forms, and a new key's secret where one was just made."""
        now, used = timezone.now(), usage.by_key(self._keys(), days=USAGE_DAYS)
        rows = [
            {
                "key": key,
                "used": used.get(key.pk, (0, 0)),
                "ends_soon": key.is_usable and key.expires_at is not None and key.expires_at - now < SOON,
                "form": RotateForm(prefix=str(key.uid)),
            }
            for key in self._keys()
        ]
        context.setdefault("issue_form", IssueKeyForm())
        context.setdefault("their_form", TheirKeyForm())
        return super().get_context_data(**context) | {
            "rows": [row for row in rows if row["key"].is_usable],
            "ended": [row for row in rows if not row["key"].is_usable],
            "usage_days": USAGE_DAYS,
            "chart": charts.columns(usage.by_day(self._keys(), days=USAGE_DAYS)) if used else None,
            "takes": self.partner.reader != ReaderKind.NONE,
        }

    def acts(self) -> dict[str, Callable]:
        """The buttons."""
        return {"issue": self._issue, "rotate": self._rotate, "revoke": self._revoke, "set": self._set, "remove": self._remove}

    def _issue(self) -> HttpResponse:
        form = IssueKeyForm(self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(issue_form=form), status=422)
        key, secret = operations.issue_key(self.partner, name=form.cleaned_data["name"], expires_at=form.expires_at(), by=self.request.user)
        return self._shown_once(key, secret)

    def _rotate(self) -> HttpResponse:
        key = self._key()
        form = RotateForm(self.request.POST, prefix=str(key.uid))
        overlap = form.days() if form.is_valid() else datetime.timedelta(days=7)
        successor, secret = operations.rotate_key(self.partner, key, overlap=overlap, by=self.request.user)
        return self._shown_once(successor, secret)

    def _revoke(self) -> str:
        key = self._key()
        operations.revoke_key(self.partner, key, by=self.request.user)
        return _("The key %(prefix)s… is refused from now on.") % {"prefix": key.prefix}

    def _set(self) -> str | HttpResponse:
        form = TheirKeyForm(self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(their_form=form), status=422)
        operations.set_key(self.partner, form.cleaned_data["key"], by=self.request.user)
        return _("Their key is kept. Nobody can read it here any more.")

    def _remove(self) -> str:
        operations.remove_key(self.partner, by=self.request.user)
        return _("Their key is deleted. We cannot read from the partner until you write another one.")

    def _key(self) -> ApiKey:
        key = next((key for key in self._keys() if str(key.uid) == self.request.POST.get("key")), None)
        if key is None:
            raise Http404
        return key

    def _shown_once(self, key: ApiKey, secret: str) -> HttpResponse:
        del self.partner
        answer = self.render_to_response(self.get_context_data(new_key=key, secret=secret))
        # In no cache, also not in the browser's: who comes back with the back button must not find it.
        answer["Cache-Control"] = "no-store"
        return answer

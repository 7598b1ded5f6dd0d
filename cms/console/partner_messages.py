"""What we told a partner by webhook: every message with its attempts, sent again one by one or from a moment on."""

from collections.abc import Callable

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marketplace.federation import deliveries
from marketplace.federation.models import Delivery, Hook, ReceivedMessage

from .bulk import LONGEST_ID
from .partner_pages import ActsMixin, PartnerManageMixin, PartnerPage

PAGE_SIZE, SHOWN_RECEIVED = 50, 10


class ReplayForm(forms.Form):
    """From when on."""

    since = forms.DateTimeField(
        label=gettext_lazy("All since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        help_text=gettext_lazy("Each keeps its id: what the partner has already does nothing there."),
    )


class MessagesView(PartnerManageMixin, ActsMixin, PartnerPage):
    """Newest first."""

    template_name = "console/partner_messages.html"
    step = gettext_lazy("Messages")

    def get_context_data(self, **context: object) -> dict:
        """Hook, messages of one state or all, what came from the partner."""
        state = self.request.GET.get("state", "")
        rows = Delivery.objects.filter(hook__partner=self.partner).prefetch_related("tries")
        chosen = rows.filter(state=state) if state in Delivery.State.values else rows
        context.setdefault("form", ReplayForm())
        return super().get_context_data(**context) | {
            "hook": Hook.objects.filter(partner=self.partner).first(),
            "page": Paginator(chosen, PAGE_SIZE).get_page(self.request.GET.get("p")),
            "state": state,
            "states": [("", _("All")), *Delivery.State.choices],
            "received": ReceivedMessage.objects.filter(partner=self.partner)[:SHOWN_RECEIVED],
        }

    def acts(self) -> dict[str, Callable]:
        """The buttons."""
        return {"replay": self._replay, "since": self._since}

    def _replay(self) -> str:
        pk = self.request.POST.get("message", "")
        found = Delivery.objects.filter(hook__partner=self.partner, pk=pk).first() if pk.isdecimal() and len(pk) <= LONGEST_ID else None
        if found is None:
            raise Http404
        deliveries.replay(found, by=self.request.user)
        return _("The message is sent again within some seconds.")

    def _since(self) -> str | HttpResponse:
        form = ReplayForm(self.request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        number = deliveries.replay_since(self.partner, form.cleaned_data["since"], by=self.request.user)
        return ngettext("%(n)d message is sent again.", "%(n)d messages are sent again.", number) % {"n": number}

"""Connecting a partner: its address is typed, it says who it is, a person confirms; the rest is set up on its own pages."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseClientRedirect
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from marketplace.federation import introductions, operations
from marketplace.federation.enums import ReaderKind

from .partner_forms import ConnectForm
from .partner_pages import HOME, LIST, PartnerManageMixin, add_errors, page_of, refused

FACTS = ("reader", "base_url", "name", "contact_name", "contact_email")


class ConnectView(PartnerManageMixin, WagtailAdminTemplateMixin, TemplateView):
    """One form in two steps: ask the address, then connect whom it presents. What was typed stays in it throughout."""

    template_name = "console/partner_connect.html"
    page_title = gettext_lazy("Connect a partner")
    header_icon = "plus"

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, here."""
        return [HOME, LIST, {"url": "", "label": self.page_title}]

    def get_context_data(self, **context: object) -> dict:
        """With the form."""
        context.setdefault("form", ConnectForm())
        return super().get_context_data(**context)

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Ask who is there, or connect them. Who connects is asked once more: what a page sends back could be anything."""
        form = ConnectForm(request.POST)
        if not form.is_valid():
            return self._again(form)
        found = None
        if form.cleaned_data["reader"] == ReaderKind.PROTOCOL:
            try:
                found = introductions.ask(form.cleaned_data["base_url"])
            except introductions.IntroductionError as error:
                form.add_error("base_url", error.message)
                return self._again(form)
            if request.POST.get("step") != "connect" or request.POST.get("node") != str(found.node_uid):
                return self.render_to_response(self.get_context_data(form=form, found=found))
        return self._connect(form, found)

    def _connect(self, form: ConnectForm, found: introductions.Introduction | None) -> HttpResponse:
        facts = {name: form.cleaned_data[name] for name in FACTS}
        if found:
            facts["name"] = facts["name"] or found.name
        try:
            partner = operations.create(facts, presented=found, by=self.request.user)
        except ValidationError as error:
            add_errors(form, error)
            return self._again(form, found=found)
        messages.success(self.request, _("“%(name)s” is added. Nothing is exchanged yet: the steps below lead there.") % {"name": partner.name})
        is_described = partner.reader not in (ReaderKind.PROTOCOL, ReaderKind.NONE)
        address = reverse("console_partner_reading", args=[partner.uid]) if is_described else page_of(partner)
        # htmx would follow a redirect by itself and look for this page's form in the other one.
        return HttpResponseClientRedirect(address) if self.request.htmx else redirect(address)

    def _again(self, form: ConnectForm, **context: object) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, **context), status=refused(self.request))

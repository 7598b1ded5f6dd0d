"""What a curator lays over a partner's listing: hide it here, more keywords, a translation. Its own text belongs to its origin."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from marketplace.federation import overlays
from marketplace.federation.models import Overlay, RemoteListing

from .partner_pages import HOME, LIST, PartnerLookMixin, add_errors, page_of


class OverlayForm(forms.Form):
    """The overlay of a listing. `seen` is when it was last changed, as this person saw it."""

    hidden = forms.BooleanField(
        label=gettext_lazy("Hide it here"),
        required=False,
        help_text=gettext_lazy("Nobody sees or finds it on this site. At its own marketplace it stays as it is."),
    )
    reason = forms.CharField(label=gettext_lazy("Why it is hidden"), required=False, max_length=300, help_text=gettext_lazy("For your colleagues."))
    tags = forms.CharField(
        label=gettext_lazy("More keywords"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("With commas between. They are added to its own, so that it is found here."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of the translation"), required=False, choices=[("", "–"), *settings.LANGUAGES])
    title = forms.CharField(label=gettext_lazy("Translated title"), required=False, max_length=120)
    description = forms.CharField(label=gettext_lazy("Translated text"), required=False, max_length=6000, widget=forms.Textarea(attrs={"rows": 10}))
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: object, overlay: Overlay | None, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        known = {name: getattr(overlay, name) for name in overlays.FIELDS} if overlay else {}
        super().__init__(*args, initial=known | {"seen": overlays.stamp(overlay)}, **kwargs)

    def values(self) -> dict[str, object]:
        """As `overlays.change` takes them."""
        return {name: self.cleaned_data[name] for name in overlays.FIELDS}


class OverlayView(PartnerLookMixin, WagtailAdminTemplateMixin, TemplateView):
    """One listing of a partner."""

    for_curators = True
    template_name = "console/partner_overlay.html"
    header_icon = "edit"

    @cached_property
    def remote(self) -> RemoteListing:
        """The listing as its origin knows it."""
        listed = ("partner", "listing__company", "listing__sector", "listing__place", "listing__overlay__by")
        return get_object_or_404(RemoteListing.objects.select_related(*listed), listing__uid=self.kwargs["uid"])

    @property
    def overlay(self) -> Overlay | None:
        """What lies over it already."""
        return getattr(self.remote.listing, "overlay", None)

    def get_page_title(self) -> str:
        """Its title."""
        return self.remote.listing.title

    def get_breadcrumbs_items(self) -> list:
        """Home, partners, the partner, the listing."""
        partner = self.remote.partner
        return [HOME, LIST, {"url": page_of(partner), "label": partner.name}, {"url": "", "label": self.remote.listing.title}]

    def get_context_data(self, **context: object) -> dict:
        """With the origin's text."""
        context.setdefault("form", OverlayForm(overlay=self.overlay))
        listing, overlay = self.remote.listing, self.overlay
        original = overlay.original if overlay and overlay.original else {name: getattr(listing, name) for name in overlays.COVERED}
        return super().get_context_data(**context) | {"remote": self.remote, "listing": listing, "overlay": overlay, "original": original}

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Write it, unless somebody else did meanwhile."""
        form = OverlayForm(request.POST, overlay=self.overlay)
        if not form.is_valid():
            return self._again(form)
        try:
            overlays.change(self.remote.listing, form.values(), by=request.user, seen=form.cleaned_data["seen"])
        except overlays.StaleOverlayError as error:
            theirs = Overlay.objects.filter(listing=self.remote.listing).first()
            add_errors(form, error)
            form.data = form.data.copy()
            form.data["seen"] = overlays.stamp(theirs)
            return self._again(form, theirs=theirs)
        except ValidationError as error:
            add_errors(form, error)
            return self._again(form)
        messages.success(request, _("“%(title)s” is saved. Searches follow within seconds.") % {"title": self.remote.listing.title})
        return redirect(request.path)

    def _again(self, form: OverlayForm, **context: object) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form, **context), status=422)

"""Which aid has to be looked at again, who keeps it, and the one click that says it is still true."""

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from cms.aid import reviews
from cms.aid.freshness_models import Review
from cms.aid.models import AidPage

from .access import EditorRequiredMixin

#: What comes due in so many days is shown too, so that one can plan a morning for it.
AHEAD = 30
SHOWN_REVIEWS = 10


class ConfirmForm(forms.Form):
    """What the look found, in a few words, for the colleagues."""

    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)


class AidReviewsView(EditorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """The list, and the click."""

    template_name = "console/aid_reviews.html"
    page_title = gettext_lazy("Aid to check")
    header_icon = "calendar-check"

    def get_breadcrumbs_items(self) -> list:
        """Home, this."""
        return [{"url": reverse_lazy("wagtailadmin_home"), "label": _("Home")}, {"url": "", "label": self.page_title}]

    @cached_property
    def is_mine(self) -> bool:
        """Whether only the person's own pages are asked for."""
        return self.request.GET.get("of") == "me"

    def get_context_data(self, **context: object) -> dict:
        """Overdue first, then what is coming, then what was checked last."""
        found = [one for one in reviews.due(within=AHEAD) if not self.is_mine or one.page.officer_id == self.request.user.pk]
        rows = [(one, reviews.may_confirm(self.request.user, one.page)) for one in found]
        return super().get_context_data(**context) | {
            "overdue": [row for row in rows if row[0].late >= 0],
            "coming": [row for row in rows if row[0].late < 0],
            "ahead": AHEAD,
            "is_mine": self.is_mine,
            "today": timezone.localdate(),
            "latest": Review.objects.select_related("page", "by")[:SHOWN_REVIEWS],
        }

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Checked today."""
        page = get_object_or_404(AidPage, pk=request.POST.get("page") if str(request.POST.get("page")).isdecimal() else None)
        form = ConfirmForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("The note is too long: 300 letters at most."))
            return redirect(request.get_full_path())
        try:
            reviews.confirm(page, by=request.user, note=form.cleaned_data["note"])
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        except PermissionDenied:
            messages.error(request, _("Only the office's officers and whoever keeps this page can say so."))
        else:
            messages.success(request, _("“%(title)s” is checked, in all its languages.") % {"title": page.title})
        return redirect(request.get_full_path())

"""Two people edit one page: the second is told before the first one's work is replaced.

Wagtail warns while a page stands open, by a script that asks every ten seconds, and its autosave refuses to overwrite. A press on
"Save" or "Publish" it lets through, whatever was saved meanwhile.
"""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from wagtail.admin import messages
from wagtail.admin.auth import require_admin_access
from wagtail.admin.urls import display_custom_404
from wagtail.admin.views.pages.edit import EditView
from wagtail.models import Revision


@method_decorator([never_cache, display_custom_404, require_admin_access], name="dispatch")
class CarefulEditView(EditView):
    """Wagtail's editor, which refuses the first attempt to save over a version that its person has not seen."""

    @cached_property
    def is_out_of_date(self) -> bool:
        """Also where the page had no version yet when it was opened: the editor's form, known by its `next`, then names none.

        A press is only told of others' versions: what was saved by itself is one's own, and the form does not know of it.
        """
        posted = self.request.POST
        had_none = "next" in posted and not (posted.get("loaded_revision_id") or posted.get("overwrite_revision_id"))
        is_old = super().is_out_of_date or bool(had_none and self.latest_revision)
        return is_old if self.expects_json_response else is_old and self._others_version is not None

    @cached_property
    def _others_version(self) -> Revision | None:
        """The last one that somebody else saved since the form was opened."""
        others = self.page.revisions.exclude(user=self.request.user)
        with suppress(ValueError):
            opened_at = parse_datetime(self.request.POST.get("loaded_revision_created_at", ""))
            if opened_at and opened_at.tzinfo:
                others = others.filter(created_at__gt=opened_at)
        return others.order_by("created_at").last()

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Save; or show what was typed once more, with what happened meanwhile. Saving that replaces the other's version."""
        if self.expects_json_response or self.page.alias_of_id or self.is_cancelling_workflow or not self.is_out_of_date:
            return super().post(request, *args, **kwargs)
        self.form = self.form_class(
            request.POST, request.FILES, instance=self.page, subscription=self.subscription, parent_page=self.parent, for_user=request.user
        )
        self.form.defer_required_fields()
        self.has_unsaved_changes = True
        # Or a script would save it, half a second after the warning appeared.
        self.autosave_interval, self.autosave_enabled = 0, False
        messages.error(request, self._warning(), buttons=self._compare())
        return self.render_to_response(self.get_context_data())

    def _warning(self) -> str:
        by = self._others_version.user
        who = by.get_full_name() if by else _("Somebody else")
        return _(
            "%(who)s saved another version of this page while you had it open. Nothing of yours is lost: it stands below, not saved yet. "
            "Look at what changed; if you save again, your version replaces the other one, which stays in the history."
        ) % {"who": who}

    def _compare(self) -> list:
        loaded = self.request.POST.get("loaded_revision_id", "")
        if not (loaded.isdecimal() and self.page.revisions.filter(pk=loaded).exists()):
            return []
        address = reverse("wagtailadmin_pages:revisions_compare", args=[self.page.pk, loaded, self.latest_revision.pk])
        return [messages.button(address, _("What changed"), new_window=True)]

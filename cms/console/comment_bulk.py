"""One decision on many comments, with a result for each."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.auth import permission_denied
from wagtail.admin.views.bulk_action import BulkAction

from cms.comments.enums import POSSIBLE, Move
from cms.comments.models import Comment
from cms.comments.rules import can_decide, can_moderate

from .bulk import LONGEST_ID
from .comment_forms import RefusalForm, decide


class _Decision(BulkAction):
    """What both share. Wagtail's own flow puts everything into one transaction; here each comment has its own."""

    models = [Comment]
    template_name = "console/comment_bulk.html"
    move: Move
    question = ""
    button = ""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Moderators only."""
        if not can_moderate(request.user):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)

    @classmethod
    def get_queryset(cls, model: type, object_ids: list) -> list:
        """In a fixed order, so that two moderators at once never wait for each other in a circle."""
        ids = [pk for pk in object_ids if str(pk).isdecimal() and len(str(pk)) <= LONGEST_ID]
        return list(model.objects.select_related("author", "conversation").filter(pk__in=ids).order_by("pk"))

    def get_all_objects_in_listing_query(self, parent_id: object) -> list:
        """Choosing all means all that wait, never what is public or refused."""
        return Comment.objects.waiting().values_list("pk", flat=True)

    def check_perm(self, obj: Comment) -> bool:
        """Whether this person may decide so on it."""
        return can_decide(self.request.user, obj) and obj.state in POSSIBLE[self.move]

    def get_context_data(self, **kwargs: object) -> dict:
        """With the words of this decision."""
        return super().get_context_data(**kwargs) | {"move": self.move, "title": self.display_name, "question": self.question, "button": self.button}

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Decide on each and show what became of it. A text that its author changed since the question was asked is left as it is."""
        comments, left = self.get_actionable_objects()
        results = []
        for comment in comments:
            seen = self.request.POST.get(f"seen-{comment.pk}", "")
            reason = form.text(comment.author) if isinstance(form, RefusalForm) else ""
            results.append(decide(comment, self.move, by=self.request.user, reason=reason, seen=int(seen) if seen.isdecimal() else None))
        done = sum(not result.error for result in results)
        context = {"title": self.display_name, "results": results, "done": done, "left": left["items_with_no_access"], "back": reverse("console_comments")}
        return render(self.request, "console/comment_bulk_results.html", context)


class ApproveAction(_Decision):
    """Let everybody read them."""

    move = Move.APPROVE
    action_type = "approve"
    display_name = _("Approve")
    aria_label = _("Approve the selected comments")
    question = _("Approve these comments? Their authors get a mail.")
    button = _("Approve")
    action_priority = 10


class RefuseAction(_Decision):
    """Keep them from the public."""

    move = Move.REFUSE
    action_type = "refuse"
    display_name = _("Refuse")
    aria_label = _("Refuse the selected comments")
    question = _("Refuse these comments? Their authors get the reason by mail; a ready-made one in their own language.")
    button = _("Refuse")
    classes = {"serious"}
    action_priority = 20
    form_class = RefusalForm

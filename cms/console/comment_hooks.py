"""Where moderation joins the Wagtail admin; imported by wagtail_hooks."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.sidebar import LinkMenuItem
from wagtail.admin.widgets import Button
from wagtail.models import Page

from cms.comments.models import Comment
from cms.comments.rules import can_moderate

from .comment_bulk import ApproveAction, RefuseAction
from .comments import AllView, CommentView, KindsView, PageCommentsView, ReportedView, UnreadView, WaitingView, page_settings

for action in (ApproveAction, RefuseAction):
    hooks.register("register_bulk_action", action)


@hooks.register("register_admin_urls")
def comment_addresses() -> list:
    """Lists, one comment, settings."""
    lists = [("", "console_comments", WaitingView), ("reported/", "console_comments_reported", ReportedView)]
    lists += [("unread/", "console_comments_unread", UnreadView), ("all/", "console_comments_all", AllView)]
    return [
        *(path(f"comments/{part}", view.as_view(), name=name) for part, name, view in lists),
        *(path(f"comments/{part}results/", view.as_view(results_only=True), name=f"{name}_results") for part, name, view in lists),
        path("comments/kinds/", KindsView.as_view(), name="console_comment_kinds"),
        path("comments/page/<uuid:key>/", PageCommentsView.as_view(), name="console_comment_page"),
        path("comments/<uuid:uid>/", CommentView.as_view(), name="console_comment"),
    ]


class CommentsMenuItem(MenuItem):
    """Shown to moderators, with the number of comments that somebody should look at."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Whether this person sees the item."""
        return can_moderate(request.user)

    def render_component(self, request: HttpRequest) -> LinkMenuItem:
        """The item as it is at the moment."""
        number = Comment.objects.needing_eyes().count()
        label = _("Comments (%(n)d)") % {"n": number} if number else str(self.label)
        return LinkMenuItem(self.name, label, self.url, icon_name=self.icon_name, classname=self.classname, attrs=self.attrs)


@hooks.register("register_admin_menu_item")
def comments_item() -> CommentsMenuItem:
    """The way to the lists."""
    return CommentsMenuItem(gettext_lazy("Comments"), reverse("console_comments"), name="console_comments", icon_name="comment", order=15)


@hooks.register("register_page_header_buttons")
def comments_of_page(page: Page, user: object, view_name: str, next_url: str | None = None) -> Iterator[Button]:
    """From a page in the editor to its comments and what holds for them."""
    if can_moderate(user) and (key := page_settings(page)):
        yield Button(_("Comments"), reverse("console_comment_page", args=[key]), icon_name="comment", priority=80)

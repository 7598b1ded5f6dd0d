"""A page of a conversation as one person sees it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page as Portion
from django.core.paginator import Paginator

from .models import Comment, Conversation, Report
from .rules import can_delete, can_edit, can_reply, can_report
from .texts import as_html

PAGE_SIZE = 20


class Shown:
    """A comment with what this person may do with it."""

    def __init__(self, comment: Comment, user: object, *, reported: bool, replies: Iterable["Shown"] = ()) -> None:
        self.comment = comment
        self.replies = list(replies)
        self.is_own = bool(user.is_authenticated and comment.author_id == user.pk)
        self.is_reported = reported
        self.can_reply = can_reply(user, comment)
        self.can_edit = can_edit(user, comment)
        self.can_delete = can_delete(user, comment)
        self.can_report = can_report(user, comment) and not reported

    @property
    def html(self) -> str:
        """The text; links can be followed once a moderator has approved it."""
        return as_html(self.comment.text, links=self.comment.state == "approved")


@dataclass(frozen=True, slots=True)
class Threads:
    """First comments with their replies; `portion` is Django's page of the first ones, `number` what everybody can read in all."""

    items: list[Shown]
    portion: Portion | None
    number: int


def load(conversation: Conversation | None, user: object, number: object = 1) -> Threads:
    """Page `number` (or the nearest there is). The same number of queries however many comments there are."""
    if conversation is None:
        return Threads([], None, 0)
    portion = Paginator(conversation.comments.threads_for(user), PAGE_SIZE).get_page(number)
    firsts = list(portion)
    replies = list(conversation.comments.replies_for(user).filter(parent__in=[first.pk for first in firsts]))
    reported = _reported([*firsts, *replies], user)
    under: dict[int, list[Shown]] = {}
    for reply in replies:
        under.setdefault(reply.parent_id, []).append(Shown(reply, user, reported=reply.pk in reported))
    items = [Shown(first, user, reported=first.pk in reported, replies=under.get(first.pk, ())) for first in firsts]
    return Threads(items, portion, conversation.comments.readable().count())


def page_of(comment: Comment, user: object) -> int:
    """On which page of its conversation `user` finds it."""
    first = comment.parent or comment
    before = comment.conversation.comments.threads_for(user).filter(created__lt=first.created).count()
    return before // PAGE_SIZE + 1


def is_found_by(comment: Comment, user: object) -> bool:
    """Whether `user` finds it on its page."""
    if comment.parent_id is None:
        return comment.conversation.comments.threads_for(user).filter(pk=comment.pk).exists()
    seen = comment.conversation.comments.threads_for(user).filter(pk=comment.parent_id).exists()
    return seen and comment.conversation.comments.replies_for(user).filter(pk=comment.pk).exists()


def _reported(comments: list[Comment], user: object) -> set[int]:
    """Those of the comments that this person has reported."""
    if not user.is_authenticated:
        return set()
    return set(Report.objects.filter(by=user, comment__in=[comment.pk for comment in comments]).values_list("comment_id", flat=True))

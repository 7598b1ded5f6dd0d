"""Who may do what with a comment, as small predicates."""

import datetime

from django.utils import timezone

from cms.pages.rules import is_officer
from marketplace.accounts.rules import is_curator

from .enums import POSSIBLE, VISIBLE, Move, State
from .models import Block, Comment

#: So long an author can change what they wrote.
EDIT_TIME = datetime.timedelta(minutes=15)


def can_moderate(user: object) -> bool:
    """The Innovation Service, the office's officers and whom an administrator lets decide about comments, and write in the office's name."""
    return is_curator(user) or is_officer(user) or bool(user and user.is_active and user.has_perm("comments.moderate_comment"))


def can_decide(user: object, comment: Comment) -> bool:
    """Nobody judges in their own cause."""
    return can_moderate(user) and comment.author_id != user.pk


def is_blocked(user: object) -> bool:
    """A moderator took the right to comment away."""
    return Block.objects.filter(person=user).exists()


def is_author(user: object, comment: Comment) -> bool:
    """Wrote it, and still has the account."""
    return user.is_authenticated and comment.author_id == user.pk


def can_edit(user: object, comment: Comment) -> bool:
    """The author, for a short time, and not once somebody complained: what was complained about stays as it was read."""
    in_time = timezone.now() - comment.created < EDIT_TIME
    return is_author(user, comment) and in_time and comment.state in POSSIBLE[Move.EDIT] and not comment.open_reports


def can_delete(user: object, comment: Comment) -> bool:
    """The author, at any time."""
    return is_author(user, comment) and comment.state != State.DELETED


def can_report(user: object, comment: Comment) -> bool:
    """Anybody signed in, about what others wrote and can be read."""
    return user.is_authenticated and comment.state in VISIBLE and comment.author_id != user.pk


def can_reply(user: object, comment: Comment) -> bool:
    """To what everybody can read; one level deep."""
    return user.is_authenticated and comment.state in VISIBLE and comment.parent_id is None

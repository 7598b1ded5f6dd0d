"""Sets of rows with the names that people use for them."""

from django.db import models
from django.db.models import Q

from .enums import VISIBLE, State

#: What waits for a moderator most urgently comes first: what people see and complain about, then what nobody sees yet.
NEEDS_EYES = Q(state__in=(State.WAITING, State.HIDDEN, State.SHOWN)) | Q(open_reports__gt=0)


class CommentQuerySet(models.QuerySet):
    """Comments, by who may see them and who has to."""

    def readable(self) -> "CommentQuerySet":
        """What everybody can read; a reply under something that was refused or hidden is gone with it."""
        return self.filter(Q(parent=None) | Q(parent__state__in=(*VISIBLE, State.DELETED)), state__in=VISIBLE)

    def waiting(self) -> "CommentQuerySet":
        """Nobody but their authors sees them until somebody decides."""
        return self.filter(state=State.WAITING)

    def reported(self) -> "CommentQuerySet":
        """Somebody complained, and nobody has answered yet."""
        return self.filter(open_reports__gt=0).exclude(state__in=(State.REFUSED, State.DELETED))

    def unread(self) -> "CommentQuerySet":
        """Public, but no moderator has looked."""
        return self.filter(state=State.SHOWN)

    def needing_eyes(self) -> "CommentQuerySet":
        """All that somebody should look at: waiting, hidden, unread, reported."""
        return self.filter(NEEDS_EYES).exclude(state__in=(State.REFUSED, State.DELETED))

    def threads_for(self, user: object) -> "CommentQuerySet":
        """First comments that `user` finds on the page, oldest first: those that are readable, deleted ones with replies, and their own that wait."""
        answered = self.model.objects.filter(parent=models.OuterRef("pk"), state__in=VISIBLE)
        seen = Q(state__in=VISIBLE) | Q(models.Exists(answered), state=State.DELETED)
        return self.filter(seen | self._own(user), parent=None).order_by("created", "id")

    def replies_for(self, user: object) -> "CommentQuerySet":
        """Replies that `user` finds under the comments shown, oldest first."""
        return self.filter(Q(state__in=VISIBLE) | self._own(user)).exclude(parent=None).order_by("created", "id")

    @staticmethod
    def _own(user: object) -> Q:
        if not getattr(user, "is_authenticated", False):
            return Q(pk__in=())
        return Q(author=user, state__in=(State.WAITING, State.HIDDEN))

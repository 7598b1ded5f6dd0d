"""What this app knows of a person (see accounts.privacy): what they wrote, reported and decided about comments."""

from django.db.models import Exists, OuterRef
from django.utils.translation import ngettext

from marketplace.accounts.models import User

from . import conversations
from .enums import VISIBLE, State
from .models import Block, Comment, Report, Step


class PersonalData:
    """A person's comments, complaints and decisions."""

    name = "comments"

    def export(self, user: User) -> dict[str, object]:
        """Everything they wrote, and what they decided about others' comments."""
        written = list(Comment.objects.filter(author=user).select_related("conversation").order_by("created", "pk"))
        titles = conversations.titles(comment.conversation.translation_key for comment in written)
        reports = Report.objects.filter(by=user).select_related("comment").order_by("created", "pk")
        steps = Step.objects.filter(by=user).exclude(comment__author=user).select_related("comment").order_by("at", "pk")
        block = Block.objects.filter(person=user).first()
        return {
            "written": [_comment(comment, titles.get(comment.conversation.translation_key, "")) for comment in written],
            "reported": [{"comment": one.comment.text, "reason": one.reason, "words": one.words, "at": one.created.isoformat()} for one in reports],
            "decided": [{"comment": step.comment.text, "step": step.move, "reason": step.reason, "at": step.at.isoformat()} for step in steps],
            "blocked": block and {"reason": block.reason, "at": block.created.isoformat()},
        }

    def consequences(self, user: User) -> list[str]:
        """That their words go."""
        number = Comment.objects.filter(author=user).exclude(state=State.DELETED).count()
        return [ngettext("Your comment is deleted.", "Your %(n)d comments are deleted.", number) % {"n": number}] if number else []

    def erase(self, user: User) -> None:
        """The words and the name go; where others have answered, an empty place stays. Complaints and decisions stay without the name (SET_NULL)."""
        own = Comment.objects.select_for_update().filter(author=user)
        keys = set(own.order_by().values_list("conversation__translation_key", flat=True))
        answered = Exists(Comment.objects.filter(parent=OuterRef("pk")).exclude(author=user))
        # Their replies first: under their own comments these would count as answers of nobody.
        own.exclude(parent=None).delete()
        own.filter(~answered, parent=None).delete()
        own.update(author=None, text="", shown_name="", fingerprint="", state=State.DELETED, open_reports=0, submission_key=None)
        conversations.log(keys)


def _comment(comment: Comment, title: str) -> dict[str, object]:
    return {
        "page": title,
        "text": comment.text,
        "signed": comment.shown_name,
        "state": comment.state,
        "public": comment.state in VISIBLE,
        "created": comment.created.isoformat(),
        "changed": comment.edited_at and comment.edited_at.isoformat(),
    }

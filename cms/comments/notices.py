"""The mails about a comment, each queued in the transaction of what it tells, in the language of the person who gets it."""

from django.utils import translation

from marketplace.core import mail

from . import conversations
from .models import Block, Comment, Step


def approved(comment: Comment, step: Step) -> None:
    """It is public."""
    _tell_author(comment, "comments/mail/approved", step)


def refused(comment: Comment, step: Step) -> None:
    """A moderator does not let it be public, and why. The mail holds the text, which no page shows any more."""
    _tell_author(comment, "comments/mail/refused", step)


def blocked(block: Block) -> None:
    """The person may not comment any more, and why."""
    key = f"comments:blocked:{block.uid}"
    mail.queue("comments/mail/blocked", block.person.email, {"reason": block.reason}, key=key, language=block.person.language)


def _tell_author(comment: Comment, template: str, step: Step) -> None:
    person = comment.author
    if person is None or not person.is_active:
        return
    with translation.override(person.language):
        page = conversations.find_page(comment.conversation.translation_key)
        address = comment.get_absolute_url()
    context = {"comment": comment, "reason": step.reason, "title": page.title if page else "", "address": address}
    mail.queue(template, person.email, context, key=f"comment:{comment.uid}:{step.pk}", language=person.language)

"""What people do with comments. Pages, console and demo call these; each is one transaction: lock, check, write, log.

A person's own row is locked before they write, so that neither limits nor a form sent twice can be passed by a second window;
a comment's row before anything happens to it. What everybody can read changes with a line in the change log: kind "comment",
uid the page's translation key, so that cached pages of all its languages can be made anew.
"""

import uuid
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from wagtail.models import Page

from marketplace.accounts.models import User

from . import conversations, limits, notices, signatures, texts
from .enums import POSSIBLE, VISIBLE, Complaint, Held, Moderation, Move, State
from .models import TEXT_LENGTH, WORDS_LENGTH, Block, Comment, Conversation, Report, Step
from .rules import can_decide, can_delete, can_edit, can_moderate, can_reply, can_report, is_blocked

#: So many different people's reports hide a comment until a moderator has looked.
REPORTS_THAT_HIDE = 3
#: Under one comment; more is a conversation of its own.
MOST_REPLIES = 50


class IllegalMoveError(ValidationError):
    """The comment's state does not allow this, most often because somebody else was faster."""


class StaleError(ValidationError):
    """The comment's author changed the text since it was shown to the moderator."""


# --- What everybody signed in can do ------------------------------------------------------------------------------------------


@transaction.atomic
def post(  # noqa: PLR0913 - all are facts of one comment
    page: Page,
    *,
    by: User,
    text: str,
    reply_to: Comment | None = None,
    signature: str = signatures.PERSON,
    submission_key: uuid.UUID | None = None,
    suspicions: Iterable[Held] = (),
) -> Comment:
    """Write a comment. Whether it is public at once its state tells. With the `submission_key` of an earlier call, that call's comment comes back.

    `suspicions`: what the form noticed about how it was filled in.
    """
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if submission_key and (earlier := Comment.objects.filter(author=by, submission_key=submission_key).first()):
        return earlier
    talk = conversations.of(page)
    if not talk.is_open:
        raise ValidationError(_("No more comments can be written on this page."), code="closed")
    _check_not_blocked(by)
    if not can_moderate(by):
        limits.check_person(by)
    text = _checked(text)
    conversation = talk.conversation or Conversation.objects.get_or_create(translation_key=page.translation_key)[0]
    fingerprint = texts.fingerprint(text)
    _check_not_said_already(by, conversation, text)
    official = can_moderate(by)
    held = [] if official else _reasons_to_hold(by, text, fingerprint, talk.moderation, suspicions)
    comment = Comment(
        conversation=conversation,
        parent=_parent(reply_to, conversation, by),
        author=by,
        shown_name=signatures.name_for(by, signature),
        official=official,
        text=text,
        language=get_language() or by.language,
        state=State.APPROVED if official else State.WAITING if held else State.SHOWN,
        held_for=held,
        fingerprint=fingerprint,
        submission_key=submission_key,
    )
    comment.full_clean(exclude=("conversation", "parent", "author"), validate_unique=False, validate_constraints=False)
    comment.save()
    Step.objects.create(comment=comment, move=Move.POST, to_state=comment.state, by=by)
    if comment.is_visible:
        _log(comment)
    return comment


@transaction.atomic
def edit(comment: Comment, *, by: User, text: str) -> Comment:
    """Change one's own text. It is looked at as if it were new: an approved comment does not vouch for what was put in its place."""
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    comment = _locked(comment)
    if comment.author_id != by.pk:
        raise PermissionDenied
    if not can_edit(by, comment):
        raise IllegalMoveError(_("This comment can no longer be changed. You can delete it and write a new one."), code="illegal_move")
    _check_not_blocked(by)
    text = _checked(text)
    if text == comment.text:
        return comment
    moderation = _moderation(comment.conversation)
    comment.text, comment.fingerprint, comment.edited_at = text, texts.fingerprint(text), timezone.now()
    comment.version += 1
    if comment.official and can_moderate(by):
        target = State.APPROVED
    else:
        # What the form noticed when it was first sent still holds.
        kept = [Held(code) for code in comment.held_for if code in (Held.FAST, Held.TRAP)]
        comment.held_for = _reasons_to_hold(by, text, comment.fingerprint, moderation, kept, besides=comment)
        target = State.WAITING if comment.held_for else State.SHOWN
    return _move(comment, Move.EDIT, target, by=by)


@transaction.atomic
def delete(comment: Comment, *, by: User) -> Comment:
    """Take back one's own comment. The words are gone at once; where others have answered, an empty place stays."""
    comment = _locked(comment)
    if not can_delete(by, comment):
        raise PermissionDenied
    comment.reports.filter(resolved_at=None).update(resolved_at=timezone.now())
    comment.text, comment.fingerprint, comment.shown_name, comment.open_reports = "", "", "", 0
    comment.version += 1
    return _move(comment, Move.DELETE, State.DELETED, by=by)


@transaction.atomic
def report(comment: Comment, *, by: User, reason: Complaint, words: str = "") -> Report:
    """Tell the moderators what is wrong with it; a second report of the same person changes the first. REPORTS_THAT_HIDE people hide it.

    A comment whose reports a moderator has already answered by keeping it is not hidden by new ones, only listed again.
    """
    by = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    comment = _locked(comment)
    if comment.author_id == by.pk:
        raise PermissionDenied
    earlier = Report.objects.filter(comment=comment, by=by).first()
    if earlier and (earlier.resolved_at or not comment.is_visible):
        return earlier
    if not can_report(by, comment):
        raise IllegalMoveError(_("This comment is not public any more. There is nothing left to report."), code="illegal_move")
    if earlier is None:
        limits.check_reports(by)
    made, is_new = Report.objects.update_or_create(comment=comment, by=by, defaults={"reason": reason, "words": texts.clean(words)[:WORDS_LENGTH]})
    if is_new:
        comment.open_reports += 1
        comment.save(update_fields=["open_reports", "modified"])
        answered = comment.reports.exclude(resolved_at=None).exists()
        if comment.open_reports >= REPORTS_THAT_HIDE and not answered:
            _move(comment, Move.HIDE, State.HIDDEN, by=None)
    return made


# --- What moderators decide ---------------------------------------------------------------------------------------------------


@transaction.atomic
def approve(comment: Comment, *, by: User, seen: int | None = None) -> Comment:
    """Make it public, or keep it so and answer its reports. `seen`: the version that was read; another one raises StaleError."""
    comment = _to_decide(comment, by, seen)
    if comment.state == State.APPROVED and not comment.open_reports:
        raise _gone(comment)
    was_waiting = comment.state in (State.WAITING, State.REFUSED)
    _resolve_reports(comment)
    comment = _move(comment, Move.APPROVE, State.APPROVED, by=by)
    if was_waiting:
        notices.approved(comment, comment.steps.first())
    return comment


@transaction.atomic
def refuse(comment: Comment, *, by: User, reason: str, seen: int | None = None) -> Comment:
    """Keep it from the public; the author gets the reason by mail. `seen` as for `approve`."""
    reason = _required(reason)
    comment = _to_decide(comment, by, seen)
    _resolve_reports(comment)
    comment = _move(comment, Move.REFUSE, State.REFUSED, by=by, reason=reason)
    notices.refused(comment, comment.steps.first())
    return comment


@transaction.atomic
def block(person: User, *, by: User, reason: str) -> Block:
    """Take the right to comment away; the person gets the reason by mail. What is public stays until somebody refuses it."""
    if not can_moderate(by) or person.pk == by.pk:
        raise PermissionDenied
    if can_moderate(person):
        raise ValidationError(_("This person is a moderator. Ask an administrator to take that right away first."), code="moderator")
    reason = _required(reason)
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    made, is_new = Block.objects.get_or_create(person=person, defaults={"by": by, "reason": reason})
    if is_new:
        notices.blocked(made)
    return made


@transaction.atomic
def unblock(person: User, *, by: User) -> None:
    """Give it back."""
    if not can_moderate(by):
        raise PermissionDenied
    Block.objects.filter(person=person).delete()


@transaction.atomic
def set_moderation(page: Page, moderation: str, *, by: User) -> Conversation:
    """What holds for this page in all its languages; "" for what holds for its kind."""
    if not can_moderate(by):
        raise PermissionDenied
    conversation, _made = Conversation.objects.select_for_update().get_or_create(translation_key=page.translation_key)
    conversation.moderation = Moderation(moderation) if moderation else ""
    conversation.save(update_fields=["moderation", "modified"])
    conversations.log([page.translation_key])
    return conversation


@transaction.atomic
def set_policy(kind: str, moderation: Moderation, *, by: User) -> None:
    """What holds for all pages of a kind that set nothing of their own."""
    if not can_moderate(by):
        raise PermissionDenied
    conversations.set_kind_moderation(kind, moderation)


# --- Once a day ---------------------------------------------------------------------------------------------------------------


@transaction.atomic
def forget_deleted_pages() -> int:
    """Delete the conversations on pages of which no language version is left; return how many."""
    orphans = Conversation.objects.exclude(translation_key__in=Page.objects.values("translation_key"))
    number = orphans.count()
    orphans.delete()
    return number


# --- The steps behind -----------------------------------------------------------------------------------------------------------


def _locked(comment: Comment) -> Comment:
    """The row as it is now, locked until the end of the transaction."""
    return Comment.objects.select_for_update(of=("self",)).select_related("conversation", "author", "parent").get(pk=comment.pk)


def _to_decide(comment: Comment, by: User, seen: int | None) -> Comment:
    comment = _locked(comment)
    if not can_decide(by, comment):
        raise PermissionDenied
    if seen is not None and seen != comment.version:
        raise StaleError(_("The author changed this comment while you were reading. Read it again, then decide."), code="stale")
    return comment


def _move(comment: Comment, move: Move, target: State, *, by: User | None, reason: str = "") -> Comment:
    """Take the step, write it down, and log the change for those who follow."""
    if comment.state not in POSSIBLE[move]:
        raise _gone(comment)
    previous, comment.state = comment.state, target
    comment.save()
    Step.objects.create(comment=comment, move=move, from_state=previous, to_state=target, by=by, reason=reason)
    if previous in VISIBLE or target in VISIBLE:
        _log(comment)
    return comment


def _gone(comment: Comment) -> IllegalMoveError:
    last = comment.steps.select_related("by").first()
    text = _("This comment is “%(state)s” now, so this step is not possible any more.") % {"state": comment.get_state_display()}
    if last and last.by and last.by_id != comment.author_id:
        text = f"{text} {_('Last step: %(step)s, by %(name)s.') % {'step': last.get_move_display(), 'name': last.by.get_full_name()}}"
    return IllegalMoveError(text, code="illegal_move")


def _log(comment: Comment) -> None:
    conversations.log([comment.conversation.translation_key])


def _resolve_reports(comment: Comment) -> None:
    comment.reports.filter(resolved_at=None).update(resolved_at=timezone.now())
    comment.open_reports = 0


def _moderation(conversation: Conversation) -> str:
    """What holds for its page now; the stricter, if the page is gone meanwhile."""
    page = conversations.find_page(conversation.translation_key)
    return conversations.of(page).moderation if page else Moderation.BEFORE


def _parent(reply_to: Comment | None, conversation: Conversation, by: User) -> Comment | None:
    if reply_to is None:
        return None
    parent = _locked(reply_to)
    if parent.conversation_id != conversation.pk or not can_reply(by, parent):
        raise ValidationError(_("The comment that you answer is not public any more. You can still write one of your own."), code="parent")
    if parent.replies.filter(state__in=VISIBLE).count() >= MOST_REPLIES:
        raise ValidationError(_("This comment has many replies already. Write a new comment instead."), code="replies")
    return parent


def _checked(text: str) -> str:
    text = texts.clean(text)
    if not any(character.isalnum() for character in text):
        raise ValidationError({"text": _("Write something: this has no words.")})
    if len(text) > TEXT_LENGTH:
        raise ValidationError({"text": _("Your comment has %(n)d characters; at most %(limit)d are possible.") % {"n": len(text), "limit": TEXT_LENGTH}})
    links = texts.count_links(text)
    if links > texts.MOST_LINKS:
        message = ngettext("Your comment holds %(n)d link", "Your comment holds %(n)d links", links) % {"n": links}
        advice = ngettext("at most %(n)d is possible. Take some away.", "at most %(n)d are possible. Take some away.", texts.MOST_LINKS)
        raise ValidationError({"text": f"{message}; {advice % {'n': texts.MOST_LINKS}}"})
    return text


def _check_not_blocked(person: User) -> None:
    if is_blocked(person):
        raise ValidationError(_("You cannot comment any more. The mail that you got tells why."), code="blocked")


def _check_not_said_already(person: User, conversation: Conversation, text: str) -> None:
    said = Comment.objects.filter(author=person, conversation=conversation, text=text).exclude(state__in=(State.DELETED, State.REFUSED))
    if said.exists():
        raise ValidationError({"text": _("You have already written exactly this here.")})


def _reasons_to_hold(  # noqa: PLR0913 - all say something about the same text
    person: User, text: str, fingerprint: str, moderation: str, suspicions: Iterable[Held], *, besides: Comment | None = None
) -> list[Held]:
    """Why a moderator reads it first; empty: it is public at once."""
    others = Comment.objects.exclude(pk=besides.pk if besides else None)
    held = [Held.PAGE] if moderation != Moderation.AFTER else []
    if not others.filter(author=person, state=State.APPROVED).exists():
        held.append(Held.FIRST)
    if texts.count_links(text) > texts.FEW_LINKS:
        held.append(Held.LINKS)
    if fingerprint and others.filter(fingerprint=fingerprint).exists():
        held.append(Held.REPEATED)
    return held + [Held(code) for code in suspicions]


def _required(reason: str) -> str:
    if not reason.strip():
        raise ValidationError({"reason": _("Write the reason: the author gets it by mail.")})
    return reason.strip()

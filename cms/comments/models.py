"""What people say about a page. All language versions of a page share one conversation."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.core.models import BaseModel

from .enums import VISIBLE, Complaint, Held, Moderation, Move, State
from .querysets import CommentQuerySet

TEXT_LENGTH = 3000
WORDS_LENGTH = 500


class Policy(models.Model):
    """Whether pages of one kind take comments, where a moderator chose other than `kinds.KINDS` says."""

    kind = models.CharField(max_length=100, unique=True)
    moderation = models.CharField(_("comments"), max_length=10, choices=Moderation)

    def __str__(self) -> str:
        return f"{self.kind}: {self.moderation}"


class Conversation(BaseModel):
    """The comments on one page, whatever its language and wherever it is moved.

    It hangs on the translation key, which all language versions share and keep: a version that is deleted or made anew
    takes nothing with it. Made with the first comment, or when a moderator sets something of its own.
    """

    translation_key = models.UUIDField(_("page"), unique=True)
    moderation = models.CharField(_("comments on this page"), max_length=10, choices=Moderation, blank=True, help_text=_("Empty: as its kind of page."))

    class Meta:
        verbose_name, verbose_name_plural = _("conversation"), _("conversations")

    def __str__(self) -> str:
        return str(self.translation_key)


class Comment(BaseModel):
    """One person's text about a page, or a reply to such a text. Plain text; `held_for` says why it waits or waited."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="comments")
    shown_name = models.CharField(_("signed"), max_length=200, blank=True)
    official = models.BooleanField(_("from the office"), default=False)
    text = models.TextField(_("text"), max_length=TEXT_LENGTH, blank=True)
    language = models.CharField(max_length=2, choices=settings.LANGUAGES)
    state = models.CharField(_("state"), max_length=10, choices=State)
    held_for = models.JSONField(default=list, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    version = models.PositiveSmallIntegerField(default=1)
    edited_at = models.DateTimeField(null=True, blank=True)
    open_reports = models.PositiveSmallIntegerField(_("reports"), default=0)
    submission_key = models.UUIDField(null=True, blank=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("comment"), _("comments")
        permissions = [("moderate_comment", "Can approve and refuse comments")]
        constraints = [models.UniqueConstraint(fields=["author", "submission_key"], name="comment_sent_once")]
        indexes = [
            models.Index(fields=["conversation", "parent", "created"], name="comment_order"),
            models.Index(fields=["state", "created"], name="comment_state"),
            models.Index(fields=["author", "created"], name="comment_author"),
            models.Index(fields=["fingerprint"], name="comment_fingerprint"),
            models.Index(fields=["created"], name="comment_reported", condition=Q(open_reports__gt=0)),
        ]

    def __str__(self) -> str:
        return self.text[:60] or str(self.uid)

    def get_absolute_url(self) -> str:
        """Leads to it among the others."""
        return reverse("comments:comment", args=[self.uid])

    @property
    def anchor(self) -> str:
        """Its id in a page."""
        return f"comment-{self.uid}"

    @property
    def is_visible(self) -> bool:
        """Whether everybody can read it (and what it answers)."""
        return self.state in VISIBLE

    @property
    def held_labels(self) -> list[str]:
        """Why it waits, in words."""
        return [str(Held(code).label) for code in self.held_for]


class Report(BaseModel):
    """A person's complaint about a comment; one a person and comment. Without a name once its author closed the account."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="reports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(_("What is wrong with it?"), max_length=10, choices=Complaint)
    words = models.CharField(_("In your words"), max_length=WORDS_LENGTH, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "by"], name="report_once")]

    def __str__(self) -> str:
        return f"{self.comment_id}: {self.reason}"


class Step(models.Model):
    """One step of a comment's life: who decided what, when and why."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="steps")
    move = models.CharField(max_length=10, choices=Move)
    from_state = models.CharField(max_length=10, choices=State, blank=True)
    to_state = models.CharField(max_length=10, choices=State)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.comment_id}: {self.move}"


class Block(BaseModel):
    """That a person may not comment any more, and why."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="comment_block")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(_("reason"))

    def __str__(self) -> str:
        return str(self.person_id)

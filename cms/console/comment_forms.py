"""What moderators fill in, and the decision that a form stands for."""

from dataclasses import dataclass

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.comments import operations
from cms.comments.enums import Moderation, Move
from cms.comments.kinds import KINDS, known, name
from cms.comments.models import Comment, Conversation
from marketplace.accounts.models import User

from . import reasons

# Key → (short name for the moderator, text for the author).
REFUSALS = {
    "spam": (
        gettext_lazy("Advertising"),
        gettext_lazy("Comments are no place for advertising. To show what your company offers, publish an offer in the marketplace."),
    ),
    "insult": (gettext_lazy("Insults"), gettext_lazy("The comment insults somebody. Please say the same without it: criticism is welcome, insults are not.")),
    "private": (
        gettext_lazy("Personal data"),
        gettext_lazy("The comment holds personal data, such as a telephone number or an address. Everybody could read it. Please write it again without."),
    ),
    "false": (
        gettext_lazy("Not right"),
        gettext_lazy("The comment states something about this aid or this news that is not right and could harm those who trust it."),
    ),
    "off_topic": (
        gettext_lazy("Another matter"),
        gettext_lazy("The comment has nothing to do with this page. For questions about your own case, write to the office or make an appointment."),
    ),
}


class RefusalForm(forms.Form):
    """Why, from a ready-made text in the author's language or in the moderator's own words."""

    ready = forms.ChoiceField(label=gettext_lazy("Ready-made reasons"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason for the author"),
        required=False,
        max_length=2000,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("The author gets this text by mail, together with the comment."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ready"].choices = reasons.choices(REFUSALS)

    def clean(self) -> dict:
        """One of the two is needed."""
        data = super().clean()
        if not self.errors and not data.get("reason") and not data.get("ready"):
            self.add_error("reason", _("Write the reason: the author gets it by mail."))
        return data

    def text(self, author: User | None) -> str:
        """The reason in the moderator's words, or the ready-made one in the language of the author."""
        return self.cleaned_data["reason"] or ready_text(self.cleaned_data["ready"], author)


def ready_text(key: str, author: User | None) -> str:
    """The ready-made reason in the author's language; in the present one for an author who has closed their account."""
    with translation.override(author.language if author else translation.get_language()):
        return str(REFUSALS[key][1])


class BlockForm(forms.Form):
    """Why somebody may not comment any more."""

    reason = forms.CharField(label=gettext_lazy("Reason for the author"), max_length=2000, strip=True, widget=forms.Textarea(attrs={"rows": 3}))


class PageCommentsForm(forms.ModelForm):
    """What holds for one page."""

    moderation = forms.ChoiceField(label=gettext_lazy("Comments on this page"), required=False, widget=forms.RadioSelect)

    class Meta:
        model = Conversation
        fields = ["moderation"]

    def __init__(self, *args: object, usual: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        as_usual = _("As on all pages of this kind: %(moderation)s") % {"moderation": Moderation(usual).label}
        self.fields["moderation"].choices = [("", as_usual), *Moderation.choices]


class KindsForm(forms.Form):
    """What holds for each kind of page."""

    def __init__(self, *args: object, present: dict[str, str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for kind in known():
            field = forms.ChoiceField(label=name(kind).capitalize(), choices=Moderation, initial=present.get(kind, KINDS[kind]), widget=forms.RadioSelect)
            self.fields[kind.replace(".", "_")] = field

    def decided(self) -> dict[str, Moderation]:
        """The kinds whose setting was changed on the page."""
        return {kind: Moderation(self.cleaned_data[kind.replace(".", "_")]) for kind in known() if kind.replace(".", "_") in self.changed_data}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one comment; `error` is empty when the decision was taken."""

    comment: Comment
    error: str = ""


def decide(comment: Comment, move: Move, *, by: User, reason: str = "", seen: int | None = None) -> Result:
    """Approve or refuse in a transaction of its own; what stands against it becomes the result's error, never an exception."""
    try:
        if move == Move.APPROVE:
            return Result(operations.approve(comment, by=by, seen=seen))
        return Result(operations.refuse(comment, by=by, reason=reason, seen=seen))
    except ValidationError as error:
        return Result(comment, " ".join(error.messages))
    except PermissionDenied:
        return Result(comment, _("You wrote this one yourself. Ask a colleague."))
    except Comment.DoesNotExist:
        return Result(comment, _("This comment is not there any more."))

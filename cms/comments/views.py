"""A conversation and what one does with a comment. All of it works as pages of its own; on a page of the site htmx puts it in place.

Cached pages hold no form and no person's view: their conversation is fetched from here.
"""

import uuid
from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from . import conversations, drafts, limits, operations, threads
from .conversations import Talk
from .enums import State
from .forms import CommentForm, ReportForm, TextForm
from .models import Comment
from .rules import can_delete, can_edit, can_reply, is_blocked

UNPROCESSABLE, TOO_MANY = 422, 429
fresh = cache_control(private=True, no_cache=True)


@require_GET
@fresh
@vary_on_headers("HX-Request")
def conversation(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The comments on a page, oldest first; for htmx only what stands below the heading."""
    return _conversation(request, _talk(key), number=request.GET.get("page", 1))


@require_GET
def comment(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The address of one comment: leads to it among the others."""
    return redirect(_place(request, _comment(request, uid)))


def writing(view: Callable) -> Callable:
    """For views that take a person's words: counts attempts to send by address, and keeps the words of somebody whose session has ended."""

    @wraps(view)
    def checked(request: HttpRequest, **kwargs: uuid.UUID) -> HttpResponse:
        if request.method == "POST":
            try:
                limits.check_address(request)
            except limits.TooManyError as error:
                request.refused = error
        if request.user.is_authenticated:
            return view(request, **kwargs)
        return drafts.keep_and_sign_in(request, **kwargs)

    return fresh(vary_on_headers("HX-Request")(checked))


@require_POST
@writing
def post(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A new comment."""
    talk = _talk(key)
    form = CommentForm(request.POST, person=request.user, auto_id="id_comment_%s")
    made = _tried(request, form, lambda: _post(form, talk, request))
    return _told(request, made) if made else _conversation(request, talk, number=request.POST.get("page", 1), form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@writing
def reply(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """An answer to somebody's comment."""
    answered = _comment(request, uid)
    if not can_reply(request.user, answered):
        return _not_any_more(request, answered)
    form = CommentForm(_sent(request), person=request.user, auto_id=f"id_{uid}_%s", initial=drafts.take(request, uid))
    made = _tried(request, form, lambda: _post(form, _talk(answered.conversation.translation_key), request, reply_to=answered))
    texts = {"title": _("Reply"), "submit": _("Send the reply"), "label": _("Your reply")}
    form.fields["text"].label = texts["label"]
    return _told(request, made) if made else _act(request, answered, form, **texts)


@require_http_methods(["GET", "HEAD", "POST"])
@writing
def edit(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Another text for one's own comment."""
    own = _comment(request, uid)
    if own.author_id != request.user.pk:
        raise PermissionDenied
    if not can_edit(request.user, own) and request.method != "POST":
        return _not_any_more(request, own)
    form = TextForm(_sent(request), auto_id=f"id_{uid}_%s", initial={"text": own.text} | drafts.take(request, uid))
    made = _tried(request, form, lambda: operations.edit(own, by=request.user, text=form.cleaned_data["text"]))
    return _told(request, made) if made else _act(request, own, form, title=_("Change your comment"), submit=_("Save"))


@require_http_methods(["GET", "HEAD", "POST"])
@writing
def delete(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Take one's own comment back, after a question."""
    own = _comment(request, uid)
    if not can_delete(request.user, own):
        raise PermissionDenied
    if request.method == "POST":
        operations.delete(own, by=request.user)
        return _done(request, own, _("Your comment is deleted."))
    return _act(request, own, None, title=_("Delete your comment?"), submit=_("Delete the comment"), tone="danger sure")


@require_http_methods(["GET", "HEAD", "POST"])
@writing
def report(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Tell the moderators what is wrong with a comment."""
    reported = _comment(request, uid)
    form = ReportForm(_sent(request), auto_id=f"id_{uid}_%s", initial=drafts.take(request, uid))
    made = _tried(request, form, lambda: operations.report(reported, by=request.user, **form.cleaned_data))
    if made:
        return _done(request, reported, _("Thank you. We look at this comment."))
    return _act(request, reported, form, title=_("Report this comment"), submit=_("Send the report"))


# --- What they share ----------------------------------------------------------------------------------------------------------


def _sent(request: HttpRequest) -> object:
    """What a form is bound to: nothing before it was sent."""
    return request.POST if request.method == "POST" else None


def _talk(key: uuid.UUID) -> Talk:
    page = conversations.find_page(key)
    talk = conversations.of(page) if page else None
    if talk is None or not talk.is_shown:
        raise Http404
    return talk


def _comment(request: HttpRequest, uid: uuid.UUID) -> Comment:
    """A comment that this person finds on a page that everybody may read."""
    found = get_object_or_404(Comment.objects.select_related("conversation", "parent"), uid=uid)
    _talk(found.conversation.translation_key)
    if not threads.is_found_by(found, request.user):
        raise Http404
    return found


def _post(form: CommentForm, talk: Talk, request: HttpRequest, *, reply_to: Comment | None = None) -> Comment:
    data = form.cleaned_data
    return operations.post(
        talk.page,
        by=request.user,
        text=data["text"],
        reply_to=reply_to,
        signature=data["signature"],
        submission_key=data["submission_key"],
        suspicions=form.suspicions,
    )


def _tried(request: HttpRequest, form: Form, operation: Callable[[], object]) -> object | None:
    """What the operation made of a form that was sent; None if it was not, or was refused: then the form says why."""
    if request.method != "POST":
        return None
    try:
        if refused := getattr(request, "refused", None):
            raise refused
        return operation() if form.is_valid() else None
    except limits.TooManyError as error:
        form.retry_after = error.retry_after
        form.add_error(None, error)
    except ValidationError as error:
        form.add_error(None, error)
    return None


def _status(form: Form | None) -> dict[str, object]:
    """The answer's status, and when to come again."""
    if form is None or not form.is_bound or not form.errors:
        return {}
    if retry_after := getattr(form, "retry_after", None):
        return {"status": TOO_MANY, "headers": {"Retry-After": str(retry_after)}}
    return {"status": UNPROCESSABLE}


def _answer(request: HttpRequest, template: str, context: dict, **options: object) -> HttpResponse:
    """A page, or for htmx its part."""
    headers = options.pop("headers", {})
    response = render(request, f"comments/{template}{'_part' if request.htmx else ''}.html", context, **options)
    for name, value in headers.items():
        response[name] = value
    return response


def _conversation(  # noqa: PLR0913 - what the page shows, and what somebody has just done with it
    request: HttpRequest, talk: Talk, *, number: object = 1, form: CommentForm | None = None, made: Comment | None = None, said: str = ""
) -> HttpResponse:
    found = threads.load(talk.conversation, request.user, number)
    blocked = request.user.is_authenticated and is_blocked(request.user)
    if form is None and talk.is_open and request.user.is_authenticated and not blocked:
        form = CommentForm(person=request.user, auto_id="id_comment_%s", initial=drafts.take(request, talk.page.translation_key))
    context = {
        "talk": talk,
        "page": talk.page,
        "page_url": talk.page.get_url(request),
        "threads": found,
        "portion": found.portion,
        "address": reverse("comments:conversation", args=[talk.page.translation_key]),
        "form": form,
        "blocked": blocked,
        "made": made,
        "said": said,
    }
    return _answer(request, "conversation", context, **_status(form))


def _act(request: HttpRequest, about: Comment, form: Form | None, **texts: str) -> HttpResponse:
    """The form of one action on one comment."""
    talk = _talk(about.conversation.translation_key)
    shown = threads.Shown(about, request.user, reported=False)
    context = {"about": about, "shown": shown, "form": form, "back": _place(request, about), "page": talk.page, "page_url": talk.page.get_url(request)}
    return _answer(request, "act", context | texts, **_status(form))


def _told(request: HttpRequest, made: Comment) -> HttpResponse:
    """After somebody wrote: where it is and whether others see it."""
    said = {
        State.WAITING: _("Thank you. Your comment waits until somebody has read it; you get a mail. Until then only you see it."),
        State.SHOWN: _("Thank you. Your comment is public."),
        State.APPROVED: _("Your comment is public."),
    }[State(made.state)]
    return _done(request, made, said)


def _done(request: HttpRequest, about: Comment, said: str) -> HttpResponse:
    """The conversation where the comment stands, and what became of it."""
    if request.htmx:
        talk = _talk(about.conversation.translation_key)
        response = _conversation(request, talk, number=threads.page_of(about, request.user), made=about, said=said)
        response["HX-Retarget"], response["HX-Reswap"] = "#comments-body", "outerHTML"
        return response
    messages.success(request, said)
    return redirect(_place(request, about))


def _place(request: HttpRequest, about: Comment) -> str:
    """The address of the comment's page, at the comment."""
    number = threads.page_of(about, request.user)
    address = reverse("comments:conversation", args=[about.conversation.translation_key])
    return f"{address}{f'?page={number}' if number > 1 else ''}#{about.anchor}"


def _not_any_more(request: HttpRequest, about: Comment) -> HttpResponse:
    """A link followed too late."""
    said = _("That is not possible with this comment any more.")
    if request.htmx:
        return _done(request, about, said)
    messages.warning(request, said)
    return redirect(_place(request, about))

"""Comments as moderators see them: what waits, what was reported, everything; one comment with its history; what holds for pages."""

import datetime
import uuid

import django_filters
from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.auth import permission_denied
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.views.reports import ReportView
from wagtail.admin.widgets import HeaderButton
from wagtail.models import Page

from cms.comments import conversations, operations
from cms.comments.enums import VISIBLE, Complaint, Held, Move, State
from cms.comments.kinds import KINDS
from cms.comments.models import Block, Comment, Conversation, Policy
from cms.comments.rules import can_decide, can_moderate

from .comment_forms import REFUSALS, BlockForm, KindsForm, PageCommentsForm, RefusalForm, decide, ready_text
from .filters import AGES

PAGE_SIZE = 30
EXCERPT, TITLE = 110, 50
OTHERS = 8
HOME = {"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}
LIST = {"url": reverse_lazy("console_comments"), "label": gettext_lazy("Comments")}


class ModeratorRequiredMixin:
    """Lets moderators in; others who may open the admin go back to its home with Wagtail's message."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Check, then go on."""
        if not can_moderate(request.user):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)


# --- Lists --------------------------------------------------------------------------------------------------------------------


class CommentFilterSet(WagtailFilterSet):
    """For the lists of comments."""

    state = django_filters.MultipleChoiceFilter(label=gettext_lazy("State"), choices=State, widget=forms.CheckboxSelectMultiple)
    held = django_filters.ChoiceFilter(
        label=gettext_lazy("Held because of"), choices=Held, empty_label=gettext_lazy("All"), widget=forms.RadioSelect, method="filter_held"
    )
    complaint = django_filters.ChoiceFilter(
        label=gettext_lazy("Reported as"), choices=Complaint, empty_label=gettext_lazy("All"), widget=forms.RadioSelect, method="filter_complaint"
    )
    signed = django_filters.CharFilter(label=gettext_lazy("Signed"), field_name="shown_name", lookup_expr="icontains")
    page = django_filters.CharFilter(label=gettext_lazy("Page"), method="filter_page")
    age = django_filters.ChoiceFilter(
        label=gettext_lazy("Written"), choices=AGES, empty_label=gettext_lazy("All"), widget=forms.RadioSelect, method="filter_age"
    )

    class Meta:
        model = Comment
        fields = []

    def filter_held(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Held for this reason, among others. The list is stored as text; its codes are no part of each other."""
        return queryset.filter(held_for__icontains=f'"{value}"')

    def filter_complaint(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Somebody reported it as this, and nobody has answered."""
        return queryset.filter(reports__reason=value, reports__resolved_at=None).distinct()

    def filter_page(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """On pages with these words in their title, in any language."""
        return queryset.filter(conversation__translation_key__in=Page.objects.filter(title__icontains=value).values("translation_key"))

    def filter_age(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """At least so many days ago."""
        return queryset.filter(created__lt=timezone.now() - datetime.timedelta(days=int(value)))


def _why(comment: Comment) -> str:
    """Why somebody should look at it: why it was held, or how many reported it."""
    if comment.open_reports:
        return _("Reports: %(n)d") % {"n": comment.open_reports}
    return ", ".join(comment.held_labels) if comment.state == State.WAITING else ""


class _CommentsView(ModeratorRequiredMixin, ReportView):
    """What the lists share. Three queries beside Wagtail's own: numbers, comments, titles of their pages."""

    model = Comment
    template_name = "console/comments.html"
    results_template_name = "console/listings_results.html"
    page_title = gettext_lazy("Comments")
    header_icon = "comment"
    filterset_class = CommentFilterSet
    is_searchable = True
    search_backend_name = None
    search_fields = ["text", "shown_name"]
    default_ordering = "created"
    paginate_by = PAGE_SIZE
    verbose_name_plural = gettext_lazy("comments")
    note = ""

    @cached_property
    def header_buttons(self) -> list:
        """The way to what holds for the kinds of pages."""
        return [HeaderButton(_("Settings"), url=reverse("console_comment_kinds"), icon_name="cog")]

    def decorate_paginated_queryset(self, object_list: QuerySet) -> QuerySet:
        """With the titles of their pages."""
        titles = conversations.titles(comment.conversation.translation_key for comment in object_list)
        for comment in object_list:
            comment.page_title = titles.get(comment.conversation.translation_key, _("deleted page"))
        return object_list

    def get_base_queryset(self) -> QuerySet:
        """With what a row shows."""
        return super().get_base_queryset().select_related("conversation", "author")

    def get_context_data(self, **context: object) -> dict:
        """With the tabs and their numbers."""
        numbers = Comment.objects.aggregate(
            waiting=Count("pk", filter=Q(state=State.WAITING)),
            reported=Count("pk", filter=Q(open_reports__gt=0) & ~Q(state__in=(State.REFUSED, State.DELETED))),
            unread=Count("pk", filter=Q(state=State.SHOWN)),
            every=Count("pk"),
        )
        tabs = [
            (_("Waiting"), "console_comments", numbers["waiting"]),
            (_("Reported"), "console_comments_reported", numbers["reported"]),
            (_("Public, not read yet"), "console_comments_unread", numbers["unread"]),
            (_("All"), "console_comments_all", numbers["every"]),
        ]
        shown = [(label, reverse(name), number, name == self.index_url_name) for label, name, number in tabs]
        return super().get_context_data(**context) | {"tabs": shown, "note": self.note}

    @cached_property
    def columns(self) -> list:
        """What a row shows."""
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="comment"),
            TitleColumn(
                "text",
                label=_("Comment"),
                accessor=lambda comment: Truncator(comment.text).chars(EXCERPT) or _("(deleted)"),
                get_url=lambda comment: reverse("console_comment", args=[comment.uid]),
                get_title_id=lambda comment: f"comment_{comment.pk}_title",
            ),
            Column("signed", label=_("Signed"), accessor=lambda comment: comment.shown_name or "–", sort_key="shown_name", width="13%"),
            Column("page", label=_("Page"), accessor=lambda comment: Truncator(comment.page_title).chars(TITLE), width="19%"),
            Column("why", label=_("Why"), accessor=_why, classname="console-roomy", width="17%"),
            StatusTagColumn("state", label=_("State"), accessor="get_state_display", primary=lambda comment: comment.state == State.APPROVED, width="12%"),
            Column("created", label=_("Age"), accessor=lambda comment: timesince(comment.created, depth=1), sort_key="created", width="9%"),
        ]

    @cached_property
    def no_results_message(self) -> str:
        """An empty queue is good news."""
        if self.is_searching or self.is_filtering:
            return _("No comment matches. Take a filter away to see more.")
        return self.nothing


class WaitingView(_CommentsView):
    """What nobody but its author sees, oldest first."""

    index_url_name = "console_comments"
    index_results_url_name = "console_comments_results"
    nothing = gettext_lazy("Nothing is waiting. New comments that have to be read first appear here.")
    note = gettext_lazy("Only their authors see these. Approve them, or refuse them with a reason: the author gets a mail either way.")

    def get_base_queryset(self) -> QuerySet:
        """Those that wait."""
        return super().get_base_queryset().waiting()


class ReportedView(_CommentsView):
    """What somebody complained about; those with the most reports first."""

    index_url_name = "console_comments_reported"
    index_results_url_name = "console_comments_reported_results"
    default_ordering = ("-open_reports", "created")
    nothing = gettext_lazy("Nobody has reported anything that is still to be looked at.")
    note = gettext_lazy("To approve a reported comment is to keep it: its reports are answered by that. Three reports hide a comment until you have looked.")

    def get_base_queryset(self) -> QuerySet:
        """Those with open reports."""
        return super().get_base_queryset().reported()


class UnreadView(_CommentsView):
    """What is public and nobody has read."""

    index_url_name = "console_comments_unread"
    index_results_url_name = "console_comments_unread_results"
    nothing = gettext_lazy("Everything that is public has been read.")
    note = gettext_lazy("On these pages comments are public at once. Links in them can be followed once you have approved them.")

    def get_base_queryset(self) -> QuerySet:
        """Those that nobody has looked at."""
        return super().get_base_queryset().unread()


class AllView(_CommentsView):
    """Every comment, newest first."""

    index_url_name = "console_comments_all"
    index_results_url_name = "console_comments_all_results"
    default_ordering = "-created"
    nothing = gettext_lazy("Nobody has commented yet.")


# --- One comment ----------------------------------------------------------------------------------------------------------------


class CommentView(ModeratorRequiredMixin, WagtailAdminTemplateMixin, TemplateView):
    """One comment: the text, what it is about, reports, history, its author, and the decisions."""

    template_name = "console/comment.html"
    header_icon = "comment"

    @cached_property
    def comment(self) -> Comment:
        """The comment of the address."""
        found = Comment.objects.select_related("conversation", "author", "parent", "parent__author")
        return get_object_or_404(found, uid=self.kwargs["uid"])

    def get_page_title(self) -> str:
        """Whose it is."""
        name = self.comment.shown_name
        return _("Comment by %(name)s") % {"name": name} if name else _("Comment")

    def get_breadcrumbs_items(self) -> list:
        """Home, comments, this one."""
        return [HOME, LIST, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **context: object) -> dict:
        """Everything the page shows."""
        comment = self.comment
        page = conversations.find_page(comment.conversation.translation_key)
        author = comment.author
        others = Comment.objects.filter(author=author).exclude(pk=comment.pk).order_by("-created")[:OTHERS] if author else []
        following = _next_waiting(self.request.user, after=comment)
        return super().get_context_data(**context) | {
            "comment": comment,
            "page": page,
            "author": author,
            "author_language": get_language_info(author.language)["name_local"] if author else "",
            "others": others,
            "ban": Block.objects.filter(person=author).select_related("by").first() if author else None,
            "can_block": author is not None and not can_moderate(author),
            "reports": comment.reports.select_related("by").order_by("created"),
            "steps": comment.steps.select_related("by"),
            "may_decide": can_decide(self.request.user, comment),
            "can_approve": comment.state not in (State.DELETED, State.APPROVED) or (comment.state == State.APPROVED and comment.open_reports),
            "can_refuse": comment.state not in (State.DELETED, State.REFUSED),
            "is_kept": comment.state in VISIBLE,
            "refusal": context.get("refusal") or RefusalForm(prefix="refuse"),
            "blocking": context.get("blocking") or BlockForm(prefix="block"),
            "texts": {key: ready_text(key, author) for key in REFUSALS},
            "next_url": reverse("console_comment", args=[following.uid]) if following else "",
        }

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """Take the decision of the pressed button, then show the next one that waits."""
        decision = request.POST.get("decision")
        if decision in ("block", "unblock"):
            return self._block(request, decision)
        reason = ""
        if decision == Move.REFUSE:
            form = RefusalForm(request.POST, prefix="refuse")
            if not form.is_valid():
                messages.error(request, _("The reason is missing. Nothing was decided yet."))
                return self.render_to_response(self.get_context_data(refusal=form))
            reason = form.text(self.comment.author)
        elif decision != Move.APPROVE:
            messages.error(request, _("Choose what to do: approve or refuse."))
            return redirect(request.path)
        seen = request.POST.get("seen", "")
        following = _next_waiting(request.user, after=self.comment)
        result = decide(self.comment, Move(decision), by=request.user, reason=reason, seen=int(seen) if seen.isdecimal() else 0)
        if result.error:
            messages.error(request, result.error)
            return redirect(request.path)
        buttons = [messages.button(request.path, _("See it again"))]
        messages.success(request, format_html("“{}”: {}", Truncator(result.comment.text).chars(TITLE), result.comment.get_state_display()), buttons=buttons)
        return redirect(reverse("console_comment", args=[following.uid]) if following else reverse("console_comments"))

    def _block(self, request: HttpRequest, decision: str) -> HttpResponse:
        author = self.comment.author
        if author is None:
            raise Http404
        if decision == "unblock":
            operations.unblock(author, by=request.user)
            messages.success(request, _("This person can comment again."))
            return redirect(request.path)
        form = BlockForm(request.POST, prefix="block")
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(blocking=form))
        if not can_moderate(author):
            operations.block(author, by=request.user, reason=form.cleaned_data["reason"])
            messages.success(request, _("This person cannot comment any more and got a mail with the reason."))
        return redirect(request.path)


def _next_waiting(user: object, *, after: Comment) -> Comment | None:
    """The next one that waits and that `user` may decide on, oldest first; from the front when none is behind."""
    queue = Comment.objects.waiting().exclude(pk=after.pk).exclude(author=user).order_by("created", "pk")
    return queue.filter(created__gte=after.created).first() or queue.first()


# --- What holds for pages --------------------------------------------------------------------------------------------------------


class KindsView(ModeratorRequiredMixin, WagtailAdminTemplateMixin, FormView):
    """Which kinds of pages take comments, and who reads them first."""

    template_name = "console/comment_settings.html"
    form_class = KindsForm
    page_title = gettext_lazy("Which pages take comments")
    header_icon = "cog"
    breadcrumbs_items = [HOME, LIST, {"url": "", "label": gettext_lazy("Which pages take comments")}]

    def get_form_kwargs(self) -> dict:
        """What holds now."""
        return super().get_form_kwargs() | {"present": dict(Policy.objects.values_list("kind", "moderation"))}

    def get_context_data(self, **context: object) -> dict:
        """With the pages that set something of their own."""
        own = list(Conversation.objects.exclude(moderation="").order_by("-modified")[:PAGE_SIZE])
        titles = conversations.titles(conversation.translation_key for conversation in own)
        rows = [(conversation, titles[conversation.translation_key]) for conversation in own if conversation.translation_key in titles]
        return super().get_context_data(**context) | {"own": rows}

    def form_valid(self, form: KindsForm) -> HttpResponse:
        """Write those that changed."""
        for kind, moderation in form.decided().items():
            operations.set_policy(kind, moderation, by=self.request.user)
        messages.success(self.request, _("Saved."))
        return redirect(self.request.path)


class PageCommentsView(ModeratorRequiredMixin, WagtailAdminTemplateMixin, FormView):
    """What holds for one page in all its languages, and what was written there."""

    template_name = "console/comment_page.html"
    form_class = PageCommentsForm
    header_icon = "comment"

    @cached_property
    def page(self) -> Page:
        """A language version of the page, published or not."""
        found = Page.objects.filter(translation_key=self.kwargs["key"]).order_by("locale_id").first()
        if found is None or conversations.kind_of(found) not in KINDS:
            raise Http404
        return found

    def get_page_title(self) -> str:
        """Which page."""
        return _("Comments on “%(title)s”") % {"title": conversations.titles([self.page.translation_key])[self.page.translation_key]}

    def get_breadcrumbs_items(self) -> list:
        """Home, comments, this one."""
        return [HOME, LIST, {"url": "", "label": self.get_page_title()}]

    def get_form_kwargs(self) -> dict:
        """With what holds for its kind."""
        conversation = conversations.of(self.page).conversation
        return super().get_form_kwargs() | {"instance": conversation, "usual": conversations.kind_moderation(conversations.kind_of(self.page))}

    def get_context_data(self, **context: object) -> dict:
        """With its comments, newest first."""
        newest = Comment.objects.filter(conversation__translation_key=self.page.translation_key).order_by("-created")
        return super().get_context_data(**context) | {"page": self.page, "comments": newest[:PAGE_SIZE], "number": newest.count()}

    def form_valid(self, form: PageCommentsForm) -> HttpResponse:
        """Write what was chosen."""
        operations.set_moderation(self.page, form.cleaned_data["moderation"], by=self.request.user)
        messages.success(self.request, _("Saved."))
        return redirect(self.request.path)


def page_settings(page: Page) -> uuid.UUID | None:
    """The key under which the settings of a page are found; None for a kind that has no comments."""
    return page.translation_key if conversations.kind_of(page) in KINDS else None

"""A person's saved searches. Nobody else sees any of them: for others there is none (404)."""

import datetime
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.listings import results
from marketplace.listings.filters import ListingFilter
from marketplace.listings.models import Listing

from . import news, operations, searches
from .forms import SearchForm
from .models import NAME_LENGTH, Finding, SavedSearch

PAGE_SIZE = 20
UNPROCESSABLE = 422


@dataclass(frozen=True)
class Row:
    """A saved search in the list. No words when its name says the same; `is_whole`: all its filters still exist."""

    search: SavedSearch
    words: list[str]
    is_whole: bool


def _row(saved: SavedSearch) -> Row:
    wanted = searches.parsed(saved.parameters)
    says_it_all = saved.name == searches.proposed_name(wanted, length=NAME_LENGTH)
    return Row(saved, [] if says_it_all else searches.words(wanted), not wanted.ignored)


@login_required
@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """All of them, those with news first."""
    mine = SavedSearch.objects.of(request.user).with_news(request.user).order_by("-news", "-created", "-pk")
    return render(request, "alerts/list.html", {"rows": [_row(saved) for saved in mine]})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Keep the search that stands in the address, as on the search page: who has to sign in first comes back with it."""
    wanted = ListingFilter(request.GET)
    initial = {"name": searches.proposed_name(wanted, length=NAME_LENGTH), "alert": True}
    form = SearchForm(request.POST, initial=initial) if request.method == "POST" else SearchForm(initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            _saved, is_new = operations.save(wanted, **form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved. New results show up here.") if is_new else _("You had saved this search already."))
            return redirect("alerts:list")
    context = {
        "form": form,
        "wanted": wanted,
        "words": searches.words(wanted),
        "count": results.look_up(wanted, page_size=1).total,
        "back": wanted.query_string(),
    }
    return render(request, "alerts/create.html", context, status=UNPROCESSABLE if form.errors else 200)


@login_required
@require_safe
def detail(request: HttpRequest, uid: str) -> HttpResponse:
    """What is new in one of them since its owner last said that they have seen it."""
    saved = _own(request, uid)
    findings = Finding.objects.showable_to(request.user).unseen().filter(search=saved).order_by("-at", "-pk")
    page = Paginator(findings.values_list("listing_id", flat=True), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = Listing.objects.for_display().in_bulk(list(page.object_list))
    context = {
        "row": _row(saved),
        "saved": saved,
        "page": page,
        "page_size": PAGE_SIZE,
        "listings": [shown[pk] for pk in page.object_list],
        "now": timezone.now().isoformat(),
    }
    return render(request, "alerts/detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, uid: str) -> HttpResponse:
    """Its name, and whether we write."""
    saved = _own(request, uid)
    form = SearchForm(request.POST if request.method == "POST" else None, initial={"name": saved.name, "alert": saved.is_mailed})
    if request.method == "POST" and form.is_valid():
        saved = operations.rename(saved, form.cleaned_data["name"], by=request.user)
        (operations.resume if form.cleaned_data["alert"] else operations.pause)(saved, by=request.user)
        messages.success(request, _("Saved."))
        return redirect("alerts:list")
    return render(request, "alerts/edit.html", {"form": form, "row": _row(saved)}, status=UNPROCESSABLE if form.errors else 200)


@login_required
@require_POST
def pause(request: HttpRequest, uid: str) -> HttpResponse:
    """No more mail about it."""
    operations.pause(_own(request, uid), by=request.user)
    messages.success(request, _("Paused. New results still show up here, but not in your mail."))
    return redirect("alerts:list")


@login_required
@require_POST
def resume(request: HttpRequest, uid: str) -> HttpResponse:
    """Mail again."""
    operations.resume(_own(request, uid), by=request.user)
    messages.success(request, _("From now on we mail you new results of this search."))
    return redirect("alerts:list")


@login_required
@require_POST
def seen(request: HttpRequest, uid: str) -> HttpResponse:
    """The owner has seen what the page showed; what came after it was made stays new."""
    operations.mark_seen(_own(request, uid), until=_moment(request.POST.get("until", "")), by=request.user)
    return redirect("alerts:list")


def _moment(text: str) -> datetime.datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    return moment if moment and timezone.is_aware(moment) else timezone.now()


@login_required
@require_POST
def delete(request: HttpRequest, uid: str) -> HttpResponse:
    """Away with it."""
    operations.delete(_own(request, uid), by=request.user)
    messages.success(request, _("The saved search is deleted."))
    return redirect("alerts:list")


def _own(request: HttpRequest, uid: str) -> SavedSearch:
    return get_object_or_404(SavedSearch.objects.of(request.user), uid=uid)


# --- From a mail, without signing in ------------------------------------------------------------------------------------------


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST stops the mails about one search: mail programs send it by themselves (RFC 8058), so it needs no cookie and no log-in."""
    saved = _of_token(token)
    if request.method == "POST":
        operations.stop(SavedSearch.objects.filter(pk=saved.pk))
        saved.refresh_from_db()
    return render(request, "alerts/stop.html", {"token": token, "saved": saved})


@require_POST
def resume_stopped(request: HttpRequest, token: str) -> HttpResponse:
    """For who stopped it by mistake."""
    operations.resume_stopped(SavedSearch.objects.filter(pk=_of_token(token).pk))
    messages.success(request, _("You will get this mail again."))
    return redirect("alerts:stop", token)


def _of_token(token: str) -> SavedSearch:
    saved = news.of_token(token)
    if saved is None:
        raise Http404
    return saved

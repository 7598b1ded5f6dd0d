"""The questionnaire of an aid: one question at a time, then the verdict. All of it is in the address; nothing is stored."""

import datetime
from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cms.aid.models import AidPage
from cms.aid.words import when
from marketplace.companies import operations
from marketplace.companies.fields import SectorField
from marketplace.companies.models import Company
from marketplace.companies.rules import is_owner

from . import questions, wording
from .answers import Answer, read, written
from .clauses import FORM, FOUNDED, SECTOR, Clause, Rule, clauses_of, facts_of
from .evaluation import Verdict, evaluate
from .known import Between, Profile
from .presentation import shown
from .profile import NOTHING, profile_of, with_answers
from .questionnaire import Step, next_step
from .rules import rule_of

UNPROCESSABLE = 422
#: What an address may say beside the answers.
EDIT, COMPANY, WHAT_IF, NOBODY = "edit", "company", "what_if", "none"


@dataclass(frozen=True)
class Inquiry:
    """An aid, who asks, and what they answered so far."""

    page: AidPage
    rule: Rule
    answers: list[Answer]
    company: Company | None
    what_if: bool
    edited: str
    today: datetime.date
    #: A company's person who asks for somebody else.
    as_nobody: bool = False

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """Those of the rule."""
        return clauses_of(self.rule)

    @cached_property
    def own(self) -> Profile:
        """What the company's data say."""
        return profile_of(self.company) if self.company else NOTHING

    @cached_property
    def profile(self) -> Profile:
        """With what was answered."""
        known = {answer.fact: answer.known for answer in self.answers if answer.known is not None}
        return with_answers(self.own, known, what_if=self.what_if)

    @cached_property
    def wrong(self) -> Answer | None:
        """The first answer that was not understood."""
        return next((answer for answer in self.answers if answer.error), None)

    @cached_property
    def step(self) -> Step | None:
        """What to ask now: what was not understood, what is to be corrected, or what matters most."""
        further = next_step(self.rule, self.profile, self.today, asked=[answer.fact for answer in self.answers])
        fact = self.wrong.fact if self.wrong else self.edited
        return Step(fact, 1 + (further.at_most if further else 0)) if fact else further

    @cached_property
    def verdict(self) -> Verdict:
        """As far as is known."""
        return evaluate(self.rule, self.profile, self.today)

    def address(self, answers: list[Answer] | None = None, *, edit: str = "", what_if: bool | None = None, company: str | None = None) -> str:
        """Of this questionnaire with other answers."""
        own = str(self.company.uid) if self.company else NOBODY if self.as_nobody else ""
        what_if = self.what_if if what_if is None else what_if
        query = written(
            self.answers if answers is None else answers,
            **{COMPANY: own if company is None else company, WHAT_IF: "1" if what_if else "", EDIT: edit},
        )
        return reverse("eligibility:check", args=[self.page.pk]) + (f"?{query}" if query else "")

    @property
    def as_it_is(self) -> str:
        """The address without what was only tried."""
        return self.address([answer for answer in self.answers if answer.fact not in self.own], what_if=False)

    def without(self, fact: str) -> list[Answer]:
        """The other answers."""
        return [answer for answer in self.answers if answer.fact != fact]


@require_safe
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """The next question about an aid, or the verdict."""
    inquiry = _inquiry(request, pk)
    question = _question(inquiry, request)
    context = {
        "page": inquiry.page,
        "inquiry": inquiry,
        "company": inquiry.company,
        "companies": _companies(request) if request.user.is_authenticated else [],
        "standing": when(inquiry.page.standing, inquiry.today),
        "trail": [(page.title, page.get_url(request)) for page in (inquiry.page.get_parent(), inquiry.page)],
        "translations": _translations(inquiry, request),
        "given": _given(inquiry),
        "own": _own(inquiry),
        **(question or _result(inquiry, request)),
    }
    response = render(request, "aid/eligibility/check.html", context, status=UNPROCESSABLE if inquiry.wrong else 200)
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, private=True)
    if getattr(request, "htmx", None):
        response["HX-Push-Url"] = inquiry.address(edit=inquiry.edited)
    response["X-Robots-Tag"] = "noindex"
    return response


@login_required
@require_POST
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep founding day and legal form, as answered, among the company's data; for its owners."""
    sent = QueryDict(request.POST.get("answers", ""))
    inquiry = _inquiry(request, pk, sent)
    if inquiry.company is None or not is_owner(request.user, inquiry.company):
        raise PermissionDenied
    fields = kept_fields(inquiry)
    if fields:
        try:
            operations.edit(inquiry.company, fields, by=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("Saved in your company's data."))
    return redirect(inquiry.address())


def kept_fields(inquiry: Inquiry) -> dict[str, object]:
    """What the company's data do not say and was answered exactly: founding day and legal form."""
    found: dict[str, object] = {}
    for answer in inquiry.answers:
        if inquiry.what_if or answer.known is None or answer.fact in inquiry.own:
            continue
        if answer.fact == FOUNDED and isinstance(answer.known, Between) and answer.known.exact:
            found["founded"] = answer.known.low
        if answer.fact == FORM:
            found["legal_form"] = answer.raw
    return found


# --- Who asks, about what ---------------------------------------------------------------------------------------------------


def _inquiry(request: HttpRequest, pk: int, sent: QueryDict | None = None) -> Inquiry:
    sent = request.GET if sent is None else sent
    page, today = _page(pk), timezone.localdate()
    rule = rule_of(page)
    answers = read(sent, clauses_of(rule), today)
    edited = sent.get(EDIT, "")
    return Inquiry(
        page, rule, answers, _company(request, sent.get(COMPANY, "")), bool(sent.get(WHAT_IF)),
        edited if edited in facts_of(rule) else "", today, request.user.is_authenticated and sent.get(COMPANY) == NOBODY,
    )  # fmt: skip


def _page(pk: int) -> AidPage:
    """The public aid in the language of this moment, or in its own where it is not translated."""
    found = get_object_or_404(AidPage.objects.live().public().select_related("locale"), pk=pk)
    if found.locale.language_code == get_language():
        return found
    translation = AidPage.objects.live().public().filter(translation_key=found.translation_key, locale__language_code=get_language())
    return translation.select_related("locale").first() or found


def _companies(request: HttpRequest) -> list[Company]:
    return list(Company.objects.of(request.user).for_display().order_by("name"))


def _company(request: HttpRequest, uid: str) -> Company | None:
    """The company for which one looks: the chosen one of one's own, or the first; none for visitors, or where one chose so."""
    if not request.user.is_authenticated or uid == NOBODY:
        return None
    own = _companies(request)
    return next((company for company in own if str(company.uid) == uid), own[0] if own else None)


def _translations(inquiry: Inquiry, request: HttpRequest) -> dict[str, str]:
    pages = inquiry.page.get_translations(inclusive=True).live().select_related("locale")
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    found = {}
    for page in pages:
        with override(page.locale.language_code):
            found[page.locale.language_code] = reverse("eligibility:check", args=[page.pk]) + query
    return found


# --- What the page shows ----------------------------------------------------------------------------------------------------


def _question(inquiry: Inquiry, request: HttpRequest) -> dict[str, object] | None:
    """The question with what was typed, or None when there is nothing more to ask."""
    step = inquiry.step
    if step is None:
        return None
    others = inquiry.without(step.fact)
    found = questions.question(step.fact, [clause for clause in inquiry.clauses if clause.fact == step.fact])
    present = next((answer for answer in inquiry.answers if answer.fact == step.fact), None)
    number = len(others) + 1
    context = {
        "question": found,
        "typed": present.raw if present and present.raw != questions.UNKNOWN else "",
        "error": present.error if present else "",
        "hidden": [(answer.fact, answer.raw) for answer in others],
        "number": number,
        "at_most": len(others) + step.at_most,
        "back": inquiry.address(others[:-1]) if others else "",
    }
    if found.kind == "place" and present and present.known:
        context["place_name"] = wording.answer(step.fact, present.known) if present.raw != questions.ELSEWHERE else ""
    if found.kind == "sector":
        context["sector_widget"] = _sector_widget(request, context["typed"])
    return context


def _sector_widget(request: HttpRequest, typed: str) -> str:
    widget = SectorField().widget
    widget.words = request.GET.get("sector_words", "")[:80]
    return widget.render(SECTOR, typed, {"id": "id_sector"})


def _result(inquiry: Inquiry, request: HttpRequest) -> dict[str, object]:
    fields = kept_fields(inquiry) if inquiry.company and is_owner(request.user, inquiry.company) else {}
    return {
        "verdict": inquiry.verdict,
        "result": shown(inquiry.verdict, inquiry.profile, inquiry.today),
        "not_asked": _not_asked(inquiry),
        "keep_fields": list(fields),
        "answers_query": written(inquiry.answers, company=str(inquiry.company.uid) if inquiry.company else ""),
        "start_again": inquiry.address([], what_if=False),
        "here": request.build_absolute_uri(inquiry.address(company="")),
    }


def _text_of(inquiry: Inquiry, fact: str) -> str:
    return questions.question(fact, [clause for clause in inquiry.clauses if clause.fact == fact]).text


def _given(inquiry: Inquiry) -> list[dict[str, str]]:
    """What was answered and counts, each with the address at which it can be changed; a company's data win over a link's answers."""
    return [
        {
            "question": _text_of(inquiry, answer.fact),
            "answer": wording.answer(answer.fact, answer.known) if answer.known else _("I don't know"),
            "url": inquiry.address(edit=answer.fact),
        }
        for answer in inquiry.answers
        if not answer.error and (answer.known is None or inquiry.profile.get(answer.fact) == answer.known)
    ]


def _own(inquiry: Inquiry) -> list[dict[str, str]]:
    """What the company's data say of what the rule asks for, each with the address at which another value can be tried."""
    return [
        {
            "question": _text_of(inquiry, fact),
            "answer": wording.answer(fact, inquiry.own[fact]),
            "url": inquiry.address(edit=fact, what_if=True),
        }
        for fact in facts_of(inquiry.rule)
        if fact in inquiry.own and inquiry.profile.get(fact) == inquiry.own[fact]
    ]


def _not_asked(inquiry: Inquiry) -> list[str]:
    """What the rule asks besides, and nobody had to answer."""
    settled = {answer.fact for answer in inquiry.answers} | inquiry.profile.keys()
    return list(dict.fromkeys(wording.requirement(clause) for clause in inquiry.clauses if clause.fact not in settled))

"""What a partner's words mean here: sectors, municipalities and the rest, with a proposal for each; confirmed, changed or passed over, many at once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages

from marketplace.companies import places, sectors
from marketplace.federation import mapping
from marketplace.federation.enums import MappingState, Scheme
from marketplace.federation.models import Mapping
from marketplace.federation.models.mapping import CHOICES

from .bulk import LONGEST_ID
from .partner_pages import PartnerManageMixin, PartnerPage

PAGE_SIZE = 50
#: Below this a proposal is more of a question.
SURE = 0.75


@dataclass(slots=True)
class Result:
    """What became of the ticked words: how many went well, and of the others the words, what was typed and why it does not go."""

    done: int = 0
    typed: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


class MappingView(PartnerManageMixin, PartnerPage):
    """Words of one kind and state, the most frequent first."""

    template_name = "console/partner_mapping.html"
    step = gettext_lazy("Its words and ours")

    @property
    def scheme(self) -> str:
        """For what the words on the page are."""
        asked = self.request.GET.get("scheme", "")
        if asked in Scheme.values:
            return asked
        first = Mapping.objects.filter(partner=self.partner, state=MappingState.PROPOSED).order_by("-times").first()
        return first.scheme if first else Scheme.SECTOR

    @property
    def state(self) -> str:
        """Those to be decided, unless others were asked for."""
        asked = self.request.GET.get("state", "")
        return asked if asked in MappingState.values else MappingState.PROPOSED

    def get_context_data(self, **context: object) -> dict:
        """The words with their fields."""
        scheme, state, result = self.scheme, self.state, context.pop("result", None) or Result()
        rows = Mapping.objects.filter(partner=self.partner, scheme=scheme, state=state).order_by("-times", "value").select_related("decided_by")
        page = Paginator(rows, PAGE_SIZE).get_page(self.request.GET.get("p"))
        counts = {(row["scheme"], row["state"]): row["n"] for row in _counted(self.partner)}
        return super().get_context_data(**context) | {
            "page": page,
            "words": [_word(row, result) for row in page],
            "scheme": scheme,
            "state": state,
            "schemes": [(value, label, counts.get((value, state), 0)) for value, label in Scheme.choices],
            "states": [(value, label, counts.get((scheme, value), 0)) for value, label in MappingState.choices],
            "choices": CHOICES.get(Scheme(scheme)),
            "suggestions": _suggestions(scheme),
        }

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        """The pressed button, for the ticked words; each by itself, so that one that does not go keeps no other."""
        act: Callable | None = {"confirm": self._confirm, "ignore": self._ignore, "reopen": self._reopen}.get(request.POST.get("act", ""))
        pks = [int(pk) for pk in request.POST.getlist("word")[:PAGE_SIZE] if pk.isdecimal() and len(pk) <= LONGEST_ID]
        words = list(Mapping.objects.filter(partner=self.partner, pk__in=pks))
        if act is None or not words:
            messages.error(request, _("Tick at least one word."))
            return redirect(request.get_full_path())
        result = Result()
        for word in words:
            seen = request.POST.get(f"seen-{word.pk}", "")
            try:
                act(word, int(seen) if seen.isdecimal() and len(seen) <= LONGEST_ID else 0)
            except ValidationError as error:
                result.errors[word.pk], result.typed[word.pk] = " ".join(error.messages), request.POST.get(f"meaning-{word.pk}", "")
            else:
                result.done += 1
        if result.done:
            said = ngettext(
                "%(n)d word is settled. The partner is read anew with it.", "%(n)d words are settled. The partner is read anew with them.", result.done
            )
            messages.success(request, said % {"n": result.done})
        if not result.errors:
            return redirect(request.get_full_path())
        messages.error(request, _("Some words are left: see what is marked."))
        return self.render_to_response(self.get_context_data(result=result), status=422)

    def _confirm(self, word: Mapping, seen: int) -> None:
        typed = self.request.POST.get(f"meaning-{word.pk}", "")
        mapping.confirm(word, _code(word.scheme, typed), seen=seen, by=self.request.user)

    def _ignore(self, word: Mapping, seen: int) -> None:
        mapping.ignore(word, seen=seen, by=self.request.user)

    def _reopen(self, word: Mapping, seen: int) -> None:
        mapping.reopen(word, seen=seen, by=self.request.user)


def _counted(partner: object) -> object:
    return Mapping.objects.filter(partner=partner).order_by().values("scheme", "state").annotate(n=Count("pk"))


def _word(row: Mapping, result: Result) -> dict[str, object]:
    shown = row.code if row.scheme in CHOICES else row.meaning
    return {
        "row": row,
        "value": result.typed.get(row.pk, shown),
        "error": result.errors.get(row.pk, ""),
        "percent": round(row.score * 100),
        "is_sure": row.score >= SURE,
    }


def _code(scheme: str, typed: str) -> str:
    """The code of what was typed or chosen: "2229 · Plastics", "2229", "22.29", "plastics"; "Terrassa". Raises ValidationError."""
    typed = typed.strip()
    if not typed:
        raise ValidationError(_("Write what the word means, or say that it says nothing to us."))
    if scheme == Scheme.SECTOR:
        return _sector_code(typed)
    if scheme == Scheme.PLACE:
        found = places.known().get(typed) or places.match(typed)
        if found is None:
            meant = ", ".join(like.name for like in places.like(typed)) or "–"
            raise ValidationError(_("We know no municipality “%(name)s”. Did you mean %(meant)s?") % {"name": typed[:80], "meant": meant})
        return found.pk
    return typed


def _sector_code(typed: str) -> str:
    code = typed.partition("·")[0].strip().replace(".", "").upper()
    if code in sectors.tree():
        return code
    found = sectors.find(typed, limit=4)
    if len(found) == 1:
        return found[0].code
    meant = ", ".join(f"{sector.code} · {sector.label}" for sector in found) or "–"
    raise ValidationError(_("“%(text)s” is not one sector. Did you mean %(meant)s?") % {"text": typed[:80], "meant": meant})


def _suggestions(scheme: str) -> list[str]:
    if scheme == Scheme.SECTOR:
        return [f"{sector.code} · {sector.label}" for sector in sectors.tree().values()]
    return sorted(place.name for place in places.known().values()) if scheme == Scheme.PLACE else []

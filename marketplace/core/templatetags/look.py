"""What the templates of the site need beside Django's own tags: icons, the frame's links, pages, charts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django import template
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import Resolver404, resolve, reverse, translate_url
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, override

register = template.Library()

# Elasticsearch answers no further than this (index.max_result_window); a page beyond it would be a link to an error.
DEEPEST_RESULT = 10_000

# Nearer than this a distance is told in metres, farther than that without decimals.
METRES_UNTIL, ONE_DECIMAL_UNTIL = 1000, 10


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A drawing of static/img/icons.svg; silent for screen readers unless it stands alone, with a `label`."""
    href = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', href)


@register.filter
def brand(name: str) -> SafeString:
    """The site's name with its last word in bold: Marketplace **Terrassa**."""
    first, _, last = name.rpartition(" ")
    return format_html("{} <b>{}</b>", first, last) if first else format_html("<b>{}</b>", last)


@register.filter
def kilometres(distance: float | None) -> str:
    """A distance for people: "600 m", "1,2 km", "34 km"; nothing for None."""
    if distance is None:
        return ""
    metres = max(round(distance * 10) * 100, 100)
    if metres < METRES_UNTIL:
        return f"{metres} m"
    # number_format cuts instead of rounding.
    kilometres = metres / 1000 if metres < 1000 * ONE_DECIMAL_UNTIL else round(distance)
    return f"{number_format(kilometres, 1 if kilometres % 1 else 0)} km"


@dataclass(frozen=True)
class LanguageLink:
    """One entry of the language switcher; `absolute` for <link rel="alternate">, empty where this page does not exist in the language."""

    code: str
    name: str
    url: str
    absolute: str
    current: bool


@register.simple_tag(takes_context=True)
def language_links(context: template.Context) -> list[LanguageLink]:
    """The page of this moment in every language of the site.

    A view whose page has other addresses in other languages (a Wagtail page and its translations) puts them into the context
    as `translations`, {code: address}; in a language that it does not name the page does not exist. From there, and from an address
    that exists in no language (404), the switcher leads to that language's home page.
    """
    request: HttpRequest = context["request"]
    known = context.get("translations") or _page_by_itself(request)
    return [_language_link(request, code, name, known) for code, name in settings.LANGUAGES]


def _language_link(request: HttpRequest, code: str, name: str, known: Mapping[str, str] | None) -> LanguageLink:
    here = code == get_language()
    if known and code not in known and not here:
        return LanguageLink(code, name, _home(code), "", current=False)
    url = (known or {}).get(code) or _translated(request, code)
    # Search engines get the page, not one visitor's query.
    path = urlsplit(url).path
    return LanguageLink(code, name, url, request.build_absolute_uri(path), current=here)


def _page_by_itself(request: HttpRequest) -> dict[str, str]:
    """For a Wagtail page, or one that is not there: its address is its own language's alone, and no pattern tells that of another."""
    match = getattr(request, "resolver_match", None)
    return {get_language(): request.path} if match and match.url_name == "wagtail_serve" else {}


def _home(code: str) -> str:
    with override(code):
        return reverse("wagtail_serve", args=[""])


def _translated(request: HttpRequest, code: str) -> str:
    # Only a GET can be repeated by following a link: after a refused form the link leads to the empty form.
    here = request.get_full_path() if request.method == "GET" else request.path
    try:
        resolve(request.path)
    except Resolver404:
        return _home(code)
    return translate_url(here, code)


@register.simple_tag(takes_context=True)
def current(context: template.Context, url: str, *, exact: bool = False) -> SafeString | str:
    """` aria-current="page"` when the request is for `url`, `"true"` when it is for something under it."""
    request = context.get("request")
    if request is None or not url:
        return ""
    if request.path == url:
        return format_html(' aria-current="{}"', "page")
    inside = not exact and request.path.startswith(url.rstrip("/") + "/")
    return format_html(' aria-current="{}"', "true") if inside else ""


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, *, number: int, total: int, page_size: int, target: str = "") -> dict[str, object]:
    """Links to the other pages of a list; nothing when there is only one. `target`: the id htmx fills instead of the page."""
    pages = Paginator(range(min(total, DEEPEST_RESULT)), page_size)
    last = pages.num_pages
    number = min(max(number, 1), last)
    numbers = pages.get_elided_page_range(number, on_each_side=1, on_ends=1) if last > 1 else []
    return {
        "query": context["request"].GET,
        "target": target,
        "number": number,
        "last": last,
        "previous": number - 1 if number > 1 else None,
        "next": number + 1 if number < last else None,
        "steps": [{"number": n, "here": n == number, "gap": n == Paginator.ELLIPSIS} for n in numbers],
    }


@dataclass(frozen=True)
class Bar:
    """One row of a bar chart: its place from the top in pixels and its length as a share of the drawing's width."""

    label: str
    value: float
    top: int
    share: float


BAR_ROW = 46


@register.inclusion_tag("components/bar_chart.html")
def bar_chart(*, title: str, rows: Iterable[Sequence], unit: str = "", label: str = "") -> dict[str, object]:
    """Horizontal bars as SVG, with the table behind them. `rows`: (label, value) pairs; `label`: what a row is, for the table."""
    rows = list(rows)
    largest = max((value for _, value in rows), default=0) or 1
    bars = [Bar(name, value, index * BAR_ROW, round(100 * max(value, 0) / largest, 2)) for index, (name, value) in enumerate(rows)]
    return {"title": title, "bars": bars, "unit": unit, "label": label, "height": len(bars) * BAR_ROW, "row": BAR_ROW}


@register.filter
def any_checked(options: Iterable[dict]) -> bool:
    """Whether one of a facet's options is ticked."""
    return any(option.get("checked") for option in options)


@register.filter
def marked(text: str, spans: Iterable[Sequence[int]]) -> SafeString:
    """`text` escaped, with <mark> around its `spans` [[start, end], …]; spans that overlap or leave the text are joined or cut."""
    pieces: list[tuple[str, str, str, str]] = []
    place = 0
    for start, end in _joined(spans, len(text)):
        pieces.append((text[place:start], "", "", ""))
        pieces.append(("", "<mark>", text[start:end], "</mark>"))
        place = end
    pieces.append((text[place:], "", "", ""))
    return format_html_join("", "{}{}{}{}", ((a, SafeString(b), c, SafeString(d)) for a, b, c, d in pieces))


def _joined(spans: Iterable[Sequence[int]], length: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted((max(int(s), 0), min(int(e), length)) for s, e in spans):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined

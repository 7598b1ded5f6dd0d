"""Pages for tests: make_page(NewsPage, index, date=…) is live, with what its kind cannot do without."""

import datetime
import itertools
import uuid
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image as Picture
from wagtail.images import get_image_model
from wagtail.models import Page

from cms.pages.models import (
    EventIndexPage,
    EventPage,
    FaqPage,
    FiguresPage,
    FormField,
    FormPage,
    GuideIndexPage,
    GuidePage,
    HomePage,
    NewsIndexPage,
    NewsPage,
    OfficeIndexPage,
    OfficePage,
    StandardPage,
)

_numbers = itertools.count(1)


def block(kind: str, value: Any) -> dict[str, Any]:
    """A block as it is stored."""
    return {"type": kind, "value": value, "id": str(uuid.uuid4())}


def heading(text: str, level: str = "h2", anchor: str = "") -> dict[str, Any]:
    return block("heading", {"text": text, "level": level, "anchor": anchor})


def text(html: str = "<p>Un paràgraf amb un <b>mot</b> en negreta.</p>") -> dict[str, Any]:
    return block("text", html)


def question(words: str = "Qui ho pot demanar?", answer: str = "<p>Qui tingui una empresa.</p>") -> dict[str, Any]:
    return {"type": "item", "value": {"question": words, "answer": answer}, "id": str(uuid.uuid4())}


def chapter(title: str, *body: dict[str, Any], anchor: str = "") -> dict[str, Any]:
    return block("chapter", {"title": title, "anchor": anchor, "body": list(body) or [text()]})


def week(days: str = "01234", opens: str = "09:00", closes: str = "14:00") -> dict[str, Any]:
    return block("week", {"days": list(days), "opens": opens, "closes": closes})


def special(first: str, last: str, *periods: tuple[str, str], note: str = "") -> dict[str, Any]:
    items = [{"type": "item", "value": {"opens": opens, "closes": closes}, "id": str(uuid.uuid4())} for opens, closes in periods]
    return block("special", {"first": first, "last": last, "note": note, "periods": items})


def home(language: str = "ca") -> HomePage:
    return HomePage.objects.get(locale__language_code=language)


def _event() -> dict[str, Any]:
    starts = timezone.now() + datetime.timedelta(days=7)
    return {
        "starts_at": starts,
        "ends_at": starts + datetime.timedelta(hours=2),
        "summary": "Una sessió per fer la sol·licitud.",
        "place": "Vapor Universitari",
    }


#: What each kind cannot do without.
NEEDED: dict[type[Page], Any] = {
    StandardPage: lambda: {"body": [text()]},
    GuidePage: lambda: {"lead": "Com es fa, pas a pas.", "chapters": [chapter("Abans de començar"), chapter("Els papers"), chapter("Després")]},
    NewsPage: lambda: {"summary": "Què ha passat.", "body": [text()]},
    EventPage: _event,
    OfficePage: lambda: {"summary": "Atenció a les empreses.", "street": "Carrer Major, 1", "postcode": "08221", "town": "Terrassa", "opening_hours": [week()]},
    FaqPage: lambda: {"groups": [block("group", {"title": "Ajuts", "anchor": "", "questions": [question()]})]},
    FormPage: lambda: {"thanks": "Et responem en dos dies.", "privacy": "Ho llegeix l'oficina per respondre't."},
}
#: Kinds that stand in a list of their own kind.
LISTS: dict[type[Page], type[Page]] = {NewsPage: NewsIndexPage, EventPage: EventIndexPage, OfficePage: OfficeIndexPage, GuidePage: GuideIndexPage}
KINDS = [*NEEDED, FiguresPage, *LISTS.values()]


def make_page(kind: type[Page], parent: Page | None = None, **fields: Any) -> Any:
    """A live page of `kind` below `parent`: by default the Catalan list of its kind, made where there is none, or the Catalan home page."""
    if parent is None:
        index = LISTS.get(kind)
        parent = (index.objects.filter(locale__language_code="ca").first() or make_page(index)) if index else home()
    number = next(_numbers)
    needed = NEEDED.get(kind, dict)()
    page = kind(**{"title": f"{kind._meta.verbose_name} {number}", "slug": f"p{number}", "locale": parent.locale} | needed | fields)
    parent.add_child(instance=page)
    page.save_revision().publish()
    page.refresh_from_db()
    return page


def make_form(parent: Page | None = None, **fields: Any) -> FormPage:
    """A form with a name, an address and a question."""
    page = make_page(FormPage, parent, **fields)
    for number, (label, field_type) in enumerate([("Nom", "singleline"), ("Correu", "email"), ("Pregunta", "multiline")]):
        FormField.objects.create(page=page, sort_order=number, label=label, field_type=field_type, clean_name="", required=True)
    return page


def make_image(title: str = "Una màquina de cosir", width: int = 1600, height: int = 900, **fields: Any) -> Any:
    """A picture of one colour."""
    file = ContentFile(b"", name="picture.png")
    Picture.new("RGB", (width, height), (15, 92, 77)).save(file, "PNG")
    file.seek(0)
    return get_image_model().objects.create(title=title, file=file, width=width, height=height, **fields)

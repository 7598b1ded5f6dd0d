"""The demo's offices, guides, news, events and questions: each a page from its line in `data/` and a language."""

import datetime
import json
from collections.abc import Callable, Mapping
from functools import cache
from itertools import groupby
from typing import Any

from django.utils import timezone
from wagtail.models import Page

from cms.media.models import Image
from cms.pages.models import EventIndexPage, EventPage, FaqPage, GuideIndexPage, GuidePage, NewsIndexPage, NewsPage, OfficeIndexPage, OfficePage, Topic

from . import pictures, texts, tree
from .city import DATA, rows

TOWN = "Terrassa"
PUBLISHED_AT = datetime.time(9, 30)
WEB = "https://inscripcions.example/"


@cache
def shared() -> dict[str, Any]:
    """What site.json holds: the sections, the topics, the groups of questions, and words that many pages share."""
    return json.loads((DATA / "site.json").read_text(encoding="utf-8"))


def images(progress: Callable[[int], object]) -> dict[str, Image]:
    """The site's pictures by name; those that are missing are drawn. Each tells `progress`."""
    said = {row["picture"]: row["texts"]["ca"]["alt"] for kind in KINDS for row in rows(kind)}
    there = {image.title: image for image in Image.objects.filter(title__in=[_title(name) for name in said])}
    found = {}
    for name, description in said.items():
        title = _title(name)
        found[name] = there.get(title) or Image.objects.create(title=title, file=pictures.draw(name), description=description)
        progress(1)
    return found


def _title(picture: str) -> str:
    return f"Demo: {picture}"


def topics() -> dict[str, Topic]:
    """The topics of news and events, by slug; those that are missing are made."""
    found = {}
    for slug, names in shared()["topics"].items():
        found[slug], _made = Topic.objects.get_or_create(slug=slug, defaults={f"name_{language}": text for language, text in names.items()})
    return found


# --- Pages ----------------------------------------------------------------------------------------------------------------


def section(kind: type[Page], language: str, name: str) -> Page:
    """The page that lists one of KINDS."""
    title, slug, lead = shared()["sections"][name][language]
    return kind(title=title, slug=slug, lead=lead, show_in_menus=True)


def faq(language: str) -> FaqPage:
    """All questions, by group."""
    title, slug, lead = shared()["faq"][language]
    groups = []
    for key, questions in groupby(rows("faq"), key=lambda row: row["group"]):
        pairs = [row["texts"][language] for row in questions]
        answered = [{"question": pair["question"], "answer": texts.paragraph(pair["answer"])} for pair in pairs]
        groups.append(texts.block("group", {"title": shared()["groups"][key][language], "questions": answered}))
    texts.name([group["value"] for group in groups], "title")
    return FaqPage(title=title, slug=slug, lead=f"{lead} {shared()['words']['faq'][language]}", groups=groups, show_in_menus=True)


def office(row: dict, language: str) -> OfficePage:
    """An office with its hours; one day in the coming weeks it is closed."""
    text, today = row["texts"][language], timezone.localdate()
    week = [texts.block("week", {"days": [str(day) for day in days], "opens": opens, "closes": closes}) for days, opens, closes in row["week"]]
    first, last = (str(today + datetime.timedelta(days=far)) for far in row["closed"])
    channels = [
        texts.block("phone", {"number": row["phone"], "note": text["phone_note"]}),
        texts.block("mail", {"address": row["email"], "note": text["mail_note"]}),
        texts.block("desk", {"note": text["desk_note"], "url": row["appointments"]}),
        texts.block("video", {"note": text["video_note"], "url": row["appointments"]}),
    ]
    return OfficePage(
        **_common(text), summary=text["summary"], street=row["street"], postcode=row["postcode"], town=TOWN, directions=text["directions"],
        latitude=row["latitude"], longitude=row["longitude"], channels=channels,
        opening_hours=[*week, texts.block("special", {"first": first, "last": last, "note": text["closed_note"], "periods": []})],
        services=[texts.block("service", {"title": what, "text": texts.paragraph(how), "page": None}) for what, how in text["services"]],
        body=[_notice("offices", language)],
    )  # fmt: skip


def guide(row: dict, language: str) -> GuidePage:
    """A guide; its first chapter says that it is an example."""
    text = row["texts"][language]
    chapters = [texts.block("chapter", {"title": one["title"], "body": texts.body(one["body"])}) for one in text["chapters"]]
    chapters[0]["value"]["body"].append(_notice("guides", language))
    texts.name([chapter["value"] for chapter in chapters], "title")
    return GuidePage(**_common(text), lead=text["lead"], chapters=chapters)


def news(row: dict, language: str) -> NewsPage:
    """A piece of news, with the way to the aid that it is about."""
    text, date = row["texts"][language], timezone.localdate() - datetime.timedelta(days=row["days_ago"])
    body = texts.body(text["body"])
    if "aid" in row:
        body.append(
            texts.block("button", {"text": shared()["words"]["to_aid"][language], "page": tree.find("aid", row["aid"])[language], "url": "", "quiet": False})
        )
    published = timezone.make_aware(datetime.datetime.combine(date, PUBLISHED_AT))
    return NewsPage(**_common(text), summary=text["summary"], date=date, body=[*body, _notice("news", language)], last_published_at=published)


def event(row: dict, language: str) -> EventPage:
    """An event, so many days from today."""
    text, day = row["texts"][language], timezone.localdate() + datetime.timedelta(days=row["in_days"])
    begins, ends = (timezone.make_aware(datetime.datetime.combine(day, datetime.time.fromisoformat(row[name]))) for name in ("from", "to"))
    return EventPage(
        **_common(text), summary=text["summary"], starts_at=begins, ends_at=ends, place=text.get("place", ""), address=text.get("address", ""),
        capacity=text["capacity"], online_url=row.get("online", ""), registration_url=row.get("registration", ""),
        body=[*texts.body(text["body"]), _notice("events", language)],
    )  # fmt: skip


def _common(text: Mapping[str, str]) -> dict[str, str]:
    return {"title": text["title"], "slug": texts.slug(text["title"]), "lead_image_alt": text["alt"]}


def _notice(kind: str, language: str) -> dict[str, Any]:
    return texts.callout("example", shared()["words"][kind][language])


#: By the name of their file: what lists them and what makes one. Offices come first, since aid names them.
KINDS: dict[str, tuple[type[Page], Callable[[dict, str], Page]]] = {
    "offices": (OfficeIndexPage, office),
    "guides": (GuideIndexPage, guide),
    "news": (NewsIndexPage, news),
    "events": (EventIndexPage, event),
}

"""The demo's aid: funders, and pages with their facts, calls and rules. Dates in `data/aid.jsonl` are days from today."""

import datetime
from collections.abc import Iterable, Mapping

from django.utils import timezone

from cms.aid import changes
from cms.aid.models import AidIndexPage, AidPage, Call, Funder, FunderRow, PlaceRow, RelatedRow, SectorRow
from marketplace.accounts.models import User
from marketplace.companies import places

from . import texts, tree
from .city import rows

COMARCA = "comarca:"
#: Aid was first published so many days before it was last checked.
BEFORE_THE_CHECK = 30
FACTS = ("kind", "beneficiaries", "sizes", "amount_min", "amount_max", "share_max", "budget", "review_days")


def funders() -> dict[str, Funder]:
    """Who pays, by key; those that are missing are made."""
    found = {}
    for row in rows("funders"):
        facts = {"level": row["level"], "url": row["url"], "name_es": row["names"]["es"], "name_en": row["names"]["en"]}
        found[row["key"]], _made = Funder.objects.get_or_create(name_ca=row["names"]["ca"], defaults=facts)
    return found


def load(row: dict, *, paid_by: Mapping[str, Funder], officers: Mapping[str, User]) -> list[AidPage]:
    """The versions of an aid that were not there yet; what is related to it comes later, by `relate`."""
    offices = tree.find("offices", row["office"])

    def make(language: str) -> AidPage:
        page = _page(row, language, [paid_by[key] for key in row["funders"]], officers)
        page.office_id = offices[language]
        return page

    made = tree.grow("aid", row["key"], below=AidIndexPage, make=make)
    codes = [code for name in row["places"] for code in _codes(name)]
    # One by one, as a part of their page, the rows of a whole comarca would take longer than all the rest.
    PlaceRow.objects.bulk_create(PlaceRow(page=page, place_id=code, sort_order=number) for page in made for number, code in enumerate(codes))
    return made


def relate(pages: Iterable[AidPage]) -> None:
    """Point these pages to the related aid of their language, and tell the change log that they are there."""
    pages = list(pages)
    related = {tree.key_of("aid", row["key"]): row["related"] for row in rows("aid")}
    for page in pages:
        targets = [tree.find("aid", key)[page.locale.language_code] for key in related[page.translation_key]]
        RelatedRow.objects.bulk_create(RelatedRow(page=page, aid_id=target, sort_order=number) for number, target in enumerate(targets))
    changes.append(*pages)


def _page(row: dict, language: str, funders: list[Funder], officers: Mapping[str, User]) -> AidPage:
    today, text, web = timezone.localdate(), row["texts"][language], funders[0].url
    reviewed = today - datetime.timedelta(days=row["reviewed"])
    page = AidPage(
        title=text["title"], slug=texts.slug(text["title"]), summary=text["summary"], body=texts.body(text["body"]),
        how_to_apply=texts.steps(text["how_to_apply"]), procedure_name=text["procedure"], procedure_url=f"{web}tramits/{row['key']}/",
        legal_base=text["legal_base"], legal_base_url=f"{web}normes/{row['key']}/" if text["legal_base"] else "",
        rules=texts.rules(row["rules"], today), contact_email=row["contact"]["email"], contact_phone=row["contact"]["phone"],
        officer=officers[row["officer"]], reviewed_on=reviewed, reviewed_by=officers["office"], is_example=True,
        last_published_at=_noon(reviewed), first_published_at=_noon(reviewed - datetime.timedelta(days=BEFORE_THE_CHECK)),
        **{name: row[name] for name in FACTS},
    )  # fmt: skip
    page.calls = [_call(call, today, web) for call in row["calls"]]
    page.funder_rows = [FunderRow(funder=funder) for funder in funders]
    page.sector_rows = [SectorRow(sector_id=code) for code in row["sectors"]]
    return page


def _call(told: dict, today: datetime.date, web: str) -> Call:
    days = {name: told.get(name) for name in ("opens", "deadline", "exhausted")}
    opens, deadline, exhausted = (None if far is None else today + datetime.timedelta(days=far) for far in days.values())
    number = told["number"]
    url = f"{web}convocatories/{number.lower()}/" if number else ""
    return Call(number=number, opens_on=opens, deadline=deadline, exhausted_on=exhausted, budget=told.get("budget"), url=url)


def _codes(name: str) -> list[str]:
    """A municipality's code as it is, or all of a comarca."""
    if not name.startswith(COMARCA):
        return [name]
    return [place.code for place in places.known().values() if place.comarca == name.removeprefix(COMARCA)]


def _noon(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(12)))

"""Aid pages below the finder that the migrations made."""

import datetime
import uuid
from typing import Any

from django.utils import timezone

from cms.aid.enums import Level
from cms.aid.models import AidIndexPage, AidPage, Call, Funder, FunderRow, PlaceRow, SectorRow


def finder(language: str = "ca") -> AidIndexPage:
    """The finder of a language."""
    return AidIndexPage.objects.get(locale__language_code=language)


def funder(name: str = "Ajuntament (exemple)", **fields: Any) -> Funder:
    """The funder of that name."""
    return Funder.objects.get_or_create(name_ca=name, defaults={"level": Level.MUNICIPAL, **fields})[0]


def make_aid(
    title: str = "Ajut a la digitalització",
    *,
    language: str = "ca",
    calls: list[dict[str, Any]] | None = None,
    funders: list[Funder] | None = None,
    sectors: list[str] | None = None,
    places: list[str] | None = None,
    live: bool = True,
    **fields: Any,
) -> AidPage:
    """A published aid page, as an editor makes it. `calls` are the fields of Call; one that is open for two months unless given."""
    today = timezone.localdate()
    if calls is None:
        calls = [{"opens_on": today - datetime.timedelta(days=10), "deadline": today + datetime.timedelta(days=60)}]
    page = AidPage(title=title, slug=fields.pop("slug", f"a-{uuid.uuid4().hex[:8]}"), live=False, **{"summary": "Ajut per a empreses.", **fields})
    page.calls = [Call(**call) for call in calls]
    page.funder_rows = [FunderRow(funder=one) for one in (funders if funders is not None else [funder()])]
    page.sector_rows = [SectorRow(sector_id=code) for code in sectors or []]
    page.place_rows = [PlaceRow(place_id=code) for code in places or []]
    finder(language).add_child(instance=page)
    if live:
        page.save_revision().publish()
        page.refresh_from_db()
    return page


def translate_aid(page: AidPage, language: str, title: str, **fields: Any) -> AidPage:
    """A published version in another language, with the same facts."""
    version = page.copy_for_translation(finder(language).locale)
    version.title, version.slug, version.draft_title = title, f"a-{uuid.uuid4().hex[:8]}", title
    for name, value in fields.items():
        setattr(version, name, value)
    version.save_revision().publish()
    version.refresh_from_db()
    return version

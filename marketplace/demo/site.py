"""Loads the demo's public site: aid, offices, guides, news, events and questions in three languages, and who looks after them.

Every page's translation key comes from its key in `data/`: a page that is there is left alone, so a second run changes nothing.
Dates are so many days from the day of loading. Everything is invented, and every page says so.
"""

from collections.abc import Callable, Mapping

from django.contrib.auth.models import Group
from django.db import transaction
from wagtail.models import Page

from cms.media.models import Image
from cms.pages.models import HomePage, Topic
from cms.pages.rules import EDITORS, OFFICERS
from marketplace.accounts.models import User

from . import aid, pictures, stories, tree
from .city import person, rows

EDITOR, OFFICER = "ajuts-redaccio@demo.example", "oae@demo.example"
#: The files in the order of their loading: aid names its office, news its aid.
FILES = ("offices", "aid", "guides", "news", "events")

Progress = Callable[[int], object]


def total() -> int:
    """Of how many steps `load` tells."""
    return len(pictures.PICTURES) + len(stories.KINDS) + sum(1 for file in FILES for _row in rows(file)) + 1


@transaction.atomic
def load(progress: Progress = lambda _: None) -> int:
    """Load what is not there yet and return how many pages that were; `progress` hears of every picture, section and line."""
    officers = {"editor": _member(EDITOR, "Redacció d’ajuts", EDITORS), "office": _member(OFFICER, "Oficina d’Atenció a l’Empresa", OFFICERS)}
    funders, images, topics = aid.funders(), stories.images(progress), stories.topics()
    made = _sections(progress)
    for file in FILES:
        new = []
        for row in rows(file):
            new += aid.load(row, paid_by=funders, officers=officers) if file == "aid" else _story(file, row, images, topics)
            progress(1)
        if file == "aid":
            aid.relate(new)
        made += len(new)
    return made


def _member(address: str, name: str, group: str) -> User:
    user = person(address, name, is_staff=False)
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user


def _sections(progress: Progress) -> int:
    made = 0
    for name, (kind, _make) in stories.KINDS.items():
        made += len(tree.grow("sections", name, below=HomePage, make=lambda language, kind=kind, name=name: stories.section(kind, language, name)))
        progress(1)
    made += len(tree.grow("sections", "faq", below=HomePage, make=stories.faq))
    progress(1)
    return made


def _story(file: str, row: dict, images: Mapping[str, Image], topics: Mapping[str, Topic]) -> list[Page]:
    index, make = stories.KINDS[file]

    def illustrated(language: str) -> Page:
        page = make(row, language)
        page.lead_image = images[row["picture"]]
        if "topics" in row:
            page.topics = [topics[slug] for slug in row["topics"]]
        return page

    return tree.grow(file, row["key"], below=index, make=illustrated)

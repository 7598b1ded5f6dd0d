"""The demo's public site: whole in three languages, loaded once, with aid in every state and rules that tell companies apart."""

import json
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.utils import timezone
from wagtail.models import Page, ReferenceIndex

from cms.aid.documents import uid_of
from cms.aid.eligibility import blocks, evaluation, profile
from cms.aid.eligibility.rules import rule_of
from cms.aid.eligibility.truth import Truth
from cms.aid.enums import Kind, State
from cms.aid.models import AidPage
from cms.media.models import Image
from cms.pages.models import EventPage, FaqPage, GuidePage, NewsPage, OfficePage
from cms.pages.rules import EDITORS, OFFICERS
from marketplace.accounts.models import User
from marketplace.companies.models import Company
from marketplace.core.models import Change
from marketplace.demo import city, pictures, site, stories, tree

LANGUAGES = tree.LANGUAGES
FILES = ("aid", "offices", "guides", "news", "events", "faq")
KINDS = {"aid": AidPage, "offices": OfficePage, "guides": GuidePage, "news": NewsPage, "events": EventPage}
PARTS = {"heading", "text", "list", "callout"}
COMPANY = "coworking-llancadora"
#: What this company can have, and what it cannot have and why, by nothing but what it has told of itself. All other aid has questions for it.
CAN_HAVE = {"obre-segur", "estalvi-energia", "assessorament-tresoreria", "espais-compartits"}
CANNOT_HAVE = {
    "adapta-produccio", "botiga-en-linia", "cooperatives-inclusio", "curs-idiomes-feina", "curs-vendre-mobil", "maquina-nova", "nova-empresa",
    "premi-botiga", "primera-exportacio", "prova-laboratori", "reforc-cures", "repartiment-net", "residu-recurs", "xec-autonoms",
}  # fmt: skip
#: Small words that the language has and the two others have not.
TELLING = {
    "ca": {"amb", "els", "què", "més", "és", "dels", "tens", "aquest", "ajut", "ajuts"},
    "es": {"y", "qué", "más", "tienes", "puedes", "ayuda", "ayudas", "muy"},
    "en": {"the", "and", "you", "with", "your", "for", "of", "to", "is"},
}


@pytest.fixture
def loaded(db, settings, tmp_path):
    """The site, one company of the city, and of how many steps the progress was told."""
    settings.MEDIA_ROOT = tmp_path
    city._company(next(row for row in city.rows("companies") if row["key"] == COMPANY))
    steps = []
    site.load(steps.append)
    return steps


def strings(value: object) -> Iterator[str]:
    """Every text in a line of `data/`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())


def shape(text: dict) -> dict:
    """How a text is built: which parts it has, and in lists how many of each."""
    return {name: [_kind(part) for part in value] if isinstance(value, list) else bool(value) for name, value in text.items()}


def _kind(part: object) -> str:
    return part[0] if isinstance(part, list) and part[0] in PARTS else type(part).__name__


def key_of(page: Page, kind: str = "aid") -> str:
    keys = {tree.key_of(kind, row["key"]): row["key"] for row in city.rows(kind)}
    return keys[page.translation_key]


# --- Texts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
def test_every_text_is_there_in_three_languages_and_built_alike(file):
    for row in city.rows(file):
        assert tuple(row["texts"]) == LANGUAGES, row["key"]
        ca, es, en = (shape(text) for text in row["texts"].values())
        assert ca == es == en, row["key"]
        # Advice and prizes have no law to name.
        empty = {name for text in row["texts"].values() for name, value in text.items() if not all(strings(value))}
        assert empty <= {"legal_base"}, row["key"]


@pytest.mark.parametrize("file", FILES)
def test_no_text_has_words_of_another_language(file):
    seen = {language: set() for language in LANGUAGES}
    for row in city.rows(file):
        for language, text in row["texts"].items():
            found = set(words(" ".join(strings(text))))
            seen[language] |= found
            for other in set(LANGUAGES) - {language}:
                assert not found & TELLING[other], (row["key"], language)
    assert all(len(seen[language] & TELLING[language]) > 3 for language in LANGUAGES)


def test_aid_texts_are_long_enough_to_help_and_short_enough_to_read():
    for row in city.rows("aid"):
        for language, text in row["texts"].items():
            length = len(words(" ".join(strings([text["body"], text["how_to_apply"]]))))
            assert 120 <= length <= 250, (row["key"], language, length)
            assert 3 <= len(text["how_to_apply"]) <= 5
            sentences = [one for part in strings([text["body"], text["how_to_apply"]]) for one in re.split(r"[.:!?] ", part)]
            assert max(len(words(sentence)) for sentence in sentences) <= 30, (row["key"], language)


def test_everything_says_that_it_is_an_example():
    assert all("(exemple)" in row["names"]["ca"] and "(example)" in row["names"]["en"] for row in city.rows("funders"))
    assert set(stories.shared()["words"]) >= {*stories.KINDS, "faq"}
    known = [text for row in city.rows("aid") for text in strings([row["contact"], row["related"]])]
    assert all(address.endswith("@demo.example") for address in known if "@" in address)


# --- Pages --------------------------------------------------------------------------------------------------------------


def test_site_is_whole_and_a_second_load_changes_nothing(loaded):
    assert sum(loaded) == site.total()
    for file, kind in KINDS.items():
        languages = Counter(kind.objects.live().values_list("locale__language_code", flat=True))
        assert languages == dict.fromkeys(LANGUAGES, sum(1 for _row in city.rows(file))), file
        keys = Counter(kind.objects.values_list("translation_key", flat=True))
        assert set(keys.values()) == {len(LANGUAGES)}, file
    assert FaqPage.objects.count() == len(LANGUAGES)
    assert AidPage.objects.filter(is_example=True).count() == AidPage.objects.count() == 75
    assert set(Image.objects.values_list("title", flat=True)) == {f"Demo: {name}" for name in pictures.PICTURES}
    assert all(page.lead_image and page.lead_image_alt for kind in (OfficePage, GuidePage, NewsPage, EventPage) for page in kind.objects.all())
    for address, group in ((site.EDITOR, EDITORS), (site.OFFICER, OFFICERS)):
        assert [one.name for one in User.objects.get(email=address).groups.all()] == [group]

    changed = set(Change.objects.filter(kind="aid").values_list("uid", flat=True))
    assert changed == {uid_of(page) for page in AidPage.objects.select_related("locale")}
    assert Page.find_problems() == ([], [], [], [], [])

    tables = [Page, AidPage, Image, User, ReferenceIndex, Change]
    before = [model.objects.count() for model in tables], list(Page.objects.order_by("pk").values("pk", "path", "latest_revision_created_at", "title"))
    assert site.load() == 0
    assert (
        [model.objects.count() for model in tables],
        list(Page.objects.order_by("pk").values("pk", "path", "latest_revision_created_at", "title")),
    ) == before


def test_what_is_missing_in_one_language_is_loaded_again(loaded):
    page = NewsPage.objects.filter(locale__language_code="es").first()
    key, title = page.translation_key, page.title
    page.delete()
    assert site.load() == 1
    assert NewsPage.objects.get(translation_key=key, locale__language_code="es").title == title


def test_aid_comes_in_every_state_and_kind_and_its_rules_tell_companies_apart(loaded):
    today = timezone.localdate()
    known = profile.profile_of(Company.objects.select_related("sector", "place").get())
    aid = list(AidPage.objects.filter(locale__language_code="ca").prefetch_related("calls", "sector_rows", "place_rows", "related_rows__aid"))
    assert {page.state for page in aid} == set(State)
    assert {page.kind for page in aid} == set(Kind.values)
    overdue = [page for page in aid if page.review_due_on < today]
    assert 2 <= len(overdue) <= 5

    verdicts: dict[Truth, set[str]] = {truth: set() for truth in Truth}
    for page in aid:
        page.full_clean()
        for call in page.calls.all():
            call.full_clean(exclude=["page"])
        rule = rule_of(page)
        assert not blocks.problem(rule, today), page.title
        assert len(blocks.RULES_BLOCKS.clean(page.rules)) == len(_row(page)["rules"])
        assert {related.aid.locale_id for related in page.related_rows.all()} == {page.locale_id}
        verdict = evaluation.evaluate(rule, known, today)
        assert verdict.deciding or verdict.answer is Truth.YES
        verdicts[verdict.answer].add(key_of(page))
    assert verdicts[Truth.YES] == CAN_HAVE
    assert verdicts[Truth.NO] == CANNOT_HAVE


def test_blocks_are_such_as_the_editors_form_would_keep(loaded):
    streams = {AidPage: ("body", "how_to_apply"), OfficePage: ("body", "opening_hours", "channels", "services"), GuidePage: ("chapters",)}
    streams |= {NewsPage: ("body",), EventPage: ("body",), FaqPage: ("groups",)}
    for kind, names in streams.items():
        for page in kind.objects.filter(locale__language_code="ca"):
            for name in names:
                stream = getattr(page, name)
                list(stream)
                before = _without_keys(stream.get_prep_value())
                assert _without_keys(stream.stream_block.get_prep_value(stream.stream_block.clean(stream))) == before, (page.title, name)


def test_every_page_can_be_read(loaded, client):
    pages = list(Page.objects.live().filter(depth__gt=1).specific())
    assert len(pages) > 150
    for page in pages:
        response = client.get(page.get_url())
        assert response.status_code == 200, page.url
        assert page.title in response.content.decode(), page.url


def _without_keys(stream: list) -> str:
    """What a stream holds, without the names that Wagtail gives to its parts."""
    return re.sub(r' data-block-key=\\"\w+\\"|"id": ("[\w-]+"|null)', "", json.dumps(stream, default=str))


def _row(page: AidPage) -> dict:
    key = key_of(page)
    return next(row for row in city.rows("aid") if row["key"] == key)

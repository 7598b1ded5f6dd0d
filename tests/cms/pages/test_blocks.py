"""The blocks of our texts: what they print, and what they do not accept."""

import importlib
import re

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from wagtail.blocks.stream_block import StreamBlockValidationError
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.documents import get_document_model

from cms.pages import anchors
from cms.pages.blocks import BodyBlock, ButtonBlock, PictureBlock, TableBlock
from cms.pages.models import GuidePage, NewsPage, StandardPage
from cms.pages.models.faq import GroupsBlock
from tests.cms.pages.factories import block, chapter, heading, make_image, make_page, question, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    """Messages are those of the code, whatever their translations say; pages speak the language of their address."""
    with translation.override("en"):
        yield


def cleaned(*blocks: dict):
    stream = BodyBlock()
    return stream.clean(stream.to_python(list(blocks)))


def item(value) -> dict:
    return {"type": "item", "value": value, "id": None}


TABLE = {
    "data": [["Mida", "Màxim"], ["Fins a 5 persones", "3.000 €"]],
    "first_row_is_table_header": True,
    "first_col_is_header": True,
    "table_header_choice": "both",
    "table_caption": "Imports",
}


def every_block() -> list[dict]:
    image = make_image()
    document = get_document_model().objects.create(title="Model", file="documents/model.pdf", file_size=18_000)
    return [
        heading("Primera part"),
        text(),
        block("steps", {"title": "Passos", "steps": [item({"title": "Omple-ho", "text": "<p>En línia.</p>"}), item({"title": "Espera", "text": ""})]}),
        *(block("callout", {"kind": kind, "title": "", "text": "<p>Compte.</p>"}) for kind in ("info", "warning", "example")),
        block("quote", {"text": "Va anar bé.", "who": "Anna", "role": "Forn"}),
        block("picture", {"image": {"image": image.pk, "alt_text": "Un taller", "decorative": False}, "caption": "El taller", "credit": "Arxiu"}),
        block("document", {"document": document.pk, "title": "", "language": "ca"}),
        block("button", {"text": "Comença", "page": None, "url": "https://example.org/", "quiet": False}),
        block("table", TABLE),
        block("questions", {"title": "Preguntes", "questions": [question(), question("I després?")]}),
        block("figures", {"figures": [item({"number": "86 %", "label": "concedides"})], "source": "Oficina"}),
        block("contact", {"name": "Oficina", "role": "", "phone": "93 739 70 00", "email": "oae@city.example", "hours": "Matins"}),
        block("video", {"title": "Com es fa", "url": "https://example.org/v", "minutes": 6, "language": "ca", "subtitles": "castellà"}),
    ]


def test_every_block_prints_what_it_holds(client):
    page = make_page(NewsPage, body=every_block())
    html = client.get(page.get_url()).content.decode()
    assert '<h2 id="primera-part">Primera part</h2>' in html
    assert '<p class="step-title">Omple-ho</p>' in html
    assert re.search(r'<img src="[^"]+"[^>]*alt="Un taller"', html)
    assert re.search(r"Model</a> <span[^>]*>PDF · 17[,.]6", html)
    assert "<caption>Imports</caption>" in html
    assert '<th scope="col">Màxim</th>' in html
    assert '<th scope="row">Fins a 5 persones</th>' in html
    assert "<summary>I després?</summary>" in html
    assert 'href="tel:+34937397000"' in html
    assert "Com es fa" in html
    # The content security policy forbids both, and the page of an editor holds neither.
    assert " style=" not in html
    assert "<iframe" not in html


def test_everything_an_editor_writes_is_escaped(client):
    hostile = '<img src=x onerror="alert(1)">'
    page = make_page(
        NewsPage,
        title=hostile,
        summary=hostile,
        body=[
            heading(hostile),
            block("quote", {"text": hostile, "who": hostile, "role": hostile}),
            block("table", TABLE | {"data": [["", hostile], [hostile, hostile]]}),
        ],
    )
    assert hostile not in client.get(page.get_url()).content.decode()


def test_headings_get_anchors_when_they_are_saved():
    stream = cleaned(heading("Qui ho pot demanar?"), heading("Qui ho pot demanar?"), heading("¿?"), heading("Altres", anchor="mes"))
    assert [one.value["anchor"] for one in stream] == ["qui-ho-pot-demanar", "qui-ho-pot-demanar-2", "section", "mes"]


def test_given_anchor_is_never_taken_by_another_heading():
    assert anchors.filled(["", "passos", ""], ["Passos", "Altres", "Passos"]) == ["passos-2", "passos", "passos-3"]


def test_same_anchor_twice_is_refused_at_both_headings():
    with pytest.raises(StreamBlockValidationError) as caught:
        cleaned(heading("Un", anchor="lloc"), text(), heading("Dos", anchor="lloc"), heading("Tres", anchor="altre"))
    assert set(caught.value.block_errors) == {0, 2}
    assert "same name for links" in str(caught.value.block_errors[2].block_errors["anchor"])


def test_anchor_is_a_word_for_an_address():
    with pytest.raises(StreamBlockValidationError):
        cleaned(heading("Un", anchor="amb espais"))


def test_picture_without_description_is_refused_unless_it_decorates():
    image = make_image()
    block_of = PictureBlock()

    def clean(**words):
        return block_of.clean(block_of.to_python({"image": {"image": image.pk, **words}, "caption": "", "credit": ""}))

    with pytest.raises(StructBlockValidationError):
        clean(alt_text="", decorative=False)
    assert clean(alt_text="Un taller", decorative=False)["image"].contextual_alt_text == "Un taller"
    assert clean(alt_text="", decorative=True)["image"].contextual_alt_text == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table_caption": " "}, "caption"),
        ({"table_header_choice": "column"}, "first row"),
        ({"data": [["Mida", ""], ["a", "b"]]}, "Every column needs a name"),
    ],
)
def test_table_that_a_screen_reader_cannot_tell_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        TableBlock().clean(TABLE | change)
    assert TableBlock().clean(dict(TABLE))["table_caption"] == "Imports"


def test_table_comes_back_translated():
    table = TableBlock()
    segments = table.get_translatable_segments(TABLE)
    assert [(segment.path, segment.string.data) for segment in segments] == [
        ("caption", "Imports"), ("0-0", "Mida"), ("0-1", "Màxim"), ("1-0", "Fins a 5 persones"), ("1-1", "3.000 €"),
    ]  # fmt: skip
    assert table.restore_translated_segments(TABLE, segments) == TABLE


@pytest.mark.parametrize("targets", [{}, {"page": True, "url": "https://example.org/"}])
def test_button_leads_to_one_place(targets):
    page = make_page(StandardPage)
    value = {"text": "Endavant", "page": page.pk if targets.get("page") else None, "url": targets.get("url", ""), "quiet": False}
    block_of = ButtonBlock()
    with pytest.raises(StructBlockValidationError) as caught:
        block_of.clean(block_of.to_python(value))
    assert "Choose one of both" in str(caught.value.block_errors["url"])


def test_group_without_a_question_is_refused():
    stream = GroupsBlock()
    with pytest.raises(StreamBlockValidationError) as caught:
        stream.clean(stream.to_python([block("group", {"title": "Ajuts", "anchor": "", "questions": []})]))
    assert 0 in caught.value.block_errors


def test_chapters_with_the_same_name_in_the_address_are_refused():
    page = make_page(GuidePage)
    stream = page.chapters.stream_block
    with pytest.raises(StreamBlockValidationError) as caught:
        stream.clean(stream.to_python([chapter("Un", anchor="lloc"), chapter("Dos", anchor="lloc")]))
    assert set(caught.value.block_errors) == {0, 1}


def test_texts_from_before_the_blocks_keep_every_word():
    """What migration 0003 makes of the rich text there was, and back."""
    migration = importlib.import_module("cms.pages.migrations.0003_page_kinds")
    html = "<p>Abans.</p>\n<h2>Qui &amp; què</h2>\n<p>Un <b>mot</b>.</p><ul><li>a</li></ul>\n<h3>Més</h3><h2>Qui &amp; què</h2>"
    blocks = migration.blocks(html)
    assert [
        (one["type"], one["value"] if one["type"] == "text" else (one["value"]["level"], one["value"]["text"], one["value"]["anchor"])) for one in blocks
    ] == [
        ("text", "<p>Abans.</p>"),
        ("heading", ("h2", "Qui & què", "qui-que")),
        ("text", "<p>Un <b>mot</b>.</p><ul><li>a</li></ul>"),
        ("heading", ("h3", "Més", "mes")),
        ("heading", ("h2", "Qui & què", "qui-que-2")),
    ]
    assert migration.html_of(blocks).replace("\n", "") == html.replace("\n", "")


def test_legal_pages_are_made_of_blocks():
    for page in StandardPage.objects.all():
        assert {one.block_type for one in page.body} == {"heading", "text"}


def test_migrations_do_not_repeat_the_blocks():
    """A new help text of a block must not ask every app for a migration."""
    _name, path, args, kwargs = NewsPage._meta.get_field("body").deconstruct()
    assert (path, args) == ("cms.pages.fields.BodyField", [[]])
    assert "block_lookup" not in kwargs

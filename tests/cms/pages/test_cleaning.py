"""What comes from a word processor comes out clean. The sample is in the shape of its clipboard and written for this test."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter

from cms.pages.blocks import TextBlock
from cms.pages.cleaning import FEATURES, tidy

pytestmark = pytest.mark.django_db
SAMPLE = (Path(__file__).parent / "word_clipboard.html").read_text()
CLEAN = (
    "<p>Convocatòria <b>2026</b> per a comerços</p>"
    '<p>Poden demanar-la empreses <i>de la ciutat</i> que tinguin menys de 10 persones. Llegiu les <a href="https://example.org/bases">bases</a>.</p>'
    "<ul><li>NIF de l’empresa</li><li>Pressupost <b>signat</b></li></ul>"
    "<p>Passos:</p>"
    "<ol><li>Omplir la sol·licitud</li><li>Esperar la resposta</li></ol>"
    "<p>Import</p><p>Percentatge</p>"
)


def without_keys(html: str) -> str:
    """The editor gives every paragraph a key of its own."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(attrs={"data-block-key": True}):
        del tag["data-block-key"]
    return "".join(line.strip() for line in str(soup).splitlines())


def test_word_processor_leaves_nothing_but_its_meaning():
    assert without_keys(tidy(SAMPLE)) == CLEAN


def test_editors_own_list_alone_would_not_do():
    """The converter keeps to its features, but it stumbles over a whole clipboard, and what looks like a list stays a paragraph."""
    converter = ContentstateConverter(features=FEATURES)
    with pytest.raises(AssertionError, match="Unmatched tags"):
        converter.from_database_format(SAMPLE)
    fragment = "<p class=MsoListParagraph><span>·<span>&nbsp;&nbsp; </span></span>NIF</p>"
    assert "<ul>" not in converter.to_database_format(converter.from_database_format(fragment))
    assert without_keys(tidy(fragment)) == "<ul><li>NIF</li></ul>"


def test_block_is_clean_once_it_is_saved():
    block = TextBlock()
    block.set_name("text")
    assert without_keys(block.clean(block.to_python(SAMPLE)).source) == CLEAN


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("", ""),
        ("<p>&nbsp;</p><p><br></p>", ""),
        ("<p>3. fila del teatre</p>", "<p>3. fila del teatre</p>"),
        ("<p>o bé demà</p>", "<p>o bé demà</p>"),
        ("<p>Hola <script>alert(1)</script>món</p>", "<p>Hola món</p>"),
        ('<p><a href="javascript:alert(1)">aquí</a></p>', "<p>aquí</p>"),
        ('<p onclick="x()" style="color:red">Net</p>', "<p>Net</p>"),
        ('<p>Mira <a linktype="page" id="1">la pàgina</a></p>', '<p>Mira <a id="1" linktype="page">la pàgina</a></p>'),
        ("<p>a<b> </b>b</p>", "<p>a b</p>"),
    ],
)
def test_small_pieces(html, clean):
    assert without_keys(tidy(html)) == clean


def test_tidying_twice_changes_nothing():
    once = tidy(SAMPLE)
    assert without_keys(tidy(once)) == without_keys(once)

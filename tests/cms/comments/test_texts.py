import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.comments import texts


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Bon dia a tothom", 0),
        ("Mireu https://a.example i http://b.example/x?y=1", 2),
        ("www.c.example", 1),
        ("escriviu a anna@firm.example", 1),
        ("[url=http://spam.example]compra[/url]", 1),
        ("barat.example/compra ara", 1),
        ("HTTPS://A.EXAMPLE https:/b.example", 2),
        ("Costa 1.500 euros. L'art. 3.2 ho diu.", 0),
    ],
)
def test_links_are_counted(text, links):
    assert texts.count_links(text) == links


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\n\n\n \n\nb", "a\n\nb"),
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("a\x00b\x07c", "abc"),
        ("  text \n", "text"),
        ("Z" + "\u0301" * 40 + "algo", "Ź" + "\u0301" * 3 + "algo"),
        ("col·lecció d’ajuts 😀 👩‍🔧", "col·lecció d’ajuts 😀 👩‍🔧"),
    ],
)
def test_text_is_cleaned(dirty, clean):
    assert texts.clean(dirty) == clean


def test_fingerprint_ignores_capitals_spaces_and_signs():
    assert texts.fingerprint("Compra ara, és MOLT barat!") == texts.fingerprint("compra  ara és molt barat")
    assert texts.fingerprint("Compra ara, és molt barat") != texts.fingerprint("Compra ara, és molt car...")


def test_short_texts_have_no_fingerprint():
    assert texts.fingerprint("Moltes gràcies!") == ""


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        'https://a.example/"onmouseover="alert(1)',
        "https://a.example/<script>alert(1)</script>",
        "javascript:alert(1)",
        "<a href='https://a.example'>aquí</a>",
    ],
)
def test_markup_stays_text(text, links):
    html = texts.as_html(text, links=links)
    for tag in ("<script", "<img", "<a href='", "javascript:alert(1)'", ' onmouseover="', '"onmouseover'):
        assert tag not in html


@given(st.text(), st.booleans())
def test_nothing_but_our_own_tags_comes_out(text, links):
    html = texts.as_html(text, links=links)
    for part in html.split("<")[1:]:
        assert part.startswith(("p>", "/p>", "br>", 'a href="', "/a>"))


def test_links_are_followed_only_once_approved():
    text = "Mireu https://a.example/x?a=1&b=2"
    assert "<a " not in texts.as_html(text, links=False)
    assert texts.as_html(text, links=True) == (
        '<p>Mireu <a href="https://a.example/x?a=1&amp;b=2" rel="nofollow ugc noopener">https://a.example/x?a=1&amp;b=2</a></p>'
    )


def test_addresses_of_mailboxes_are_never_links():
    assert "<a " not in texts.as_html("anna@firm.example", links=True)


def test_lines_and_paragraphs_are_kept():
    assert texts.as_html("a\nb\n\nc", links=False) == "<p>a<br>b</p>\n\n<p>c</p>"

"""Rich text as we keep it: what comes from a word processor loses everything but its meaning."""

import re
from collections.abc import Sequence

from bs4 import BeautifulSoup, Comment, NavigableString, Tag
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter

#: What a paragraph may hold. Headings are blocks of their own, so that they have an anchor and stand in the table of contents.
FEATURES = ["bold", "italic", "link", "document-link", "ol", "ul"]
#: What is no text, though parsers of HTML may take it for some.
NO_TEXT = ("style", "script", "xml", "head", "title", "meta", "link")
#: A word processor's conditions: neither a tag nor a comment, and parsers stumble over them.
CONDITION = re.compile(r"<!\[(?:if|endif)[^>]*>", re.IGNORECASE)
SPACES = re.compile(r"[ \t\r\n\f\u00a0\u2007\u202f\u200b\ufeff]+")
#: A word processor writes lists as paragraphs that begin with a sign of its symbol font.
BULLET = re.compile(r"^[\s\u00a0]*(?:[·•▪◦‣§o\uf0b7\uf0a7]|[-–—](?=[\s\u00a0]))[\s\u00a0]+")
NUMBER = re.compile(r"^[\s\u00a0]*\(?\d{1,2}[.)][\s\u00a0]+")
LIST_CLASS = re.compile("MsoListParagraph")


def tidy(html: str, features: Sequence[str] = FEATURES) -> str:
    """`html` with nothing in it but `features`: no styles, no empty paragraphs, lists that are lists."""
    if not html.strip():
        return ""
    soup = BeautifulSoup(CONDITION.sub("", html), "html.parser")
    _drop_what_is_no_text(soup)
    _styles_to_tags(soup)
    _lists(soup)
    converter = ContentstateConverter(features=list(features))
    # There and back: the editor's own list of what is allowed decides.
    clean = BeautifulSoup(converter.to_database_format(converter.from_database_format(str(soup))), "html.parser")
    _single_spaces(clean)
    _drop_empty(clean)
    return str(clean).strip()


def _drop_what_is_no_text(soup: BeautifulSoup) -> None:
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    # With a prefix are the word processor's own (o:p, w:sdt, v:shape).
    for tag in soup.find_all(lambda tag: tag.name in NO_TEXT or ":" in tag.name):
        if tag.parent is None:
            continue  # Gone with the one around it.
        if tag.name in NO_TEXT:
            tag.extract()
        else:
            tag.unwrap()


def _styles_to_tags(soup: BeautifulSoup) -> None:
    """What a style says and a tag can say too: bold and italic."""
    for span in soup.find_all("span", style=True):
        style = span["style"].replace(" ", "").lower()
        for says, name in (("font-weight:bold", "b"), ("font-weight:700", "b"), ("font-style:italic", "i")):
            if says in style:
                span.wrap(soup.new_tag(name))
    for tag in soup.find_all(True):
        for name in [name for name in tag.attrs if name not in ("href", "linktype", "id")]:
            if not (name == "class" and LIST_CLASS.search(" ".join(tag["class"]))):
                del tag[name]


def _lists(soup: BeautifulSoup) -> None:
    """Paragraphs that only look like a list become one."""
    current: Tag | None = None
    for paragraph in soup.find_all("p"):
        kind = _list_kind(paragraph)
        if kind is None:
            current = None
            continue
        if current is None or current.name != kind or _next_tag(current) is not paragraph:
            current = soup.new_tag(kind)
            paragraph.insert_before(current)
        paragraph.name = "li"
        paragraph.attrs = {}
        current.append(paragraph.extract())


def _next_tag(tag: Tag) -> Tag | None:
    following = tag.next_sibling
    while isinstance(following, NavigableString) and not following.strip():
        following = following.next_sibling
    return following


def _list_kind(paragraph: Tag) -> str | None:
    """The list that a paragraph belongs to: "ul", "ol" or None. Takes its sign away."""
    text = paragraph.get_text()
    marked = LIST_CLASS.search(" ".join(paragraph.get("class", [])))
    for pattern, kind in ((BULLET, "ul"), (NUMBER, "ol")):
        sign = pattern.match(text)
        # A plain paragraph may well begin with "o " or "3. "; a sign of a symbol font is always a list.
        if sign and (marked or (kind == "ul" and sign[0].strip() in "·•▪◦‣\uf0b7\uf0a7")):
            _cut(paragraph, len(sign[0]))
            return kind
    return None


def _cut(tag: Tag, length: int) -> None:
    """The first `length` characters, across the tags that hold them."""
    for text in list(tag.find_all(string=True)):
        if length <= 0:
            return
        taken = min(length, len(text))
        text.replace_with(NavigableString(text[taken:]))
        length -= taken


def _single_spaces(soup: BeautifulSoup) -> None:
    for text in list(soup.find_all(string=True)):
        text.replace_with(NavigableString(SPACES.sub(" ", text)))


def _drop_empty(soup: BeautifulSoup) -> None:
    for link in soup.find_all(lambda tag: tag.name == "a" and not (tag.get("href") or tag.get("linktype"))):
        link.unwrap()  # Its address was one that we do not keep.
    for tag in reversed(soup.find_all(["p", "li", "ul", "ol", "b", "i", "a"])):
        if not tag.get_text(strip=True) and not tag.find(["img", "embed"]):
            # A bold space between two words is still a space.
            if tag.name in ("b", "i", "a"):
                tag.unwrap()
            else:
                tag.decompose()

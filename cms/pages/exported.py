"""A page's text for other programs: HTML that means something without our styles, and the same as plain words."""

import re

from bs4 import BeautifulSoup, Comment, Tag

from marketplace.rest.links import absolute

#: What stays, with the attributes that stay. Of anything else only what is inside does.
KEPT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("h2", "h3", "h4", "p", "ul", "ol", "li", "b", "strong", "i", "em", "br", "blockquote", "figure", "figcaption", "cite"), ()),
    **dict.fromkeys(("table", "caption", "thead", "tbody", "tr", "dl", "dt", "dd"), ()),
    **dict.fromkeys(("th", "td"), ("scope", "colspan", "rowspan")),
    "a": ("href", "hreflang"),
    "img": ("src", "alt", "width", "height"),
}
#: Gone with all that is in them: pictures that only decorate, what only works on a page.
DROPPED = ("svg", "script", "style", "form", "button", "input", "select", "template", "noscript", "source", "iframe", "video", "audio")
BLOCKS = ("h2", "h3", "h4", "p", "ul", "ol", "li", "blockquote", "figure", "figcaption", "table", "caption", "tr", "dl", "dt", "dd", "br")
LINKS = ("http://", "https://", "mailto:", "tel:")


def semantic(html: str) -> str:
    """`html` with KEPT alone, every address in full."""
    soup = BeautifulSoup(html, "html.parser")
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for tag in soup.find_all(DROPPED):
        tag.decompose()
    for tag in soup.find_all(True):
        _reduce(tag)
    return re.sub(r"\s*\n\s*", "\n", str(soup)).strip()


def _reduce(tag: Tag) -> None:
    if tag.name not in KEPT:
        tag.unwrap()
        return
    tag.attrs = {name: value for name, value in tag.attrs.items() if name in KEPT[tag.name]}
    for name in ("href", "src"):
        address = str(tag.attrs.get(name, ""))
        if address.startswith("/"):
            tag.attrs[name] = absolute(address)
        elif name in tag.attrs and not address.startswith(LINKS):
            # A place on the page, or worse.
            del tag.attrs[name]


def plain(html: str) -> str:
    """The words, a line for each paragraph, heading, row and entry of a list."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(BLOCKS):
        tag.append("\n")
    for tag in soup.find_all(("th", "td")):
        tag.append("\t")
    lines = (re.sub(r"[ \r\f\v\u00a0]+", " ", line).strip() for line in soup.get_text().splitlines())
    return "\n".join(line for line in lines if line)

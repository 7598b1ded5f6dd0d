"""What a comment's text may hold, what looks like spam in it, and how it is shown. Pure functions."""

import hashlib
import re
import unicodedata

from django.utils.html import Urlizer, escape, linebreaks
from django.utils.safestring import SafeString, mark_safe

#: More links than this wait for a moderator; more than MOST_LINKS are refused at once.
FEW_LINKS, MOST_LINKS = 2, 10
#: A shorter text may well be said twice by different people ("Thank you very much").
SHORTEST_REPEATED = 20
#: An accent is one mark on a letter; texts that climb over the lines above them pile up dozens.
MOST_MARKS = 3

# Addresses with and without a scheme, those of mailboxes too; and what spam writes for forums of another kind.
_LINK = re.compile(r"\bhttps?:/+\S+|\bwww\.\S+|\[url=(?!https?:)|\b[\w.+-]+@[\w-]+\.[\w.-]+|\b(?:[a-z0-9-]+\.)+[a-z]{2,12}/\S*", re.IGNORECASE)
# What turns the reading direction around, or cannot be seen: both serve to show something else than what is there.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
_NOT_WORDS = re.compile(r"[\W_]+")


def clean(text: str) -> str:
    """Plain text with bare line feeds: nothing invisible, at most one empty line, no towers of accents."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))
    kept, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MOST_MARKS and (character in "\n\t" or category not in ("Cc", "Co", "Cs")):
            kept.append(character)
    return _EMPTY_LINES.sub("\n\n", "".join(kept)).strip()


def count_links(text: str) -> int:
    """How many addresses of pages or mailboxes it holds."""
    return len(_LINK.findall(text))


def fingerprint(text: str) -> str:
    """The same for texts that differ in capitals, spaces or signs only; empty for texts too short to tell."""
    words = _NOT_WORDS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return hashlib.sha256(words.encode()).hexdigest() if len(words) >= SHORTEST_REPEATED else ""


class _Links(Urlizer):
    """Web addresses become links that give no credit and no access; addresses of mailboxes stay text."""

    url_template = '<a href="{href}" rel="nofollow ugc noopener">{url}</a>'

    @staticmethod
    def is_email_simple(value: str) -> bool:  # noqa: ARG004 - Django's signature
        """None is one here."""
        return False


_links = _Links()


def as_html(text: str, *, links: bool) -> SafeString:
    """The text escaped, its lines and paragraphs kept; with `links`, web addresses can be followed."""
    # Both escape what they are given; linebreaks must not escape our own links again.
    return mark_safe(linebreaks(_links(text, autoescape=True) if links else escape(text), autoescape=False))  # noqa: S308

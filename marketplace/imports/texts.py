"""Making texts fit their limits without losing sense."""

import re

#: A sentence with fewer letters says nothing by itself: "Codi: 80006484.", "RP."
LEAST_LETTERS = 12


def first_sentence(text: str) -> str:
    """The first sentence (or line) without its full stop; with the next ones while it says nothing by itself."""
    sentence = ""
    for match in re.finditer(r".+?(?:[.!?…](?=\s+[^\W\d_a-z])|\n|$)", text.strip(), re.DOTALL):
        sentence = " ".join(f"{sentence} {match[0]}".split())
        if sum(map(str.isalpha, sentence)) >= LEAST_LETTERS:
            break
    return sentence.rstrip(".")


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words with an ellipsis."""
    if len(text) <= limit:
        return text
    short = text[: limit - 1]
    return f"{(short.rsplit(None, 1)[0] if ' ' in short[limit // 2 :] else short).rstrip(' ,;:.-')}…"


def cut_at_sentence(text: str, limit: int) -> str:
    """At most `limit` characters, ending with the last whole sentence where that keeps at least half."""
    if len(text) <= limit:
        return text
    ends = [match.end() for match in re.finditer(r"[.!?…](?=\s)|\n", text[:limit])]
    return text[: ends[-1]].rstrip() if ends and ends[-1] >= limit // 2 else cut(text, limit)

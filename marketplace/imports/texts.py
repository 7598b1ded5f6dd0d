"""Making texts fit their limits without losing sense."""

import re


def first_sentence(text: str) -> str:
    """The first sentence (or line), without its full stop."""
    match = re.match(r".+?(?:[.!?…](?=\s+[^\W\d_a-z])|\n|$)", text.strip(), re.DOTALL)
    return " ".join((match[0] if match else text).split()).rstrip(".")


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

"""What a site asks programs not to read (robots.txt, RFC 9309). The standard library's reader knows no wildcards and takes the first rule, not the longest."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

#: RFC 9309 wants at least 500 KiB to be read; what is beyond is not.
MAX_BYTES = 500 * 1024
#: Our product token. A group with it goes before the one for all.
AGENT = "businessmarketplace"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for us: (allowed, path pattern), and the sitemaps that the file names."""

    rules: tuple[tuple[bool, str], ...] = ()
    sitemaps: tuple[str, ...] = ()

    def allow(self, url: str) -> bool:
        """Whether we may read it: the longest pattern that fits decides; of two as long, the one that allows."""
        parts = urlsplit(url)
        path = unquote(parts.path or "/") + (f"?{unquote(parts.query)}" if parts.query else "")
        fitting = [(len(pattern), allowed) for allowed, pattern in self.rules if _fits(pattern, path)]
        return max(fitting)[1] if fitting else True


def read(content: bytes, agent: str = AGENT) -> Rules:
    """The rules in a robots.txt."""
    groups: dict[str, list[tuple[bool, str]]] = {}
    sitemaps, agents, in_rules = [], [], False
    for name, value in _lines(content[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")):
        if name == "user-agent":
            agents, in_rules = ([] if in_rules else agents), False
            agents.append(value.lower())
            groups.setdefault(value.lower(), [])
        elif name in ("allow", "disallow"):
            in_rules = True
            # An empty Disallow forbids nothing.
            for one in agents if value else ():
                groups[one].append((name == "allow", unquote(value)))
        elif name == "sitemap" and value:
            sitemaps.append(value)
    chosen = groups.get(agent, groups.get("*", []))
    return Rules(tuple(chosen), tuple(sitemaps))


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _fits(pattern: str, path: str) -> bool:
    """Whether the path begins as the pattern says; "*" is any run of characters, "$" at the end the path's end. Linear in both."""
    ends, place = pattern.endswith("$"), 0
    parts = re.split(r"\*+", pattern.removesuffix("$"))
    if not path.startswith(parts[0]):
        return False
    place = len(parts[0])
    for part in parts[1:-1]:
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    if len(parts) == 1:
        return not ends or place == len(path)
    return path.endswith(parts[-1]) and len(path) - len(parts[-1]) >= place if ends else path.find(parts[-1], place) >= 0

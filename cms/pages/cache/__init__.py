"""Public pages as anonymous visitors get them, kept whole, so that serving one again asks no database.

- `requests`     whose requests take part, and under which key
- `generations`  what makes kept pages stale: a token for each kind of thing that pages show
- `entries`      a kept page and the answer made of it: compressed, with ETag and Last-Modified, or 304
- `middleware`   the way of a request through these
- `purge`        who changes the tokens: Wagtail's signals right after the commit, and a reader of the change log

A Wagtail page takes part by itself; its class says in `shown_kinds` what it shows and in `cached_query` which parameters it
knows. Another public view takes part with the decorator `cached_page`.
"""

from .purge import run_once
from .requests import cached_page, take_part

__all__ = ["cached_page", "run_once", "take_part"]

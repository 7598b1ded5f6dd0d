"""What a client takes (RFC 9110, 12.5.3)."""

import re

from django.http import HttpRequest

_GZIP = re.compile(r"(?:^|,)\s*(?:gzip|\*)\s*(?!;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)


def takes_gzip(request: HttpRequest) -> bool:
    """Whether the answer may be packed."""
    return _GZIP.search(request.headers.get("Accept-Encoding", "")) is not None

"""JSON as it goes out."""

import json

from rest_framework.renderers import BaseRenderer


class JSONRenderer(BaseRenderer):
    """Compact UTF-8. Views hand over plain types: what json does not know is their mistake and not written somehow."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: object, accepted_media_type: str | None = None, renderer_context: object = None) -> bytes:
        """The bytes; none for an answer without content."""
        return b"" if data is None else dumps(data)


def dumps(data: object) -> bytes:
    """Compact JSON; texts of gettext_lazy are written in the language of this moment."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str).encode()

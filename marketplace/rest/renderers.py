"""JSON as it goes out."""

import orjson
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
    """Compact JSON, as `json.dumps` with the least separators writes it in a twentieth of the time; texts of gettext_lazy in the language of this moment."""
    return orjson.dumps(data, default=str)

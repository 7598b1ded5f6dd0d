"""Which form an answer has."""

from collections.abc import Sequence

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer


class AlwaysJSON(DefaultContentNegotiation):
    """Whatever Accept says, the answer is what the view has: RFC 9110 lets a server do so, and a program that asks for */* or text/html still learns something."""

    def select_renderer(self, request: object, renderers: Sequence[BaseRenderer], format_suffix: str | None = None) -> tuple[BaseRenderer, str]:
        """The view's first."""
        return renderers[0], renderers[0].media_type

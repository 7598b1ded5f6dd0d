"""Atom feeds (RFC 4287) that can be written whatever their texts hold."""

import re

from django.utils.feedgenerator import Atom1Feed

#: What no XML can hold, not even escaped. It comes in with texts that are pasted out of other programs, and in addresses.
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Feed(Atom1Feed):
    """An Atom feed that can be written whatever its texts hold."""

    def __init__(self, **texts: object) -> None:
        super().__init__(**_for_xml(texts))

    def add_item(self, **texts: object) -> None:
        """As Django's."""
        super().add_item(**_for_xml(texts))


def _for_xml(texts: dict[str, object]) -> dict[str, object]:
    return {name: _cleaned(value) for name, value in texts.items()}


def _cleaned(value: object) -> object:
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return NOT_IN_XML.sub("", value) if isinstance(value, str) else value

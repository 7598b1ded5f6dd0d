"""Personal data that a listing or a company may hold, and that go to no partner and to nobody else: they cross with an interest only, with consent.

A company that is, or may be, a natural person has no name outside; mail addresses and phone numbers that people wrote into their texts are taken out.
"""

import re

#: Of a company that may be a natural person.
ANONYMOUS = ("@type", "mp:size", "address")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Nine digits of a Spanish number, or ten to fifteen after a plus or 0034; with the usual signs between them. Not within a longer number or an address:
# "Tel.931234567" is one, "1.931.234.567" is none; of "931234567/612345678" both are, in "/item/612345678" there is none.
_PHONE = re.compile(r"(?<!\w)(?<!\d[.,])(?<![^\W\d]/)(?:(?:\+|00(?=34))\d(?:[ .()/-]{0,2}\d){8,14}|\(?[6-9]\d(?:[ .()-]{0,2}\d){7})(?!\w|/[^\W\d]|[.,]\d)")
TAKEN_OUT = "[…]"


def without_contact(text: str) -> str:
    """The text without mail addresses and phone numbers."""
    return _PHONE.sub(TAKEN_OUT, _MAIL.sub(TAKEN_OUT, text))

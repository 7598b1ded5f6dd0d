"""Text as it is compared."""

import unicodedata


def folded(text: str) -> str:
    """Without accents and capitals, so that "subvencio" finds "Subvenció"; an ela geminada without its dot."""
    parts = unicodedata.normalize("NFKD", text.casefold().replace("·", ""))
    return "".join(character for character in parts if not unicodedata.combining(character))

"""RFC 8785 once more, short and slow, to check by: names in the order of UTF-16, numbers as ECMAScript writes them."""

import json
import math


def canonical_json(value) -> str:
    """The canonical text of a JSON value."""
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical_json(name)}:{canonical_json(inner)}" for name, inner in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """ECMA-262, Number::toString, for what is no exponent: coordinates and the like."""
    if not math.isfinite(value) or not (value == 0 or 1e-6 <= abs(value) < 1e21):
        raise ValueError(value)
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e-")
        sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
        return f"{sign}0.{'0' * (int(exponent) - 1)}{digits.replace('.', '')}"
    return text.removesuffix(".0")

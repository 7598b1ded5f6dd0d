"""Who a company is beyond any one marketplace: a scheme and an id. Kept of legal persons only: the number of a natural one is personal data."""

import re
from collections.abc import Mapping

from django.core.exceptions import ValidationError

from marketplace.companies.validators import clean_tax_id, is_legal_person, validate_tax_id

NIF, VAT, EUID = "NIF", "VAT", "EUID"
#: A country, a register, a number: "ESB08005.123456" (Implementing Regulation (EU) 2021/1042, annex).
_EUID = re.compile(r"[A-Z]{2}[A-Z0-9]{1,10}\.[A-Z0-9./-]{1,25}")
_VAT = re.compile(r"[A-Z]{2}[A-Z0-9]{2,12}")
#: What a number of a scheme other than the NIF looks like.
SHAPES = {VAT: _VAT, EUID: _EUID}
NOBODY = ("", "")


def identity(node: Mapping) -> tuple[str, str]:
    """(scheme, id) of a schema.org PropertyValue; ("", "") where it is none that can be kept. A Spanish VAT number is its NIF."""
    scheme, said = node.get("propertyID"), node.get("value")
    if not isinstance(scheme, str) or not isinstance(said, str) or not said.isprintable():
        return NOBODY
    scheme, said = scheme.strip().upper(), "".join(said.upper().split())
    if scheme == VAT and said.startswith("ES"):
        scheme, said = NIF, said[2:]
    if scheme == NIF:
        return _nif(said)
    pattern = SHAPES.get(scheme)
    return (scheme, said) if pattern and pattern.fullmatch(said) else NOBODY


def _nif(said: str) -> tuple[str, str]:
    number = clean_tax_id(said)
    try:
        validate_tax_id(number)
    except ValidationError:
        return NOBODY
    return (NIF, number) if is_legal_person(number) else NOBODY

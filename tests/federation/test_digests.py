"""Our canonical JSON is that of RFC 8785, as the library and a slow program of our own write it."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from marketplace.federation import digests
from tests.federation.canonical import canonical_json

TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=True, allow_infinity=True)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_canonical_is_that_of_the_library(listing):
    try:
        expected = rfc8785.dumps(listing)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        with pytest.raises(type(error)):
            digests.canonical(listing)
    else:
        assert digests.canonical(listing) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"b": 1, "a": [True, False, None], "A": {}},
        {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "ö": 7},
        {"x": 'quote " slash \\ / tab \t line \n bell \x07 delete \x7f line separator \u2028 astral \U0001f600'},
        {"x": [41.56, 41.0, 0.000001, 2.5, 0, -7]},
    ],
)
def test_canonical_is_that_of_the_standard(value):
    assert digests.canonical(value).decode() == canonical_json(value)
    assert digests.canonical(value) == rfc8785.dumps(value)

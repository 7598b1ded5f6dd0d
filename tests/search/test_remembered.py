"""The encoder with a memory: the same vectors, encoded once."""

import numpy as np
import pytest

from search.encoding import PASSAGE, QUERY
from search.remembered import RememberedEncoder, VectorFileError, remembered
from tests.search.encoders import Letters, Numbers

TEXTS = ["Gel hidroalcohòlic", "Mascaretes", "Gel hidroalcohòlic"]


def test_vectors_are_those_of_the_encoder_and_made_once(tmp_path):
    letters, file = Letters(), tmp_path / "vectors.npz"
    with remembered(letters, file) as first:
        vectors = first.encode(TEXTS, PASSAGE)
    assert letters.encoded == [(TEXTS[0], PASSAGE), (TEXTS[1], PASSAGE)]
    again = Letters()
    with remembered(again, file) as second:
        assert (second.name, second.dimensions) == (letters.name, letters.dimensions)
        np.testing.assert_array_equal(second.encode(TEXTS, PASSAGE), vectors)
    assert again.encoded == []
    np.testing.assert_array_equal(vectors, letters.encode(TEXTS, PASSAGE))


def test_vectors_of_another_role_are_others(tmp_path):
    letters = Letters()
    with remembered(letters, tmp_path / "vectors.npz") as encoder:
        encoder.encode(["Gel"], PASSAGE)
        encoder.encode(["Gel"], QUERY)
    assert letters.encoded == [("Gel", PASSAGE), ("Gel", QUERY)]


def test_vectors_made_before_an_error_are_kept(tmp_path):
    file = tmp_path / "vectors.npz"

    def fail():
        with remembered(Letters(), file) as encoder:
            encoder.encode(TEXTS, PASSAGE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    again = Letters()
    with remembered(again, file) as encoder:
        encoder.encode(TEXTS, PASSAGE)
    assert again.encoded == []
    assert list(tmp_path.iterdir()) == [file]


def test_vectors_without_a_file_are_remembered_for_the_run():
    letters = Letters()
    with remembered(letters, None) as encoder:
        encoder.encode(TEXTS, PASSAGE)
        encoder.encode(TEXTS, PASSAGE)
    assert len(letters.encoded) == 2


def test_progress_is_told_of_each_new_vector(tmp_path):
    seen = []
    with remembered(Letters(), None, progress=lambda: seen.append(1)) as encoder:
        encoder.encode(TEXTS, PASSAGE)
    assert len(seen) == 2


def test_nothing_to_encode_gives_no_vectors():
    assert RememberedEncoder(Letters(), None).encode([], QUERY).shape == (0, 256)


def test_vectors_of_another_encoder_are_refused(tmp_path):
    file = tmp_path / "vectors.npz"
    with remembered(Letters(), file) as encoder:
        encoder.encode(TEXTS, PASSAGE)
    with pytest.raises(VectorFileError, match=r"vectors of letters-1, not of numbers-1: give another file"):
        RememberedEncoder(Numbers(), file)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "vectors.npz").write_bytes(content)
    with pytest.raises(VectorFileError, match="holds no vectors"):
        RememberedEncoder(Letters(), tmp_path / "vectors.npz")

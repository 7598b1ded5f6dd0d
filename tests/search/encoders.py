"""An encoder for tests: letters instead of a model's meaning, at no cost."""

import zlib

import numpy as np

from search import vectors


class Letters:
    """A text as the groups of three letters in it: near are texts that share many, whatever their role."""

    name = "letters-1"
    dimensions = 256

    def __init__(self):
        self.encoded: list[tuple[str, str]] = []

    def encode(self, texts, role):
        """As encoding.Encoder says; remembers what it was asked."""
        self.encoded += [(text, role) for text in texts]
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text):
        vector = np.full(self.dimensions, 1e-3, dtype=np.float32)
        letters = f"  {text.lower()} "
        for start in range(len(letters) - 2):
            vector[zlib.crc32(letters[start : start + 3].encode(errors="replace")) % self.dimensions] += 1
        return vector / np.linalg.norm(vector)


class Numbers(Letters):
    """Another model: its vectors must never meet the first one's."""

    name = "numbers-1"


class Refusing(Letters):
    """Whoever asks it has forgotten that nobody waits for a vector."""

    def encode(self, texts, role):
        """Not here."""
        message = f"encoded in the request: {texts!r} as {role}"
        raise AssertionError(message)


def encoded(*documents, encoder=None):
    """The documents as the worker leaves them: each with its vectors, of `Letters` unless another encoder is given."""
    encoder, kept = encoder or Letters(), vectors.InMemory()
    vectors.encode(vectors.missing(documents, kept, encoder), kept, encoder)
    return vectors.attached(documents, kept, encoder)

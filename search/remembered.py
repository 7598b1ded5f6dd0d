"""An encoder that keeps its vectors in a file, so that whoever measures the same texts again need not wait for them."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .encoding import MAX_CHARACTERS, Encoder

if TYPE_CHECKING:
    import numpy as np

#: After so many new vectors the file is written, some minutes' work; an end by force loses no more.
_SAVED_EVERY = 1_000


class VectorFileError(ValueError):
    """The file holds no vectors of this encoder; the message says why."""


class RememberedEncoder:
    """`encoder` with a memory in `path`; `close` writes what is new. For one thread and one process at a time."""

    def __init__(self, encoder: Encoder, path: Path | None, *, progress: Callable[[], object] = lambda: None) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._encoder, self._path, self._progress = encoder, path, progress
        self._vectors = _read(path, encoder) if path and path.exists() else {}
        self._unsaved = 0

    def encode(self, texts: Sequence[str], role: str) -> "np.ndarray":
        """As the protocol says."""
        import numpy as np  # noqa: PLC0415 - comes with the encoder

        return np.stack([self._vector(text[:MAX_CHARACTERS], role) for text in texts]) if texts else np.empty((0, self.dimensions), dtype=np.float32)

    def _vector(self, text: str, role: str) -> "np.ndarray":
        key = key_of(text, role)
        if key not in self._vectors:
            self._vectors[key] = self._encoder.encode([text], role)[0]
            self._progress()
            self._unsaved += 1
            if self._unsaved >= _SAVED_EVERY:
                self.close()
        return self._vectors[key]

    def close(self) -> None:
        """Write the file, in one step."""
        if not self._path or not self._unsaved:
            return
        import numpy as np  # noqa: PLC0415 - comes with the encoder

        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            np.savez(file, encoder=np.array(self.name), keys=np.array(list(self._vectors)), vectors=np.stack(list(self._vectors.values())))
        beside.replace(self._path)
        self._unsaved = 0


@contextmanager
def remembered(encoder: Encoder, path: Path | None, *, progress: Callable[[], object] = lambda: None) -> Iterator[RememberedEncoder]:
    """The encoder with a memory in `path`; what is new is kept even after an error. Raises VectorFileError."""
    remembering = RememberedEncoder(encoder, path, progress=progress)
    try:
        yield remembering
    finally:
        remembering.close()


def key_of(text: str, role: str) -> str:
    """The name of a text's vector in the file."""
    return f"{role}:{hashlib.blake2b(text.encode(errors='surrogatepass'), digest_size=16).hexdigest()}"


def _read(path: Path, encoder: Encoder) -> dict[str, "np.ndarray"]:
    import numpy as np  # noqa: PLC0415 - comes with the encoder

    try:
        # Opened here: numpy leaves a broken file open.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            name, keys, vectors = str(file["encoder"]), file["keys"].tolist(), file["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise VectorFileError(f"{path} holds no vectors: {error}") from error
    if name != encoder.name or vectors.shape != (len(keys), encoder.dimensions):
        raise VectorFileError(f"{path} holds vectors of {name}, not of {encoder.name}: give another file.")
    return dict(zip(keys, vectors, strict=True))

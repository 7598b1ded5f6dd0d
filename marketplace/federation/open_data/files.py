"""The downloads: written by the worker when the feed has changed, in flat memory, and served from the disk.

A market is busy all day, and to write a hundred thousand listings takes longer than a visitor waits: so they get the last finished file, which is some
minutes old at most. Where no worker looks after the folder (it is on another machine, or there is none yet), who asks first writes. One process
writes at a time. While it does, others serve the file of before, where there is one.
"""

import contextlib
import csv
import fcntl
import gzip
import hashlib
import io
import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from marketplace.federation.models import FeedEntry, FeedLog, Node
from marketplace.federation.models.feed import Op
from marketplace.imports.export import harmless

from . import contents

CHUNK = 500
#: A new number when the files' form changes.
FORM = 1
GZIP_LEVEL = 6
#: So often in a row somebody may be quicker.
TRIES = 5
#: What the worker touches whenever it has looked whether the feed has changed; so often it looks, so seldom it writes, and after so long nobody does.
SIGN, LOOK_SECONDS, PAUSE_SECONDS, FORGOTTEN_SECONDS = "looked-after", 30, 300, 600


@dataclass(frozen=True, slots=True)
class Format:
    """A form of the download: its file's ending, its media type, and the EU's name for it."""

    ending: str
    media_type: str
    authority: str
    content_type: str


JSON_LD = Format("jsonld", "application/ld+json", "JSON_LD", "application/ld+json")
CSV = Format("csv", "text/csv", "CSV", "text/csv; charset=utf-8")
FORMATS = {one.ending: one for one in (CSV, JSON_LD)}


@dataclass(frozen=True, slots=True)
class File:
    """A finished download, plain and packed. `version` changes with its content."""

    plain: Path
    packed: Path
    version: str


def run_once() -> int:
    """The worker's part: write anew what the feed's changes have made old; returns how many files."""
    sign = _folder() / SIGN
    if _seconds_since(sign) < LOOK_SECONDS:
        return 0
    sign.parent.mkdir(parents=True, exist_ok=True)
    sign.touch()
    old = [
        form
        for form in FORMATS.values()
        if (before := _newest(form)) is None or (before.version != _version() and _seconds_since(before.packed) > PAUSE_SECONDS)
    ]
    for form in old:
        _made(form)
    return len(old)


def current(form: Format) -> File:
    """The last finished one where a worker looks after them, else the file as the feed is now."""
    if _seconds_since(_folder() / SIGN) < FORGOTTEN_SECONDS and (finished := _newest(form)):
        return finished
    return _made(form)


def _made(form: Format) -> File:
    """The file as the feed is now; the one of before while somebody else is writing it."""
    file = _file(form, _version())
    if file.packed.exists():
        return file
    file.plain.parent.mkdir(parents=True, exist_ok=True)
    with (file.plain.parent / f"{form.ending}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if before := _newest(form):
                return before
            fcntl.flock(lock, fcntl.LOCK_EX)
        # Somebody else may have written it while we waited.
        file = _file(form, _version())
        if not file.packed.exists():
            _write(form, file)
            _tidy(form, file)
    return file


def opened(form: Format, *, is_packed: bool) -> tuple[str, BinaryIO]:
    """The version and the open file. Between the two another process may tidy it away, since it wrote a newer one: then that one."""
    for _try in range(TRIES):
        file = current(form)
        with contextlib.suppress(FileNotFoundError):
            return file.version, (file.packed if is_packed else file.plain).open("rb")
    # Half of it is gone, as after a full disk: what is left of it goes too, and it is written anew.
    file.packed.unlink(missing_ok=True)
    file = current(form)
    return file.version, (file.packed if is_packed else file.plain).open("rb")


def size(form: Format) -> int | None:
    """The plain file's bytes; None if it is not written yet."""
    file = _newest(form)
    with contextlib.suppress(FileNotFoundError):
        return file.plain.stat().st_size if file else None
    return None


def _file(form: Format, version: str) -> File:
    plain = _folder() / f"listings-{version}.{form.ending}"
    return File(plain, plain.with_name(f"{plain.name}.gz"), version)


def _folder() -> Path:
    """Each node has its own: two on one machine may share the rest."""
    return Path(settings.OPEN_DATA_PATH) / str(Node.own_uid())


def _version() -> str:
    """Changes with every entry of the feed."""
    log = FeedLog.current()
    told = (FORM, settings.SITE_URL, log.renumbered, FeedEntry.objects.last_position(), FeedEntry.objects.filter(op=Op.UPSERT).count(), contents.COLUMNS)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _newest(form: Format) -> File | None:
    """The newest that is there."""
    found = sorted(_folder().glob(f"listings-*.{form.ending}.gz"), key=_age)
    return _file(form, found[-1].name.removeprefix("listings-").partition(".")[0]) if found else None


def _seconds_since(path: Path) -> float:
    """Since the file was written or touched; endless if there is none."""
    return time.time() - _age(path)


def _age(path: Path) -> float:
    """By which files are put in order; one that has just been tidied away comes first."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0


def _write(form: Format, file: File) -> None:
    """Both files, under other names until they are whole."""
    chunks = FeedEntry.objects.filter(op=Op.UPSERT).texts(CHUNK)
    parts = csv_parts(chunks) if form is CSV else json_ld_parts(chunks)
    with tempfile.TemporaryDirectory(dir=file.plain.parent) as folder:
        plain, packed = Path(folder) / "plain", Path(folder) / "packed"
        with plain.open("wb") as output, gzip.open(packed, "wb", GZIP_LEVEL) as packed_output:
            for part in parts:
                output.write(part)
                packed_output.write(part)
        plain.replace(file.plain)
        # The last, by which others know that both are there.
        packed.replace(file.packed)


def _tidy(form: Format, keep: File) -> None:
    """Delete the files of before; who is reading one reads on."""
    for path in _folder().glob(f"listings-*.{form.ending}*"):
        if path not in (keep.plain, keep.packed):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def csv_parts(chunks: Iterable[list[str]]) -> Iterator[bytes]:
    """RFC 4180, in UTF-8 with a byte order mark, so that Excel shows accents; what a spreadsheet would take for a formula has an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(contents.COLUMNS)
    yield b"\xef\xbb\xbf" + buffer.getvalue().encode()
    for texts in chunks:
        buffer.seek(0)
        buffer.truncate()
        writer.writerows([harmless(value) for value in contents.row(contents.listing(text))] for text in texts)
        yield buffer.getvalue().encode()


def json_ld_parts(chunks: Iterable[list[str]]) -> Iterator[bytes]:
    """One document with a graph, a listing a line."""
    yield f'{{"@context":{_json(contents.context())},"@graph":['.encode()
    is_first = True
    for texts in chunks:
        if texts:
            yield (("\n" if is_first else ",\n") + ",\n".join(_json(contents.listing(text)) for text in texts)).encode()
            is_first = False
    yield b"\n]}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

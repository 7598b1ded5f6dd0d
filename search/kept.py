"""Keeps the listings' vectors: a reader of the change log beside the index, so that no save and no index waits for the encoder.

A listing is indexed at once, by its words. When its vectors are there, a change of its own kind goes into the log: the index
takes the document anew, and the synergies follow.
"""

import datetime
import uuid
from collections.abc import Iterator
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from marketplace.core import changelog
from marketplace.core.models import Change

from . import encoding, vectors
from .documents import ListingDocument
from .encoding import Encoder
from .models import KeptVector

#: Listings a batch: a few seconds of encoding each at worst, and a batch has to end well before its lease does.
BATCH = 4

KEPT = vectors.InDatabase()


def run_once() -> int:
    """Make the vectors that the next batch of changes needs; how many changes that was, 0 without an encoder."""
    encoder = encoding.encoder()
    return changelog.consume(reader_name(), partial(_make, encoder=encoder), limit=BATCH) if encoder else 0


def reader_name() -> str:
    """The reader's name in the change log, empty without an encoder. Another encoder begins at the log's beginning."""
    return f"vectors:{encoding.name()}"[:40] if encoding.name() else ""  # The column takes 40 characters.


def _make(changes: list[Change], *, encoder: Encoder) -> None:
    for source in _sources():
        uids = list({str(change.uid) for change in changes if change.kind == source.kind})
        documents = [document for document in source.load(uids).values() if document]
        if not documents:
            continue
        lacking = [document for document in documents if vectors.missing([document], KEPT, encoder)]
        vectors.encode(vectors.missing(lacking, KEPT, encoder), KEPT, encoder)
        _mark(documents, encoder, timezone.localdate())
        # Also those whose texts were all known: the index may have taken them before somebody else's text was encoded.
        with transaction.atomic():
            source.lock(document.uid for document in documents)
            changelog.append_many(source.kind + vectors.KIND_SUFFIX, [uuid.UUID(document.uid) for document in documents])


def _sources() -> list:
    return [import_string(name)() for name in settings.SEARCH_SOURCES]


def prune(today: datetime.date | None = None) -> int:
    """Delete the vectors that no present listing needs, as those of deleted texts; how many. Bounded memory, safe to repeat."""
    encoder = encoding.encoder()
    if not encoder:
        return 0
    today = today or timezone.localdate()
    for documents in _every_document():
        _mark(documents, encoder, today)
    # Yesterday's stay: a listing that is published while this runs keeps its vectors.
    return KeptVector.objects.filter(needed_on__lt=today - datetime.timedelta(days=1)).delete()[0]


def _mark(documents: list[ListingDocument], encoder: Encoder, today: datetime.date) -> None:
    keys = list(vectors.keys(documents, encoder))
    for start in range(0, len(keys), vectors.ROWS):
        KeptVector.objects.filter(key__in=keys[start : start + vectors.ROWS]).exclude(needed_on=today).update(needed_on=today)


def _every_document() -> Iterator[list[ListingDocument]]:
    for source in _sources():
        yield from source.all(vectors.ROWS)

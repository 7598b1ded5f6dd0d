"""Pictures on pages: in AVIF, WebP and JPEG, in the sizes that screens need.

An AVIF of a page's width takes the processor a third of a second, so no visitor waits for one: the worker makes them when a page
is published, and a page shows those that are there. What it cannot do without is one JPEG, made on the spot if need be.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet, prefetch_related_objects
from wagtail.images import get_image_model
from wagtail.images.exceptions import InvalidFilterSpecError
from wagtail.images.models import AbstractImage, AbstractRendition, Filter, SourceImageIOError
from wagtail.models import Page, ReferenceIndex

from marketplace.core import changelog
from marketplace.core.models import Change

from .cache import generations

logger = logging.getLogger(__name__)
READER = "pictures"
#: So many changes at once: between the batches the worker's other work has its turn.
BATCH = 20
#: From the smallest files to what every browser reads.
FORMATS = ("avif", "webp", "jpeg")
TYPES = {"avif": "image/avif", "webp": "image/webp", "jpeg": "image/jpeg"}


@dataclass(frozen=True)
class Fit:
    """One use of pictures: Wagtail's operations from the narrowest to the widest, and how wide it stands on the screen."""

    operations: tuple[str, ...]
    sizes: str = ""
    formats: tuple[str, ...] = FORMATS

    def filters(self, form: str) -> list[Filter]:
        """What makes the renditions of a format."""
        return [Filter(spec=f"{operation}|format-{form}") for operation in self.operations]


FITS = {
    "top": Fit(("fill-640x213", "fill-960x320", "fill-1440x480"), "(min-width: 78rem) 72rem, 94vw"),
    "card": Fit(("fill-400x225", "fill-720x405"), "(min-width: 62rem) 24rem, (min-width: 44rem) 46vw, 94vw"),
    "whole": Fit(("width-480", "width-880", "width-1400"), "(min-width: 48rem) 44rem, 94vw"),
    # Previews in other services; many read nothing but JPEG.
    "share": Fit(("fill-1200x630",), formats=("jpeg",)),
}
#: A page's own picture stands at its top, on cards that lead to it, and in previews; those in texts are shown whole.
FITS_OF_FIELD = {"lead_image": ("top", "card", "share")}


@dataclass(frozen=True)
class Shown:
    """What a template prints: <source> after <source> as (type, srcset), and the <img>."""

    sources: list[tuple[str, str]]
    sizes: str
    image: AbstractRendition
    srcset: str


def shown(image: AbstractImage, fit: str) -> Shown | None:
    """The picture as far as it is there, in one query for all uses of it on a page; None if its file is gone."""
    use = FITS[fit]
    prefetch_related_objects([image], "renditions")
    found = image.find_existing_renditions(*(one for name in use.formats for one in use.filters(name)))
    sources = [(TYPES[name], _srcset(there)) for name in use.formats[:-1] if (there := _all_of(use.filters(name), found))]
    wanted = use.filters("jpeg")
    jpegs = [found[one] for one in wanted if one in found]
    if wanted[-1] not in found:
        widest = _made(image, wanted[-1])
        if widest is None:
            return None
        jpegs.append(widest)
    return Shown(sources, use.sizes, jpegs[-1], _srcset(jpegs) if len(jpegs) > 1 else "")


def _all_of(wanted: list[Filter], found: dict[Filter, AbstractRendition]) -> list[AbstractRendition]:
    """All of them or none: a format with only the small size would look worse on large screens than the next format."""
    return [found[one] for one in wanted] if all(one in found for one in wanted) else []


def _srcset(renditions: Iterable[AbstractRendition]) -> str:
    # A picture smaller than its place comes out in the same width several times.
    widths = {one.width: one.url for one in renditions}
    return ", ".join(f"{url} {width}w" for width, url in sorted(widths.items()))


# --- In the worker --------------------------------------------------------------------------------------------------------


def run_once() -> int:
    """Make what the pictures of pages that changed lack, or pictures that changed; returns how many changes were read."""
    return changelog.consume(READER, _prepare, limit=BATCH)


def _prepare(changes: list[Change]) -> None:
    made = 0
    for image, fit in _uses(changes):
        made += make(image, fit)
    if made:
        generations.renew(["image"])


def make(image: AbstractImage, fit: str) -> int:
    """Make every size and format of a use that is not there; how many were made."""
    filters = [one for name in FITS[fit].formats for one in FITS[fit].filters(name)]
    found = image.find_existing_renditions(*filters)
    return sum(_made(image, one) is not None for one in filters if one not in found)


def _made(image: AbstractImage, wanted: Filter) -> AbstractRendition | None:
    # Asked first: Wagtail leaves a temporary file open when it fails.
    if not image.file.storage.exists(image.file.name):
        logger.warning("Picture %s has lost its file %s", image.pk, image.file.name)
        return None
    try:
        return image.get_rendition(wanted)
    except (SourceImageIOError, InvalidFilterSpecError, OSError) as error:
        logger.warning("Picture %s has no %s: %s", image.pk, wanted.spec, error)
        return None


def _uses(changes: list[Change]) -> Iterator[tuple[AbstractImage, str]]:
    """The pictures that the changes concern, each with the ways in which live pages show it."""
    keys = {change.uid for change in changes if change.kind == "page"}
    numbers = {str(change.uid.int) for change in changes if change.kind == "image"}
    references = _references()
    pages = {str(pk) for pk in Page.objects.live().filter(translation_key__in=keys).values_list("pk", flat=True)} if keys else set()
    found = set(references.filter(object_id__in=pages).values_list("to_object_id", "model_path")) if pages else set()
    found |= set(references.filter(to_object_id__in=numbers).values_list("to_object_id", "model_path")) if numbers else set()
    images = get_image_model().objects.in_bulk({int(number) for number, _ in found})
    for number, fit in sorted({(int(number), fit) for number, field in found for fit in FITS_OF_FIELD.get(field, ("whole",))}):
        if number in images:
            yield images[number], fit


def _references() -> QuerySet[ReferenceIndex]:
    types = ContentType.objects.get_for_models(get_image_model(), Page)
    return ReferenceIndex.objects.filter(to_content_type=types[get_image_model()], base_content_type=types[Page])

"""Pictures, checked and re-encoded before they are stored.

The uploaded bytes are never served: a file can be a picture and a web page at once, and cameras write the place into it.
"""

import warnings
from io import BytesIO
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from .names import safe_stem

#: Pillow's name of each format that we take, with the endings that a file of it may have; the first is the usual one.
FORMATS = {"JPEG": ("jpg", "jpeg"), "PNG": ("png",), "WEBP": ("webp",), "AVIF": ("avif",)}
#: Pillow calls a JPEG with a second picture in it (a preview, as many phones add) by another name.
SAME_AS = {"MPO": "JPEG"}
LONGEST_SIDE = 3200
SAVED_WITH = {
    "JPEG": {"quality": 90, "progressive": True},
    "PNG": {"optimize": False},
    "WEBP": {"quality": 92},
    "AVIF": {"quality": 85},
}
FAILURES = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)


class Picture(ContentFile):
    """A picture that `normalised` made; nothing else is stored."""


def check(upload: File) -> str:
    """Pillow's name of the upload's format; ValidationError, saying what to change, for what is no picture we take.

    Only the head is decoded: a picture of 400 million pixels fits into some kilobytes and would fill the memory.
    """
    _check_size(upload)
    form, width, height, moving = _head(upload)
    _check_format(upload, form)
    if width * height > settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS:
        raise _too_many_pixels()
    if moving:
        raise ValidationError(_("This is a moving picture, which distracts from reading. Choose a still one."), code="moving")
    return form


def normalised(upload: File, name: str) -> Picture:
    """The picture as it is stored: upright, at most `LONGEST_SIDE` a side, without what cameras hide in it, under a safe name.

    ValidationError if it cannot be read to its end. What is one already comes back as it is.
    """
    if isinstance(upload, Picture):
        return upload
    form = check(upload)
    try:
        with _opened(upload) as image:
            if form == "JPEG":
                # The decoder leaves out what the smaller picture does not need: a third of the memory for a photograph of a phone.
                image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
            picture = ImageOps.exif_transpose(image)
            picture = picture.convert(_mode(picture, form))
    except FAILURES as error:
        raise ValidationError(_("The picture is damaged or not complete. Save it again and upload it once more."), code="damaged") from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # Colours and resolution would travel along in `info`, and with them whatever else the file carried.
    picture.info = {}
    encoded = BytesIO()
    picture.save(encoded, form, **SAVED_WITH[form])
    return Picture(encoded.getvalue(), name=f"{safe_stem(name)}.{FORMATS[form][0]}")


def _check_size(upload: File) -> None:
    limit = settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE
    if upload.size > limit:
        message = _("The picture has %(size)s. Save it smaller than %(limit)s and upload it again: 3200 pixels wide is plenty.")
        raise ValidationError(message, code="too_big", params={"size": filesizeformat(upload.size), "limit": filesizeformat(limit)})
    if not upload.size:
        raise ValidationError(_("The file is empty. Save the picture again and upload it once more."), code="empty")


def _too_many_pixels() -> ValidationError:
    message = _("The picture has more than %(limit)d million pixels. Make it smaller and upload it again: 3200 pixels wide is plenty.")
    return ValidationError(message, code="too_many_pixels", params={"limit": settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS // 10**6})


def _check_format(upload: File, form: str) -> None:
    ending = PurePath(upload.name or "").suffix.lower().removeprefix(".")
    if ending not in FORMATS[form]:
        message = _("The file's name ends in “.%(ending)s”, but it holds a %(format)s picture. Rename it to “%(name)s” and upload it again.")
        stem = PurePath(upload.name or "").stem or "picture"
        raise ValidationError(message, code="lies", params={"ending": ending, "format": form, "name": f"{stem}.{FORMATS[form][0]}"})


def _head(upload: File) -> tuple[str, int, int, bool]:
    try:
        with _opened(upload) as image:
            form = SAME_AS.get(image.format, image.format)
            return form, image.width, image.height, form != "JPEG" and getattr(image, "n_frames", 1) > 1
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except FAILURES as error:
        message = _("This is not a picture we can show, whatever its name says. Save it as JPEG, PNG, WebP or AVIF and upload it again.")
        raise ValidationError(message, code="not_a_picture") from error


def _opened(upload: File) -> Image.Image:
    upload.seek(0)
    with warnings.catch_warnings():
        # Where Pillow only warns, our own limit decides.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(upload, formats=tuple(FORMATS))


def _mode(picture: Image.Image, form: str) -> str:
    transparent = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    return "RGBA" if transparent and form != "JPEG" else "RGB"

"""Logos, made safe to serve: re-encoded, small, without the data cameras hide in pictures."""

import uuid
from io import BytesIO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

LONGEST_SIDE = 512
QUALITY = 90


def normalised(upload: object) -> ContentFile:
    """The first frame of an uploaded picture as WebP of at most 512 px a side, under a random name, its EXIF data dropped.

    The uploaded bytes themselves are never served: a file can be a picture and a web page at once.
    """
    try:
        upload.seek(0)
        with Image.open(upload) as image:
            picture = ImageOps.exif_transpose(image).convert("RGBA" if _is_transparent(image) else "RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise ValidationError(_("The picture is damaged. Save it again and try once more."), code="damaged") from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    encoded = BytesIO()
    picture.save(encoded, "WEBP", quality=QUALITY)
    return ContentFile(encoded.getvalue(), name=f"{uuid.uuid4().hex}.webp")


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info

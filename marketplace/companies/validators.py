"""Checks whose messages say what to change."""

import datetime
import warnings

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError
from stdnum.es import cif, dni, nie
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength

MAX_LOGO_BYTES = 2 * 2**20
MAX_LOGO_PIXELS = 4000 * 4000
LOGO_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
EARLIEST_YEAR = 1800
CIF_LETTERS = "ABCDEFGHJNPQRSUVW"
#: A NIF that begins with one of these or with a digit is a natural person's (Royal Decree 1065/2007, articles 18 to 22).
PERSONS = "XYZKLM"


def clean_tax_id(value: str) -> str:
    """The tax id in its compact form: "b-12.345.674" → "B12345674"."""
    compact = "".join(character for character in value.upper() if character.isalnum())
    return compact[2:] if compact.startswith("ES") and len(compact) == 11 else compact  # noqa: PLR2004 - country prefix + 9


def validate_tax_id(value: str) -> None:
    """Raise a ValidationError that says which character of a Spanish NIF (company, person or foreigner) is wrong.

    Control characters after Order EHA/451/2008, as python-stdnum computes them.
    """
    number = clean_tax_id(value)
    kind = cif if number[:1] in CIF_LETTERS else nie if number[:1] in "XYZ" else dni
    try:
        kind.validate(number)
    except InvalidChecksum as error:
        raise ValidationError(
            _("NIF %(number)s: the last character should be %(expected)s, or one of the others is mistyped."),
            code="checksum",
            params={"number": number, "expected": _control(kind, number)},
        ) from error
    except InvalidLength as error:
        raise ValidationError(
            _("NIF %(number)s has %(count)d characters; a NIF has 9, for example B12345674."),
            code="length",
            params={"number": number[:20], "count": len(number)},
        ) from error
    except (InvalidFormat, InvalidComponent) as error:
        raise ValidationError(
            _("NIF %(number)s: write a letter and 8 digits for a company (B12345674), or 8 digits and a letter for a person (12345678Z)."),
            code="format",
            params={"number": number[:20]},
        ) from error


def is_legal_person(tax_id: str | None) -> bool:
    """Whether a NIF is a company's, which may be told to everybody: not that of a natural person, nor none."""
    first = (tax_id or "")[:1].upper()
    return first.isalpha() and first not in PERSONS


def _control(kind: object, number: str) -> str:
    """The control character that the first eight call for; for some company forms a letter and a digit are both right."""
    if kind is cif:
        digit, letter = cif.calc_check_digits(number[:-1])
        if number[0] in "PQSNWR":
            return letter
        return digit if number[0] in "ABEH" else f"{digit} / {letter}"
    return kind.calc_check_digit(number[:-1])


def validate_founded(value: datetime.date) -> None:
    """Raise a ValidationError unless a business can have begun on this day."""
    if value > timezone.localdate():
        raise ValidationError(_("This day has not come yet. Write the day on which the company was founded."), code="future")
    if value.year < EARLIEST_YEAR:
        raise ValidationError(_("Write a year from %(year)d on."), code="too_early", params={"year": EARLIEST_YEAR})


def validate_logo(upload: object) -> None:
    """Raise a ValidationError unless the file is a PNG, JPEG, WebP or GIF picture of a reasonable size."""
    if getattr(upload, "_committed", False):
        # The logo of before: it was checked when it came, and its file may be on another host's disk.
        return
    if upload.size > MAX_LOGO_BYTES:
        raise ValidationError(_("The logo is larger than 2 MB. Save it smaller and try again."), code="too_big")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            upload.seek(0)
            with Image.open(upload) as image:
                format_name, pixels = image.format, image.width * image.height
                if pixels <= MAX_LOGO_PIXELS:
                    image.verify()
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning, OSError, SyntaxError, ValueError) as error:
        raise ValidationError(_("This file is not a picture we can read. Choose a PNG, JPEG or WebP file."), code="not_an_image") from error
    finally:
        upload.seek(0)
    if format_name not in LOGO_FORMATS:
        raise ValidationError(_("The logo is a %(format)s file. Choose a PNG, JPEG or WebP file."), code="format", params={"format": format_name})
    if pixels > MAX_LOGO_PIXELS:
        raise ValidationError(_("The logo has too many pixels. 1000 × 1000 is plenty."), code="too_many_pixels")

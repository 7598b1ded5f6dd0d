"""Whether a document is what its name says, told from its first bytes and, for office files, from the names inside."""

import zipfile
from collections.abc import Callable
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

#: A PDF may begin with some bytes of something else (ISO 32000-1, annex H).
PDF_HEAD = 1024
ODF_TYPES = {
    "odt": b"application/vnd.oasis.opendocument.text",
    "ods": b"application/vnd.oasis.opendocument.spreadsheet",
    "odp": b"application/vnd.oasis.opendocument.presentation",
}
OOXML_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}
#: What a program inside an office file is called, in either family.
MACROS = ("vbaProject.bin", "Basic/", "Scripts/")
CHUNK = 2**16


def check(upload: File) -> None:
    """ValidationError, saying what to change, unless the document is of a kind that we take and of a reasonable size."""
    if getattr(upload, "_committed", False):
        # The file of before: it was checked when it came.
        return
    limit = settings.WAGTAILDOCS_MAX_UPLOAD_SIZE
    if upload.size > limit:
        message = _("The document has %(size)s. Save it smaller than %(limit)s, or split it, and upload it again.")
        raise ValidationError(message, code="too_big", params={"size": filesizeformat(upload.size), "limit": filesizeformat(limit)})
    ending = PurePath(upload.name or "").suffix.lower().removeprefix(".")
    if ending not in KINDS:
        message = _("Files that end in “.%(ending)s” cannot be published here. Save the document as one of: %(kinds)s.")
        raise ValidationError(message, code="kind", params={"ending": ending, "kinds": ", ".join(KINDS)})
    if not _is(upload, KINDS[ending]):
        message = _("The file's name ends in “.%(ending)s”, but it holds something else or is damaged. Open it, save it again as %(kind)s and upload that.")
        raise ValidationError(message, code="lies", params={"ending": ending, "kind": ending.upper()})
    if ending in (*ODF_TYPES, *OOXML_PARTS) and _has_macros(upload):
        raise ValidationError(_("The document holds macros, which are programs. Save it without macros, or as PDF, and upload that."), code="macros")


def _is(upload: File, kind: Callable[[File], bool]) -> bool:
    try:
        upload.seek(0)
        return kind(upload)
    except (OSError, ValueError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile):
        return False
    finally:
        upload.seek(0)


def _is_pdf(upload: File) -> bool:
    return b"%PDF-" in upload.read(PDF_HEAD)


def _is_odf(expected: bytes) -> Callable[[File], bool]:
    def check_type(upload: File) -> bool:
        with zipfile.ZipFile(upload) as archive, archive.open("mimetype") as entry:
            # Read no further than needed: an entry of some bytes can unpack to gigabytes.
            return entry.read(len(expected) + 1) == expected

    return check_type


def _is_ooxml(part: str) -> Callable[[File], bool]:
    def has_part(upload: File) -> bool:
        with zipfile.ZipFile(upload) as archive:
            return {"[Content_Types].xml", part} <= set(archive.namelist())

    return has_part


def _is_text(upload: File) -> bool:
    """Any bytes are text in some old encoding; a zero byte is in none of them."""
    return all(b"\0" not in chunk for chunk in iter(lambda: upload.read(CHUNK), b""))


def _has_macros(upload: File) -> bool:
    upload.seek(0)
    with zipfile.ZipFile(upload) as archive:
        found = any(name.endswith(MACROS[0]) or name.startswith(MACROS[1:]) for name in archive.namelist())
    upload.seek(0)
    return found


KINDS: dict[str, Callable[[File], bool]] = {
    "pdf": _is_pdf,
    **{ending: _is_odf(expected) for ending, expected in ODF_TYPES.items()},
    **{ending: _is_ooxml(part) for ending, part in OOXML_PARTS.items()},
    "csv": _is_text,
    "txt": _is_text,
}

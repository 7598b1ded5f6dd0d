"""Documents that are what their name says."""

import zipfile
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from cms.media import contents


def packed(**entries):
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return content.getvalue()


def odt(**more):
    return packed(mimetype="application/vnd.oasis.opendocument.text", **more)


def docx(**more):
    return packed(**{"[Content_Types]_dot_xml": "<Types/>", "word__document_dot_xml": "<w/>"}, **more)


def xlsx():
    content = BytesIO()
    Workbook().save(content)
    return content.getvalue()


def code(name, content):
    try:
        contents.check(SimpleUploadedFile(name, content))
    except ValidationError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"%PDF-1.7\n"), ("a.pdf", b"\n\n%PDF-1.4\n"), ("A.PDF", b"%PDF-1.7"), ("a.odt", odt()), ("a.docx", docx()), ("a.xlsx", xlsx()),
        ("a.csv", "any;à\n".encode("cp1252")), ("a.txt", "Què és".encode()),
    ],
)  # fmt: skip
def test_documents_of_our_kinds_are_taken(name, content):
    assert code(name, content) == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"<script>"), ("a.pdf", b" " * 5000 + b"%PDF-1.7"), ("a.pdf", b""), ("a.odt", docx()), ("a.docx", odt()), ("a.docx", xlsx()),
        ("a.ods", odt()), ("a.odt", b"PK\x03\x04broken"), ("a.xlsx", b"a;b"), ("a.csv", xlsx()), ("a.txt", b"MZ\x90\x00"),
    ],
)  # fmt: skip
def test_documents_that_are_something_else_are_refused(name, content):
    assert code(name, content) == "lies"


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.js", "a.exe", "a.docm", "a.zip", "a.pdf.html", "a", ".pdf"])
def test_other_kinds_are_refused(name):
    assert code(name, b"%PDF-1.7") == "kind"


@pytest.mark.parametrize(("name", "content"), [("a.docx", docx(word__vbaProject_dot_bin="x")), ("a.odt", odt(Basic__Standard__m_dot_xml="x"))])
def test_documents_with_programs_inside_are_refused(name, content):
    assert code(name, content) == "macros"


def test_an_entry_that_unpacks_to_gigabytes_is_not_unpacked():
    assert code("a.odt", packed(mimetype="application/vnd.oasis.opendocument.text" + " " * 50_000_000)) == "lies"


def test_a_large_document_is_refused_with_its_size(settings):
    settings.WAGTAILDOCS_MAX_UPLOAD_SIZE = 5
    with pytest.raises(ValidationError) as raised:
        contents.check(SimpleUploadedFile("a.pdf", b"%PDF-1.7"))
    assert "8\xa0bytes" in raised.value.messages[0]

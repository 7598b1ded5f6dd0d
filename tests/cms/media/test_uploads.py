"""Uploading in the console: every way in has the same checks, and nothing typed is lost."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from wagtail.models import Collection, UploadedFile

from cms.media.models import Document, Image
from tests.factories import UserFactory

HTML = b"<!doctype html><script>alert(1)</script>"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF"


@pytest.fixture
def console(client, db):
    client.force_login(UserFactory(is_superuser=True, is_staff=True, language="en"))
    return client


def root():
    return Collection.get_first_root_node().pk


def test_a_picture_without_a_description_is_refused_in_the_chooser_and_keeps_its_title(console, picture):
    prefix = "image-chooser-upload"
    data = {f"{prefix}-title": "Office", f"{prefix}-file": picture(), f"{prefix}-collection": root()}
    answer = console.post(reverse("wagtailimages_chooser:create"), data)
    assert "This field is required" in answer.json()["htmlFragment"]
    assert 'value="Office"' in answer.json()["htmlFragment"]
    assert not Image.objects.exists()


def test_a_picture_is_uploaded_in_the_chooser(console, picture):
    prefix = "image-chooser-upload"
    data = {
        f"{prefix}-title": "Office", f"{prefix}-file": picture(), f"{prefix}-collection": root(), f"{prefix}-description": "The office's door", f"{prefix}-credit": "Anna",
    }  # fmt: skip
    answer = console.post(reverse("wagtailimages_chooser:create"), data)
    assert answer.json()["step"] == "chosen"
    image = Image.objects.get()
    assert (image.default_alt_text, image.credit, image.width) == ("The office's door", "Anna", 60)
    assert image.file_hash
    assert image.file_size == image.file.size


def test_several_at_once_wait_for_their_descriptions_and_are_stored_re_encoded(console, picture):
    raw = SimpleUploadedFile("office.jpg", picture().read() + HTML)
    answer = console.post(reverse("wagtailimages:add_multiple"), {"title": "Office", "files[]": raw, "collection": root()}).json()
    assert answer["success"]
    upload = UploadedFile.objects.get()
    assert not Image.objects.exists()
    finish = reverse("wagtailimages:create_multiple_from_uploaded_image", args=[upload.pk])
    prefix = f"uploaded-image-{upload.pk}"
    missing = console.post(finish, {f"{prefix}-title": "Office", f"{prefix}-collection": root()}).json()
    assert not missing["success"]
    done = console.post(finish, {f"{prefix}-title": "Office", f"{prefix}-collection": root(), f"{prefix}-description": "A door"}).json()
    assert done["success"]
    image = Image.objects.get()
    assert b"script" not in Path(image.file.path).read_bytes()


@pytest.mark.parametrize("name", ["office.jpg", "office.svg", "office.html", "office"])
def test_several_at_once_refuse_what_is_no_picture(console, name):
    data = {"title": "Office", "files[]": SimpleUploadedFile(name, HTML), "collection": root()}
    answer = console.post(reverse("wagtailimages:add_multiple"), data).json()
    assert not answer["success"]
    assert "not a picture" in answer["error_message"]
    assert not UploadedFile.objects.exists()


def test_a_focal_point_is_kept_by_what_is_cut_out(console, picture):
    image = Image.objects.create(title="Office", description="A door", file=picture(size=(400, 200)))
    data = {
        "title": "Office", "description": "A door", "collection": root(),
        "focal_point_x": 380, "focal_point_y": 100, "focal_point_width": 30, "focal_point_height": 30,
    }  # fmt: skip
    answer = console.post(reverse("wagtailimages:edit", args=[image.pk]), data)
    assert answer.status_code == 302
    image.refresh_from_db()
    assert image.get_focal_point().centroid == (380, 100)
    assert image.get_rendition("fill-100x100").focal_point_key != ""


def document_data(**changes):
    return {
        "title": "Guide", "file": SimpleUploadedFile("Guia d'ajuts.PDF", PDF), "collection": root(), "language": "ca", "accessible": "on", "other_form": "", "tags": "",
    } | changes  # fmt: skip


def post_document(console, **changes):
    prefix = "document-chooser-upload"
    data = {f"{prefix}-{name}": value for name, value in document_data(**changes).items() if value is not None}
    return console.post(reverse("wagtaildocs_chooser:create"), data).json()


def test_a_document_is_uploaded_and_served_so_that_no_browser_runs_it(console, client):
    assert post_document(console)["step"] == "chosen"
    document = Document.objects.get()
    assert document.file.name.startswith("documents/guia-dajuts-")
    assert document.file.name.endswith(".pdf")
    answer = client.get(document.url)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert answer["Content-Security-Policy"] == "default-src 'none'"
    assert answer["Content-Disposition"].startswith("inline")
    b"".join(answer.streaming_content)


@pytest.mark.parametrize(("name", "content_type"), [("figures.csv", "text/csv"), ("notes.txt", "text/plain")])
def test_what_is_no_pdf_is_served_as_a_file_to_keep(console, client, name, content_type):
    assert post_document(console, file=SimpleUploadedFile(name, b"a;b\n1;2\n"))["step"] == "chosen"
    answer = client.get(Document.objects.get().url)
    assert answer["Content-Type"] == content_type
    assert answer["Content-Disposition"].startswith("attachment")
    b"".join(answer.streaming_content)


def test_a_document_that_not_everybody_can_read_names_another_way(console):
    answer = post_document(console, accessible=None)
    assert "Write how they get its content otherwise." in answer["htmlFragment"]
    assert not Document.objects.exists()
    assert post_document(console, accessible=None, other_form="Ask at the office")["step"] == "chosen"


@pytest.mark.parametrize("name", ["guide.pdf", "guide.docx", "guide.html", "guide.svg", "guide.exe", "guide"])
def test_a_document_that_is_something_else_is_refused(console, name):
    answer = post_document(console, file=SimpleUploadedFile(name, HTML))
    assert answer["step"] == "reshow_creation_form"
    assert not Document.objects.exists()


def test_several_documents_at_once_wait_for_their_facts(console):
    data = {"title": "Guide", "files[]": SimpleUploadedFile("guide.pdf", PDF), "collection": root()}
    assert console.post(reverse("wagtaildocs:add_multiple"), data).json()["success"]
    upload = UploadedFile.objects.get()
    prefix = f"uploaded-document-{upload.pk}"
    finish = reverse("wagtaildocs:create_multiple_from_uploaded_document", args=[upload.pk])
    assert not console.post(finish, {f"{prefix}-title": "Guide", f"{prefix}-collection": root()}).json()["success"]
    facts = {f"{prefix}-title": "Guide", f"{prefix}-collection": root(), f"{prefix}-other_form": "Ask at the office"}
    assert console.post(finish, facts).json()["success"]
    assert Document.objects.get().file.name.startswith("documents/guide-")


def test_several_documents_at_once_refuse_what_lies(console):
    data = {"title": "Guide", "files[]": SimpleUploadedFile("guide.pdf", HTML), "collection": root()}
    answer = console.post(reverse("wagtaildocs:add_multiple"), data).json()
    assert not answer["success"]
    assert "save it again as PDF" in answer["error_message"]
    assert not UploadedFile.objects.exists()

"""Logos: what is taken, what is refused, what is kept."""

from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from marketplace.companies.models import Company
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


def picture(width=1200, height=600, kind="PNG", mode="RGB", **options):
    file = BytesIO()
    Image.new(mode, (width, height), 128 if mode == "L" else None).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def owner():
    return MembershipFactory()


@pytest.fixture
def upload(client, owner):
    client.force_login(owner.user)
    company = owner.company
    fields = {
        "name": company.name,
        "sector": company.sector_id,
        "place": company.place.name,
        "size": company.size,
        "language": "ca",
        "contact_email": "a@b.example",
    }

    def send(content, name="logo.png", **changes):
        company.refresh_from_db()
        file = {"logo": SimpleUploadedFile(name, content)} if content is not None else {}
        return client.post(reverse("companies:edit", args=[company.uid]), fields | {"version": company.version} | changes | file)

    return send


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("GIF", "P"), ("PNG", "LA"), ("PNG", "I;16")])
def test_a_logo_becomes_a_small_webp_under_a_random_name(upload, owner, kind, mode):
    assert upload(picture(kind=kind, mode=mode), "../../evil name.php").status_code == 302
    logo = Company.objects.get(pk=owner.company.pk).logo
    assert logo.name.startswith("logos/")
    assert logo.name.endswith(".webp")
    assert "evil" not in logo.name
    with Image.open(logo.path) as image:
        assert (image.format, image.size) == ("WEBP", (512, 256))


def test_exif_is_dropped_and_its_rotation_applied(upload, owner):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"
    upload(picture(400, 200, "JPEG", exif=exif), "l.jpg")
    logo = Company.objects.get(pk=owner.company.pk).logo
    with Image.open(logo.path) as image:
        assert image.size == (200, 400)
        assert not image.getexif()
    assert b"Secret camera" not in Path(logo.path).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script></html>",
        b"MZ\x90\x00 not a picture",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 100,
        picture()[:-200],
        picture(kind="TIFF"),
        picture(kind="BMP", width=50, height=50),
        picture(5000, 5000, mode="L"),
        b"\x00" * (2 * 2**20 + 1),
    ],
    ids=["svg", "html", "exe", "broken", "cut", "tiff", "bmp", "huge", "heavy"],
)
def test_what_is_no_fitting_picture_is_refused_at_its_field(upload, owner, content):
    response = upload(content)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["logo"]
    assert not Company.objects.get(pk=owner.company.pk).logo


def test_a_picture_with_a_script_behind_it_loses_the_script(upload, owner):
    upload(picture(100, 100) + b"<script>alert(1)</script>")
    logo = Company.objects.get(pk=owner.company.pk).logo
    assert b"<script>" not in Path(logo.path).read_bytes()


def test_a_new_logo_replaces_the_old_file_and_clearing_removes_it(upload, owner, django_capture_on_commit_callbacks):
    upload(picture())
    first = Company.objects.get(pk=owner.company.pk).logo
    with django_capture_on_commit_callbacks(execute=True):
        upload(picture())
    second = Company.objects.get(pk=owner.company.pk).logo
    assert (first.storage.exists(first.name), second.storage.exists(second.name)) == (False, True)
    with django_capture_on_commit_callbacks(execute=True):
        upload(None, **{"logo-clear": "on"})
    assert not Company.objects.get(pk=owner.company.pk).logo
    assert not second.storage.exists(second.name)


def test_saving_without_a_new_logo_keeps_the_present_one(upload, owner):
    upload(picture())
    before = Company.objects.get(pk=owner.company.pk).logo.name
    upload(None, name="x")
    assert Company.objects.get(pk=owner.company.pk).logo.name == before

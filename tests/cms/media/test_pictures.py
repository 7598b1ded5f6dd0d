"""What may be a picture of the site, and what is stored of it."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

from cms.media import pictures
from cms.media.models import Image

HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def bomb(width, height):
    """A PNG of some hundred bytes that says it is so large; made by hand, for no encoder could hold it."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def refused(upload):
    with pytest.raises(ValidationError) as raised:
        pictures.normalised(upload, upload.name)
    return raised.value.code, raised.value.messages[0]


@pytest.mark.parametrize(("name", "form"), [("a.jpg", "JPEG"), ("a.jpeg", "JPEG"), ("A.JPG", "JPEG"), ("a.png", "PNG"), ("a.webp", "WEBP"), ("a.avif", "AVIF")])
def test_a_picture_stays_one_of_its_format(picture, name, form):
    with Pillow.open(pictures.normalised(picture(name, form), name)) as stored:
        assert (stored.format, stored.size) == (form, (60, 40))


@pytest.mark.parametrize("content", [HTML, SVG, b"GIF89a" + HTML, b"\x89PNG\r\n\x1a\n" + HTML, b"%PDF-1.7", b"\xff\xd8\xff\xe0" + HTML])
@pytest.mark.parametrize("name", ["office.jpg", "office.png", "office.svg"])
def test_what_is_no_picture_is_refused_whatever_its_name_says(name, content):
    code, message = refused(SimpleUploadedFile(name, content))
    assert code == "not_a_picture"
    assert "Save it as JPEG, PNG, WebP or AVIF" in message


def test_a_picture_that_lies_about_its_type_is_refused_with_the_name_it_should_have(picture):
    code, message = refused(picture("office.jpg", "PNG"))
    assert code == "lies"
    assert "Rename it to “office.png”" in message


def test_a_picture_of_many_megabytes_is_refused_before_it_is_read(settings):
    upload = SimpleUploadedFile("office.jpg", b"")
    upload.size = 40 * 2**20
    upload.file = None  # reading it would fail
    code, message = refused(upload)
    assert code == "too_big"
    assert "40.0\xa0MB" in message
    assert "15.0\xa0MB" in message


def test_a_decompression_bomb_is_refused_without_being_decoded(monkeypatch):
    monkeypatch.setattr(Pillow.Image, "load", lambda _self: pytest.fail("the picture was decoded"))
    code, message = refused(SimpleUploadedFile("sky.png", bomb(20_000, 20_000)))
    assert code == "too_many_pixels"
    assert "more than 50 million pixels" in message


def test_a_picture_just_below_the_limit_passes_pillows_own_one(settings, picture):
    settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS = 2400
    assert pictures.check(picture()) == "JPEG"
    settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS = 2399
    assert refused(picture())[0] == "too_many_pixels"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_refused(picture, form):
    noise = BytesIO()
    Pillow.effect_noise((300, 300), 80).convert("RGB").save(noise, form)
    name = f"half.{pictures.FORMATS[form][0]}"
    code, message = refused(SimpleUploadedFile(name, noise.getvalue()[: len(noise.getvalue()) // 2]))
    assert code in ("damaged", "not_a_picture")
    assert "Save it" in message


def test_an_empty_file_is_refused():
    assert refused(SimpleUploadedFile("office.jpg", b""))[0] == "empty"


def test_a_moving_picture_is_refused():
    content = BytesIO()
    frames = [Pillow.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(content, "WEBP", save_all=True, append_images=frames[1:])
    assert refused(SimpleUploadedFile("a.webp", content.getvalue()))[0] == "moving"


def test_where_it_was_taken_and_what_else_it_carried_is_gone_and_it_stands_upright():
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "secret place"
    content = BytesIO()
    Pillow.new("RGB", (60, 40), "teal").save(content, "JPEG", exif=exif, comment=HTML)
    stored = pictures.normalised(SimpleUploadedFile("a.jpg", content.getvalue() + HTML), "a.jpg").read()
    with Pillow.open(BytesIO(stored)) as image:
        assert image.size == (40, 60)
        assert not image.getexif()
    assert b"secret" not in stored
    assert b"script" not in stored


@pytest.mark.parametrize("form", ["PNG", "WEBP", "AVIF"])
def test_a_transparent_picture_stays_transparent(form):
    content = BytesIO()
    Pillow.new("RGBA", (30, 30), (0, 0, 0, 0)).save(content, form)
    name = f"a.{pictures.FORMATS[form][0]}"
    with Pillow.open(pictures.normalised(SimpleUploadedFile(name, content.getvalue()), name)) as stored:
        assert stored.convert("RGBA").getpixel((5, 5))[3] == 0


def test_a_large_picture_is_stored_smaller(picture):
    with Pillow.open(pictures.normalised(picture(size=(6400, 3200)), "a.jpg")) as stored:
        assert stored.size == (3200, 1600)


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("../../etc/passwd.jpg", "passwd-"),
        ("C:\\fotos\\Àngel & Cia.jpg", "angel-cia-"),
        ("\u202egpj.exe.jpg", "gpjexe-"),
        ("照片.jpg", "file-"),
        ("x" * 300 + ".jpg", "x" * 60 + "-"),
    ],
)
def test_stored_names_are_short_and_plain(picture, name, beginning):
    stored = pictures.normalised(picture(), name) if len(name) > 255 else pictures.normalised(picture("a.jpg"), name)
    assert stored.name.startswith(beginning)
    assert stored.name.isascii()
    assert "/" not in stored.name


@pytest.mark.django_db
def test_a_picture_that_comes_by_no_form_is_re_encoded_too(picture):
    image = Image.objects.create(title="Office", description="The office", file=SimpleUploadedFile("office.jpg", picture().read() + HTML))
    stored = Path(image.file.path).read_bytes()
    assert b"script" not in stored
    assert (image.width, image.height) == (60, 40)
    assert image.file.name.startswith("original_images/office-")
    assert Image.objects.get().width == 60


@pytest.mark.django_db
def test_a_picture_that_comes_by_no_form_is_checked_too():
    with pytest.raises(ValidationError):
        Image.objects.create(title="Office", description="The office", file=SimpleUploadedFile("office.jpg", HTML))
    assert not Image.objects.exists()


@pytest.mark.django_db
def test_the_words_for_who_does_not_see_it_are_its_description(picture):
    image = Image.objects.create(title="IMG_2044", description="Two women at a counter", file=picture())
    assert 'alt="Two women at a counter"' in image.get_rendition("width-20").img_tag()

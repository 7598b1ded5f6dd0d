from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from PIL import Image


@pytest.fixture(autouse=True)
def _english(_first_language):
    """Messages are compared in the language that they are written in."""
    translation.activate("en")


@pytest.fixture
def picture():
    """Make an upload that is a picture, under any name."""

    def make(name="office.jpg", form="JPEG", size=(60, 40), **saved_with):
        content = BytesIO()
        Image.new("RGB", size, "teal").save(content, form, **saved_with)
        return SimpleUploadedFile(name, content.getvalue())

    return make

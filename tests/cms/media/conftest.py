from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


@pytest.fixture
def picture():
    """Make an upload that is a picture, under any name."""

    def make(name="office.jpg", form="JPEG", size=(60, 40), **saved_with):
        content = BytesIO()
        Image.new("RGB", size, "teal").save(content, form, **saved_with)
        return SimpleUploadedFile(name, content.getvalue())

    return make

"""Requests that are refused before a view sees them."""

from io import BytesIO

import pytest
from django.core.files.uploadhandler import FileUploadHandler

from marketplace.core import middleware

pytestmark = pytest.mark.django_db


class Counting(FileUploadHandler):
    """Stands for the disk: counts what would be written."""

    written = 0

    def receive_data_chunk(self, raw_data, start):
        Counting.written += len(raw_data)

    def file_complete(self, file_size):
        return None


@pytest.mark.parametrize("address", ["/", "/no-such-page/"])
def test_enormous_files_of_strangers_are_not_written_to_disk(client, settings, address):
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.Counting"]
    body = b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n" + bytes(middleware.LARGEST_REQUEST) + b"\r\n--x--\r\n"
    answer = client.generic("POST", address, body, content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, Counting.written) == (413, 0)


def test_files_as_large_as_the_import_takes_get_through(client):
    file = BytesIO(bytes(10 * 2**20))
    file.name = "listings.csv"
    assert client.post("/no-such-page/", {"file": file}).status_code == 404

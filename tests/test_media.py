"""What may be fetched of the uploaded files by their own address: pictures, nothing that a browser could run as a page of ours."""

import pytest


@pytest.fixture
def stored(settings):
    def write(name, content=b"<script>alert(1)</script>"):
        file = settings.MEDIA_ROOT / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    return write


@pytest.mark.django_db
@pytest.mark.parametrize("folder", ["logos", "images", "original_images"])
def test_pictures_are_served_and_their_type_is_not_guessed_by_browsers(client, stored, folder):
    stored(f"{folder}/one.webp", b"RIFF")
    answer = client.get(f"/media/{folder}/one.webp")
    assert (answer.status_code, answer["Content-Type"], answer["X-Content-Type-Options"]) == (200, "image/webp", "nosniff")
    answer.close()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/media/documents/page.html", "/media/page.html", "/media/logos/../documents/page.html", "/media/logos/%2e%2e/page.html"])
def test_nothing_else_is_served(client, stored, address):
    stored("documents/page.html")
    stored("page.html")
    stored("logos/one.webp", b"RIFF")
    assert client.get(address).status_code in (400, 404)

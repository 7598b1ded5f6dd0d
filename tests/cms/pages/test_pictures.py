"""Pictures on pages: formats and sizes, made outside the requests."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image as Picture

from cms.pages import pictures
from cms.pages.models import NewsIndexPage, NewsPage
from marketplace.core import changelog
from tests.cms.pages.factories import block, make_image, make_page

pytestmark = pytest.mark.django_db
SIZES = {fit: len(use.operations) for fit, use in pictures.FITS.items()}


def text(response) -> str:
    return response.content.decode()


def prepare() -> None:
    while pictures.run_once():
        pass


def in_body(image):
    return block("picture", {"image": {"image": image.pk, "alt_text": "Una pantalla", "decorative": False}, "caption": "", "credit": ""})


def test_first_visitor_waits_for_one_jpeg_and_no_other_format():
    image = make_image()
    page = make_page(NewsPage, lead_image=image, lead_image_alt="Una màquina")
    html = text(Client().get(page.url))
    made = set(image.renditions.values_list("filter_spec", flat=True))
    assert not any("avif" in spec or "webp" in spec for spec in made)
    assert "fill-1440x480|format-jpeg" in made
    assert re.search(r'<picture><img src="[^"]+\.jpg" width="1440" height="480" alt="Una màquina" fetchpriority="high"></picture>', html)


def test_worker_makes_what_the_pages_show_and_nothing_else():
    lead, inside, unused = make_image(), make_image("Dins"), make_image("No es fa servir")
    page = make_page(NewsPage, lead_image=lead, lead_image_alt="x", body=[in_body(inside)])
    prepare()
    assert lead.renditions.count() == len(pictures.FORMATS) * (SIZES["top"] + SIZES["card"]) + SIZES["share"]
    assert inside.renditions.count() == len(pictures.FORMATS) * SIZES["whole"]
    assert unused.renditions.count() == 0
    html = text(Client().get(page.url))
    assert html.count('<source type="image/avif" srcset="/media/images/') == 2
    assert html.index("image/avif") < html.index("image/webp")
    assert 'alt="Una pantalla" loading="lazy"' in html
    assert re.search(r'srcset="[^"]+ 480w, [^"]+ 880w, [^"]+ 1400w" sizes="\(min-width', html)


def test_sizes_are_pictures_of_the_format_they_claim():
    image = make_image()
    pictures.make(image, "card")
    for rendition in image.renditions.all():
        with rendition.file.open() as file, Picture.open(file) as picture:
            assert picture.format.lower() == rendition.filter_spec.rpartition("-")[2]
            assert picture.size == (rendition.width, rendition.height)


def test_small_picture_is_not_blown_up():
    image = make_image(width=300, height=200)
    pictures.make(image, "whole")
    found = pictures.shown(image, "whole")
    assert (found.image.width, found.srcset) == (300, f"{found.image.url} 300w") or found.srcset.count("300w") == 1


def test_second_run_makes_nothing(django_assert_num_queries):
    image = make_image()
    assert pictures.make(image, "card") == 6
    with django_assert_num_queries(1):
        assert pictures.make(image, "card") == 0


def test_new_focal_point_gets_new_sizes():
    image = make_image()
    make_page(NewsPage, lead_image=image, lead_image_alt="x")
    prepare()
    before = {rendition.file.name for rendition in image.renditions.all()}
    image.focal_point_x, image.focal_point_y, image.focal_point_width, image.focal_point_height = 100, 100, 50, 50
    image.save()
    prepare()
    assert pictures.shown(image, "card").image.file.name not in before
    assert len(pictures.shown(image, "card").sources) == 2


def test_picture_whose_file_is_gone_breaks_no_page_and_no_worker():
    image = make_image()
    page = make_page(NewsPage, lead_image=image, lead_image_alt="x")
    image.file.storage.delete(image.file.name)
    response = Client().get(page.url)
    assert (response.status_code, "<picture>" in text(response)) == (200, False)
    prepare()
    assert changelog.lag(pictures.READER) == 0


def test_list_of_news_asks_for_all_sizes_at_once(django_assert_num_queries):
    def queries():
        with CaptureQueriesContext(connection) as made:
            client.get(index.url)
        return len(made)

    client = Client()
    first = make_page(NewsPage, lead_image=make_image(), lead_image_alt="x")
    index = NewsIndexPage.objects.parent_of(first).get()
    prepare()
    client.get(index.url)
    one = queries()
    for _ in range(2):
        make_page(NewsPage, index, lead_image=make_image(), lead_image_alt="x")
    prepare()
    assert queries() == one


def test_text_with_many_pictures_asks_for_all_sizes_at_once():
    counts = []
    for number in (1, 1, 3):
        page = make_page(NewsPage, body=[in_body(make_image()) for _ in range(number)])
        prepare()
        with CaptureQueriesContext(connection) as made:
            Client().get(page.url)
        counts.append(len(made))
    # The first one fills what a process keeps.
    assert counts[1] == counts[2]


def test_names_of_sizes_hold_the_pictures_sum_so_that_browsers_may_keep_them(client):
    image, other = make_image(), make_image(width=1500)
    for one in (image, other):
        pictures.make(one, "card")
    rendition = image.renditions.first()
    assert image.file_hash[:10] in rendition.file.name
    assert not set(image.renditions.values_list("file", flat=True)) & set(other.renditions.values_list("file", flat=True))
    response = client.get(rendition.url)
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    response.close()

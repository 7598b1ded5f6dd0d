import pytest

from cms.pages.models import GuidePage
from tests.cms.pages.factories import chapter, make_page, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide():
    chapters = [chapter("Abans", text("<p>primer</p>")), chapter("Els papers", text("<p>segon</p>")), chapter("Després", text("<p>tercer</p>"), anchor="final")]
    return make_page(GuidePage, title="Obrir una botiga", slug="botiga", chapters=chapters)


def html(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_guide_begins_with_its_first_chapter(client, guide):
    page = html(client, guide.get_url())
    assert "<p>primer</p>" in page
    assert "<p>segon</p>" not in page
    assert f'<a class="onward" href="{guide.get_url()}els-papers/" rel="next">' in page
    assert 'rel="prev"' not in page


def test_chapter_has_an_address_and_neighbours(client, guide):
    page = html(client, f"{guide.get_url()}els-papers/")
    assert "<p>segon</p>" in page
    assert "<title>Els papers · Obrir una botiga" in page
    assert f'href="{guide.get_url()}" rel="prev"' in page
    assert f'href="{guide.get_url()}final/" rel="next"' in page
    assert 'aria-current="page"><span class="nth">2</span>' in page
    # The guide itself is on the way to its chapters.
    assert f'<li><a href="{guide.get_url()}">Obrir una botiga</a></li><li aria-current="page">Els papers</li>' in page
    assert f'<link rel="canonical" href="http://testserver{guide.get_url()}els-papers/">' in page


def test_whole_guide_is_one_page_for_printing(client, guide):
    page = html(client, f"{guide.get_url()}all/")
    assert page.index("<p>primer</p>") < page.index("<p>segon</p>") < page.index("<p>tercer</p>")
    assert 'href="#els-papers"' in page
    assert f'<link rel="canonical" href="http://testserver{guide.get_url()}">' in page


def test_chapter_that_is_not_there_is_not_found(client, guide):
    assert client.get(f"{guide.get_url()}quart/").status_code == 404
    assert client.get(f"{guide.get_url()}els-papers/mes/").status_code == 404
    guide.unpublish()
    assert client.get(f"{guide.get_url()}els-papers/").status_code == 404

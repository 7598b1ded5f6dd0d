import json
import re

import pytest

from cms.pages.models import FaqPage
from cms.pages.words import folded
from tests.cms.pages.factories import block, make_page, question

pytestmark = pytest.mark.django_db


@pytest.fixture
def faq():
    aid = [question("Qui pot demanar la subvenció?", "<p>Qui tingui una <b>botiga</b>.</p>"), question("Quant triga?", "<p>Un mes.</p>")]
    market = [question("Qui veu les meves dades?", "<p>Ningú. Ni la instal·lació.</p>")]
    return make_page(FaqPage, groups=[block("group", {"title": name, "anchor": "", "questions": one}) for name, one in (("Ajuts", aid), ("El mercat", market))])


def found(client, faq, words):
    response = client.get(faq.get_url(), {"q": words})
    return [one["question"] for group in response.context["found"] for one in group["questions"]]


def test_all_questions_stand_under_their_subject(client, faq):
    html = client.get(faq.get_url()).content.decode().split("<main")[1]
    assert html.index('<h2 id="ajuts">') < html.index("Quant triga?") < html.index('<h2 id="el-mercat">')
    assert '<a class="chip" href="#el-mercat">' in html
    assert '<details class="question"><summary>' in html


@pytest.mark.parametrize(
    ("words", "questions"),
    [
        ("subvencio", ["Qui pot demanar la subvenció?"]),
        ("SUBVENCIÓ  botiga", ["Qui pot demanar la subvenció?"]),
        ("instal.lacio dades", []),
        ("installacio", ["Qui veu les meves dades?"]),
        ("qui", ["Qui pot demanar la subvenció?", "Qui veu les meves dades?"]),
        ("<b>", []),
        ("   ", ["Qui pot demanar la subvenció?", "Quant triga?", "Qui veu les meves dades?"]),
    ],
)
def test_filter_finds_words_in_questions_and_answers(client, faq, words, questions):
    assert found(client, faq, words) == questions


def test_answers_that_were_found_are_open(client, faq):
    html = client.get(faq.get_url(), {"q": "botiga"}).content.decode()
    assert '<details class="question" open>' in html
    assert 'value="botiga"' in html


def test_nothing_found_says_so(client, faq):
    html = client.get(faq.get_url(), {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in html
    assert 'class="empty"' in html


def test_search_engines_get_all_questions_whatever_is_shown(client, faq):
    html = client.get(faq.get_url(), {"q": "botiga"}).content.decode()
    data = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)[0])
    assert [one["name"] for one in data["mainEntity"]] == ["Qui pot demanar la subvenció?", "Quant triga?", "Qui veu les meves dades?"]
    assert "botiga" in data["mainEntity"][0]["acceptedAnswer"]["text"]


def test_folding():
    assert folded("Instal·lació Ñandú") == "installacio nandu"

import json

import pytest
from django.urls import reverse

from cms.console import plain_words
from cms.pages.models import HomePage

LONG = {
    "ca": "L'oficina paga la meitat del cost de les obres que facis per posar la botiga a punt, sempre que les acabis abans de l'estiu i ens n'enviïs les factures per internet.",
    "es": "La oficina paga la mitad del coste de las obras que hagas para poner la tienda a punto, siempre que las acabes antes del verano y nos mandes las facturas por internet.",
    "en": "The office pays half of what it costs you to make the shop ready for its customers, if you finish before the summer and send us all the bills over the web.",
}


def kinds(text: str, language: str) -> list[tuple[str, str]]:
    return [(hint.kind, hint.quote) for hint in plain_words.hints(text, language)]


@pytest.mark.parametrize("language", ["ca", "es", "en"])
def test_a_long_sentence_is_told_with_its_words_and_a_short_one_is_not(language):
    [hint] = plain_words.hints(LONG[language], language)
    assert hint.kind == "long"
    assert str(len(plain_words._WORD.findall(LONG[language]))) in hint.note
    assert plain_words.hints(LONG[language].replace(",", "."), language) == []


@pytest.mark.parametrize(
    ("text", "language", "quote"),
    [
        ("L'ajut és concedit per l'oficina.", "ca", "és concedit"),
        ("Les factures han de ser enviades abans de juny.", "ca", "han de ser enviades"),
        ("Es concediran deu premis.", "ca", "Es concediran"),
        ("La ayuda será pagada en un mes.", "es", "será pagada"),
        ("Se concederán diez premios.", "es", "Se concederán"),
        ("The money is paid in June.", "en", "is paid"),
        ("Bills must be quickly sent.", "en", "must be quickly sent"),
    ],
)
def test_what_nobody_does_is_told(text, language, quote):
    assert ("passive", quote) in kinds(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("El curs és gratuït i és petit.", "ca"),
        ("L'oficina és oberta al matí. Després tanca.", "ca"),
        ("L'oficina paga l'ajut en un mes.", "ca"),
        ("El curso es privado. La oficina paga la ayuda.", "es"),
        ("You need a bill. The office is closed on Sunday.", "en"),
    ],
)
def test_plain_sentences_get_no_hint(text, language):
    assert plain_words.hints(text, language) == []


def test_words_of_the_office_are_told_with_what_people_say():
    [hint] = plain_words.hints("Pots subsanar la sol·licitud.", "ca")
    assert (hint.kind, hint.quote) == ("jargon", "subsanar")
    assert "arreglar" in hint.note
    assert kinds("L’abonament arriba al juny.", "ca") == [("jargon", "abonament")]
    assert kinds("Els abonaments del gimnàs.", "ca") == []


def test_an_abbreviation_ends_no_sentence():
    [(_, first), _second] = plain_words.sentences("Pregunta per la Sra. Puig a l'oficina. Obre a les nou.")
    assert first == "Pregunta per la Sra. Puig a l'oficina."


def test_hints_of_a_language_without_patterns_are_of_length_alone():
    assert kinds("Le dossier est envoyé. " + "mot " * 30, "fr") == [("long", "mot mot mot mot mot mot mot mot …")]


def test_hints_take_a_text_of_any_size_in_a_moment():
    assert len(plain_words.hints("és concedit " * 100_000, "ca")) == plain_words.MOST_HINTS
    assert plain_words.hints("'" * 50_000 + "ment" * 20_000, "ca") is not None


def ask(client, **asked):
    return client.post(reverse("console_plain_words"), json.dumps(asked), content_type="application/json")


def test_hints_view_answers_for_each_text_in_the_pages_language(admin_client):
    home = {language: HomePage.objects.get(locale__language_code=language).pk for language in ("ca", "en")}
    texts = {"1": "The money is paid in June.", "2": "You get the money in June."}
    found = ask(admin_client, page=home["en"], texts=texts).json()
    assert "is paid" in found["1"]
    assert found["2"] == ""
    assert ask(admin_client, page=home["ca"], texts=texts).json()["1"] == ""


def test_hints_view_escapes_what_was_typed(admin_client):
    page = HomePage.objects.get(locale__language_code="en").pk
    found = ask(admin_client, page=page, texts={"1": "<script>alert(1)</script> " + "word " * 30}).json()
    assert "<script" not in found["1"]


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"page": 1, "texts": []}', '{"page": "x", "texts": {}}', "[" * 9_000, '{"page": -1, "texts": {"a": "b"}}', '{"page": 1e99, "texts": {}}'],
)
def test_hints_view_refuses_rubbish(admin_client, body):
    response = admin_client.post(reverse("console_plain_words"), body, content_type="application/json")
    assert response.status_code in {400, 404}


def test_hints_view_is_for_the_console_only(client, db):
    assert ask(client, page=1, texts={}).status_code in {302, 403}


@pytest.mark.parametrize("language", ["ca", "es", "en"])
def test_guide_is_in_the_language_of_the_console(admin_client, admin_user, language):
    type(admin_user).objects.filter(pk=admin_user.pk).update(language=language)
    page = admin_client.get(reverse("console_guide")).content.decode()
    assert f'<article class="writing-guide" lang="{language}">' in page
    assert next(iter(plain_words.jargon(language))) in page.replace("&#x27;", "'")

import datetime

import pytest

from marketplace.imports import mapping, readers
from marketplace.imports.candidates import Options
from marketplace.imports.rows import Reader
from marketplace.imports.texts import cut, cut_at_sentence, first_sentence

from .conftest import HEADER, csv_of, good


def read(*rows, header=HEADER, **options):
    table = readers.read(csv_of(rows, header=header))
    reader = Reader(mapping.guess(table), Options(**options))
    return [candidate for row in table.rows for candidate in reader.candidates(row)]


def test_good_row_is_read_whole(db):
    (one,) = read(good())
    assert (one.errors, one.warnings) == ([], [])
    assert one.fields["kind"] == "offer"
    assert one.fields["sector_id"] == "1412"
    assert one.fields["place_id"] == "082798"
    assert one.fields["category"] == "product"
    assert one.fields["language"] == "ca"
    assert one.company["tax_id"] == "B10000008"
    assert one.sent_at.isoformat() == "2020-03-24T10:15:32+01:00"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"NIF": "B10000001"}, "Row 2, column “NIF”: NIF B10000001: the last character should be 8, or one of the others is mistyped."),
        ({"Municipi": "Terasa"}, "Row 2, column “Municipi”: “Terasa” is no municipality that we know. Did you mean:"),
        ({"Municipi": "Qwertyuiop"}, "Row 2, column “Municipi”: “Qwertyuiop” is no municipality that we know. Write its name as on a map."),
        ({"Oferta o demanda?": "potser"}, "Row 2, column “Oferta o demanda?”: “potser” is neither an offer nor a demand."),
        ({"Oferta o demanda?": ""}, "Row 2, column “Oferta o demanda?”: it is not said whether"),
        ({"Oferta o demanda?": "Oferta i demanda"}, "Row 2, column “Oferta o demanda?”: “Oferta i demanda” names both kinds"),
        ({"Nom de l'empresa": "", "NIF": ""}, "Row 2, column “Nom de l'empresa”: the company is missing."),
        ({"Títol": "", "Descripció": ""}, "Row 2, column “Descripció”: the text is missing."),
    ],
)
def test_wrong_cell_is_an_error_that_says_what_to_change(db, cells, message):
    (one,) = read(good(**cells))
    assert [error[: len(message)] for error in one.errors] == [message]


def test_all_errors_of_a_row_are_told_at_once(db):
    (one,) = read(good(NIF="X", Municipi="Qwertyuiop"))
    assert len(one.errors) == 2


@pytest.mark.parametrize(("written", "wrong"), [("01/01/2020", "has passed"), ("demà", "is no date")])
def test_end_of_validity_must_be_a_day_to_come(db, written, wrong):
    (one,) = read([*good(), written], header=[*HEADER, "Vàlid fins"])
    assert wrong in one.errors[0]


def test_end_of_validity_is_taken(db):
    (one,) = read([*good(), "31/12/2030"], header=[*HEADER, "Vàlid fins"])
    assert one.fields["valid_until"] == datetime.date(2030, 12, 31)


def test_row_with_offer_and_need_becomes_two(db):
    header = ["Empresa", "NIF", "Municipi", "Què ofereix?", "Què necessita?"]
    offer, demand = read(
        ["X SL", "B10000008", "Rubí", "Gel hidroalcohòlic en garrafes de 5 litres.", "Busquem etiquetes impermeables per a envasos."], header=header
    )
    assert [offer.part, demand.part] == ["offer", "demand"]
    assert demand.fields["title"] == "Busquem etiquetes impermeables per a envasos"
    assert offer.key != demand.key


@pytest.mark.parametrize("nothing", ["", "-", "Res", "n/a", "No"])
def test_empty_half_makes_no_listing(db, nothing):
    header = ["Empresa", "NIF", "Municipi", "Què ofereix?", "Què necessita?"]
    (offer,) = read(["X SL", "B10000008", "Rubí", "Gel hidroalcohòlic en garrafes de 5 litres.", nothing], header=header)
    assert offer.fields["kind"] == "offer"


def test_ticks_for_offer_and_need_take_the_text_from_its_own_column(db):
    header = ["Empresa", "Municipi", "Oferta", "Demanda", "Descripció"]
    (demand,) = read(["X SL", "Rubí", "", "x", "Etiquetes impermeables per a garrafes de gel."], header=header)
    assert (demand.fields["kind"], demand.fields["description"]) == ("demand", "Etiquetes impermeables per a garrafes de gel.")


def test_short_texts_are_completed_in_their_language(db):
    (one,) = read(good(Títol="Gel", Descripció="Gel de mans"))
    assert one.fields["title"].startswith("Gel · ")
    assert len(one.fields["description"]) >= 30
    assert "Confeccions Vallparadís, SL" in one.fields["description"]


def test_long_texts_are_cut_and_nothing_of_a_title_is_lost(db):
    title = "Bates " * 40
    (one,) = read(good(Títol=title, Descripció="Una frase que acaba. " * 500))
    assert len(one.fields["title"]) <= 120
    assert one.fields["description"].startswith(title.strip())
    assert one.fields["description"].endswith("acaba.")
    assert len(one.fields["description"]) <= 6000
    assert len(one.warnings) == 2


def test_sector_that_nobody_knows_is_guessed_and_said(db):
    (one,) = read(good(**{"Sector d'activitat": "Tèxtil"}))
    assert one.fields["sector_id"].startswith(("13", "46", "47", "28", "95"))
    assert "“Tèxtil” is taken as" in one.warnings[0]


def test_options_fill_what_rows_do_not_say(db):
    header = ["Empresa", "Descripció"]
    (one,) = read(["X SL", "Etiquetes impermeables per a garrafes de gel."], header=header, kind="demand", sector="1812", place="081878")
    assert (one.errors, one.fields["kind"], one.fields["sector_id"], one.fields["place_id"]) == ([], "demand", "1812", "081878")


def test_script_emoji_and_right_to_left_text_stay_as_they_are(db):
    text = "<script>alert(1)</script> 🧴 مرحبا gel de mans per a tothom"
    (one,) = read(good(Descripció=text))
    assert one.fields["description"] == text


def test_bad_contact_data_are_left_out_with_a_warning(db):
    (one,) = read([*good(**{"Correu electrònic": "nobody"}), "javascript:alert(1)"], header=[*HEADER, "Pàgina web"])
    assert (one.errors, one.company["contact_email"], one.company["web"]) == ([], "", "")
    assert len(one.warnings) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Segells de goma. Segells de paper.", "Segells de goma"),
        ("Codi: 80006484. Subministrament de sutures. Altres.", "Codi: 80006484. Subministrament de sutures"),
        ("Una línia\nUna altra", "Una línia Una altra"),
        ("Atenció a la C. del Sol núm. 3, dilluns", "Atenció a la C. del Sol núm. 3, dilluns"),
    ],
)
def test_first_sentence_says_something(text, sentence):
    assert first_sentence(text) == sentence


def test_cut_ends_between_words():
    assert cut("un dos tres quatre", 10) == "un dos…"
    assert cut("x" * 50, 10) == "x" * 9 + "…"
    assert cut_at_sentence("Una. Dues. Tres i més", 12) == "Una. Dues."

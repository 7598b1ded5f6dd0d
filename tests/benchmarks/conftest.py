"""A judged set of our own, and the programs run on it as one runs them."""

import json
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[2] / "benchmarks"
OFFERS = {
    "hygiene": ("ca", "Higiene SL", "Gel hidroalcohòlic. Mascaretes de protecció."),
    "gloves": ("ca", "Guants Vallès", "Guants de nitril. Guants de vinil per a la cuina."),
    "transport": ("ca", "Transports Puig", "Transport de mercaderies. Missatgeria urgent."),
    "higiene": ("es", "Limpiezas SA", "Gel hidroalcohólico. Mascarillas de protección."),
    "guantes": ("es", "Guantes SA", "Guantes de nitrilo. Guantes de vinilo para la cocina."),
    "transporte": ("es", "Portes SA", "Transporte de mercancías. Mensajería urgente."),
}
DEMANDS = {
    "q1": ("ca", "Subministrament de mascaretes", "hygiene", "higiene"),
    "q2": ("ca", "Guants de nitril", "gloves", "guantes"),
    "q3": ("es", "Transporte urgente de mercancías", "transport", "transporte"),
    "q4": ("es", "Mascarillas para el personal", "hygiene", "higiene"),
    # No word of it is in a text, but many letters are.
    "q5": ("ca", "Xtransport xmercaderies", "transport", "transporte"),
}


@pytest.fixture
def judged(tmp_path):
    """A folder with offers and demands in two languages."""
    folder = tmp_path / "needs"
    folder.mkdir()
    offers = [{"id": uid, "lang": language, "title": title, "text": text} for uid, (language, title, text) in OFFERS.items()]
    demands = [{"id": uid, "lang": language, "text": text} for uid, (language, text, *_) in DEMANDS.items()]
    for name, rows in (("corpus", offers), ("queries", demands)):
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    rows = [f"{uid}\t{wanted}\t1\n" for uid, (_, _, *relevant) in DEMANDS.items() for wanted in relevant]
    (folder / "qrels.tsv").write_text("query-id\tdoc-id\tgrade\n" + "".join(rows), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def program(monkeypatch, capsys, settings):
    """Runs a program of benchmarks/ as its file says, in this process, with an encoder that costs nothing."""
    settings.SEMANTIC_ENCODER = "tests.search.encoders.Letters"
    monkeypatch.syspath_prepend(str(PROGRAMS))

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        message, code = "", 0
        try:
            runpy.run_path(str(PROGRAMS / name), run_name="__main__")
        except SystemExit as ended:
            # As the interpreter does with a sentence.
            message, code = ("", ended.code) if isinstance(ended.code, int) else (ended.code, 1)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err + message)

    return run

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation

from marketplace.companies.models import Company
from marketplace.imports.models import Import
from marketplace.listings.models import Listing

from .conftest import csv_of, good
from .test_operations import numbered


@pytest.fixture
def command(db, tmp_path):
    def call(content, *options, name="answers.csv"):
        file = tmp_path / name
        file.write_bytes(content)
        output = io.StringIO()
        call_command("import_listings", str(file), *options, stdout=output)
        return output.getvalue()

    return call


def test_dry_run_says_what_would_happen_and_writes_nothing(command):
    said = command(csv_of([good(), good(NIF="B10000001")]), "--dry-run")
    assert "New listing: 1" in said
    assert "Row 3, column “NIF”" in said
    assert (Listing.objects.count(), Import.objects.count()) == (0, 0)


def test_run_tells_the_counts_and_how_to_take_it_back(command):
    said = command(csv_of([good()]), "--publish")
    assert "New listing: 1" in said
    source = Import.objects.get()
    assert f"--undo {source.uid}" in said
    assert source.sha256 in said
    assert Listing.objects.live().count() == 1


def test_undo_takes_it_back(command):
    command(csv_of(numbered(2)))
    output = io.StringIO()
    call_command("import_listings", undo=str(Import.objects.get().uid), stdout=output)
    assert "2 listings, 2 companies" in output.getvalue()
    assert Listing.objects.count() == 0


def test_mapping_file_overrides_the_guess(command, tmp_path):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"A": "company", "B": "description"}))
    command(
        csv_of([["X SL", "Etiquetes impermeables per a garrafes de gel."]], header=["A", "B"]),
        "--mapping",
        str(mapping),
        "--kind",
        "demand",
        "--default-place",
        "Rubí",
    )
    assert (Listing.objects.get().kind, Listing.objects.get().place_id) == ("demand", "081846")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", (), "empty"),
        (b"a,b\n1,2\n", (), "No column holds the company"),
        (csv_of([good()]), ("--default-place", "Macondo"), "Macondo"),
        (csv_of([good()]), ("--default-sector", "99999"), "99999"),
        (csv_of([good()]), ("--mapping", "/nowhere/at/all.json"), "all.json"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(command, content, options, message):
    with pytest.raises(CommandError, match=message):
        command(content, *options)
    assert Listing.objects.count() == 0


def test_suppliers_and_buyers_of_an_open_data_set_land_as_they_are(command):
    suppliers = [
        {"id": f"o{n}", "lang": "ca", "title": f"GRÀFIQUES {n} S.L.", "text": f"Segells de goma {n}. Retolació.", "kind": "Subministraments"} for n in range(30)
    ]
    needs = [{"id": f"d{n}", "lang": "ca", "text": f"Segells de goma núm. {n}", "buyer": f"Institut {n % 4}", "kind": "Serveis"} for n in range(30)]
    for rows, kind in ((suppliers, "offer"), (needs, "demand")):
        command("\n".join(json.dumps(row) for row in rows).encode(), "--kind", kind, name="rows.jsonl")
    assert {kind: Listing.objects.filter(kind=kind).count() for kind in ("offer", "demand")} == {"offer": 30, "demand": 30}
    assert Company.objects.count() == 34


@pytest.mark.django_db(transaction=True)
def test_killed_run_goes_on_without_doubling(tmp_path):
    """kill -9 while batches are being written; the same command again brings the rest, and a third time nothing."""
    rows = [[*row[:7], f"Bates impermeables, model {n}", *row[8:]] for n, row in enumerate(numbered(1200))]
    file = tmp_path / "answers.csv"
    file.write_bytes(csv_of(rows))
    settings = connection.settings_dict
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATABASE_URL": _url(settings),
        "EMBEDDED_INDEX_PATH": str(tmp_path / "index"),
    }
    run = [sys.executable, "manage.py", "import_listings", str(file)]
    process = subprocess.Popen(run, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not 0 < Listing.objects.count() < 1200 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    landed = Listing.objects.count()
    assert 0 < landed < 1200
    assert Import.objects.get().position == landed
    Import.objects.update(lease_until=None)  # as three minutes later
    with translation.override("en"):
        output = io.StringIO()
        call_command("import_listings", str(file), stdout=output)
        assert f"behind row {landed} of 1200" in output.getvalue()
        assert (Import.objects.count(), Listing.objects.count(), Company.objects.count()) == (1, 1200, 1200)
        call_command("import_listings", str(file), stdout=output)
        assert "Nothing new: 1200" in output.getvalue()
    assert Listing.objects.count() == 1200


def _url(settings):
    if settings["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{settings['NAME']}"
    return f"postgres://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"

"""Sectors and municipalities, loaded from the files in `data/`."""

import csv
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"


def load(sector_model: type, place_model: type) -> None:
    """Write every sector and place into these models (a migration's historical ones or today's); running it again updates them."""
    sector_model.objects.bulk_create(
        sectors(sector_model), update_conflicts=True, unique_fields=["code"], update_fields=["level", "parent", "path", "label_ca", "label_es", "label_en"]
    )
    place_model.objects.bulk_create(
        places(place_model), update_conflicts=True, unique_fields=["code"], update_fields=["name", "comarca", "province", "latitude", "longitude"]
    )


def sectors(model: type) -> list:
    """Every sector of the file, not saved."""
    return [
        model(
            code=row["code"], level=int(row["level"]), parent_id=row["parent"] or None, path=row["path"],
            label_ca=row["label_ca"], label_es=row["label_es"], label_en=row["label_en"],
        )
        for row in _rows("nace.tsv")
    ]  # fmt: skip


def places(model: type) -> list:
    """Every municipality of the file, not saved."""
    return [
        model(
            code=row["code"], name=row["name"], comarca=row["comarca"], province=row["province"],
            latitude=float(row["latitude"]), longitude=float(row["longitude"]),
        )
        for row in _rows("places.tsv")
    ]  # fmt: skip


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)

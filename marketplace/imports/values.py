"""What the text of a cell means: kinds, categories, dates, sectors, places, sizes. None (or an empty result) when nothing is meant."""

import datetime
import difflib
import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache

from django.conf import settings

from marketplace.companies import places, sectors
from marketplace.companies.enums import Size
from marketplace.companies.models import Place, Sector
from marketplace.listings.enums import Category, Kind

#: Beginnings of words, folded, by what they mean; Catalan, Spanish and English, as people answer forms.
KIND_WORDS: Mapping[str, tuple[str, ...]] = {
    Kind.OFFER: ("ofer", "ofre", "offer", "proveeix", "proveed", "provid", "suppl", "vend", "venc", "sell", "dono", "donem"),
    Kind.DEMAND: ("demand", "necess", "necesit", "need", "busc", "cerc", "sol licit", "solicit", "request", "look", "want", "compr", "buy", "falta", "require"),
}
CATEGORY_WORDS: Mapping[str, tuple[str, ...]] = {
    Category.KNOWLEDGE: ("coneix", "conoc", "knowledge", "know how", "formaci", "training", "assessor", "asesor", "consult", "mentor"),
    Category.SPACE: ("espai", "espac", "space", "local", "nau", "nave", "magatzem", "almacen", "warehouse", "oficin", "office", "equip", "maquin", "machin"),
    Category.PRODUCT: ("product", "subministr", "suministr", "suppl", "material", "good", "bens", "bienes", "article", "articul"),
    Category.SOLUTION: ("solu", "servei", "servic", "obra", "obres", "work"),
}
SIZE_WORDS: Mapping[str, tuple[str, ...]] = {
    Size.MICRO: ("micro", "autonom", "self employed", "freelance"),
    Size.SMALL: ("petit", "pequen", "small"),
    Size.MEDIUM: ("mitjan", "median", "medium"),
    Size.LARGE: ("gran", "large", "big"),
}
YES = frozenset(("si", "s", "yes", "y", "true", "cert", "verdadero", "1", "x", "online", "en linia", "en linea"))
NO = frozenset(("no", "n", "false", "fals", "falso", "0", ""))
LANGUAGES: Mapping[str, tuple[str, ...]] = {"ca": ("ca", "cat", "catal"), "es": ("es", "esp", "cas", "spa"), "en": ("en", "eng", "ang", "ing")}
#: A label that differs more than this from what was written is another label.
LABEL_LIKENESS = 0.86
LEGAL_FORMS = frozenset(("sl", "slu", "slp", "slpu", "sll", "sa", "sau", "sal", "scp", "sc", "sccl", "sca", "cb", "aie", "ute"))
_DATE = re.compile(
    r"^(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})|(?P<d2>\d{1,2})[-/.](?P<m2>\d{1,2})[-/.](?P<y2>\d{4}|\d{2}))"
    r"(?:[ T,]+(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:\.\d+)?\s*(?P<half>[ap]\.?\s?m\.?)?)?"
    r"\s*(?P<zone>Z|(?:GMT|UTC)?\s*[+-]\d{1,2}(?::?\d{2})?|GMT|UTC|CES?T|EUROPE/MADRID)?$",
    re.IGNORECASE,
)


@lru_cache(20_000)
def fold(text: str) -> str:
    """Lower case, no accents, every other mark a space: "L'Hospitalet (BCN)" → "l hospitalet bcn"."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^\w]+|_", " ", plain).split())


def choices(cell: str) -> list[str]:
    """The answers of a multiple choice; forms separate them by commas, semicolons or line ends."""
    return [part.strip() for part in re.split(r"[;\n|]|,(?!\d)", cell) if part.strip()]


def kinds(cell: str) -> set[str]:
    """Which sides of the market the cell names: none, one or both ("Oferta i demanda")."""
    return _meanings(cell, KIND_WORDS)


def category(cell: str) -> str | None:
    """The first category that one of the choices names."""
    for choice in choices(cell):
        if meant := _meanings(choice, CATEGORY_WORDS):
            # A single choice that fits two ("serveis de formació") is the more special one: the order of the table.
            return next(value for value in CATEGORY_WORDS if value in meant)
    return None


def size(cell: str) -> str | None:
    """A size class by its code, its word or a number of people ("12", "10-49", "més de 250")."""
    if cell in Size.values:
        return cell
    # No company has ten digits of people; Python refuses to read thousands of digits as a number.
    numbers = [int(number) for number in re.findall(r"\d{1,9}", cell.replace(".", ""))]
    if numbers:
        people = max(numbers)
        return Size.MICRO if people < 10 else Size.SMALL if people < 50 else Size.MEDIUM if people < 250 else Size.LARGE  # noqa: PLR2004 - 2003/361/EC
    return next(iter(_meanings(cell, SIZE_WORDS)), None)


def language(cell: str) -> str | None:
    """A language by its code or name."""
    folded = fold(cell)
    return next((code for code, beginnings in LANGUAGES.items() if folded == code or folded.startswith(beginnings[1:])), None)


def flag(cell: str) -> bool | None:
    """Yes or no; None for anything else."""
    folded = fold(cell)
    return True if folded in YES else False if folded in NO else None


def number(cell: str) -> int | None:
    """The first whole number: "50 km" → 50."""
    found = re.search(r"\d+", cell)
    return int(found[0]) if found and len(found[0]) < 7 else None  # noqa: PLR2004 - no distance has seven digits


def moment(cell: str) -> datetime.datetime | None:
    """A point in time; day before month, as here; without a zone it is our own. Forms write "2020/03/24 10:15:32 AM GMT+1"."""
    match = _DATE.match(cell.strip())
    if not match:
        return None
    year = int(match["y"] or match["y2"])
    half = (match["half"] or "").lower()[:1]
    hour = int(match["hour"] or 0)
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    try:
        found = datetime.datetime(
            year + 2000 if year < 100 else year,  # noqa: PLR2004 - two-digit years
            int(match["m"] or match["m2"]), int(match["d"] or match["d2"]), hour, int(match["minute"] or 0), int(match["second"] or 0),
            tzinfo=_zone(match["zone"] or ""),
        )  # fmt: skip
    except ValueError:
        return None
    return found


def _zone(text: str) -> datetime.tzinfo:
    if found := re.search(r"([+-])(\d{1,2}):?(\d{2})?$", text):
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return datetime.timezone(datetime.timedelta(minutes=minutes if found[1] == "+" else -minutes))
    return datetime.UTC if text.upper() in ("Z", "GMT", "UTC") else _local_zone()


@cache
def _local_zone() -> datetime.tzinfo:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - reads a file, which most processes never need

    return ZoneInfo(settings.TIME_ZONE)


def place(cell: str) -> Place | None:
    """A municipality by its INE code of six digits or by name: "08221 Terrassa", "Terrassa (Barcelona)", "l'Hospitalet".

    Five digits alone are nothing: they may be a postal code or an INE code without its last digit.
    """
    if code := re.match(r"\s*(\d{6})\b", cell):
        return places.known().get(code[1])
    bare = re.sub(r"^\s*\d{5}\b\s*[-–·,]?\s*", "", cell)
    for name in (bare, re.sub(r"\s*\([^)]*\)\s*$", "", bare), bare.split(",")[0]):
        if found := places.match(name) or _place_by_beginning(name):
            return found
    return None


@lru_cache(5000)
def _place_by_beginning(name: str) -> Place | None:
    """The only municipality whose name begins with these whole words ("Sant Cugat" begins two)."""
    wanted = _without_article(name)
    found = [place for place in places.known().values() if wanted and f"{_without_article(place.name)} ".startswith(f"{wanted} ")]
    return found[0] if len(found) == 1 else None


def _without_article(name: str) -> str:
    return re.sub(r"^(l|el|la|els|les|es|sa|ses) ", "", fold(name))


def sector(cell: str) -> Sector | None:
    """A NACE sector by code ("C", "22", "22.29", "C2229", "22.29 - Fabricació…") or by a label in any language, almost as written."""
    code = re.match(r"\s*([A-U]?)\s?(\d{2}(?:\.?\d{1,2})?)?(?=\s|$|[-–·:])", cell, re.IGNORECASE)
    if code and (code[1] or code[2]):
        found = sectors.tree().get((code[2] or code[1]).replace(".", "").upper())
        if found and (code[2] or len(cell.strip()) == 1 or re.match(r"\s*[A-U]\s*[-–·:]", cell)):
            return found
    return _sector_by_label(fold(cell))


@lru_cache(5000)
def _sector_by_label(label: str) -> Sector | None:
    if not label:
        return None
    if code := _labels().get(label):
        return sectors.tree()[code]
    near = difflib.get_close_matches(label, _labels(), n=1, cutoff=LABEL_LIKENESS)
    return sectors.tree()[_labels()[near[0]]] if near else None


@cache
def _labels() -> Mapping[str, str]:
    # From the leaves up, so that a label shared by a group and its only class means the group.
    ordered = sorted(sectors.tree().values(), key=lambda sector: -sector.level)
    return {fold(getattr(sector, f"label_{code}")): sector.code for sector in ordered for code in ("ca", "es", "en")}


def company_key(name: str) -> str:
    """The name without what people write differently: "ACME, S.L." and "Acme SL" are the same."""
    words = fold(re.sub(r"\b(\w)\.(?=\s?\w\b)\s?", r"\1", name)).split()
    joined, letters = [], []
    for word in [*words, ""]:
        if len(word) == 1:
            letters.append(word)
            continue
        if letters:
            joined.append("".join(letters))
            letters = []
        joined.append(word)
    return " ".join(word for word in joined if word)


def is_company_name(text: str) -> bool:
    """Whether the text ends like the name of a company: "… SL", "… S.A.U."."""
    words = company_key(text).split()
    return len(words) > 1 and words[-1] in LEGAL_FORMS


def _meanings(cell: str, words: Mapping[str, tuple[str, ...]]) -> set[str]:
    folded = f" {fold(cell)}"
    return {meaning for meaning, beginnings in words.items() if any(f" {beginning}" in folded for beginning in beginnings)}

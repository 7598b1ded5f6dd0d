"""A record of the database as facts of an aid. What it does not say is left out, so that nothing of ours is wiped by it."""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _

from cms.aid.enums import Beneficiary, Kind, Level
from marketplace.companies import places, sectors
from marketplace.companies.enums import Size
from marketplace.core.addresses import AddressError, parse

from .files import plain

#: The regions (NUTS) that a company of our city is in: Spain, the east, Catalonia, the province of Barcelona.
OWN_REGIONS = {"ES", "ES5", "ES51", "ES511"}
NUTS = re.compile(r"ES[0-9A-Z]{0,3}")
NUMBER = re.compile(r"\d{1,9}")
#: The database's words, as they begin, folded.
INSTRUMENTS = {
    "subvencion": Kind.GRANT,
    "entrega": Kind.GRANT,
    "prestamo": Kind.LOAN,
    "garantia": Kind.GUARANTEE,
    "aval": Kind.GUARANTEE,
    "ventaja fiscal": Kind.TAX_RELIEF,
    "beneficio fiscal": Kind.TAX_RELIEF,
    "premio": Kind.AWARD,
    "beca": Kind.TRAINING,
    "ayuda en especie": Kind.ADVICE,
    "otros instrumentos": Kind.GRANT,
}
BUSINESSES = [Beneficiary.SELF_EMPLOYED, Beneficiary.COMPANY, Beneficiary.COOPERATIVE, Beneficiary.SOCIAL_ENTERPRISE]
BENEFICIARIES = {
    "personas fisicas que no desarrollan": [Beneficiary.INDIVIDUAL],
    "personas juridicas que no desarrollan": [Beneficiary.ASSOCIATION],
    "pyme": BUSINESSES,
    "gran empresa": [Beneficiary.COMPANY],
    "sin informacion": [],
}
SMALL_SIZES = [Size.MICRO, Size.SMALL, Size.MEDIUM]
#: Words in the name of who calls, and what that is; the first that is found counts.
LEVELS = (
    (("ayuntamiento", "ajuntament", "entidad local"), Level.MUNICIPAL),
    (("diputacion", "diputacio", "consell comarcal", "cabildo", "area metropolitana"), Level.COUNTY),
    (("union europea", "comision europea"), Level.EUROPEAN),
    (("ministerio", "estado", "estatal", "instituto de credito oficial", "red es"), Level.STATE),
    (("cataluna", "catalunya", "generalitat", "departament", "autonomica", "consejeria"), Level.REGIONAL),
)
SMALL_WORDS = {"de", "del", "d", "i", "y", "la", "el", "les", "los", "las", "els", "a", "en", "e", "per", "para"}
MAX_EUROS = Decimal(10) ** 10
YEARS = range(1990, 2101)
#: The public page of a call.
CALL_PAGE = "https://www.infosubvenciones.es/bdnstrans/GE/es/convocatoria/{number}"
MAX_URL = 500


@dataclass(slots=True)
class Reading:
    """What became of a record: `facts` by the names of our fields, `texts` for a new draft, why it is refused, what to know."""

    number: str = ""
    title: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(values: dict[str, object], faults: Iterable[str] = ()) -> Reading:
    """The facts of a record; it is of no use if there are errors."""
    reading = Reading(errors=list(faults))
    if reading.errors:
        return reading
    _identity(reading, values)
    for take in (_kind, _people, _sectors, _funder_and_place, _money, _dates, _addresses, _texts):
        try:
            take(reading, values)
        except ValidationError as error:
            reading.errors += error.messages
    return reading


# --- Parts --------------------------------------------------------------------------------------------------------------


def _identity(reading: Reading, values: dict[str, object]) -> None:
    number = _text(values.get("codigoBDNS")) or _text(values.get("numeroConvocatoria"))
    if NUMBER.fullmatch(number):
        reading.number = number
    elif number:
        reading.errors.append(_("“%(number)s” is no call number: it has figures only.") % {"number": number[:40]})
    else:
        reading.errors.append(_("the call's number is missing (codigoBDNS)."))
    reading.title = _calm(_text(values.get("descripcionLeng")) or _text(values.get("descripcion")))[:255]
    if not reading.title:
        reading.errors.append(_("the call's title is missing (descripcion)."))


def _kind(reading: Reading, values: dict[str, object]) -> None:
    kinds = [_known(name, INSTRUMENTS, _("unknown instrument: “%(name)s”.")) for name in _names(values.get("instrumentos"))]
    if kinds:
        reading.facts["kind"] = kinds[0]
        if len(set(kinds)) > 1:
            reading.notes.append(_("The call has several instruments; the first is taken: %(kind)s.") % {"kind": kinds[0].label})


def _people(reading: Reading, values: dict[str, object]) -> None:
    names = _names(values.get("tiposBeneficiarios"))
    groups = [_known(name, BENEFICIARIES, _("unknown kind of beneficiary: “%(name)s”.")) for name in names]
    found = [one for one in Beneficiary if any(one in group for group in groups)]
    # One kind without information makes the list say nothing.
    if not found or [] in groups:
        return
    reading.facts["beneficiaries"] = found
    has_small, has_large = (any(plain(name).startswith(beginning) for name in names) for beginning in ("pyme", "gran empresa"))
    if has_small != has_large:
        reading.facts["sizes"] = SMALL_SIZES if has_small else [Size.LARGE]


def _sectors(reading: Reading, values: dict[str, object]) -> None:
    codes = [code.replace(".", "").upper() for code in _codes(values.get("sectores"))]
    tree = sectors.tree()
    if unknown := [code for code in codes if code not in tree]:
        raise ValidationError(_("unknown sector: %(codes)s.") % {"codes": ", ".join(unknown)})
    letters = {code for code, sector in tree.items() if sector.level == 1}
    # Every section is as good as none.
    if codes and len(letters - set(codes)) > 3:  # noqa: PLR2004 - the last sections (households, embassies) are often left out
        reading.facts["sectors"] = sorted(set(codes))


def _funder_and_place(reading: Reading, values: dict[str, object]) -> None:
    organ = values.get("organo")
    levels = organ if isinstance(organ, dict) else values
    first, second, third = (_text(levels.get(f"nivel{number}")) for number in (1, 2, 3))
    name = _calm_name(second or third or _text(organ if isinstance(organ, str) else "") or first)
    if name:
        whole = plain(f"{first} {second} {third}")
        level = next((level for words, level in LEVELS if any(word in whole for word in words)), Level.STATE)
        reading.facts["funder"] = {"name": name[:160], "level": level}
        if level == Level.MUNICIPAL and (place := _municipality(first, second, third)):
            reading.facts["place"] = place
    regions = [code.upper() for code in _codes(values.get("regiones"))]
    if unknown := [code for code in regions if not NUTS.fullmatch(code)]:
        raise ValidationError(_("unknown region: %(codes)s. Regions have NUTS codes such as ES511.") % {"codes": ", ".join(unknown)})
    if regions and OWN_REGIONS.isdisjoint(regions):
        raise ValidationError(_("it is for other regions only (%(codes)s).") % {"codes": ", ".join(regions)})


def _municipality(*names: str) -> str:
    for name in names:
        bare = re.sub(r"^(ayuntamiento|ajuntament)\s+(de\s+|d['’]\s*)?", "", name, flags=re.IGNORECASE)
        if bare and (found := places.match(bare)):
            return found.code
    return ""


def _money(reading: Reading, values: dict[str, object]) -> None:
    for name, source in (("budget", "presupuestoTotal"), ("amount_min", "importeMinimo"), ("amount_max", "importeMaximo")):
        amount = _amount(values.get(source), source)
        # The database writes 0 where nobody knows.
        if amount:
            reading.facts[name] = amount
    low, high, budget = (reading.facts.get(name) for name in ("amount_min", "amount_max", "budget"))
    if low and high and low > high:
        raise ValidationError(_("the lowest amount is above the highest (%(low)s and %(high)s euros).") % {"low": low, "high": high})
    if low and budget and low > budget:
        raise ValidationError(_("the lowest amount is above the whole budget (%(low)s and %(high)s euros).") % {"low": low, "high": budget})


def _dates(reading: Reading, values: dict[str, object]) -> None:
    for name, source in (("opens_on", "fechaInicioSolicitud"), ("deadline", "fechaFinSolicitud")):
        if day := _day(values.get(source), source):
            reading.facts[name] = day
    first, last = reading.facts.get("opens_on"), reading.facts.get("deadline")
    if first and last and last < first:
        raise ValidationError(_("the last day (%(last)s) is before the first (%(first)s).") % {"last": last.isoformat(), "first": first.isoformat()})
    if not last:
        text = _text(values.get("textFin"))
        reading.notes.append(
            _("The file gives no last day: “%(text)s”. Look it up and write it in.") % {"text": text} if text else _("The file gives no last day.")
        )


def _addresses(reading: Reading, values: dict[str, object]) -> None:
    for name, source in (("procedure_url", "sedeElectronica"), ("legal_base_url", "urlBasesReguladoras")):
        text = _text(values.get(source))
        if text and (url := _address(text)):
            reading.facts[name] = url
        elif text:
            reading.notes.append(_("%(field)s is no address and is left out: “%(text)s”.") % {"field": source, "text": text[:80]})
    if reading.number:
        reading.facts["url"] = CALL_PAGE.format(number=reading.number)


def _texts(reading: Reading, values: dict[str, object]) -> None:
    names = ("descripcion", "descripcionFinalidad", "descripcionBasesReguladoras", "textInicio", "textFin")
    reading.texts = {name: text for name in names if (text := _text(values.get(name)))}


# --- Values -------------------------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    """One line, whatever it was; not more than a page of it. JSON can hold signs that no database takes: NUL, halves of others."""
    if value is None or isinstance(value, (dict, list, bool)):
        return ""
    return "".join(sign for sign in " ".join(str(value).split())[:2000] if sign.isprintable())


def _calm(text: str) -> str:
    """A title that shouts, as a sentence."""
    return text.capitalize() if text.isupper() else text


def _calm_name(text: str) -> str:
    if not text.isupper():
        return text
    words = text.lower().split()
    return " ".join(word if place and word in SMALL_WORDS else word.capitalize() for place, word in enumerate(words))


def _names(value: object) -> list[str]:
    """The descriptions of a list of {descripcion}, of texts, or of one text with semicolons or bars."""
    if isinstance(value, str):
        value = re.split(r"[;|\n]", value)
    if not isinstance(value, list):
        return []
    texts = (_text(one.get("descripcion")) if isinstance(one, dict) else _text(one) for one in value)
    return [text for text in texts if text]


def _codes(value: object) -> list[str]:
    """The codes of a list of {codigo, descripcion}, or those before the dash: "ES511 - Barcelona"."""
    if isinstance(value, list):
        return [code for one in value for code in ([_text(one["codigo"])] if isinstance(one, dict) and one.get("codigo") else _codes("; ".join(_names([one]))))]
    return [name.partition(" ")[0].rstrip("-–:") for name in _names(value)]


def _known(name: str, known: dict[str, object], message: str) -> object:
    for beginning, meaning in known.items():
        if plain(name).startswith(beginning):
            return meaning
    raise ValidationError(message % {"name": name[:80]})


def _amount(value: object, name: str) -> Decimal | None:
    if value is None or value == "":
        return None
    text = _text(value).replace("€", "").replace("EUR", "").replace(" ", "").replace("\u00a0", "")
    if "," in text and text.rfind(",") > text.rfind("."):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+", text) and isinstance(value, str):
        text = text.replace(".", "")
    text = text.replace(",", "")
    try:
        amount = Decimal(text).quantize(Decimal("0.01"))
    except InvalidOperation as error:
        raise ValidationError(_("%(field)s is no amount: “%(text)s”.") % {"field": name, "text": _text(value)[:40]}) from error
    if not 0 <= amount < MAX_EUROS:
        raise ValidationError(_("%(field)s cannot be: %(amount)s euros.") % {"field": name, "amount": amount})
    return amount


def _day(value: object, name: str) -> datetime.date | None:
    text = _text(value)
    if not text:
        return None
    wrong = ValidationError(_("%(field)s is no date: “%(text)s”.") % {"field": name, "text": text[:40]})
    if found := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?", text):
        year, month, day = found.groups()
    elif found := re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?: .*)?", text):
        day, month, year = found.groups()
    else:
        raise wrong
    try:
        made = datetime.date(int(year), int(month), int(day))
    except ValueError as error:
        raise wrong from error
    if made.year not in YEARS:
        raise wrong
    return made


def _address(text: str) -> str:
    """A web address; offices often leave the https away."""
    url = text if re.match(r"https?://", text, re.IGNORECASE) else f"https://{text}"
    try:
        url = parse(url).url
        URLValidator(schemes=["http", "https"])(url)
    except (AddressError, ValidationError):
        return ""
    return url if len(url) <= MAX_URL else ""

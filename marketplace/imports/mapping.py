"""Which column holds what: a guess from header and content, which the curator confirms or corrects."""

import difflib
import re
from collections.abc import Callable, Mapping

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from marketplace.companies.validators import validate_tax_id

from . import values
from .enums import JOINED, Target
from .errors import MappingError
from .readers import Table

SAMPLE = 200
#: Folded words and phrases that headers use, in Catalan, Spanish and English. The longer phrase wins.
HEADERS: Mapping[str, tuple[str, ...]] = {
    Target.ID: ("id", "identificador", "codi", "codigo", "code", "numero de resposta", "numero de respuesta", "response id", "ref", "referencia", "expedient"),
    Target.TIMESTAMP: (
        "marca de temps", "marca temporal", "timestamp", "data d enviament", "fecha de envio", "submitted at", "submission date", "hora d inici", "start time",
        "completion time", "data", "fecha", "date", "hora", "submitted", "data de registre",
    ),
    Target.COMPANY: (
        "empresa", "nom de l empresa", "nombre de la empresa", "company", "company name", "rao social", "razon social", "business", "business name", "entitat",
        "entidad", "organitzacio", "organizacion", "organisation", "organization", "buyer", "supplier", "proveidor", "proveedor", "comprador",
        "nom comercial", "nombre comercial", "nom entitat",
    ),
    Target.TAX_ID: ("nif", "cif", "nif cif", "cif nif", "dni", "nie", "vat", "vat number", "tax id", "identificacio fiscal", "identificacion fiscal"),
    Target.KIND: (
        "kind", "oferta o demanda", "oferta demanda", "offer or demand", "ofereix o necessita", "que vols fer", "que quiere hacer", "tipus d anunci",
        "tipo de anuncio", "oferiu o necessiteu", "oferiu o demaneu",
    ),
    Target.TITLE: ("title", "titol", "titulo", "assumpte", "asunto", "subject", "headline", "en una frase", "nom del producte", "nombre del producto"),
    Target.DESCRIPTION: (
        "description", "descripcio", "descripcion", "text", "texto", "detall", "detalle", "details", "explica", "explicacio", "explicacion", "object", "objecte",
        "objeto", "comentaris", "comentarios", "comments",
    ),
    Target.OFFER: (
        "que ofereix", "que ofereixes", "que oferiu", "que ofrece", "que ofreces", "what you offer", "what do you offer", "what i offer", "oferta", "offer",
        "ofereixo", "ofrezco", "que podeu oferir", "que puc oferir", "que puede ofrecer", "solucions que ofereix",
    ),
    Target.DEMAND: (
        "que necessita", "que necessites", "que necessiteu", "que necesita", "que necesitas", "what you need", "what do you need", "what i need", "demanda",
        "demand", "necessito", "necesito", "necessitats", "necesidades", "needs", "que busca", "que busqueu", "que cerqueu", "request",
    ),
    Target.CATEGORY: ("category", "categoria", "tipus", "tipo", "type", "categories", "categorias"),
    Target.KEYWORDS: ("keywords", "paraules clau", "palabras clave", "etiquetes", "etiquetas", "tags"),
    Target.SECTOR: ("sector", "sector d activitat", "sector de actividad", "activitat", "actividad", "activity", "industry", "cnae", "ccae", "nace", "epigraf iae"),
    Target.PLACE: (
        "municipi", "municipio", "municipality", "place", "poblacio", "poblacion", "localitat", "localidad", "ciutat", "ciudad", "city", "town", "on es troba",
    ),
    Target.LANGUAGE: ("language", "llengua", "idioma", "lengua", "lang"),
    Target.REACH: ("reach km", "reach", "abast", "alcance", "radi d accio", "radio de accion", "distancia"),
    Target.REMOTE: ("remote", "a distancia", "en linia", "en linea", "online", "teletreball"),
    Target.VALID_UNTIL: (
        "valid until", "valid fins", "valid hasta", "data de fi", "fecha de fin", "fecha fin", "caducitat", "caducidad", "expiry", "expires", "fins quan", "termini",
        "deadline", "plazo",
    ),
    Target.SIZE: ("size", "mida", "tamany", "tamano", "nombre de treballadors", "numero de trabajadores", "treballadors", "trabajadores", "empleats", "employees", "plantilla"),
    Target.ABOUT: ("a que es dedica", "a que se dedica", "about", "que feu", "que fa l empresa", "que hace la empresa", "descripcio de l empresa", "descripcion de la empresa"),
    Target.WEB: ("web", "website", "pagina web", "url", "lloc web", "sitio web"),
    Target.CONTACT_NAME: (
        "persona de contacte", "persona de contacto", "contact person", "contacte", "contacto", "nom i cognoms", "nombre y apellidos", "responsable", "contact name",
        "your name",
    ),
    Target.CONTACT_EMAIL: (
        "email", "e mail", "correu", "correu electronic", "correo", "correo electronico", "adreca electronica", "direccion de correo electronico", "mail",
        "adreca de correu", "email address", "contact email",
    ),
    Target.CONTACT_PHONE: ("telefon", "telefono", "phone", "mobil", "movil", "telephone", "contact phone"),
}  # fmt: skip
#: Columns of our own export and of other systems that hold nothing for us.
IGNORED = frozenset(("state", "submitted at", "published at", "estat", "estado"))
#: A guess under this is no guess.
LEAST = 0.5
LIKENESS = 0.84


def guess(table: Table) -> dict[str, str]:
    """Column → target ("" for none). Header and content vote; each target that is not joined gets its best column only."""
    votes = []
    for place, column in enumerate(table.columns):
        sample = [cell for row in table.rows[:SAMPLE] if (cell := row.cells.get(column, ""))]
        for target, score in _scores(column, sample).items():
            votes.append((score, -place, column, target))
    mapping, taken = dict.fromkeys(table.columns, ""), set()
    for score, _place, column, target in sorted(votes, reverse=True):
        if score >= LEAST and not mapping[column] and (target not in taken or (target in JOINED and score >= 1)):
            mapping[column] = str(target)
            taken.add(target)
    return mapping


def _scores(column: str, sample: list[str]) -> dict[str, float]:
    header = values.fold(column)
    if header in IGNORED:
        return {}
    scores = {target: score for target, words in HEADERS.items() if (score := _likeness(header, words))}
    if not sample:
        return scores
    shares = {target: sum(map(holds, sample)) / len(sample) for target, holds in CONTENT.items()}
    for target in STRICT & scores.keys():
        # Most answers contradict the header, and something else explains them.
        if shares[target] < 0.3 and max(shares.values()) >= LEAST:  # noqa: PLR2004
            del scores[target]
    for target, share in shares.items():
        if share >= LEAST:
            scores[target] = max(scores.get(target, 0) + 0.3 * share, EVIDENCE.get(target, 0) * share)
    if Target.COMPANY in scores and sum(map(values.is_company_name, sample)) / len(sample) >= LEAST:
        # A "title" whose values end in SL and SA is the name of a company.
        scores.pop(Target.TITLE, None)
    return scores


def _likeness(header: str, phrases: tuple[str, ...]) -> float:
    """1 for a header that is one of the phrases, less for one that holds or resembles it; long phrases tell more than short ones."""
    if header in phrases:
        return 1.2
    held = [phrase for phrase in phrases if f" {phrase} " in f" {header} "]
    if held:
        longest = max(held, key=len)
        # The first words of a question say what it asks: "Empresa (nom i NIF)" is the company.
        early = 0.15 if header.startswith(longest) else 0
        return min(0.7 + early + 0.02 * len(longest), 1.1)
    near = max((difflib.SequenceMatcher(None, header, phrase).ratio() for phrase in phrases if len(phrase) > 3), default=0)  # noqa: PLR2004
    return 0.6 * near if near >= LIKENESS else 0


def _is_tax_id(cell: str) -> bool:
    try:
        validate_tax_id(cell)
    except ValidationError:
        return False
    return True


def _is_email(cell: str) -> bool:
    try:
        validate_email(cell)
    except ValidationError:
        return False
    return True


CONTENT: Mapping[str, Callable[[str], bool]] = {
    Target.TAX_ID: _is_tax_id,
    Target.CONTACT_EMAIL: _is_email,
    Target.WEB: lambda cell: bool(re.match(r"(https?://|www\.)\S+$", cell, re.IGNORECASE)),
    Target.CONTACT_PHONE: lambda cell: bool(re.fullmatch(r"(\+?34)?[\s.]?[6789](?:[\s.]?\d){8}", cell)),
    Target.TIMESTAMP: lambda cell: ":" in cell and values.moment(cell) is not None,
    Target.KIND: lambda cell: len(cell) < 60 and bool(values.kinds(cell)),  # noqa: PLR2004 - an answer, no text
    Target.CATEGORY: lambda cell: len(cell) < 60 and values.category(cell) is not None,  # noqa: PLR2004
    Target.LANGUAGE: lambda cell: len(cell) < 12 and values.language(cell) is not None,  # noqa: PLR2004
    Target.COMPANY: values.is_company_name,
    Target.PLACE: lambda cell: len(cell) < 60 and values.place(cell) is not None,  # noqa: PLR2004
}
#: A header alone does not make these: a "kind" that holds "Serveis" is a category.
STRICT = frozenset((Target.KIND, Target.CATEGORY, Target.LANGUAGE, Target.CONTACT_EMAIL))
#: What content alone is worth, without a word in the header.
EVIDENCE = {
    Target.TAX_ID: 0.95, Target.CONTACT_EMAIL: 0.95, Target.WEB: 0.9, Target.CONTACT_PHONE: 0.9, Target.TIMESTAMP: 0.8, Target.KIND: 0.7,
    Target.CATEGORY: 0.65, Target.LANGUAGE: 0.4, Target.COMPANY: 1.3, Target.PLACE: 0.8,
}  # fmt: skip


def check(mapping: Mapping[str, str], columns: list[str], *, kind: str = "") -> None:
    """Raise a MappingError that names everything missing or wrong at once. `kind` is the side all rows are on, if the curator said so."""
    errors = []
    for column, target in mapping.items():
        if column not in columns:
            errors.append(_("The file has no column “%(column)s”. It has: %(columns)s.") % {"column": column, "columns": ", ".join(columns)})
        if target and target not in Target.values:
            errors.append(
                _("“%(target)s” is nothing that a column can hold. Possible are: %(targets)s.") % {"target": target, "targets": ", ".join(Target.values)}
            )
    used = [target for target in mapping.values() if target]
    errors.extend(
        _("Two columns are said to hold “%(target)s”. Choose one.") % {"target": Target(target).label}
        for target in sorted({target for target in used if used.count(target) > 1 and target in Target.values and target not in JOINED})
    )
    if Target.COMPANY not in used and Target.TAX_ID not in used:
        errors.append(_("No column holds the company. Say which one holds its name or its NIF."))
    if not {Target.DESCRIPTION, Target.TITLE, Target.OFFER, Target.DEMAND} & set(used):
        errors.append(_("No column holds the text. Say which one holds the description, or what the company offers or needs."))
    if not ({Target.KIND, Target.OFFER, Target.DEMAND} & set(used) or kind):
        errors.append(_("Nothing says whether the rows are offers or demands. Choose a column, or say that all are of one kind."))
    if errors:
        raise MappingError(errors)

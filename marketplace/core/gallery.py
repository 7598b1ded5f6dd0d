"""Sample data for the page that shows every component (only where DEBUG is on)."""

import datetime as dt
from types import SimpleNamespace

from django import forms
from django.utils.safestring import mark_safe

from .forms import ChoiceCards, DateInput, ImageInput, SuggestInput


class SampleForm(forms.Form):
    """One field of each sort."""

    kind = forms.ChoiceField(
        label="Què vols publicar?",
        choices=[("offer", "Una oferta"), ("demand", "Una demanda")],
        widget=ChoiceCards(hints={"offer": "Tinc una cosa que pot servir a una altra empresa.", "demand": "Busco una cosa que em falta."}),
    )
    title = forms.CharField(label="Títol", max_length=120, help_text="El que diries en una frase.")
    description = forms.CharField(label="Descripció", max_length=600, widget=forms.Textarea)
    place = forms.CharField(label="Municipi", widget=SuggestInput(suggestions=["Terrassa", "Rubí", "Sabadell"]))
    sector = forms.ChoiceField(label="Sector", choices=[("", "Tria un sector"), ("C", "Indústria manufacturera"), ("G", "Comerç")])
    valid_until = forms.DateField(label="Vigent fins al", widget=DateInput)
    days = forms.MultipleChoiceField(label="Dies", required=False, choices=[("1", "Dilluns"), ("2", "Dimarts")], widget=forms.CheckboxSelectMultiple)
    logo = forms.ImageField(label="Logotip", required=False, widget=ImageInput, help_text="PNG o JPEG, fins a 2 MB.")
    remote = forms.BooleanField(label="També a distància", required=False)


def _company(name: str, initials: str, *, verified: bool = False) -> SimpleNamespace:
    return SimpleNamespace(
        name=name,
        initials=initials,
        verified=verified,
        logo=None,
        language="ca",
        description="Fem peces de plàstic per injecció i impressió 3D per a indústria, sanitat i comerç, des d'un prototip fins a sèries de deu mil.",
        sector=SimpleNamespace(label="Fabricació d'altres productes de plàstic"),
        place=SimpleNamespace(name="Terrassa"),
        get_absolute_url="/companies/sample/",
    )


def _listing(kind: str, title: str, company: SimpleNamespace, **more: object) -> SimpleNamespace:
    values = {
        "kind": kind,
        "get_kind_display": "Oferta" if kind == "offer" else "Demanda",
        "category": "product",
        "get_category_display": "Producte",
        "title": title,
        "description": "Fabriquem pantalles facials reutilitzables amb visera de PET. Lliurament en 72 hores al Vallès Occidental; també fem peces a mida.",
        "language": "ca",
        "get_language_display": "Català",
        "sector": company.sector,
        "place": company.place,
        "company": company,
        "valid_until": dt.date(2020, 6, 30),
        "days_left": 61,
        "expires_soon": False,
        "state": "published",
        "get_absolute_url": "/listings/sample/",
    }
    return SimpleNamespace(**{**values, **more})


def samples() -> dict[str, object]:
    """The gallery's context."""
    plastics, traders = _company("Tecnoplàstics Vallparadís, SL", "TP", verified=True), _company("Comerciants de Rubí", "CR")
    offer = _listing("offer", "Pantalles facials d'impressió 3D, 400 unitats la setmana", plastics)
    demand = _listing(
        "demand",
        "Necesitamos protección para cajas y mostradores",
        traders,
        language="es",
        get_language_display="Español",
        description="Buscamos mamparas o pantallas para 14 tiendas, con instalación antes de reabrir.",
        days_left=5,
        expires_soon=True,
    )
    signals = [("Text", 34, 40), ("Significat", 27, 30), ("Sector", 11, 15), ("Distància", 14, 15)]
    return {
        "offer": offer,
        "demand": demand,
        "company": plastics,
        "hit": SimpleNamespace(
            highlights={"description": mark_safe("Fabriquem <mark>pantalles facials</mark> reutilitzables amb visera de PET.")},
            distance_km=1.2,
        ),
        "synergy": SimpleNamespace(
            uid="sample",
            score=86.2,
            signals=[{"name": name, "points": points, "maximum": maximum} for name, points, maximum in signals],
            get_absolute_url="/synergies/sample/",
        ),
        "quote_mine": mark_safe("… <mark>mamparas o pantallas</mark> para 14 tiendas, <mark>con instalación</mark> …"),
        "quote_theirs": mark_safe("<mark>pantalles facials</mark> … <mark>també fem peces a mida</mark> … 72 hores"),
        "reasons": [
            {"positive": True, "text": "Mateix producte, en dues llengües"},
            {"positive": True, "text": "7,8 km, dins del seu radi"},
            {"positive": False, "text": "No diu res de la instal·lació"},
        ],
        "figures": [{"number": 88, "label": "empreses"}, {"number": 261, "label": "ofertes i demandes"}, {"number": 143, "label": "sinergies proposades"}],
        "chips": [{"label": "Oferta", "url": "?"}, {"label": "Productes de plàstic", "url": "?"}],
        "options": [
            {"value": "C", "label": "Indústria manufacturera", "count": 64, "depth": 0},
            {"value": "22", "label": "Productes de plàstic", "count": 12, "checked": True, "depth": 1},
            {"value": "14", "label": "Confecció", "count": 9, "depth": 1},
            {"value": "H", "label": "Transport i emmagatzematge", "count": 0, "depth": 0},
        ],
        "kinds": [{"value": "offer", "label": "Oferta", "count": 118, "checked": True}, {"value": "demand", "label": "Demanda", "count": 73}],
        "states": [
            ("draft", "Esborrany"),
            ("submitted", "En revisió"),
            ("published", "Publicada"),
            ("changes_requested", "Cal canviar-la"),
            ("rejected", "Rebutjada"),
            ("expired", "Caducada"),
            ("closed", "Tancada"),
        ],
        "rows": [("Sanitat", 8), ("Residències", 2), ("Farmàcia", 2), ("Administració", 1)],
        "items": [("Inici", "/"), ("Ofertes i demandes", "/listings/")],
        "form": SampleForm({"title": "Pantalles", "kind": "demand"}),
    }

"""The three languages, a home page in each under the root, and the three texts that every public site needs below each of them."""

import json
import uuid
from pathlib import Path

from django.db import migrations
from django.utils import timezone

TEXTS = Path(__file__).parent.parent / "texts"
HOME = {
    "ca": {
        "title": "Inici", "slug": "inici",
        "hero_title": "El que et falta, algú de prop ho fa.",
        "hero_text": "Publica què ofereixes o què necessites. Et diem amb qui encaixes, i per què.",
        "search_hint": "Pantalles facials, repartiment, assessorament…",
        "first_title": "Publica", "first_text": "Escriu què ofereixes o què necessites, amb les teves paraules. El Servei d'Innovació ho revisa i ho publica.",
        "second_title": "Et diem amb qui encaixes", "second_text": "Comparem cada oferta amb cada demanda, també entre llengües, i t'expliquem per què encaixen i què hi falta.",
        "third_title": "Digueu-vos que sí", "third_text": "Quan a totes dues empreses us interessa, veieu les dades de contacte. Abans, ningú.",
    },
    "es": {
        "title": "Inicio", "slug": "inicio",
        "hero_title": "Lo que te falta, alguien de cerca lo hace.",
        "hero_text": "Publica qué ofreces o qué necesitas. Te decimos con quién encajas, y por qué.",
        "search_hint": "Pantallas faciales, reparto, asesoramiento…",
        "first_title": "Publica", "first_text": "Escribe qué ofreces o qué necesitas, con tus palabras. El Servicio de Innovación lo revisa y lo publica.",
        "second_title": "Te decimos con quién encajas", "second_text": "Comparamos cada oferta con cada demanda, también entre lenguas, y te explicamos por qué encajan y qué falta.",
        "third_title": "Decid que sí", "third_text": "Cuando a las dos empresas os interesa, veis los datos de contacto. Antes, nadie.",
    },
    "en": {
        "title": "Home", "slug": "home",
        "hero_title": "What you lack, somebody near makes.",
        "hero_text": "Publish what you offer or what you need. We tell you with whom you fit, and why.",
        "search_hint": "Face shields, delivery, advice…",
        "first_title": "Publish", "first_text": "Write what you offer or what you need, in your own words. The Innovation Service reviews it and publishes it.",
        "second_title": "We tell you with whom you fit", "second_text": "We compare each offer with each demand, across languages too, and explain why they fit and what is missing.",
        "third_title": "Say yes", "third_text": "When both companies are interested, you see the contact data. Nobody does before.",
    },
}  # fmt: skip
ORDER = ("accessibility", "privacy", "terms")


def make_pages(apps, schema_editor):
    """Written with plain rows: a migration's models know nothing of Wagtail's tree, so each path is set by hand."""
    site_model, page_model = apps.get_model("wagtailcore", "Site"), apps.get_model("wagtailcore", "Page")
    root = page_model.objects.get(depth=1)
    # Wagtail's own welcome page makes room; the site would go with it if it still stood on it.
    site, _created = site_model.objects.get_or_create(is_default_site=True, defaults={"hostname": "localhost", "root_page_id": root.pk})
    site_model.objects.filter(pk=site.pk).update(root_page=root.pk)
    page_model.objects.filter(depth=2, slug="home").delete()
    keys = {name: uuid.uuid4() for name in ("home", *ORDER)}
    homes = {}
    for number, (language, fields) in enumerate(HOME.items(), start=1):
        path = f"{root.path}{number:04d}"
        homes[language] = _page(
            apps, "homepage", language, keys["home"], path=path, depth=2, numchild=len(ORDER), url_path=f"/{fields['slug']}/", **fields
        )
        texts = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
        for child, name in enumerate(ORDER, start=1):
            text = texts[name]
            _page(
                apps, "standardpage", language, keys[name], path=f"{path}{child:04d}", depth=3, numchild=0,
                url_path=f"/{fields['slug']}/{text['slug']}/", show_in_menus=True, **text,
            )  # fmt: skip
    page_model.objects.filter(pk=root.pk).update(numchild=len(HOME))
    site_model.objects.filter(pk=site.pk).update(root_page=homes["ca"].pk)


def _page(apps, model, language, key, **fields):
    locale, _created = apps.get_model("wagtailcore", "Locale").objects.get_or_create(language_code=language)
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="pages", model=model)
    now = timezone.now()
    return apps.get_model("pages", model).objects.create(
        locale=locale, content_type=content_type, translation_key=key, draft_title=fields["title"], live=True,
        first_published_at=now, last_published_at=now, **fields,
    )  # fmt: skip


def remove_pages(apps, schema_editor):
    """Only on the way back to nothing: the site needs some root page, so the pages stay until their tables go."""


class Migration(migrations.Migration):
    dependencies = [
        ("pages", "0001_initial"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_pages, remove_pages)]

"""A finder below the home page of every language."""

import uuid

from django.db import migrations
from django.utils import timezone
from treebeard.numconv import NumConv

FINDERS = {
    "ca": {
        "title": "Ajuts per a empreses", "slug": "ajuts",
        "lead": "Subvencions, préstecs, bonificacions i assessorament: què hi ha, fins quan, i si hi pots optar.",
    },
    "es": {
        "title": "Ayudas para empresas", "slug": "ayudas",
        "lead": "Subvenciones, préstamos, bonificaciones y asesoramiento: qué hay, hasta cuándo, y si puedes optar.",
    },
    "en": {
        "title": "Aid for companies", "slug": "aid",
        "lead": "Grants, loans, tax relief and advice: what there is, until when, and whether you qualify.",
    },
}  # fmt: skip
STEP_LENGTH = 4
NUMBERS = NumConv("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def make_finders(apps, schema_editor):
    """Written with plain rows: a migration's models know nothing of Wagtail's tree, so each path is set by hand."""
    page_model, finder_model = apps.get_model("wagtailcore", "Page"), apps.get_model("aid", "AidIndexPage")
    content_type, _created = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="aid", model="aidindexpage")
    key, now = uuid.uuid4(), timezone.now()
    for home in apps.get_model("pages", "HomePage").objects.select_related("locale"):
        fields = FINDERS.get(home.locale.language_code)
        children = page_model.objects.filter(path__startswith=home.path, depth=home.depth + 1)
        if fields is None or children.filter(slug=fields["slug"]).exists():
            continue
        last = children.order_by("-path").values_list("path", flat=True).first()
        step = NUMBERS.str2int(last[-STEP_LENGTH:]) + 1 if last else 1
        finder_model.objects.create(
            locale_id=home.locale_id, content_type=content_type, translation_key=key, draft_title=fields["title"], live=True, show_in_menus=True,
            first_published_at=now, last_published_at=now, path=home.path + NUMBERS.int2str(step).rjust(STEP_LENGTH, "0"), depth=home.depth + 1,
            numchild=0, url_path=f"{home.url_path}{fields['slug']}/", **fields,
        )  # fmt: skip
        page_model.objects.filter(pk=home.pk).update(numchild=home.numchild + 1)


class Migration(migrations.Migration):
    dependencies = [("aid", "0001_initial"), ("pages", "0002_first_pages")]

    operations = [migrations.RunPython(make_finders, migrations.RunPython.noop)]

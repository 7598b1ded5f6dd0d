"""Sectors and municipalities are part of the product, so every database has them from its first migration."""

from django.db import migrations

from marketplace.companies import reference


def load(apps, schema_editor):
    reference.load(apps.get_model("companies", "Sector"), apps.get_model("companies", "Place"))


class Migration(migrations.Migration):
    dependencies = [("companies", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop, elidable=False)]

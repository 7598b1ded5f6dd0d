from django.db import migrations

from marketplace.core import nudges

TABLES = ("core_change", "core_mail")


class Migration(migrations.Migration):
    dependencies = [("core", "0002_cache_table")]

    operations = [migrations.RunPython(nudges.triggering(table), nudges.untriggering(table)) for table in TABLES]

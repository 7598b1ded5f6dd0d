"""The table of the cache that all processes share (settings.CACHES); without it the first log-in would be an error."""

from django.core.management import call_command
from django.db import migrations


def make_table(apps, schema_editor):
    call_command("createcachetable", "cache", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    # Going back leaves it: what it holds is nothing that lasts.
    operations = [migrations.RunPython(make_table, migrations.RunPython.noop)]

from django.db import migrations

from marketplace.core import nudges


class Migration(migrations.Migration):
    dependencies = [("imports", "0001_initial"), ("core", "0003_nudges")]

    operations = [migrations.RunPython(nudges.triggering("imports_import", "INSERT OR UPDATE OF state"), nudges.untriggering("imports_import"))]

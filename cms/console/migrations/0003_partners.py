"""The Innovation Service looks after partner marketplaces."""

from django.db import migrations

# As in marketplace.accounts.rules and marketplace.federation.rules at the time of this migration.
CURATORS = "Innovation Service"


def give_permission(apps, schema_editor):
    # Permissions are made after all migrations; here it is needed before, as in 0001_curators.
    content_type, _ = apps.get_model("contenttypes.ContentType").objects.get_or_create(app_label="federation", model="partner")
    permission, _ = apps.get_model("auth.Permission").objects.get_or_create(
        content_type=content_type, codename="manage_partners", defaults={"name": "Can connect and look after partner marketplaces"}
    )
    group, _ = apps.get_model("auth.Group").objects.get_or_create(name=CURATORS)
    group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("console", "0002_editors"), ("federation", "0001_initial")]
    # A site that gave it to others keeps that.
    operations = [migrations.RunPython(give_permission, migrations.RunPython.noop)]

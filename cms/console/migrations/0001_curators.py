"""The group of the curators, so that a new site needs no clicks before its staff can work."""

from django.db import migrations

# As in marketplace.accounts.rules at the time of this migration.
CURATORS = "Innovation Service"
PERMISSIONS = (
    ("wagtailadmin", "admin", "access_admin", "Can access Wagtail admin"),
    ("listings", "listing", "curate_listing", "Can publish, send back and reject listings"),
)


def make_group(apps, schema_editor):
    # Permissions are made after all migrations; here they are needed before, as in Wagtail's own migrations.
    content_types, permissions = apps.get_model("contenttypes.ContentType"), apps.get_model("auth.Permission")
    group, _ = apps.get_model("auth.Group").objects.get_or_create(name=CURATORS)
    for app_label, model, codename, name in PERMISSIONS:
        content_type, _ = content_types.objects.get_or_create(app_label=app_label, model=model)
        permission, _ = permissions.objects.get_or_create(content_type=content_type, codename=codename, defaults={"name": name})
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        # These give more to every group that opens the admin; ours comes after them and stays as it is written here.
        ("wagtailimages", "0023_add_choose_permissions"),
        ("wagtaildocs", "0011_add_choose_permissions"),
        ("listings", "0001_initial"),
    ]
    # Taking the group away would take it from the people in it, so backwards does nothing.
    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]

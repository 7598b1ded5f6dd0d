from django.db import migrations, models


def keep_what_is_held(apps, schema_editor):
    """What waits for a person goes on waiting."""
    held = apps.get_model("federation", "RemoteListing").objects.filter(tombstoned_at=None, partner__checkpoint__held_at__isnull=False)
    held.exclude(leaving="").update(unasked=True)


class Migration(migrations.Migration):
    dependencies = [("federation", "0001_initial")]

    operations = [
        migrations.AddField(model_name="remotelisting", name="unasked", field=models.BooleanField(default=False)),
        migrations.RunPython(keep_what_is_held, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="checkpoint", name="released_at"),
    ]

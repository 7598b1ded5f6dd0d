"""What was uploaded before the site had picture and document models of its own, under the same numbers: they are part of addresses."""

from django.core.management.color import no_style
from django.db import migrations

MODELS = (("wagtailimages", "Image"), ("wagtaildocs", "Document"))
COMMON = ("id", "title", "file", "file_size", "file_hash", "collection_id", "uploaded_by_user_id")
PICTURE = ("width", "height", "focal_point_x", "focal_point_y", "focal_point_width", "focal_point_height")


def carry_over(apps, schema_editor):
    for app, name in MODELS:
        old, new = apps.get_model(app, name), apps.get_model("media", name)
        rows = list(old.objects.all())
        if not rows:
            continue
        for row in rows:
            facts = {field: getattr(row, field) for field in COMMON}
            if name == "Image":
                # A title is often the file's name, but better than nothing to who does not see the picture.
                facts |= {field: getattr(row, field) for field in PICTURE} | {"description": row.description or row.title}
            new.objects.create(**facts)
            # The day of the upload is written by itself when a row is made.
            new.objects.filter(pk=row.pk).update(created_at=row.created_at)
        _carry_tags(apps, app, name)
        with schema_editor.connection.cursor() as cursor:
            for statement in schema_editor.connection.ops.sequence_reset_sql(no_style(), [new]):
                cursor.execute(statement)


def _carry_tags(apps, app, name):
    types, tagged = apps.get_model("contenttypes", "ContentType"), apps.get_model("taggit", "TaggedItem")
    old = types.objects.filter(app_label=app, model=name.lower()).first()
    if old is None:
        return
    new, _created = types.objects.get_or_create(app_label="media", model=name.lower())
    for item in tagged.objects.filter(content_type=old):
        tagged.objects.get_or_create(content_type=new, object_id=item.object_id, tag_id=item.tag_id)


class Migration(migrations.Migration):
    dependencies = [
        ("media", "0001_initial"),
        ("wagtailimages", "0027_image_description"),
        ("wagtaildocs", "0014_alter_document_file_size"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    # The old rows stay where they were, so there is nothing to bring back.
    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]

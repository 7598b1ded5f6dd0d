from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("federation", "0005_feed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Announced",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("transaction", models.BigIntegerField(default=0)),
                ("entry_id", models.BigIntegerField(default=0)),
                ("renumbered", models.PositiveIntegerField(default=0)),
            ],
        ),
    ]

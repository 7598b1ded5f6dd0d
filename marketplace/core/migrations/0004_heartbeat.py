from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_nudges")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("process", models.CharField(max_length=80)),
                ("part", models.CharField(max_length=20)),
                ("host", models.CharField(max_length=64)),
                ("pid", models.PositiveIntegerField()),
                ("started", models.DateTimeField()),
                ("beat", models.DateTimeField()),
                ("doing", models.CharField(blank=True, max_length=80)),
                ("since", models.DateTimeField()),
                ("did", models.CharField(blank=True, max_length=80)),
                ("rounds", models.PositiveBigIntegerField(default=0)),
                ("failed", models.PositiveBigIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("breakers", models.JSONField(default=dict)),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("process", "part"), name="heartbeat_once")]},
        )
    ]

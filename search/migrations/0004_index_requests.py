import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0003_index_builds_and_checks")]

    operations = [
        migrations.CreateModel(
            name="IndexRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("engine", models.CharField(max_length=20)),
                (
                    "work",
                    models.CharField(
                        choices=[("compare", "Compare with the database"), ("repair", "Repair the differences"), ("rebuild", "Build anew")], max_length=10
                    ),
                ),
                ("asked", models.DateTimeField(default=django.utils.timezone.now)),
                ("started", models.DateTimeField(null=True)),
                ("finished", models.DateTimeField(null=True)),
                ("documents", models.PositiveIntegerField(default=0)),
                ("of", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("leased_by", models.CharField(blank=True, max_length=80)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": (),
                "permissions": [("operate_index", "Can compare, repair and rebuild the search index")],
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("finished", None)), fields=("engine", "work"), name="one_request_at_a_time")
                ],
            },
        )
    ]

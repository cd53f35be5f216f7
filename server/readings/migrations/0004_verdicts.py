import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0003_case_moves"),
        ("reconstructions", "0004_comparisons"),
    ]

    operations = [
        migrations.CreateModel(
            name="Verdict",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("modified_at", models.DateTimeField(auto_now=True)),
                ("key", models.CharField(max_length=40)),
                (
                    "act",
                    models.CharField(choices=[("keep", "Keep"), ("take", "Take"), ("edit", "Edit")], max_length=4),
                ),
                ("reason_sealed", models.BinaryField(null=True)),
                ("seconds", models.PositiveIntegerField(default=0)),
                ("region", models.JSONField()),
                ("operation_seq", models.BigIntegerField(null=True)),
                (
                    "comparison",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="reconstructions.comparison",
                    ),
                ),
                (
                    "reading",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="verdicts", to="readings.reading"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("reading", "key"), name="one_verdict_per_place"),
                ],
            },
        ),
    ]

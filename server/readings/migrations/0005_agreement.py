import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("algorithms", "0001_initial"),
        ("jobs", "0002_fence_and_moves"),
        ("readings", "0004_verdicts"),
        ("reconstructions", "0004_comparisons"),
    ]

    operations = [
        migrations.CreateModel(
            name="Agreement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("modified_at", models.DateTimeField(auto_now=True)),
                ("segments", models.JSONField(null=True)),
                ("excesses", models.JSONField(null=True)),
                ("is_within", models.BooleanField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="agreements", to="readings.case"
                    ),
                ),
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
                    "left",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="readings.reading"
                    ),
                ),
                (
                    "right",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="readings.reading"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Consensus",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("modified_at", models.DateTimeField(auto_now=True)),
                (
                    "method",
                    models.CharField(
                        choices=[("union", "Union"), ("majority", "Majority"), ("staple", "Staple")], max_length=8
                    ),
                ),
                ("labelmap_ref", models.CharField(blank=True, max_length=101)),
                ("voxels", models.JSONField(null=True)),
                ("performances", models.JSONField(default=list)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="proposals", to="readings.case"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="jobs.job"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Pick",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("modified_at", models.DateTimeField(auto_now=True)),
                ("n", models.PositiveIntegerField()),
                ("region", models.JSONField()),
                ("choice", models.CharField(max_length=4)),
                ("operation_seq", models.BigIntegerField(null=True)),
                (
                    "agreement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="picks", to="readings.agreement"
                    ),
                ),
                (
                    "reading",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="picks", to="readings.reading"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reliance",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("modified_at", models.DateTimeField(auto_now=True)),
                ("case_version", models.PositiveIntegerField()),
                ("changed_right", models.PositiveIntegerField()),
                ("changed_wrong", models.PositiveIntegerField()),
                ("kept_right", models.PositiveIntegerField()),
                ("kept_wrong", models.PositiveIntegerField()),
                ("seconds", models.JSONField(default=list)),
                (
                    "algorithm_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="algorithms.algorithmversion"
                    ),
                ),
                (
                    "reading",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reliance", to="readings.reading"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Ruling",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("modified_at", models.DateTimeField(auto_now=True)),
                ("base", models.CharField(blank=True, max_length=12)),
                ("reason_sealed", models.BinaryField(null=True)),
                (
                    "reading",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="ruling", to="readings.reading"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.UniqueConstraint(fields=("left", "right"), name="one_agreement_per_pair"),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_within", None),
                    models.Q(("excesses__isnull", False), ("segments__isnull", False)),
                    _connector="OR",
                ),
                name="an_agreement_has_its_numbers",
            ),
        ),
        migrations.AddConstraint(
            model_name="consensus",
            constraint=models.UniqueConstraint(fields=("case", "method"), name="one_proposal_per_method"),
        ),
        migrations.AddConstraint(
            model_name="pick",
            constraint=models.UniqueConstraint(fields=("reading", "agreement", "n"), name="one_pick_per_place"),
        ),
        migrations.AddIndex(
            model_name="reliance",
            index=models.Index(fields=["algorithm_version"], name="reliance_by_version"),
        ),
    ]

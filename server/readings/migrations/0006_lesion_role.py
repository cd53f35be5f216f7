from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("readings", "0005_agreement"),
    ]

    operations = [
        migrations.AddField(
            model_name="annotation",
            name="lesion_role",
            field=models.CharField(
                blank=True,
                choices=[("target", "Target"), ("node", "Node"), ("new", "New"), ("gone", "Gone"), ("small", "Small")],
                default="",
                max_length=8,
            ),
            preserve_default=False,
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0004_phases"),
    ]

    operations = [
        migrations.AddField(
            model_name="transform",
            name="facts",
            field=models.JSONField(default=dict),
        ),
    ]

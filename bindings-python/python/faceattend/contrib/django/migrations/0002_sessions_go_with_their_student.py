import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('faceattend', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='livenesssession',
            name='student',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='faceattend.student'),
        ),
    ]

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('faceattend', '0002_sessions_go_with_their_student'),
    ]

    operations = [
        migrations.CreateModel(
            name='SecondLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seen_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('local_day', models.DateField()),
                ('period', models.CharField(max_length=100)),
                ('confidence_score', models.FloatField(blank=True, null=True)),
                ('camera_location', models.CharField(blank=True, max_length=100)),
                (
                    'verdict',
                    models.CharField(choices=[('undecided', 'undecided'), ('spoof', 'a picture')], max_length=20),
                ),
                ('reason', models.CharField(blank=True, max_length=50)),
                (
                    'state',
                    models.CharField(
                        choices=[
                            ('open', 'open'),
                            ('confirmed', 'confirmed'),
                            ('refused', 'refused'),
                            ('settled', 'marked since'),
                        ],
                        default='open',
                        max_length=20,
                    ),
                ),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                (
                    'student',
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name='second_looks',
                        to='faceattend.student',
                    ),
                ),
            ],
            options={
                'db_table': 'faceattend_second_look',
                'ordering': ['-seen_at', '-id'],
                'constraints': [
                    models.UniqueConstraint(
                        condition=models.Q(('state', 'open')),
                        fields=('student', 'local_day', 'period'),
                        name='uq_faceattend_second_look_open',
                    )
                ],
            },
        ),
    ]

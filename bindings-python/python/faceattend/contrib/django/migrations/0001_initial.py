"""The tables of the reference server: made, or taken over where they are there."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from faceattend.contrib.django.adoption import AdoptModel


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        AdoptModel(
            name='Camera',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('source', models.CharField(help_text='The number of a camera, an address (rtsp://user:password@host/path), or the path of a video file.', max_length=500)),
                ('location', models.CharField(blank=True, help_text='The place that attendance names.', max_length=100)),
                ('enabled', models.BooleanField(default=True)),
            ],
            options={
                'db_table': 'faceattend_camera',
                'ordering': ['name'],
            },
        ),
        AdoptModel(
            name='DetectionLog',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('timestamp', models.DateTimeField(default=django.utils.timezone.now)),
                ('faces_detected', models.IntegerField(null=True)),
                ('students_recognized', models.IntegerField(null=True)),
                ('processing_time', models.FloatField(blank=True, null=True)),
                ('camera_location', models.CharField(blank=True, max_length=100, null=True)),
                ('error_message', models.TextField(blank=True, null=True)),
            ],
            options={
                'db_table': 'detection_logs',
                'ordering': ['-id'],
            },
        ),
        AdoptModel(
            name='Student',
            fields=[
                ('face_embedding', models.BinaryField(blank=True, null=True)),
                ('embedding_vector', models.TextField(blank=True, editable=False, null=True)),
                ('model_version', models.TextField(blank=True, editable=False, null=True)),
                ('liveness_verified', models.BooleanField(default=False, editable=False, null=True)),
                ('liveness_verification_date', models.DateTimeField(blank=True, editable=False, null=True)),
                ('liveness_confidence_score', models.FloatField(blank=True, editable=False, null=True)),
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255)),
                ('roll_number', models.CharField(max_length=50, unique=True)),
                ('roll_no', models.CharField(blank=True, db_index=True, editable=False, max_length=50, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, null=True)),
                ('updated_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'db_table': 'students',
                'ordering': ['name', 'id'],
            },
        ),
        AdoptModel(
            name='LivenessSession',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('session_id', models.CharField(max_length=100, unique=True)),
                ('status', models.CharField(max_length=20, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ('completed_at', models.DateTimeField(blank=True, null=True)),
                ('expires_at', models.DateTimeField()),
                ('center_frame_data', models.TextField(blank=True, null=True)),
                ('left_frame_data', models.TextField(blank=True, null=True)),
                ('right_frame_data', models.TextField(blank=True, null=True)),
                ('center_embedding', models.TextField(blank=True, null=True)),
                ('left_embedding', models.TextField(blank=True, null=True)),
                ('right_embedding', models.TextField(blank=True, null=True)),
                ('center_verified', models.BooleanField(default=False, null=True)),
                ('left_verified', models.BooleanField(default=False, null=True)),
                ('right_verified', models.BooleanField(default=False, null=True)),
                ('liveness_score', models.FloatField(default=0.0, null=True)),
                ('movement_verified', models.BooleanField(default=False, null=True)),
                ('final_embedding', models.TextField(blank=True, null=True)),
                ('error_message', models.TextField(blank=True, null=True)),
                ('attempts_count', models.IntegerField(default=0, null=True)),
                ('state', models.TextField(blank=True, null=True)),
                ('version', models.IntegerField(default=0)),
                ('consumed_at', models.DateTimeField(blank=True, null=True)),
                ('student', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='faceattend.student')),
            ],
            options={
                'db_table': 'liveness_detection_sessions',
                'ordering': ['-id'],
            },
        ),
        AdoptModel(
            name='StudentTemplate',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('model_id', models.TextField()),
                ('embedding', models.BinaryField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('student', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='student_templates', to='faceattend.student')),
            ],
            options={
                'db_table': 'student_templates',
                'ordering': ['id'],
            },
        ),
        AdoptModel(
            name='Attendance',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('timestamp', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('status', models.CharField(choices=[('Present', 'Present'), ('Late', 'Late')], default='Present', max_length=20)),
                ('confidence_score', models.FloatField(blank=True, null=True)),
                ('camera_location', models.CharField(blank=True, max_length=100, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, null=True)),
                ('local_day', models.DateField(blank=True, editable=False, null=True)),
                ('period', models.TextField(blank=True, editable=False, null=True)),
                ('student', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attendances', to='faceattend.student')),
            ],
            options={
                'verbose_name_plural': 'attendance',
                'db_table': 'attendance_log',
                'ordering': ['-timestamp', '-id'],
                'constraints': [models.UniqueConstraint(fields=('student', 'local_day', 'period'), name='uq_attendance_log_student_day_period')],
            },
        ),
    ]

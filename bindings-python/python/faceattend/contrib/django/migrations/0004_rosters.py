"""Groups, timetables, the calendar and excuses: made, or taken over where the reference server has made them."""

from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Coalesce

from faceattend.contrib.django.adoption import AdoptField, MakeTables
from faceattend.contrib.django.fields import ServerTimeField
from faceattend.contrib.django.roster_models import today
from faceattend.contrib.django.roster_tables import STATEMENTS

Fields = list[tuple[str, Any]]


def noted() -> Fields:
    return [
        ('created_at', ServerTimeField(default=django.utils.timezone.now, editable=False)),
        ('created_by', models.CharField(default='', editable=False, max_length=255)),
    ]


def span() -> Fields:
    return [
        ('from_day', models.DateField(default=today, help_text='The first day.', verbose_name='from')),
        (
            'until_day',
            models.DateField(
                blank=True,
                help_text='The first day on which it is over; empty where there is no end.',
                null=True,
                verbose_name='until',
            ),
        ),
    ]


def days() -> Fields:
    return [
        ('first_day', models.DateField(default=today)),
        ('last_day', models.DateField(default=today)),
    ]


def key() -> tuple[str, Any]:
    return ('id', models.BigAutoField(primary_key=True, serialize=False))


def of_student(name: str) -> tuple[str, Any]:
    cascade = django.db.models.deletion.CASCADE
    return ('student', models.ForeignKey(on_delete=cascade, related_name=name, to='faceattend.student'))


def of_group(name: str, help_text: str) -> tuple[str, Any]:
    return (
        'group',
        models.ForeignKey(
            blank=True,
            help_text=help_text,
            null=True,
            on_delete=django.db.models.deletion.CASCADE,
            related_name=name,
            to='faceattend.studentgroup',
        ),
    )


class Migration(migrations.Migration):

    dependencies = [
        ('faceattend', '0003_second_look'),
    ]

    operations = [
        AdoptField(
            model_name='attendance',
            name='checked_out_at',
            field=ServerTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='attendance',
            name='status',
            field=models.CharField(
                choices=[
                    ('Present', 'Present'),
                    ('Late', 'Late'),
                    ('Left early', 'Left early'),
                    ('Absent', 'Absent'),
                ],
                default='Present',
                max_length=20,
            ),
        ),
        MakeTables(
            STATEMENTS,
            [
                migrations.CreateModel(
                    name='StudentGroup',
                    fields=[
                        *noted(),
                        key(),
                        ('name', models.CharField(max_length=100)),
                        ('name_key', models.CharField(editable=False, max_length=255, unique=True)),
                        (
                            'kind',
                            models.CharField(
                                choices=[
                                    ('class', 'class'),
                                    ('section', 'section'),
                                    ('department', 'department'),
                                    ('shift', 'shift'),
                                    ('other', 'other'),
                                ],
                                default='class',
                                max_length=20,
                            ),
                        ),
                        ('archived_at', ServerTimeField(blank=True, editable=False, null=True)),
                    ],
                    options={
                        'verbose_name': 'student group',
                        'db_table': 'student_groups',
                        'ordering': ['name', 'id'],
                    },
                ),
                migrations.CreateModel(
                    name='GroupMember',
                    fields=[
                        *noted(),
                        *span(),
                        key(),
                        (
                            'group',
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name='members',
                                to='faceattend.studentgroup',
                            ),
                        ),
                        of_student('memberships'),
                    ],
                    options={
                        'verbose_name': 'member',
                        'db_table': 'group_members',
                        'ordering': ['student_id', 'from_day', 'group_id'],
                    },
                ),
                migrations.CreateModel(
                    name='Withdrawal',
                    fields=[*noted(), *span(), key(), of_student('withdrawals')],
                    options={'db_table': 'withdrawals', 'ordering': ['student_id', 'from_day']},
                ),
                migrations.CreateModel(
                    name='Timetable',
                    fields=[
                        *noted(),
                        key(),
                        of_group(
                            'timetables', "Empty for the site's: it holds for everybody whose groups have none."
                        ),
                        (
                            'valid_from',
                            models.DateField(default=today, help_text='The first day on which it holds.'),
                        ),
                        ('weekdays', models.CharField(default='mon tue wed thu fri', max_length=40)),
                        ('periods', models.TextField(blank=True, default='[]')),
                    ],
                    options={
                        'db_table': 'timetables',
                        'ordering': ['group_id', 'valid_from'],
                        'constraints': [
                            models.UniqueConstraint(
                                Coalesce('group', 0), models.F('valid_from'), name='uq_timetables_valid_from'
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='CalendarEntry',
                    fields=[
                        *noted(),
                        *days(),
                        key(),
                        of_group('calendar_entries', 'Empty for everybody.'),
                        (
                            'kind',
                            models.CharField(
                                choices=[
                                    ('holiday', 'holiday: nobody is expected'),
                                    ('extra_day', 'extra day: people are expected'),
                                ],
                                default='holiday',
                                max_length=20,
                            ),
                        ),
                        ('name', models.CharField(max_length=255)),
                    ],
                    options={
                        'verbose_name': 'calendar entry',
                        'verbose_name_plural': 'calendar',
                        'db_table': 'calendar_entries',
                        'ordering': ['-first_day', 'id'],
                    },
                ),
                migrations.CreateModel(
                    name='Excuse',
                    fields=[
                        *noted(),
                        *days(),
                        key(),
                        of_student('excuses'),
                        (
                            'period',
                            models.TextField(
                                blank=True,
                                help_text='The name of a period of the timetable; empty for the whole of each day.',
                                null=True,
                            ),
                        ),
                        (
                            'reason',
                            models.TextField(validators=[django.core.validators.MaxLengthValidator(4000)]),
                        ),
                        ('withdrawn_at', ServerTimeField(blank=True, editable=False, null=True)),
                        (
                            'withdrawn_by',
                            models.CharField(blank=True, editable=False, max_length=255, null=True),
                        ),
                    ],
                    options={'db_table': 'excuses', 'ordering': ['-first_day', '-id']},
                ),
                migrations.CreateModel(
                    name='AttendanceCorrection',
                    fields=[
                        key(),
                        (
                            'attendance',
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name='corrections',
                                to='faceattend.attendance',
                            ),
                        ),
                        ('status', models.CharField(max_length=20)),
                        ('status_before', models.CharField(max_length=20)),
                        ('corrected_by', models.CharField(max_length=100)),
                        ('reason', models.TextField()),
                        ('created_at', ServerTimeField(default=django.utils.timezone.now)),
                    ],
                    options={'db_table': 'attendance_corrections', 'ordering': ['id']},
                ),
            ],
        ),
    ]
